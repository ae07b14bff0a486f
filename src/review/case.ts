import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import * as decisionStore from './decision-store.ts'
import type { Hours } from './hours.ts'
import { bandOf, dueAt, rankOf, SEVERITY, type Severity } from './priority.ts'
import { hoursIn } from './setting.ts'
import * as settingStore from './setting-store.ts'
import * as store from './store.ts'
import { after, CASE_STATE, type CaseAct, stateOf } from './transition.ts'

/** Who works: a person whose platform's own tool attests it, or one that decides here. */
export interface Reviewer {
  participant: Uuid
  slug: string
  /** A pseudonym of the organisation's own. */
  who: string
  authority: 'attested' | 'reviewed_here'
  /** May take over before a lease has ended. */
  lead: boolean
}

export const TRIGGERS = ['private_hit', 'routing_rule', 'dispute', 'lifecycle', 'question'] as const
export type Trigger = (typeof TRIGGERS)[number]

/** What cases need to know of a signal. */
export interface CaseFacts {
  origin: Uuid
  signal_id: Uuid
  signal_key: Buffer
  revision: number
  type: number
  category: number
  severity: Severity
  confidence: number
}

export interface Opening {
  participant: Uuid
  slug: string
  facts: CaseFacts
  trigger: Trigger
  /** By which a repetition is known. */
  ref: string
  own_hits: number
  confirmations: number
  disputed: boolean
  now: Date
  /** Adds nothing to a case that somebody is to look at already. */
  oneOfMany?: boolean
}

type Recorder = Pick<ProvenanceService, 'record'>

/**
 * A case of the signal for a reason: made, opened again, or only given the reason. Done again it changes nothing. Answers the
 * case, and the event if something changed.
 */
export async function openCase(
  recorder: Recorder,
  tx: Tx<'participant'>,
  opening: Opening,
): Promise<{ case_id: Uuid | undefined; event: Uuid | undefined }> {
  const { participant, facts, trigger, ref } = opening
  const of = { origin: facts.origin, signal_id: facts.signal_id }
  const known = await store.liveCase(tx, participant, of)
  if (known !== undefined) return addReason(recorder, tx, { known, opening })
  if (await store.wasTriggered(tx, participant, { ...of, kind: trigger, ref }))
    return { case_id: undefined, event: undefined }
  const made = await makeCase(recorder, tx, opening)
  if (made !== undefined) return made
  const other = await store.liveCase(tx, participant, of)
  if (other === undefined) throw new Refusal('busy', { retryAfter: 1 })
  return addReason(recorder, tx, { known: other, opening })
}

async function makeCase(
  recorder: Recorder,
  tx: Tx<'participant'>,
  opening: Opening,
): Promise<{ case_id: Uuid; event: Uuid } | undefined> {
  const { participant, facts, own_hits, confirmations, disputed, now, trigger } = opening
  const { severity: name, ...rest } = facts
  const weighed = { severity: SEVERITY[name], own_hits, confirmations, confidence: facts.confidence, disputed }
  const [case_id, event] = [newId(now), newId(now)]
  const due_at = dueAt(now, weighed, { asked: isAsked(trigger), hours: await hoursOf(tx, participant) })
  const made = await store.insertCase(tx, {
    ...{ participant_id: participant, case_id, ...rest, ...weighed },
    ...{ state: CASE_STATE.open, version: 1, rank: rankOf(weighed), due_at },
    ...{ paused_at: null, opened_at: now, held_until: null, hold_reason: null, assigned_to: null },
    ...{ handed_event: null, last_event: event },
  })
  if (!made) return undefined
  await remember(recorder, tx, { case_id, event, opening, from: undefined })
  return { case_id, event }
}

async function addReason(
  recorder: Recorder,
  tx: Tx<'participant'>,
  { known, opening }: { known: store.CaseRow; opening: Opening },
): Promise<{ case_id: Uuid; event: Uuid | undefined }> {
  const { facts, now, trigger } = opening
  const { case_id, participant_id } = known
  if (opening.oneOfMany === true && (await isToBeLookedAt(tx, known))) return { case_id, event: undefined }
  const [event, at] = [newId(now), await arrivedAt(tx, known, now)]
  const isNew = await store.insertTrigger(tx, {
    ...{ participant_id, case_id, kind: trigger, ref: opening.ref, at, last_event: event },
  })
  if (!isNew) return { case_id, event: undefined }
  const state = stateOf(known.state)
  const opens = after(state, 'reopen')
  const weighed = {
    ...newerOf(known, facts),
    own_hits: Math.max(known.own_hits, opening.own_hits),
    confirmations: opening.confirmations,
    // A dispute that was decided on is none of what a case is opened for again.
    disputed: (opens === undefined && known.disputed) || opening.disputed,
  }
  const urgency = { asked: isAsked(trigger), hours: await hoursOf(tx, participant_id) }
  await store.updateCase(tx, known, {
    ...{ ...weighed, rank: rankOf(weighed), last_event: event },
    ...(opens === undefined
      ? { due_at: sooner(known, dueAt(countsFrom(known, now), weighed, urgency)) }
      : {
          ...{ opened_at: now, assigned_to: null, due_at: dueAt(now, weighed, urgency) },
          ...{ state: CASE_STATE[opens], version: known.version + 1 },
        }),
  })
  await told(recorder, tx, { case_id, event, opening, from: state, to: opens ?? state })
  return { case_id, event }
}

/** What makes a case more urgent brings its date forward, and never back while it is open. */
export const sooner = ({ due_at }: store.CaseRow, due: Date): Date => (due_at < due ? due_at : due)

/** Of what waits for its source the time stands still: it is added once the case goes on. */
export const countsFrom = ({ paused_at }: store.CaseRow, now: Date): Date => paused_at ?? now

/** After what was decided or proposed of a case that nobody may decide now: whoever did so did not know of it, by whatever clock. */
async function arrivedAt(tx: Tx<'participant'>, { participant_id, case_id, state }: store.CaseRow, now: Date) {
  if (state !== CASE_STATE.decided && state !== CASE_STATE.awaiting_second) return now
  const last = (await decisionStore.decisionsOf(tx, participant_id, case_id)).at(-1)
  return last === undefined ? now : new Date(Math.max(now.getTime(), last.decided_at.getTime() + 1))
}

/** It is open, or will be, for something came since it was decided. */
async function isToBeLookedAt(tx: Tx<'participant'>, row: store.CaseRow): Promise<boolean> {
  const state = stateOf(row.state)
  if (state !== 'decided' && state !== 'awaiting_second') return state !== 'closed'
  const last = (await decisionStore.decisionsOf(tx, row.participant_id, row.case_id)).at(-1)
  if (last === undefined) return false
  return (await store.triggersOf(tx, row, { after: last.decided_at, limit: 1 })).length > 0
}

/** What a case shows of its signal. A feed may be behind the log: what is older than the case takes nothing back. */
export const newerOf = (row: store.CaseRow, { revision, category, severity, confidence }: CaseFacts) =>
  revision < row.revision
    ? { revision: row.revision, category: row.category, severity: row.severity, confidence: row.confidence }
    : { revision, category, severity: SEVERITY[severity], confidence }

/** When an organisation reviews, as it is set now; undefined where time always counts. */
export async function hoursOf(tx: Tx<'participant'>, participant: Uuid): Promise<Hours | undefined> {
  const row = await settingStore.settingOf(tx, participant)
  return row === undefined ? undefined : hoursIn(row)
}

export const isAsked = (trigger: string): boolean => trigger === 'question' || trigger === 'dispute'

async function remember(
  recorder: Recorder,
  tx: Tx<'participant'>,
  of: { case_id: Uuid; event: Uuid; opening: Opening; from: undefined },
): Promise<void> {
  const { case_id, event, opening } = of
  await store.insertTrigger(tx, {
    ...{ participant_id: opening.participant, case_id, kind: opening.trigger, ref: opening.ref },
    ...{ at: opening.now, last_event: event },
  })
  await told(recorder, tx, { ...of, to: 'open' })
}

const told = (
  recorder: Recorder,
  tx: Tx<'participant'>,
  {
    case_id,
    event,
    opening,
    from,
    to,
  }: { case_id: Uuid; event: Uuid; opening: Opening; from: string | undefined; to: string },
) =>
  recorder.record(tx, {
    ...{ kind: 'review.moved', event_id: event, participant_id: opening.participant, at: opening.now },
    ...{
      actor: opening.slug,
      fields: { case: case_id, signal: opening.facts.signal_id, from, to, reason: opening.trigger },
    },
  })

/** Whether hits reached a number that opens a case again. */
export const crosses = (before: number, count: number): boolean => bandOf(count) > bandOf(before)

/** The organisation's own case, locked; another's is not there. */
export async function lockedCase(tx: Tx<'participant'>, participant: Uuid, case_id: Uuid): Promise<store.CaseRow> {
  const row = await store.caseForUpdate(tx, participant, case_id)
  if (row === undefined) throw new Refusal('not-found')
  return row
}

/** Refuses what was meant for another version of the case; nothing that was typed is lost by it. */
export function atVersion(row: store.CaseRow, version: number): void {
  if (row.version !== version)
    throw new Refusal('case-moved', {
      detail: `the case is ${stateOf(row.state)} now; read it again, and send what you have with its version`,
      extra: { version: row.version },
    })
}

export interface Move {
  act: CaseAct
  by: Pick<Reviewer, 'participant' | 'slug'>
  reason: string
  now: Date
  /** Where another kind of event tells it. */
  event?: Uuid
  change?: Omit<store.CaseChange, 'last_event' | 'state' | 'version'>
}

/** Moves a locked case, with its entry in the log; `case-moved` where the act is none of its state. */
export async function moveCase(
  recorder: Recorder,
  tx: Tx<'participant'>,
  row: store.CaseRow,
  move: Move,
): Promise<{ state: number; version: number; event: Uuid }> {
  const { act, by, reason, now, change } = move
  const from = stateOf(row.state)
  const to = after(from, act)
  if (to === undefined)
    throw new Refusal('case-moved', { detail: `the case is ${from}`, extra: { version: row.version } })
  const event = move.event ?? newId(now)
  const [state, version] = [CASE_STATE[to], row.version + 1]
  await store.updateCase(tx, row, { ...change, state, version, last_event: event })
  if (move.event === undefined) {
    await recorder.record(tx, {
      ...{ kind: 'review.moved', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
      fields: { case: row.case_id, signal: row.signal_id, from, to, reason },
    })
  }
  return { state, version, event }
}
