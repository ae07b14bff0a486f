import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { FactsOf } from '../feeds/facts.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import * as decisionStore from './decision-store.ts'
import { createDecisions, type Decisions, nameOf } from './decisions.ts'
import * as hitStore from './hit-store.ts'
import { createHits, type HitsOptions } from './hits.ts'
import { createLeases, type Leases } from './leases.ts'
import { type CaseReads, createCaseReads } from './read.ts'
import * as routingStore from './routing-store.ts'
import type { HitReport, HitResult, ReviewFigures, Routing } from './schema.ts'
import * as store from './store.ts'

export type { Reviewer } from './case.ts'

export interface ReviewServiceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  facts: FactsOf
  /** How long a decision may be undone before anything leaves. */
  graceMs: number
  confirmations: HitsOptions['confirmations']
  /** Whether the programme knows the category now. */
  knowsCategory(slug: string): boolean
  categoryId(taxonomy: number, slug: string): number
  categorySlug(id: number): string
  participantBySlug(slug: string): { participant_id: Uuid } | undefined
  slugOf(participant: Uuid): string
}

type By = { participant: Uuid; slug: string }

/** Everything that an organisation does with its cases; another's are not there. */
export interface ReviewService extends Leases, Decisions, CaseReads {
  /** What the organisation's own matcher found; each hit is taken or refused for itself. */
  reportHits(by: By, report: HitReport): Promise<HitResult>
  /** Which received signals become cases; none before the organisation says so. */
  routing(participant: Uuid): Promise<Routing>
  route(by: By, rules: Routing): Promise<Routing>
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
  return {
    ...createLeases(options),
    ...createDecisions(options),
    ...createCaseReads(options),
    reportHits: createHits(options),
    routing: (participant) =>
      asParticipant(db, participant, async (tx) => {
        const row = await routingStore.routingOf(tx, participant)
        return row ?? NONE
      }),
    async route(by, rules) {
      const errors = rules.categories.flatMap((slug, i) =>
        options.knowsCategory(slug) ? [] : [{ pointer: `/categories/${i}`, code: 'taxonomy-unknown' as const }],
      )
      if (errors.length > 0) throw new Refusal('taxonomy-unknown', { errors })
      provenance.admit()
      await asParticipant(db, by.participant, async (tx) => {
        const at = clock()
        const event_id = newId(at)
        await provenance.record(tx, {
          ...{ kind: 'review.routed', event_id, participant_id: by.participant, at, actor: by.slug },
          fields: { rules },
        })
        await routingStore.putRouting(tx, { ...rules, participant_id: by.participant, last_event: event_id })
      })
      provenance.wake()
      return rules
    },
    figures: (participant) =>
      asParticipant(db, participant, async (tx) => {
        const states = await store.stateCounts(tx, participant, clock())
        const verdicts = await decisionStore.verdictCounts(tx, participant)
        const hits = await hitStore.hitCounts(tx, participant)
        return {
          ...{ open: Number(states?.open ?? 0), overdue: Number(states?.overdue ?? 0) },
          decided: Object.fromEntries(verdicts.map(({ verdict, n }) => [nameOf(verdict), Number(n)])),
          corrected: verdicts.reduce((n, { corrections }) => n + Number(corrections), 0),
          ...{ acted: Number(hits?.acted ?? 0), seen_again: Number(hits?.again ?? 0) },
          hits_since_action: Number(hits?.since ?? 0),
        }
      }),
  }
}
