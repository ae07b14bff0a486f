import { createActivity } from './anomalies/count.ts'
import type { Core } from './core.ts'
import { createCounting, createSubmitted } from './governance/count.ts'
import { countedAnew, type Recounted } from './governance/reconcile.ts'
import type { Found } from './jobs/loop.ts'
import type { Uuid } from './kernel/ids.ts'
import {
  type Counted,
  createExploring,
  type DescribingOptions,
  describedFrom,
  ENTRIES_AT_ONCE,
} from './provenance/explore.ts'
import { createFactKeeping } from './publishing/facts.ts'
import { factsAnew } from './publishing/facts-anew.ts'

/** Carries entries to where they are found by, log after log, and counts who shared with whom. */
export function exploreAll(core: Core): () => Promise<Found> {
  const { projector } = core.pools
  const directory = directoryOf(core)
  const each = core.logs.map(({ log_id: logId }) =>
    createExploring({
      ...describingOf(core, logId),
      atOnce: ENTRIES_AT_ONCE,
      counted: bothOf(createCounting({ projector, logId, directory }), createActivity(logId)),
      late: createFactKeeping({ projector, logId }),
    }),
  )
  return async () => {
    const n = (await each[0]?.round()) ?? 0
    if (n > 0 || each.length === 1) return n >= ENTRIES_AT_ONCE ? 'full' : n > 0
    each.shift()
    return true
  }
}

const directoryOf = ({ authority }: Pick<Core, 'authority'>) => ({
  slugOf: (id: Uuid) => authority.slugOf(id),
  audience: (id: Uuid) => authority.audience(id),
})

function describingOf(core: Core, logId: number): DescribingOptions {
  const { pools, keys, provenance, authority } = core
  const { projector } = pools
  return {
    ...{ projector, keys, logId, provenance, refresh: () => authority.refresh() },
    slugOf: (participant) => authority.participantById(participant)?.slug,
    submitted: createSubmitted({ projector, directory: directoryOf(core) }),
  }
}

/** Counted of the same entries, and written in the same transaction. */
const bothOf = (...each: readonly Counted[]): Counted => ({
  async count(entries) {
    const writes = await Promise.all(each.map((one) => one.count(entries)))
    return async (tx) => {
      for (const write of writes) await write(tx)
    }
  },
})

/** The matrix, and what reports are made of, held against the entries that they come from. */
export async function recountOf(core: Core): Promise<Recounted> {
  const { pools, logId, provenance } = core
  const matrix = await countedAnew({ projector: pools.projector, logId, provenance, directory: directoryOf(core) })
  const described = (at: { from: bigint; limit: number }) => describedFrom(describingOf(core, logId), at)
  const wrong = await factsAnew({ projector: pools.projector, logId, described })
  return { ...matrix, differences: [...matrix.differences, ...wrong] }
}
