import type { Entry, Inner } from './entry.ts'
import type { Finding, Numbered } from './finding.ts'

/** Sentences of one finding; further faults are counted. */
const TOLD = 5

/** Gathers what one check has against a log, the first of it in words. */
export interface Faults {
  add(says: string, entry?: bigint): void
  /** FAIL with what was gathered, or what it is without. */
  finding(otherwise: () => Finding): Finding
}

export function gatherFaults(check: Numbered): Faults {
  const told: { says: string; entry: bigint | undefined }[] = []
  let found = 0
  return {
    add(says, entry) {
      found += 1
      if (told.length < TOLD) told.push({ says, entry })
    },
    finding(otherwise) {
      const [first] = told
      if (first === undefined) return otherwise()
      const sentences = told.map(({ says, entry }) => (entry === undefined ? says : `${nameOf(entry)}: ${says}`))
      const more = found > told.length ? [`and ${found - told.length} more`] : []
      const own = first.entry !== undefined && first.entry < 0n ? undefined : first.entry
      return check.fail([...sentences, ...more].join('; '), undefined, own)
    },
  }
}

/** An entry of a log before this one is counted back from the first of this. */
export const nameOf = (index: bigint): string => (index < 0n ? `entry ${index} (of the log before)` : `entry ${index}`)

/** A check that looks at every entry once, in order. */
export interface EntryCheck {
  entry(entry: Entry): void
  /** After its entry, in the order of the batch. */
  read?(entry: Entry, read: Inner): void
  /** After the last read of an entry. */
  close?(entry: Entry): void
  end(): Finding
}
