import { colleaguesIn } from './console-reviewing.ts'
import { createFollower, createOpinions, ENTRIES_AT_ONCE } from './feedback/follow.ts'
import { confirmationsOf, createSaid } from './feedback/said.ts'
import {
  createFeedbackService,
  type FeedbackService,
  type FeedbackServiceOptions,
  type Speaker,
} from './feedback/service.ts'
import { createTelling } from './feedback/tell.ts'
import { createFacts } from './feeds/facts.ts'
import { createReach } from './feeds/reach.ts'
import { LIMITS } from './http/limits.ts'
import type { Found } from './jobs/loop.ts'
import { timeOf, type Uuid } from './kernel/ids.ts'
import { type Core, KID, type Parts } from './parts.ts'
import { type BulkWork, createBulkWork } from './review/bulk-work.ts'
import { createCases } from './review/follow.ts'
import { forgetAll } from './review/forget.ts'
import { hitsOf } from './review/hits.ts'
import { criticalSecondOf } from './review/policy.ts'
import { createRelease } from './review/release.ts'
import { createReviewService, type ReviewService } from './review/service.ts'
import { countersign } from './signals/countersignature.ts'
import { createHolds } from './signals/hold.ts'
import { rulesOf } from './signals/rules.ts'

export interface Reviewing {
  feedback: FeedbackService
  review: ReviewService
}

/** What recipients do with signals, and what they say of them. */
export function createReviewing(core: Core & Pick<Parts, 'participants'>, receiptKid: string): Reviewing {
  const { pools, clock, provenance, authority, participants } = core
  const facts = createFacts(authority)
  const rules = rulesOf(authority)
  const { categoryId, categorySlug } = rules
  const categoryNow = (slug: string): number | undefined => {
    const version = authority.policy('taxonomy')?.version ?? 0
    return rules.category(version, slug) === undefined ? undefined : categoryId(version, slug)
  }
  return {
    feedback: feedbackOf(core, receiptKid, { categorySlug, categoryNow }),
    review: createReviewService({
      ...{
        db: pools.app,
        clock,
        provenance,
        facts,
        confirmations: confirmationsOf,
        categoryNow,
        categoryId,
        categorySlug,
      },
      ...{ ...decidingOf(core), work: bulkOf(core) },
      colleagues: async (organisation) =>
        new Set(colleaguesIn(await participants.listPeople(), organisation).map(({ pseudonym }) => pseudonym)),
      timeoutMs: LIMITS.sql_cases_ms,
      participantBySlug: (slug) => authority.participantBySlug(slug),
      slugOf: (participant) => authority.slugOf(participant),
    }),
  }
}

function feedbackOf(
  { pools, clock, keys, provenance, authority, programme }: Core,
  receiptKid: string,
  categories: Pick<FeedbackServiceOptions, 'categorySlug' | 'categoryNow'>,
): FeedbackService {
  const { slug, node_origin } = programme
  return createFeedbackService({
    ...{
      db: pools.app,
      clock,
      provenance,
      holds: createHolds(provenance),
      facts: createFacts(authority),
      hits: hitsOf,
    },
    directory: authority,
    ...{ ...categories, reach: createReach({ ledger: pools.ledger, directory: authority }) },
    timeoutMs: LIMITS.sql_cases_ms,
    verifyContext: ({ participant, uri }: Speaker) => ({
      ...{ iss: uri, aud: node_origin, prg: slug, now: clock() },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: (input) =>
      countersign(input, { kid: receiptKid, iss: node_origin, sign: (data) => keys.sign(KID.receipt, data) }),
  })
}

/** By what rules of the programme decisions are written down. */
const decidingOf = ({ config, authority }: Core) => ({
  graceMs: config.reviewGraceSeconds * 1_000,
  criticalSecond: () => criticalSecondOf(authority.policy('review')),
})

/** Cases that are decided alike, one after the other. */
export const bulkOf = (core: Core): BulkWork => {
  const { pools, clock, provenance, authority } = core
  return createBulkWork({
    ...{ app: pools.app, projector: pools.projector, clock, provenance, facts: createFacts(authority) },
    ...{ ...decidingOf(core), slugOf: (participant) => authority.slugOf(participant) },
  })
}

/** What follows the log: opinions, holds and cases; log after log, as feeds do. */
export function followAll({ pools, clock, logs, provenance, authority }: Core): () => Promise<Found> {
  const { app, projector } = pools
  const slugOf = (participant: Uuid): string => authority.slugOf(participant)
  /** A participant's id is made at its admission; who is on probation is as new as on that day. */
  const admittedAt = (participant: Uuid): Date =>
    authority.participantById(participant)?.probation_until == null ? new Date(timeOf(participant)) : clock()
  const directory = { slugOf, admittedAt, audience: (id: Uuid) => authority.audience(id) }
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
