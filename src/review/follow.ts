import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { BeginRound, Consumer } from '../feedback/follow.ts'
import { isConfirmation } from '../feedback/opinion.ts'
import { OUTCOME } from '../feedback/schema.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { LoggedEvent, ProvenanceService } from '../provenance/service.ts'
import { SIGNAL_TYPE, type SignalItem } from '../signals/schema.ts'
import { type CaseFacts, moveCase, openCase, type Trigger } from './case.ts'
import { type Ending, endProposal } from './deciding.ts'
import * as decisionStore from './decision-store.ts'
import * as hitStore from './hit-store.ts'
import { ruleOf } from './routing.ts'
import * as routingStore from './routing-store.ts'
import * as sourceStore from './source-store.ts'
import * as store from './store.ts'
import { after, stateOf } from './transition.ts'

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
  }
  feedback: {
    feedbackAt(participant: Uuid, event: Uuid): Promise<Told | undefined>
    disputeAt(participant: Uuid, event: Uuid): Promise<Told | undefined>
    answerAt(participant: Uuid, event: Uuid): Promise<(Told & { opener: Uuid }) | undefined>
    questionAnswerAt(participant: Uuid, event: Uuid): Promise<(Told & { opener: Uuid }) | undefined>
    opinionsOf(origin: Uuid, signal: Uuid): Promise<readonly Opinion[]>
  }
}

type Item = Awaited<ReturnType<typeof sourceStore.itemsOf>>[number]

/** What the log tells of signals and of what is said of them becomes cases of those whom it concerns. */
export const createCases =
  (options: ReviewFollowOptions): BeginRound =>
  () => {
    let known: Promise<Rules> | undefined
    /** One question a round: most entries are signals, and most of them meet no rule. */
    const rulesNow = (): Promise<Rules> => {
      known ??= routingStore.routingRules(options.projector)
      return known
    }
    const on: Readonly<Record<string, Consumer>> = {
      'signal.submitted': async (entry) => route(options, entry, await rulesNow()),
      'signal.revised': async (entry) => {
        await route(options, entry, await rulesNow())
        const items = await sourceStore.itemsOf(options.projector, entry.participant_id, entry.event_id)
        await changed(options, entry, { signals: items.map(({ signal_id }) => signal_id), ended: false, again: true })
      },
      'signal.withdrawn': async (entry) => {
        const items = await sourceStore.itemsOf(options.projector, entry.participant_id, entry.event_id)
        await changed(options, entry, { signals: items.map(({ signal_id }) => signal_id), ended: true, again: true })
      },
      // A date that came says nothing against what was done.
      'signal.expired': (entry) => gone(options, entry, false),
      erasure: (entry) => gone(options, entry, true),
      'feedback.given': (entry) => questioned(options, entry),
      'dispute.opened': (entry) => disputed(options, entry),
      'dispute.closed': async (entry) =>
        answered(options, entry, await options.feedback.answerAt(entry.participant_id, entry.event_id)),
      'question.answered': async (entry) =>
        answered(options, entry, await options.feedback.questionAnswerAt(entry.participant_id, entry.event_id)),
    }
    return async (entry) => on[entry.kind]?.(entry)
  }

type Rules = Awaited<ReturnType<typeof routingStore.routingRules>>

/** Received signals that meet a rule of whoever receives them; what is sealed is seen by nobody before it is opened. */
async function route(options: ReviewFollowOptions, entry: LoggedEvent, rules: Rules): Promise<void> {
  const { projector, directory } = options
  if (rules.length === 0) return
  for (const item of await sourceStore.itemsOf(projector, entry.participant_id, entry.event_id)) {
    if (item.salt === null) continue
    const { audience } = JSON.parse(item.item) as SignalItem
    const target = directory.audience(audience)
    if (target?.mode !== 'full') continue
    const reached = rules.filter(({ participant_id: id }) => id !== entry.participant_id && target.members.has(id))
    await routeItem(options, reached, { entry, item })
  }
}

async function routeItem(
  options: ReviewFollowOptions,
  rules: Rules,
  { entry, item }: { entry: LoggedEvent; item: Item },
): Promise<void> {
  const { type, severity, basis, category } = JSON.parse(item.item) as SignalItem
  const source_since = options.directory.admittedAt(entry.participant_id)
  const signal = { type, severity, basis, category, source_since }
  for (const rule of rules) {
    const met = ruleOf(rule, signal, options.clock())
    if (met !== undefined)
      await openFor(options, rule.participant_id, { entry, item, trigger: 'routing_rule', ref: met })
  }
}

interface Opened {
  entry: LoggedEvent
  item: Item
  /** Whose signal it is; the entry's participant unless said otherwise. */
  origin?: Uuid
  trigger: Trigger
  ref: string
}

async function openFor(options: ReviewFollowOptions, participant: Uuid, of: Opened): Promise<void> {
  const { app, clock, provenance, directory, feedback } = options
  const { entry, item, origin = entry.participant_id, trigger, ref } = of
  const opinions = await feedback.opinionsOf(origin, item.signal_id)
  const confirmations = opinions.filter(({ giver, outcome }) => giver !== participant && isConfirmation(outcome)).length
  await asParticipant(app, participant, async (tx) => {
    const hit = await hitStore.hitForUpdate(tx, participant, { origin, signal_id: item.signal_id })
    await openCase(provenance, tx, {
      ...{ participant, slug: directory.slugOf(participant), facts: factsOf(origin, item), trigger, ref },
      ...{ own_hits: hit?.count ?? 0, confirmations, disputed: trigger === 'dispute', now: clock() },
    })
  })
}

function factsOf(origin: Uuid, { signal_id, signal_key, revision, category, item }: Item): CaseFacts {
  const { type, severity, confidence } = JSON.parse(item) as SignalItem
  return { origin, signal_id, signal_key, revision, type: SIGNAL_TYPE[type], category, severity, confidence }
}

/** Cases of signals that their source changed or took back: what nobody decided yet is void, what was acted on is looked at again. */
async function changed(
  options: ReviewFollowOptions,
  entry: LoggedEvent,
  { signals, ended, again }: { signals: readonly Uuid[]; ended: boolean; again: boolean },
): Promise<void> {
  const { app, projector, directory } = options
  const origin = entry.participant_id
  for (const { participant_id: participant, signal_id } of await store.casesOf(projector, { origin, signals })) {
    const by = { participant, slug: directory.slugOf(participant) }
    const reopens = await asParticipant(app, participant, async (tx) => {
      const row = await store.liveCase(tx, participant, { origin, signal_id })
      if (row === undefined) return false
      const released = (one: decisionStore.DecisionRow): boolean => one.released_at !== null
      const all = await decisionStore.decisionsOf(tx, participant, row.case_id)
      const stands = all.findLast(released)
      // What was told stays to be looked at again, whatever becomes of the signal.
      if (stands !== undefined) return again && participant !== origin && isConfirmation(stands.verdict)
      if (ended) await endCase(options, tx, { by, row, decision: all.at(-1) })
      return false
    })
    if (!reopens) continue
    const item = await sourceStore.newestOf(projector, origin, signal_id)
    if (item !== undefined)
      await openFor(options, participant, { entry, item, trigger: 'lifecycle', ref: entry.event_id })
  }
}

/** Nothing is left to decide, and nobody stands for what was proposed. */
async function endCase(
  { provenance, clock }: ReviewFollowOptions,
  tx: Tx<'participant'>,
  { by, row, decision }: Omit<Ending, 'decision' | 'now'> & { decision: decisionStore.DecisionRow | undefined },
): Promise<void> {
  if (after(stateOf(row.state), 'end') === undefined) return
  const [change, now] = [{ held_until: null }, clock()]
  await moveCase(provenance, tx, row, { act: 'end', by, reason: 'signal_ended', now, change })
  if (decision?.ended_at === null) await endProposal({ provenance }, tx, { by, row, decision, now })
}

async function gone(options: ReviewFollowOptions, entry: LoggedEvent, again: boolean): Promise<void> {
  const ended = await sourceStore.endedBy(options.projector, entry.participant_id, entry.event_id)
  await changed(options, entry, { signals: ended.map(({ signal_id }) => signal_id), ended: true, again })
}

/** A recipient that asks is a case of the source. */
async function questioned(options: ReviewFollowOptions, entry: LoggedEvent): Promise<void> {
  const told = await options.feedback.feedbackAt(entry.participant_id, entry.event_id)
  if (told?.outcome !== OUTCOME.needs_information) return
  await openAt(options, told, { entry, participant: told.origin, trigger: 'question', ref: entry.event_id })
}

/** A case of the source, and of everyone who confirmed: one look for each, not one appeal for each. */
async function disputed(options: ReviewFollowOptions, entry: LoggedEvent): Promise<void> {
  const told = await options.feedback.disputeAt(entry.participant_id, entry.event_id)
  if (told?.dispute_id === undefined) return
  const opinions = await options.feedback.opinionsOf(told.origin, told.signal_id)
  const confirmed = opinions.filter(({ outcome }) => isConfirmation(outcome)).map(({ giver }) => giver)
  for (const participant of new Set([told.origin, ...confirmed])) {
    if (participant === entry.participant_id) continue
    await openAt(options, told, { entry, participant, trigger: 'dispute', ref: told.dispute_id })
  }
}

/** Whoever disputed or asked looks again at what the source answered. */
async function answered(
  options: ReviewFollowOptions,
  entry: LoggedEvent,
  told: (Told & { opener: Uuid }) | undefined,
): Promise<void> {
  if (told === undefined) return
  const { origin, signal_id, opener: participant } = told
  const cases = await store.casesOf(options.projector, { origin, signals: [signal_id] })
  // Who spoke without a case has the answer in its inbox.
  if (!cases.some(({ participant_id }) => participant_id === participant)) return
  await openAt(options, told, { entry, participant, trigger: 'lifecycle', ref: entry.event_id })
}

async function openAt(
  options: ReviewFollowOptions,
  { origin, signal_id }: Told,
  of: { entry: LoggedEvent; participant: Uuid; trigger: Trigger; ref: string },
): Promise<void> {
  const item = await sourceStore.newestOf(options.projector, origin, signal_id)
  // What was erased since is nobody's case.
  if (item === undefined) return
  await openFor(options, of.participant, { ...of, item, origin })
}
