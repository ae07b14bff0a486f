import { atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { refuseRaw } from '../identifiers/refuse-raw.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf } from '../kernel/day.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Page, type PageAsked, pageOf } from '../kernel/page.ts'
import type { Recorder } from '../provenance/service.ts'
import { type Anomaly, anomaliesOf, COUNTED_KINDS, type Observed, type Shares, sharesAskedOn } from './rules.ts'
import { CASE_STATE, CASES_LISTED_MAX, type CaseState, type CloseReason } from './schema.ts'
import { dayBefore, type LookedUp, type UsedFrom } from './sighting-rules.ts'
import * as store from './store.ts'
import { BASELINE_DAYS, RULES, type RuleName } from './thresholds.ts'

/** A case with what it was found by, and what people made of it. */
export interface AnomalyCase extends Anomaly {
  id: Uuid
  day: string
  state: CaseState
  openedAt: Date
  moved: { by: Uuid; at: Date; reason: string | undefined; note: string | undefined } | undefined
}

export interface Anomalies {
  /** Holds today and yesterday against the rules; answers how many cases it opened. */
  look(): Promise<number>
  /** A person tried to approve what it had proposed; a case of its organisation, once a day. */
  attempted(organisation: string): Promise<void>
  /** Open ones first, then the newest. */
  list(): Promise<AnomalyCase[]>
  /** All of them, the newest first. */
  page(asked: PageAsked): Promise<Page<AnomalyCase>>
  /** How many nobody has looked at. */
  open(): Promise<number>
  /** `not-found`, and `state-conflict` for a case that is closed. */
  lookAt(by: Uuid, id: Uuid): Promise<void>
  close(by: Uuid, id: Uuid, of: { reason: CloseReason; note?: string | undefined }): Promise<void>
}

export interface AnomaliesOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  /** Logs in as `aldis_ledger`. */
  ledger: Db
  clock: Clock
  logId: number
  recorder: Recorder & { wake(): void }
  /** In whose name cases are recorded. */
  programme: Uuid
  /** Of days, the last without it: what is recent begins with one, and answers are due up to another. */
  shares(asked: { from: string; to: string; recent: string; due: string }): Promise<Shares>
  /** Between two checkpoints that were signed in a period, milliseconds. */
  longestGap(range: { from: Date; to: Date }): Promise<number>
  /** Connections that were refused, by day, from a moment on. */
  refused(from: Date): Promise<ReadonlyMap<string, number>>
  /** Keys that were used on a day. */
  used(day: string): Promise<readonly UsedFrom[]>
  /** Look-ups by day, both days included. */
  looked(range: { from: string; to: string }): Promise<readonly LookedUp[]>
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export function createAnomalies(options: AnomaliesOptions): Anomalies {
  const { admin, clock, recorder } = options
  return {
    async look() {
      const today = dayOf(clock())
      let n = 0
      // Yesterday again: a node that was down has not seen its end.
      for (const day of [dayBefore(today, 1), today]) {
        const observed = await observedOn(options, day)
        if (observed !== undefined) n += await opened(options, day, anomaliesOf(observed))
      }
      return n
    },
    async attempted(organisation) {
      const one = { rule: 'self_approval', subject: organisation, measured: 1, baseline: 0, threshold: 1 } as const
      await opened(options, dayOf(clock()), [one])
    },
    list: async () => (await store.cases(admin, CASES_LISTED_MAX)).map(caseOf),
    page: async ({ after, limit }) =>
      pageOf((await store.casesFrom(admin, { after, limit: limit + 1 })).map(caseOf), limit, ({ id }) => id),
    open: () => store.openCases(admin),
    lookAt: (by, id) => moved(options, { by, id, to: 'looked_at' }),
    async close(by, id, { reason, note }) {
      if (reason === 'other' && (note ?? '').trim() === '')
        throw new Refusal('validation-failed', {
          errors: [{ pointer: '/note', code: 'validation-failed', detail: 'the reason other needs a note' }],
        })
      refuseRaw({ note })
      await moved(options, { by, id, to: 'closed', reason, note })
    },
  }

  async function opened(of: AnomaliesOptions, day: string, found: readonly Anomaly[]): Promise<number> {
    if (found.length === 0) return 0
    const n = await atControl(admin, async (tx) => {
      const known = await store.casesOfDay(tx, day)
      let made = 0
      for (const one of found)
        if (!known.has(`${one.rule} ${one.subject}`) && (await openOne(of, tx, { day, ...one }))) made += 1
      return made
    })
    if (n > 0) recorder.wake()
    return n
  }
}

async function openOne(options: AnomaliesOptions, tx: Tx, found: Anomaly & { day: string }): Promise<boolean> {
  const at = options.clock()
  const event = newId(at)
  const { rule, subject, measured } = found
  const fresh = await store.insertCase(tx, {
    ...found,
    ...{ case_id: newId(at), state: CASE_STATE.open, opened_at: at, last_event: event },
    ...{ moved_by: null, moved_at: null, reason: null, note: null },
  })
  if (fresh) await record(options, tx, { event, at, whom: subject, what: 'opened', code: rule, amount: measured })
  return fresh
}

interface Told {
  event: Uuid
  at: Date
  whom: string
  what: string
  code: string
  amount: number
  person?: Uuid
  after?: Uuid
}

const record = (
  { recorder, programme }: AnomaliesOptions,
  tx: Tx,
  { event, at, after, ...fields }: Told,
): Promise<unknown> =>
  recorder.record(tx, {
    ...{ kind: 'anomaly.acted', event_id: event, participant_id: programme, at, fields },
    ...(after !== undefined && { after }),
  })

interface Move {
  by: Uuid
  id: Uuid
  to: CaseState
  reason?: CloseReason
  note?: string | undefined
}

async function moved(options: AnomaliesOptions, { by, id, to, reason, note }: Move): Promise<void> {
  await atControl(options.admin, async (tx) => {
    const row = await store.caseForUpdate(tx, id)
    if (row === undefined) throw new Refusal('not-found')
    if (row.state >= CASE_STATE[to]) throw new Refusal('state-conflict', { detail: 'somebody has done so already' })
    const at = options.clock()
    const event = newId(at)
    const told = { whom: row.subject, what: to, code: reason ?? row.rule, amount: row.measured, person: by }
    await record(options, tx, { event, at, after: row.last_event, ...told })
    await store.moveCase(tx, id, {
      ...{ state: CASE_STATE[to], moved_by: by, moved_at: at, reason: reason ?? null },
      ...{ note: note?.trim() || null, last_event: event },
    })
  })
  options.recorder.wake()
}

/** What the rules look at on a day; undefined before anything was counted. */
async function observedOn(options: AnomaliesOptions, day: string): Promise<Observed | undefined> {
  const { ledger, logId, shares, refused, longestGap, used, looked } = options
  const first = await store.firstHour(ledger, logId)
  if (first === undefined) return undefined
  const from = dayBefore(day, BASELINE_DAYS)
  const [start, end] = [new Date(from), new Date(Date.parse(day) + DAY_MS)]
  return {
    day,
    since: dayOf(first.hour),
    activity: await store.activityBetween(ledger, logId, { from: start, to: end, kinds: COUNTED_KINDS }),
    shares: await shares({ from, to: dayOf(end), ...sharesAskedOn(day) }),
    longestGap: Math.floor((await longestGap({ from: new Date(day), to: end })) / MINUTE_MS),
    refused: await refused(start),
    ...{ used: await used(day), looked: await looked({ from, to: day }) },
  }
}

const STATES = Object.keys(CASE_STATE) as CaseState[]
const stateOf = (n: number): CaseState => STATES.find((name) => CASE_STATE[name] === n) ?? 'closed'
const isRule = (name: string): name is RuleName => Object.hasOwn(RULES, name)

function caseOf(row: store.CaseRow): AnomalyCase {
  const { case_id, rule, subject, day, measured, baseline, threshold, opened_at, moved_by, moved_at, reason, note } =
    row
  if (!isRule(rule)) throw new Error(`a case of the rule ${rule}, which there is none of`)
  return {
    ...{ id: case_id, rule, subject, day, measured, baseline, threshold, openedAt: opened_at },
    state: stateOf(row.state),
    moved:
      moved_by === null || moved_at === null
        ? undefined
        : { by: moved_by, at: moved_at, reason: reason ?? undefined, note: note ?? undefined },
  }
}
