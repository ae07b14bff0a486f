import type { Oversight } from './participants/oversight.ts'
import { keepReads } from './provenance/expire-reads.ts'
import type { Recorder } from './provenance/service.ts'
import { markPublished } from './publishing/service.ts'
import { governmentActs } from './registers/government.ts'
import { holdActs } from './registers/holds.ts'
import { createSourceHolds } from './signals/source-hold.ts'

/** What other features do in the transactions of acts that two persons decided. */
export function oversightActs({
  recorder,
  attempted,
}: { recorder: Recorder } & Pick<Oversight, 'attempted'>): Oversight {
  const sources = createSourceHolds(recorder)
  return {
    ...{ attempted, reportPublished: markPublished, holdSource: sources.hold, releaseSource: sources.release },
    ...{ ...holdActs, ...governmentActs },
    // Who removes reads asks for holds under the same lock: one that is placed is found, or waits.
    placeHold: async (tx, hold) => {
      await keepReads(tx, hold.participant)
      await holdActs.placeHold(tx, hold)
    },
  }
}
