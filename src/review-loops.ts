import type { Core } from './core.ts'
import { createFollower, createOpinions, ENTRIES_AT_ONCE } from './feedback/follow.ts'
import { createSaid } from './feedback/said.ts'
import { createTelling } from './feedback/tell.ts'
import { createFacts } from './feeds/facts.ts'
import type { Found } from './jobs/loop.ts'
import { timeOf, type Uuid } from './kernel/ids.ts'
import type { Authority } from './participants/authority.ts'
import { type BulkWork, createBulkWork } from './review/bulk-work.ts'
import { createCases } from './review/follow.ts'
import { forgetAll } from './review/forget.ts'
import { criticalSecondOf } from './review/policy.ts'
import { createRelease } from './review/release.ts'
import { hitsOf } from './review/seen.ts'
import { createHolds } from './signals/hold.ts'

/** Whoever takes part now. */
export const activeIn = (authority: Pick<Authority, 'participants'>) => (): Uuid[] =>
  authority.participants().flatMap(({ participant_id, status }) => (status === 'active' ? [participant_id] : []))

/** By what rules of the programme decisions are written down. */
export const decidingOf = ({ config, authority }: Core) => ({
  graceMs: config.reviewGraceSeconds * 1_000,
  criticalSecond: () => criticalSecondOf(authority.policy('review')),
})

/** Cases that are decided alike, one after the other. */
export const bulkOf = (core: Core): BulkWork => {
  const { pools, clock, provenance, authority } = core
  return createBulkWork({
    ...{ app: pools.app, projector: pools.projector, clock, provenance, facts: createFacts(authority) },
    ...{ ...decidingOf(core), slugOf: (participant) => authority.slugOf(participant), active: activeIn(authority) },
  })
}

/** What follows the log: opinions, holds and cases; log after log, as feeds do. */
export function followAll({ pools, clock, logs, provenance, authority }: Core): () => Promise<Found> {
  const { app, projector } = pools
  const slugOf = (participant: Uuid): string => authority.slugOf(participant)
  /** A participant's id is made at its admission; who is on probation is as new as on that day. */
  const admittedAt = (participant: Uuid): Date =>
    authority.participantById(participant)?.probation_until == null ? new Date(timeOf(participant)) : clock()
  const directory = { slugOf, admittedAt, active: activeIn(authority), audience: (id: Uuid) => authority.audience(id) }
  const consumers = [
    createOpinions({ app, projector, clock, holds: createHolds(provenance), slugOf }),
    createCases({ app, projector, clock, provenance, directory, feedback: createSaid(projector) }),
  ]
  const refresh = (): Promise<void> => authority.refresh()
  const followers = logs.map(({ log_id: logId }) =>
    createFollower({ projector, provenance, logId, refresh, consumers }),
  )
  return async () => {
    const n = (await followers[0]?.round()) ?? 0
    if (n > 0 || followers.length === 1) return n >= ENTRIES_AT_ONCE ? 'full' : n > 0
    followers.shift()
    return true
  }
}

/** Decisions whose grace is over, and cases that waited long enough. */
export function releaseOf({ pools, clock, provenance, authority }: Core): { round(): Promise<number> } {
  return createRelease({
    ...{ app: pools.app, projector: pools.projector, clock, provenance },
    feedback: createTelling({ clock, provenance, hits: hitsOf, directory: authority }),
    slugOf: (participant) => authority.slugOf(participant),
    active: activeIn(authority),
  })
}

/** Match keys of erased signals that cases still hold; answers how many had one. */
export function forgetOf({ pools, clock, provenance, authority }: Core): { round(): Promise<number> } {
  const { app, projector } = pools
  return {
    async round() {
      const sources = authority.participants().map(({ participant_id }) => participant_id)
      const n = await forgetAll({ app, projector, clock, provenance, directory: authority }, sources)
      if (n > 0) provenance.wake()
      return n
    },
  }
}
