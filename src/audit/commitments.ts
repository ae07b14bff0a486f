import type { OpenedPayload } from './entry.ts'
import { type EntryCheck, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'

/** Check 5: each record makes C, and with its chains the entry that stands in the tree. */
export function checkEntries(): EntryCheck & { missing(index: bigint): void } {
  const check = numbered(5, 'entries')
  const faults = gatherFaults(check)
  let n = 0
  return {
    entry({ committed, index }) {
      n += 1
      if (!committed) faults.add('its record and chains make another entry than the tree has', index)
    },
    missing: (index) => faults.add('it has no record', index),
    end: () => faults.finding(() => check.pass(`${n} records make the entries of the tree`)),
  }
}

/** A value that is not there, by the digest that is left of it. */
interface Gone {
  index: bigint
  digest: string
}

/**
 * Checks 6 and 7: each digest is opened, or was erased; an erasure names values of earlier entries, which are gone. One
 * needs what the other gathers.
 */
export function checkDisclosures(): { disclosures: EntryCheck; erasures: EntryCheck } {
  const [six, seven] = [numbered(6, 'disclosures'), numbered(7, 'erasures')]
  const [faults, wrong] = [gatherFaults(six), gatherFaults(seven)]
  const gone = new Map<string, Gone>()
  let erasures = 0
  const look = (index: bigint, opened: OpenedPayload): void => {
    for (const says of opened.faults) faults.add(says, index)
    for (const digest of opened.unopened) gone.set(`${index} ${digest}`, { index, digest })
  }
  return {
    disclosures: {
      entry: (entry) => look(entry.index, entry),
      read: ({ index }, read) => look(index, read),
      end() {
        for (const { index, digest } of gone.values())
          faults.add(`nothing opens the digest ${digest}, and no erasure names it`, index)
        return faults.finding(() => six.pass('each digest is opened, or named by an erasure'))
      },
    },
    erasures: {
      entry({ kind, index, fields }) {
        if (kind !== 'erasure') return
        erasures += 1
        for (const target of targetsOf(fields.get('targets'))) {
          const name = target === undefined ? '' : `${target.index} ${target.digest}`
          // What is opened is not gone, and what comes later was not there.
          if (!gone.delete(name))
            wrong.add(`its target in entry ${target?.index ?? '?'} is not there, or not erased`, index)
        }
      },
      end: () =>
        wrong.finding(() =>
          erasures === 0
            ? seven.pass('nothing was erased')
            : seven.unknown(`what ${erasures} erasures name is gone; in this version no event approves an erasure`),
        ),
    },
  }
}

function targetsOf(value: unknown): (Gone | undefined)[] {
  if (!Array.isArray(value)) return [undefined]
  return value.map((one: unknown) => {
    const [index, digest] = Object(one) as unknown[]
    const whole = /^(0|[1-9][0-9]{0,18})$/.test(String(index)) && typeof digest === 'string'
    return whole ? { index: BigInt(String(index)), digest } : undefined
  })
}
