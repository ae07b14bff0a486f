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

export interface Gathered extends Faults {
  /** FAIL with what was gathered, or UNKNOWN: what came after it could not be looked at. */
  cut(why: string): Finding
}

export function gatherFaults(check: Numbered): Gathered {
  const told: { says: string; entry: bigint | undefined }[] = []
  let found = 0
  const faults: Gathered = {
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
    cut: (why) => faults.finding(() => check.unknown(why)),
  }
  return faults
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
  /** In the place of `end`, where not every entry was seen: what a later one might have explained is no fault. */
  cut(why: string): Finding
}
