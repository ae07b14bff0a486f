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
export interface Gone {
  index: bigint
  digest: string
}

/** What is not opened, by index and digest: an erasure takes out what it names. */
export type Holes = Map<string, Gone>

export const holeName = ({ index, digest }: Gone): string => `${index} ${digest}`

/** Check 6: each digest is opened, or was erased. */
export function checkDisclosures(holes: Holes): EntryCheck {
  const check = numbered(6, 'disclosures')
  const faults = gatherFaults(check)
  const look = (index: bigint, opened: OpenedPayload): void => {
    for (const says of opened.faults) faults.add(says, index)
    for (const digest of opened.unopened) holes.set(holeName({ index, digest }), { index, digest })
  }
  return {
    entry: (entry) => look(entry.index, entry),
    read: ({ index }, read) => look(index, read),
    end() {
      for (const { index, digest } of holes.values())
        faults.add(`nothing opens the digest ${digest}, and no erasure names it`, index)
      return faults.finding(() => check.pass('each digest is opened, or named by an erasure'))
    },
  }
}
