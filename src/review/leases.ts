import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { checkWords } from '../feedback/judge.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { atVersion, hoursOf, lockedCase, moveCase, type Reviewer } from './case.ts'
import { type Hours, workingAfter, workingBetween } from './hours.ts'
import { claim, grip, isLive, LEASE_MS, LEAVING_MS } from './lease.ts'
import * as noticeStore from './notice-store.ts'
import type { HandOverRequest, HoldRequest, LeaseResult, MoveResult } from './schema.ts'
import * as store from './store.ts'
import { CASE_STATE, stateOf } from './transition.ts'

/** What somebody does not want to be given. */
export interface Wishes {
  /** Categories, by name; those that there are none of change nothing. */
  without?: readonly string[]
  /** Nothing of high or critical severity. */
  mild?: boolean
}

export interface LeasesOptions {
  db: Db
  /** The number of a category that the programme knows now. */
  categoryNow(slug: string): number | undefined
  clock: Clock
  provenance: ProvenanceService
}

export interface Leases {
  /** `lease-held` names who works on it. */
  claim(by: Reviewer, case_id: Uuid): Promise<LeaseResult>
  /** The next case of the queue that nobody works on and that is wanted; undefined where there is none. */
  next(by: Reviewer, wishes?: Wishes): Promise<LeaseResult | undefined>
  /** `lease-lapsed` once somebody came between. */
  renew(by: Reviewer, case_id: Uuid, token: Uuid): Promise<LeaseResult>
  /** Lets go within seconds: a tab that is only loaded anew finds its lease again. */
  leave(by: Reviewer, case_id: Uuid, token: Uuid): Promise<void>
  hold(by: Reviewer, case_id: Uuid, request: Omit<HoldRequest, 'operator'>): Promise<MoveResult>
  resume(by: Reviewer, case_id: Uuid, version: number): Promise<MoveResult>
  handOver(by: Reviewer, case_id: Uuid, request: Omit<HandOverRequest, 'operator'>): Promise<MoveResult>
}

const HOUR_MS = 3_600_000

export function createLeases(options: LeasesOptions): Leases {
  const { db, clock, provenance } = options
  const logged = async <T>(by: Reviewer, work: (tx: Tx<'participant'>) => Promise<T>): Promise<T> => {
    provenance.admit()
    const result = await asParticipant(db, by.participant, work)
    provenance.wake()
    return result
  }
  return {
    claim: (by, case_id) => logged(by, (tx) => claimIn(options, tx, { by, case_id })),
    next: (by, { without = [], mild = false } = {}) =>
      asParticipant(db, by.participant, async (tx) => {
        const now = clock()
        const wanted = { without: without.flatMap((slug) => options.categoryNow(slug) ?? []), mild }
        return takeNext(tx, (late) => store.nextFree(tx, by.participant, { who: by.who, now, late, ...wanted }), {
          by,
          now,
        })
      }),
    renew: (by, case_id, token) =>
      asParticipant(db, by.participant, async (tx) => {
        const now = clock()
        const row = await held(tx, { by, case_id, token, now })
        return give(tx, row, { by, now, token })
      }),
    leave: (by, case_id, token) =>
      asParticipant(db, by.participant, async (tx) => {
        const now = clock()
        const row = await held(tx, { by, case_id, token, now })
        const lease = await store.leaseOf(tx, row.participant_id, row.case_id)
        const expires_at = new Date(Math.min(lease?.expires_at.getTime() ?? 0, now.getTime() + LEAVING_MS))
        await store.putLease(tx, { ...nameOf(row), holder: by.who, token, expires_at })
      }),
    hold: async (by, case_id, { token, version, reason, hours }) => {
      checkWords({ reason })
      return logged(by, async (tx) => {
        const now = clock()
        const row = await held(tx, { by, case_id, token, now })
        atVersion(row, version)
        const held_until = new Date(now.getTime() + hours * HOUR_MS)
        const change = { held_until, hold_reason: reason }
        const moved = await moveCase(provenance, tx, row, { act: 'hold', by, reason, now, change })
        await end(tx, row, { by, token, now })
        return resultOf(row, moved)
      })
    },
    resume: (by, case_id, version) =>
      logged(by, async (tx) => {
        const now = clock()
        const row = await lockedCase(tx, by.participant, case_id)
        atVersion(row, version)
        const hours = await hoursOf(tx, by.participant)
        return resultOf(row, await moveCase(provenance, tx, row, resuming(row, { by, now, reason: 'resumed', hours })))
      }),
    handOver: async (by, case_id, { token, version, to }) => {
      checkWords({ to })
      return logged(by, (tx) => handOver(options, tx, { by, case_id, token, version, to }))
    },
  }
}

interface Resuming {
  by: Pick<Reviewer, 'participant' | 'slug'>
  now: Date
  reason: string
  /** When the organisation reviews. */
  hours: Hours | undefined
}

/** Back into the queue; time that the source owed an answer is not counted. */
export function resuming(row: store.CaseRow, { by, now, reason, hours }: Resuming) {
  const waited = row.paused_at === null ? 0 : workingBetween(row.paused_at, now, hours)
  const change = {
    held_until: null,
    hold_reason: null,
    paused_at: null,
    due_at: workingAfter(row.due_at, waited, hours),
  }
  return { act: 'resume', by, reason, now, change } as const
}

async function claimIn(
  { clock, provenance }: LeasesOptions,
  tx: Tx<'participant'>,
  { by, case_id }: { by: Reviewer; case_id: Uuid },
): Promise<LeaseResult> {
  const now = clock()
  const row = await lockedCase(tx, by.participant, case_id)
  checkOpen(row)
  const lease = await store.leaseOf(tx, by.participant, case_id)
  const claimed = claim(lease, { who: by.who, assigned: row.assigned_to, lead: by.lead, now })
  if (claimed.outcome === 'held')
    throw new Refusal('lease-held', { detail: `${claimed.holder} works on it`, extra: { holder: claimed.holder } })
  if (claimed.outcome === 'mine' && isLive(lease, now)) return give(tx, row, { by, now, token: lease.token })
  if (claimed.outcome === 'taken_over') {
    const event = newId(now)
    await provenance.record(tx, {
      ...{ kind: 'review.moved', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
      fields: { case: case_id, signal: row.signal_id, from: 'open', to: 'open', reason: 'taken_over' },
    })
    await store.updateCase(tx, row, { assigned_to: null, last_event: event })
    const told = { taken_from: claimed.from, taken_by: by.who, at: now }
    await noticeStore.insertTaken(tx, { ...nameOf(row), event_id: event, ...told })
  }
  return give(tx, row, { by, now })
}

/** Only what is in the queue is worked on, and given to somebody else. */
function checkOpen({ state, version }: store.CaseRow): void {
  if (state !== CASE_STATE.open)
    throw new Refusal('case-moved', { detail: `the case is ${stateOf(state)}`, extra: { version } })
}

/** The first that the search finds, overdue ones before the others, with its lease; undefined where there is none. */
export async function takeNext(
  tx: Tx<'participant'>,
  search: (late: boolean) => Promise<store.CaseRow | undefined>,
  { by, now }: { by: Reviewer; now: Date },
): Promise<LeaseResult | undefined> {
  for (;;) {
    const row = (await search(true)) ?? (await search(false))
    if (row === undefined) return undefined
    // Whoever took it while it was looked for has written a lease that the search did not see; now the case is locked.
    const lease = await store.leaseOf(tx, by.participant, row.case_id)
    if (!isLive(lease, now)) return give(tx, row, { by, now })
    // What stands in another tab of whoever works on it already stays good.
    if (lease.holder === by.who) return give(tx, row, { by, now, token: lease.token })
  }
}

async function give(
  tx: Tx<'participant'>,
  row: store.CaseRow,
  { by, now, token = newId(now) }: { by: Reviewer; now: Date; token?: Uuid | undefined },
): Promise<LeaseResult> {
  const expires_at = new Date(now.getTime() + LEASE_MS)
  await store.putLease(tx, { ...nameOf(row), holder: by.who, token, expires_at })
  return { case: row.case_id, token, version: row.version, expires_at: expires_at.toISOString() }
}

interface Held {
  by: Pick<Reviewer, 'participant' | 'who'>
  case_id: Uuid
  token: Uuid | undefined
  now: Date
}

/** The case, locked, if the token still stands for it. */
async function held(tx: Tx<'participant'>, { by, case_id, token, now }: Held): Promise<store.CaseRow> {
  const row = await lockedCase(tx, by.participant, case_id)
  await checkGrip(tx, row, { token, now })
  return row
}

/** Throws `lease-held` or `lease-lapsed` unless the token is the one on the case. */
export async function checkGrip(
  tx: Tx<'participant'>,
  row: store.CaseRow,
  { token, now }: { token: Uuid | undefined; now: Date },
): Promise<void> {
  const lease = await store.leaseOf(tx, row.participant_id, row.case_id)
  const state = grip(lease, token, now)
  if (state === 'good') return
  if (state === 'held')
    throw new Refusal('lease-held', {
      detail: `${lease?.holder} works on it now`,
      extra: { holder: lease?.holder ?? '' },
    })
  throw new Refusal('lease-lapsed', { detail: 'claim the case again', extra: { version: row.version } })
}

/** Nobody works on it any more. */
export const end = (
  tx: Tx<'participant'>,
  row: store.CaseRow,
  { by, token, now }: { by: Pick<Reviewer, 'who'>; token: Uuid; now: Date },
): Promise<void> => store.putLease(tx, { ...nameOf(row), holder: by.who, token, expires_at: now })

async function handOver(
  { clock, provenance }: LeasesOptions,
  tx: Tx<'participant'>,
  { by, case_id, token, version, to }: Omit<HandOverRequest, 'operator'> & { by: Reviewer; case_id: Uuid },
): Promise<MoveResult> {
  const now = clock()
  const row = await held(tx, { by, case_id, token, now })
  atVersion(row, version)
  checkOpen(row)
  const event = newId(now)
  await provenance.record(tx, {
    ...{ kind: 'review.moved', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    fields: { case: case_id, signal: row.signal_id, from: 'open', to: 'open', reason: 'handed_over' },
  })
  const next = row.version + 1
  await store.updateCase(tx, row, { assigned_to: to, handed_event: event, version: next, last_event: event })
  // Under a token that nobody has: what stands in another tab of whoever gave it away stands for it no longer.
  await end(tx, row, { by, token: newId(now), now })
  return resultOf(row, { state: row.state, version: next })
}

const resultOf = (row: store.CaseRow, { state, version }: { state: number; version: number }): MoveResult => ({
  ...{ case: row.case_id, state: stateOf(state), version },
})

const nameOf = ({ participant_id, case_id }: store.CaseRow) => ({ participant_id, case_id })
