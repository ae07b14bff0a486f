import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Disclosed, Reader } from '../feeds/answer.ts'
import type { FactsOf } from '../feeds/facts.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { type Bulk, createBulk } from './bulk.ts'
import { createBulkPlan } from './bulk-plan.ts'
import type { BulkAsked } from './bulk-schema.ts'
import type { BulkWork } from './bulk-work.ts'
import type { Reviewer } from './case.ts'
import { createDecisions, type Decisions, type DecisionsOptions } from './decisions.ts'
import { figuresOf } from './figures.ts'
import { createHits, type HitsOptions } from './hits.ts'
import { createLeases, type Leases } from './leases.ts'
import { type CaseNotices, createCaseNotices } from './notices.ts'
import { type CaseReads, createCaseReads } from './read.ts'
import * as routingStore from './routing-store.ts'
import { createSamples, type Samples } from './samples.ts'
import type { HitReport, HitResult, ReviewFigures, Routing } from './schema.ts'
import type { Expects } from './setting.ts'

export type { Reviewer } from './case.ts'

export interface ReviewServiceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  facts: FactsOf
  /** How long a decision may be undone before anything leaves. */
  graceMs: number
  /** What the programme asks of confirmations at critical, now. */
  criticalSecond: DecisionsOptions['criticalSecond']
  colleagues: DecisionsOptions['colleagues']
  /** Works off what is decided alike. */
  work: Pick<BulkWork, 'workOff'>
  confirmations: HitsOptions['confirmations']
  /** The number of a category that the programme knows now. */
  categoryNow(slug: string): number | undefined
  categoryId(taxonomy: number, slug: string): number
  categorySlug(id: number): string
  participantBySlug(slug: string): { participant_id: Uuid } | undefined
  slugOf(participant: Uuid): string
  /** Of each statement of a page of cases, and of figures. */
  timeoutMs: number
}

type By = { participant: Uuid; slug: string }

/** Everything that an organisation does with its cases; another's are not there. */
export interface ReviewService extends Leases, Decisions, Bulk, Samples, CaseReads, CaseNotices {
  /** What would become of cases that are decided alike now, a `BulkPlan`; of a filter it is written down before it is given out. */
  planBulk(by: Reviewer & Reader, asked: Omit<BulkAsked, 'operator'>): Promise<Disclosed>
  /** What the organisation's own matcher found; each hit is taken or refused for itself. */
  reportHits(by: By, report: HitReport): Promise<HitResult>
  /** Which received signals become cases; none before the organisation says so. */
  routing(participant: Uuid): Promise<Routing>
  route(by: By, rules: Routing, expects?: Expects<Routing>): Promise<Routing>
  figures(participant: Uuid): Promise<ReviewFigures>
}

const NONE: Routing = {
  keyword_patterns: false,
  critical: false,
  not_reviewed: false,
  new_sources: false,
  categories: [],
}

export function createReviewService(options: ReviewServiceOptions): ReviewService {
  const { db, clock, provenance } = options
  const reads = createCaseReads(options)
  return {
    ...createLeases(options),
    ...createDecisions(options),
    ...createBulk(options),
    planBulk: createBulkPlan(options),
    ...reads,
    ...createSamples({ ...options, ...reads }),
    ...createCaseNotices(options),
    reportHits: createHits(options),
    routing: (participant) =>
      asParticipant(db, participant, async (tx) => {
        const row = await routingStore.routingOf(tx, participant)
        return row ?? NONE
      }),
    async route(by, rules, expects) {
      const errors = rules.categories.flatMap((slug, i) =>
        options.categoryNow(slug) !== undefined
          ? []
          : [{ pointer: `/categories/${i}`, code: 'taxonomy-unknown' as const }],
      )
      if (errors.length > 0) throw new Refusal('taxonomy-unknown', { errors })
      provenance.admit()
      await asParticipant(db, by.participant, async (tx) => {
        const known = expects && (await routingStore.routingForUpdate(tx, by.participant))
        expects?.(known ?? NONE)
        const at = clock()
        const event_id = newId(at)
        await provenance.record(tx, {
          ...{ kind: 'review.routed', event_id, participant_id: by.participant, at, actor: by.slug },
          fields: { rules },
        })
        const row = { ...rules, participant_id: by.participant, last_event: event_id }
        const isFirst = expects !== undefined && known === undefined
        if (!(await routingStore.putRouting(tx, row, isFirst)))
          throw new Refusal('precondition-failed', { detail: 'another change came between: read it anew' })
      })
      provenance.wake()
      return rules
    },
    figures: (participant) =>
      asParticipant(db, participant, (tx) => figuresOf(tx, participant, { now: clock(), slugOf: options.slugOf }), {
        timeoutMs: options.timeoutMs,
      }),
  }
}
