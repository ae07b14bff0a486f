import type { BeginRound, Consumer } from '../feedback/follow.ts'
import { isConfirmation } from '../feedback/opinion.ts'
import { OUTCOME } from '../feedback/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { LoggedEvent } from '../provenance/service.ts'
import type { SignalItem } from '../signals/schema.ts'
import type { Trigger } from './case.ts'
import { changed, confirming, erased, gone, undone } from './lifecycle.ts'
import { factsFor, factsOf, type Item, openFor, type ReviewFollowOptions, type Told } from './open-for.ts'
import { ruleOf } from './routing.ts'
import * as routingStore from './routing-store.ts'
import * as sourceStore from './source-store.ts'
import * as store from './store.ts'

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
      'signal.expired': async (entry) => void (await gone(options, entry, false)),
      erasure: (entry) => erased(options, entry),
      'feedback.given': (entry) => questioned(options, entry),
      'dispute.opened': (entry) => disputed(options, entry),
      'review.undone': (entry) => undone(options, entry),
      'dispute.closed': async (entry) =>
        answered(options, entry, await options.feedback.answerAt(entry.participant_id, entry.event_id)),
      'question.answered': async (entry) =>
        answered(options, entry, await options.feedback.questionAnswerAt(entry.participant_id, entry.event_id), true),
    }
    return async (entry) => on[entry.kind]?.(entry)
  }

type Rules = Awaited<ReturnType<typeof routingStore.routingRules>>

/** Received signals that meet a rule of whoever receives them and takes part; what is sealed is seen by nobody before it is opened. */
async function route(options: ReviewFollowOptions, entry: LoggedEvent, rules: Rules): Promise<void> {
  const { projector, directory } = options
  if (rules.length === 0) return
  const active = new Set(directory.active())
  for (const item of await sourceStore.itemsOf(projector, entry.participant_id, entry.event_id)) {
    if (item.salt === null) continue
    const { audience } = JSON.parse(item.item) as SignalItem
    const target = directory.audience(audience)
    if (target?.mode !== 'full') continue
    const receives = (id: Uuid): boolean => id !== entry.participant_id && target.members.has(id) && active.has(id)
    const reached = rules.filter(({ participant_id: id }) => receives(id))
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
      await openFor(options, rule.participant_id, {
        ...{ facts: factsOf(entry.participant_id, item), trigger: 'routing_rule', ref: met },
      })
  }
}

/** A recipient that asks is a case of the source. */
async function questioned(options: ReviewFollowOptions, entry: LoggedEvent): Promise<void> {
  const told = await options.feedback.feedbackAt(entry.participant_id, entry.event_id)
  if (told?.outcome !== OUTCOME.needs_information) return
  await openAt(options, told, { participant: told.origin, trigger: 'question', ref: entry.event_id })
}

/** A case of the source, and of everyone who confirmed or is about to: one look for each, not one appeal for each. */
async function disputed(options: ReviewFollowOptions, entry: LoggedEvent): Promise<void> {
  const told = await options.feedback.disputeAt(entry.participant_id, entry.event_id)
  if (told?.dispute_id === undefined) return
  const opinions = await options.feedback.opinionsOf(told.origin, told.signal_id)
  const confirmed = opinions.filter(({ outcome }) => isConfirmation(outcome)).map(({ giver }) => giver)
  for (const participant of new Set([told.origin, ...confirmed, ...(await confirming(options, told))])) {
    if (participant === entry.participant_id) continue
    await openAt(options, told, { participant, trigger: 'dispute', ref: told.dispute_id })
  }
}

/** Whoever disputed or asked looks again at what the source answered. */
async function answered(
  options: ReviewFollowOptions,
  entry: LoggedEvent,
  told: (Told & { opener: Uuid }) | undefined,
  answers = false,
): Promise<void> {
  if (told === undefined) return
  const { origin, signal_id, opener: participant } = told
  const cases = await store.casesOf(options.projector, { origin, signals: [signal_id] })
  // Who spoke without a case has the answer in its inbox.
  if (!cases.some(({ participant_id }) => participant_id === participant)) return
  await openAt(options, told, { participant, trigger: 'lifecycle', ref: entry.event_id, answers })
}

async function openAt(
  options: ReviewFollowOptions,
  told: Told,
  of: { participant: Uuid; trigger: Trigger; ref: string; answers?: boolean },
): Promise<void> {
  const facts = await factsFor(options, of.participant, told)
  // What was erased since is nobody's case.
  if (facts !== undefined) await openFor(options, of.participant, { ...of, facts })
}
