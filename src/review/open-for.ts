import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isConfirmation } from '../feedback/opinion.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { SIGNAL_TYPE, type SignalItem } from '../signals/schema.ts'
import { type CaseFacts, hoursOf, moveCase, openCase, type Trigger } from './case.ts'
import * as hitStore from './hit-store.ts'
import { severityOf } from './info.ts'
import { resuming } from './leases.ts'
import * as sourceStore from './source-store.ts'
import * as store from './store.ts'
import { CASE_STATE } from './transition.ts'

export interface Opinion {
  giver: Uuid
  outcome: number
}

/** What was said of a signal in an entry, read beside whoever said it. */
export interface Told {
  origin: Uuid
  signal_id: Uuid
  outcome?: number
  dispute_id?: Uuid
}

export interface ReviewFollowOptions {
  app: Db
  projector: Db
  clock: Clock
  provenance: Pick<ProvenanceService, 'record'>
  directory: {
    slugOf(participant: Uuid): string
    audience(id: Uuid): { mode: 'full' | 'sealed'; members: ReadonlySet<Uuid> } | undefined
    admittedAt(participant: Uuid): Date
    active(): readonly Uuid[]
  }
  feedback: {
    feedbackAt(participant: Uuid, event: Uuid): Promise<Told | undefined>
    disputeAt(participant: Uuid, event: Uuid): Promise<Told | undefined>
    answerAt(participant: Uuid, event: Uuid): Promise<(Told & { opener: Uuid }) | undefined>
    questionAnswerAt(participant: Uuid, event: Uuid): Promise<(Told & { opener: Uuid }) | undefined>
    opinionsOf(origin: Uuid, signal: Uuid): Promise<readonly Opinion[]>
  }
}

export type Item = Awaited<ReturnType<typeof sourceStore.itemsOf>>[number]

export interface Opened {
  facts: CaseFacts
  trigger: Trigger
  ref: string
  /** What a case that waits for its source waits for. */
  answers?: boolean
}

/** A case of somebody's for a reason that the log tells; done again it changes nothing. */
export async function openFor(options: ReviewFollowOptions, participant: Uuid, of: Opened): Promise<void> {
  const { app, clock, provenance, directory, feedback } = options
  const { facts, trigger, ref } = of
  const { origin, signal_id } = facts
  const opinions = await feedback.opinionsOf(origin, signal_id)
  const confirmations = opinions.filter(({ giver, outcome }) => giver !== participant && isConfirmation(outcome)).length
  await asParticipant(app, participant, async (tx) => {
    const hit = await hitStore.hitForUpdate(tx, participant, { origin, signal_id })
    const [slug, now] = [directory.slugOf(participant), clock()]
    const { event } = await openCase(provenance, tx, {
      ...{ participant, slug, facts, trigger, ref },
      ...{ own_hits: hit?.count ?? 0, confirmations, disputed: trigger === 'dispute', now },
    })
    if (of.answers === true && event !== undefined)
      await goOn(options, tx, { by: { participant, slug }, of: { origin, signal_id }, now })
  })
}

/** What waited for its source goes on. */
async function goOn(
  { provenance }: ReviewFollowOptions,
  tx: Tx<'participant'>,
  { by, of, now }: { by: { participant: Uuid; slug: string }; of: { origin: Uuid; signal_id: Uuid }; now: Date },
): Promise<void> {
  const row = await store.liveCase(tx, by.participant, of)
  if (row?.state !== CASE_STATE.held || row.paused_at === null) return
  const hours = await hoursOf(tx, by.participant)
  await moveCase(provenance, tx, row, resuming(row, { by, now, reason: 'answered', hours }))
}

/**
 * What a case of somebody's may show of a signal: what its source says now, to whom that is given; to others what their case
 * shows already. Undefined for what is erased, and for whom neither tells anything.
 */
export async function factsFor(
  options: ReviewFollowOptions,
  participant: Uuid,
  { origin, signal_id }: Pick<Told, 'origin' | 'signal_id'>,
): Promise<CaseFacts | undefined> {
  const item = await sourceStore.newestOf(options.projector, origin, signal_id)
  if (item === undefined) return undefined
  if (sees(options, { participant, origin }, item)) return factsOf(origin, item)
  const row = await asParticipant(options.app, participant, (tx) =>
    store.liveCase(tx, participant, { origin, signal_id }),
  )
  return row && shownBy(row)
}

/** What a case shows of its signal, as of its source. */
export function shownBy(row: store.CaseRow): CaseFacts {
  const { origin, signal_id, signal_key, revision, type, category, severity, confidence } = row
  return { origin, signal_id, signal_key, revision, type, category, severity: severityOf(severity), confidence }
}

/** A revision may have left whoever has a case, or had the signal, without it. */
export function sees(
  { directory }: ReviewFollowOptions,
  { participant, origin }: { participant: Uuid; origin: Uuid },
  { item }: Item,
): boolean {
  const { audience } = JSON.parse(item) as SignalItem
  return participant === origin || directory.audience(audience)?.members.has(participant) === true
}

export function factsOf(origin: Uuid, { signal_id, signal_key, revision, category, item }: Item): CaseFacts {
  const { type, severity, confidence } = JSON.parse(item) as SignalItem
  return { origin, signal_id, signal_key, revision, type: SIGNAL_TYPE[type], category, severity, confidence }
}
