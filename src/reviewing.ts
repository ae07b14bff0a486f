import { colleaguesIn } from './console-reviewing.ts'
import { type Core, KID } from './core.ts'
import { confirmationsOf } from './feedback/said.ts'
import {
  createFeedbackService,
  type FeedbackService,
  type FeedbackServiceOptions,
  type Speaker,
} from './feedback/service.ts'
import { createFacts } from './feeds/facts.ts'
import { createReach } from './feeds/reach.ts'
import { LIMITS } from './http/limits.ts'
import type { Parts } from './parts.ts'
import { hitsOf } from './review/seen.ts'
import { createReviewService, type ReviewService } from './review/service.ts'
import { bulkOf, decidingOf } from './review-loops.ts'
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
