import { colleaguesIn } from '../../src/console-reviewing.ts'
import type { Db } from '../../src/db/connect.ts'
import { createFollower, createOpinions } from '../../src/feedback/follow.ts'
import { confirmationsOf, createSaid } from '../../src/feedback/said.ts'
import type { ActResult } from '../../src/feedback/schema.ts'
import { createFeedbackService } from '../../src/feedback/service.ts'
import { createTelling } from '../../src/feedback/tell.ts'
import { createFacts } from '../../src/feeds/facts.ts'
import { createReach } from '../../src/feeds/reach.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { newId, timeOf, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { createBulkWork } from '../../src/review/bulk-work.ts'
import { createCases } from '../../src/review/follow.ts'
import { criticalSecondOf } from '../../src/review/policy.ts'
import { createRelease } from '../../src/review/release.ts'
import type { CaseInfo, CaseList, DecisionRequest, LeaseResult } from '../../src/review/schema.ts'
import { hitsOf } from '../../src/review/seen.ts'
import { createReviewService, type Reviewer } from '../../src/review/service.ts'
import { activeIn } from '../../src/review-loops.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { createHolds } from '../../src/signals/hold.ts'
import { signalKey } from '../../src/signals/lint.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { type ActType, signSubmission } from '../../src/signals/submission.ts'
import { aWorld, type Party } from '../feeds/world.ts'
import { ORIGIN, PROGRAMME } from '../signals/factory.ts'

export const GRACE_MS = 20_000

export type ReviewWorld = Awaited<ReturnType<typeof aReviewWorld>>

/** A node with what recipients do with signals; its loops are turned by hand. */
export async function aReviewWorld() {
  const w = await aWorld()
  const { t, clock, provenance, authority, rules, keys } = w
  const { app, projector } = t
  const holds = createHolds(provenance)
  const facts = createFacts(authority)
  const slugOf = (participant: Uuid): string => authority.slugOf(participant)
  const active = activeIn(authority)
  const directory = {
    ...{ slugOf, audience: (id: Uuid) => authority.audience(id) },
    admittedAt: (id: Uuid) => new Date(timeOf(id)),
    active,
  }
  const { categoryId, categorySlug } = rules
  const categoryNow = (slug: string): number | undefined =>
    rules.category(1, slug) === undefined ? undefined : categoryId(1, slug)
  const feedback = createFeedbackService({
    ...{ db: app, clock, provenance, holds, facts, hits: hitsOf, directory: authority },
    ...{ categoryNow, categorySlug, timeoutMs: 2_000, reach: createReach({ ledger: t.ledger, directory: authority }) },
    verifyContext: ({ participant, uri }) => ({
      ...{ iss: uri, aud: ORIGIN, prg: PROGRAMME, now: clock() },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: (input) =>
      countersign(input, { kid: 'receipt', iss: ORIGIN, sign: (data) => keys.sign('receipt', data) }),
  })
  const deciding = { graceMs: GRACE_MS, criticalSecond: () => criticalSecondOf(authority.policy('review')) }
  const colleagues = async (organisation: string) =>
    new Set(colleaguesIn(await w.participants.listPeople(), organisation).map(({ pseudonym }) => pseudonym))
  const work = createBulkWork({ ...{ app, projector, clock, provenance, facts, slugOf, active }, ...deciding })
  const review = createReviewService({
    ...{ db: app, clock, provenance, facts, confirmations: confirmationsOf, categoryId, categorySlug, slugOf },
    ...{ ...deciding, work, colleagues, timeoutMs: 2_000 },
    categoryNow,
    participantBySlug: (slug) => authority.participantBySlug(slug),
  })
  const said = createSaid(projector)
  const followerOn = (reads: Db) =>
    createFollower({
      ...{ projector: reads, provenance, logId: 1, refresh: () => authority.refresh() },
      consumers: [
        createOpinions({ app, projector: reads, clock, holds, slugOf }),
        createCases({ app, projector: reads, clock, provenance, directory, feedback: createSaid(reads) }),
      ],
    })
  const follower = () => followerOn(projector)
  const telling = createTelling({ clock, provenance, hits: hitsOf, directory: authority })
  const release = createRelease({ app, projector, clock, provenance, feedback: telling, slugOf, active })

  /** Everything that is committed now reaches feeds, opinions and cases; those may commit more. */
  const settle = async (): Promise<void> => {
    for (let n = 1; n > 0; ) {
      n = await w.project()
      for (let m = await follower().round(); m > 0; m = await follower().round()) n += m
    }
  }
  const sign = (by: Party, item: object, typ: ActType) =>
    signSubmission({
      ...{ typ, iss: by.uri, aud: ORIGIN, prg: PROGRAMME, key: by.key, now: clock() },
      items: [JSON.stringify(item)],
    })
  const about = (source: Party, item: SignalItem) => ({
    ...{ v: 1, source: source.slug, signal: item.signal, revision: item.revision, key: keyOf(item) },
  })

  return {
    ...w,
    ...{ feedback, review, follower, followerOn, settle, about, said, holds },
    actBy: sign,
    releaseRound: () => release.round(),
    bulkRound: () => work.round(),
    /** Decisions whose grace is over by now go out, and what follows from that. */
    release: async (): Promise<void> => {
      w.pass(GRACE_MS + 1)
      for (let n = await release.round(); n > 0; n = await release.round());
      await settle()
    },
    give: async (by: Party, item: object): Promise<ActResult> =>
      feedback.give(by, await sign(by, item, 'aldis-feedback+jws')),
    object: async (by: Party, item: object): Promise<ActResult> =>
      feedback.dispute(by, await sign(by, item, 'aldis-dispute+jws')),
    hit: (by: Party, source: Party, item: SignalItem, count = 1) =>
      review.reportHits(by, {
        hits: [
          {
            ...{ source: source.slug, signal: item.signal, key: keyOf(item), count },
            last_at: `${clock().toISOString().slice(0, 19)}Z`,
          },
        ],
      }),
    queue: async (by: Party, query: object = {}): Promise<CaseList> =>
      JSON.parse((await review.list({ ...by, route: '/v1/cases' }, query)).body) as CaseList,
    caseOf: async (by: Party, id: Uuid): Promise<CaseInfo> =>
      JSON.parse((await review.one({ ...by, route: '/v1/cases/:case' }, id)).body) as CaseInfo,
    as: ({ participant, slug }: Party, who = 'ann', lead = false): Reviewer => ({
      ...{ participant, slug, who, authority: 'attested', lead },
    }),
    verdict: (lease: Pick<LeaseResult, 'token' | 'version'>, change: Partial<DecisionRequest> = {}) =>
      ({
        ...{ decision: newId(clock()), version: lease.version, token: lease.token },
        ...{ verdict: 'confirmed_action_taken', reason: 'own_policy', counts: { accounts_actioned: 2 } },
        ...change,
      }) as Omit<DecisionRequest, 'operator'>,
  }
}

export const keyOf = (item: SignalItem): string => toHex(signalKey(sha256, item))
