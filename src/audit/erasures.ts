import { type Asked, expectApproved, vote } from './approvals.ts'
import { type Gone, type Hole, type Holes, holeName } from './commitments.ts'
import type { Entry } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'
import { isDecimal, listIn } from './names.ts'

const ACTION = 'signals.erase'

/** Check 12 says what is wrong with a request itself. */
const SILENT: Faults = { add: () => {}, finding: (otherwise) => otherwise() }

/**
 * Check 7: an erasure was asked for by one person and approved by another before, and each value that it names is of an
 * earlier entry, and gone.
 */
export function checkErasures(holes: Holes): EntryCheck {
  const check = numbered(7, 'erasures')
  const faults = gatherFaults(check)
  const requests = new Map<string, Asked>()
  const counted = { erasures: 0, values: 0, elsewhere: 0 }
  /** Of a log that goes on after another the approval may stand in that one. */
  let continued = false
  const approved = ({ index, fields }: Entry): void => {
    const asked = requests.get(String(fields.get('approval')))
    if (asked === undefined && continued) counted.elsewhere += 1
    else if (asked === undefined) faults.add('it names no request that two persons decided', index)
    else if (asked.action !== ACTION) faults.add(`it is not what was asked for: ${asked.action}`, index)
    else expectApproved(asked, { index, faults })
  }
  const take = (entry: Entry, target: Gone | undefined): void => {
    counted.values += 1
    const hole = target && holes.get(holeName(target))
    if (hole !== undefined) holes.delete(holeName(hole))
    const why = targetFault(entry, hole)
    if (why !== undefined) faults.add(`its target in entry ${target?.index ?? '?'} ${why}`, entry.index)
  }
  return {
    entry(entry) {
      const { kind, index, fields } = entry
      continued ||= index === 0n && kind === 'log.opened'
      if (kind.startsWith('approval.')) vote(requests, entry, SILENT)
      if (kind !== 'erasure') return
      counted.erasures += 1
      approved(entry)
      for (const target of targetsOf(fields.get('targets'))) take(entry, target)
    },
    cut: faults.cut,
    end: () => faults.finding(() => says(counted)),
  }

  function says({ erasures, values, elsewhere }: typeof counted) {
    if (erasures === 0) return check.pass('nothing was erased')
    if (elsewhere > 0)
      return check.unknown(`${elsewhere} erasures name requests of an earlier log, whose entries are not here`)
    return check.pass(`${erasures} erasures were decided by two persons; the ${values} values that they name are gone`)
  }
}

/** What an erasure takes are values of earlier submissions of its signals, which say what these said. */
function targetFault({ index, erased }: Entry, hole: Hole | undefined): string | undefined {
  // What is opened is not gone, and what comes later was not there.
  if (hole === undefined || hole.index >= index) return 'is not there, or not erased'
  if (!hole.erasable) return 'is of a kind that no erasure takes'
  return erased.some(({ signal }) => hole.signals.includes(signal)) ? undefined : 'is of other signals'
}

function targetsOf(value: unknown): (Gone | undefined)[] {
  if (!Array.isArray(value)) return [undefined]
  return value.map((one: unknown) => {
    const [index, digest] = listIn(one)
    return isDecimal(index) && typeof digest === 'string' ? { index: BigInt(index), digest } : undefined
  })
}
