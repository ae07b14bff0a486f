import { sql } from 'kysely'
import { createSubmitted } from '../../../src/governance/count.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { createExploring, type DescribingOptions, describedFrom } from '../../../src/provenance/explore.ts'
import { createFactKeeping } from '../../../src/publishing/facts.ts'
import { factsAnew } from '../../../src/publishing/facts-anew.ts'
import { aReviewWorld } from '../../review/world.ts'

export const LOG = 1

export type FactWorld = Awaited<ReturnType<typeof aFactWorld>>

/** A node whose entries are carried, by hand, to what reports are made of. */
export async function aFactWorld() {
  const w = await aReviewWorld()
  const { t, keys, provenance, authority } = w
  const { projector } = t
  const directory = { slugOf: (id: Uuid) => authority.slugOf(id), audience: (id: Uuid) => authority.audience(id) }
  const describing: DescribingOptions = {
    ...{ projector, keys, logId: LOG, provenance, refresh: () => authority.refresh() },
    slugOf: (id) => authority.participantById(id)?.slug,
    submitted: createSubmitted({ projector, directory }),
  }
  const { round } = createExploring({
    ...describing,
    atOnce: 4_096,
    counted: { count: async () => async () => {} },
    late: createFactKeeping({ projector, logId: LOG }),
  })
  const carry = async (): Promise<void> => {
    while ((await round()) > 0);
  }
  const settle = async (): Promise<void> => {
    await w.settle()
    await carry()
  }
  return {
    ...{ w, describing, carry, settle },
    /** What kept facts say else than the log. */
    again: (by: DescribingOptions = describing): Promise<string[]> =>
      factsAnew({ projector, logId: LOG, described: (at) => describedFrom(by, at) }),
    /** Facts are made anew. */
    emptied: async (): Promise<void> => {
      await sql`delete from report_facts`.execute(t.owner)
      await settle()
    },
  }
}
