import { erasableOf, fieldsOf, hasParts } from '../provenance/events.ts'
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
    cut: faults.cut,
    end: () => faults.finding(() => check.pass(`${n} records make the entries of the tree`)),
  }
}

/** A value that is not there, by the digest that is left of it. */
export interface Gone {
  index: bigint
  digest: string
}

/** Of the same whether an erasure may have taken it, and of which signals its entry is. */
export interface Hole extends Gone {
  erasable: boolean
  signals: readonly string[]
}

/** What is not opened, by index and digest: an erasure takes out what it names. */
export type Holes = Map<string, Hole>

export const holeName = ({ index, digest }: Gone): string => `${index} ${digest}`

/** Check 6: each digest is opened, or was erased, and says what an entry of its kind may say. */
export function checkDisclosures(holes: Holes): EntryCheck {
  const check = numbered(6, 'disclosures')
  const faults = gatherFaults(check)
  /** What a later release may have added: nobody who does not know it can say what it does. */
  const strange = new Set<string>()
  const noteStrange = (kind: string, { fields, sources }: OpenedPayload): void => {
    const known = fieldsOf(kind)
    if (known === undefined) {
      strange.add(`the kind ${JSON.stringify(kind)}`)
      return
    }
    for (const field of fields.keys())
      if (!known.has(field)) strange.add(`the field ${JSON.stringify(field)} of ${kind}`)
    if (sources.length > 0 && !hasParts(kind)) strange.add(`the field "source" of ${kind}`)
  }
  const look = ({ faults: told, unopened }: OpenedPayload, hole: Omit<Hole, 'digest'>): void => {
    for (const says of told) faults.add(says, hole.index)
    for (const digest of unopened) holes.set(holeName({ ...hole, digest }), { ...hole, digest })
  }
  return {
    entry(entry) {
      const { index, kind, fields, changes, unopened } = entry
      if (typeof fields.get('type') === 'string') noteStrange(kind, entry)
      else faults.add('it does not say what it is', index)
      // Which of its values a digest was of nobody can tell: as many may be gone as values of it go.
      const left = erasableOf(kind).filter((name) => !fields.has(name))
      look(entry, { index, erasable: unopened.length <= left.length, signals: changes.map(({ signal }) => signal) })
    },
    read({ index }, read) {
      noteStrange('read', read)
      look(read, { index, erasable: false, signals: [] })
    },
    cut: faults.cut,
    end() {
      for (const { index, digest } of holes.values())
        faults.add(`nothing opens the digest ${digest}, and no erasure names it`, index)
      const [first] = strange
      return faults.finding(() =>
        first === undefined
          ? check.pass('each digest is opened, or named by an erasure')
          : check.unknown(`${first} is none that this audit knows: a newer one may${moreOf(strange.size - 1)}`),
      )
    },
  }
}

const moreOf = (n: number): string => (n === 0 ? '' : `; and ${n} more`)
