import { atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { ListedErasure } from '../erasure/service.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Page, type PageAsked, pageOf } from '../kernel/page.ts'
import { ERASURE_SIGNALS_MAX } from '../participants/schema.ts'
import type { AuditLog } from '../provenance/auditor.ts'
import type { Recorder } from '../provenance/service.ts'
import { dueAt } from './clock-rule.ts'
import {
  type Extension,
  MATCH_KEYS_MAX,
  MATCHED_MAX,
  REGISTER_LISTED_MAX,
  type SubjectKind,
  type SubjectOutcome,
} from './schema.ts'
import * as store from './subject-store.ts'

/** Signals of one source, and how far their erasure is. */
export interface SubjectPart {
  participant: Uuid
  source: string
  signals: readonly Uuid[]
  /** Those whose values are still there, whatever was proposed before. */
  left: readonly Uuid[]
  /** The request that two persons decide, the newest if there were several; undefined before it is proposed. */
  approval: Uuid | undefined
  /** What came of that request. */
  erasure: ListedErasure | undefined
}

export interface SubjectRequest {
  id: Uuid
  kind: string
  receivedAt: Date
  dueAt: Date
  extension: string | undefined
  searchedAt: Date | undefined
  closed: { at: Date; outcome: string } | undefined
}

/** Who works on a request: in whose name a search is recorded, and the person. */
export interface Clerk {
  participant: Uuid
  slug: string
  person: Uuid
}

export interface SubjectRegister {
  /** Its clock begins on the day on which it came. */
  receive(by: Uuid, request: { kind: SubjectKind; receivedAt: Date }): Promise<Uuid>
  /** Open ones first, the most urgent before the others. */
  list(): Promise<SubjectRequest[]>
  /** All of them, the last one that was entered first. */
  page(asked: PageAsked): Promise<Page<SubjectRequest>>
  /** `not-found` where there is none. */
  find(id: Uuid): Promise<{ request: SubjectRequest; parts: SubjectPart[] }>
  /** Two more months, once. */
  extend(by: Uuid, id: Uuid, reason: Extension): Promise<void>
  /** Signals of any source under match keys that the browser made: recorded first; what the keys stand for never comes here. */
  match(by: Clerk, id: Uuid, keys: readonly string[]): Promise<number>
  /** Asks to erase what is left of one source, as much as one erasure takes: another person approves it. */
  propose(by: Uuid, id: Uuid, participant: Uuid): Promise<void>
  close(by: Uuid, id: Uuid, outcome: SubjectOutcome): Promise<void>
}

export interface SubjectOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  recorder: Recorder & { wake(): void }
  programme: Uuid
  auditing: AuditLog
  participants(): readonly { participant_id: Uuid; slug: string }[]
  /** Signals of a participant under these keys whose values were not erased; at most `limit`. */
  found(db: Db, participant: Uuid, of: { keys: readonly string[]; limit: number }): Promise<Uuid[]>
  /** Of these signals those whose values were not erased. */
  unerased(db: Db, participant: Uuid, signals: readonly Uuid[]): Promise<Uuid[]>
  erasures(): Promise<readonly ListedErasure[]>
  ask(payload: { participant: string; signals: Uuid[]; basis: string }, by: Uuid): Promise<Uuid>
}

export function createSubjectRegister(options: SubjectOptions): SubjectRegister {
  const { admin, clock, recorder } = options
  return {
    async receive(by, { kind, receivedAt }) {
      const at = clock()
      if (receivedAt > at) throw new Refusal('validation-failed', { detail: 'it cannot have come after today' })
      const [id, due] = [newId(at), dueAt(receivedAt, false)]
      await atControl(admin, async (tx) => {
        const event = await record(options, tx, { kind: 'subject_request.received', at, by, fields: { kind, due } })
        await store.insertRequest(tx, {
          ...{ request_id: id, kind, received_at: receivedAt, due_at: due, opened_by: by, last_event: event },
          ...{ extension: null, searched_at: null, outcome: null, closed_at: null },
        })
      })
      recorder.wake()
      return id
    },
    list: async () => (await store.requests(admin, REGISTER_LISTED_MAX)).map(requestOf),
    page: async ({ after, limit }) =>
      pageOf((await store.requestsFrom(admin, { after, limit: limit + 1 })).map(requestOf), limit, ({ id }) => id),
    async find(id) {
      const row = await store.request(admin, id)
      if (row === undefined) throw new Refusal('not-found')
      return { request: requestOf(row), parts: await partsOf(options, id) }
    },
    extend: (by, id, reason) =>
      changed(options, id, async (tx, row) => {
        if (row.extension !== null) throw new Refusal('state-conflict', { detail: 'it was extended before' })
        const [at, due] = [clock(), dueAt(row.received_at, true)]
        const fields = { kind: row.kind, due, outcome: `extended:${reason}` }
        const event = await record(options, tx, {
          ...{ kind: 'subject_request.received', at, by, fields },
          after: row.last_event,
        })
        await store.changeRequest(tx, id, { extension: reason, due_at: due, last_event: event })
      }),
    async match(by, id, keys) {
      if (keys.length === 0 || keys.length > MATCH_KEYS_MAX)
        throw new Refusal('page-limit', { extra: { limit: MATCH_KEYS_MAX } })
      expectOpen(await store.request(admin, id))
      await options.auditing(
        { ...by, auditor: true },
        `${keys.length} match keys`,
        BigInt(keys.length),
        'subject request',
      )
      const bySource = new Map<Uuid, Uuid[]>()
      for (const { participant_id } of options.participants()) {
        const found = await options.found(admin, participant_id, { keys, limit: MATCHED_MAX + 1 })
        if (found.length > MATCHED_MAX)
          throw new Refusal('page-limit', {
            extra: { limit: MATCHED_MAX },
            detail: 'one source has more signals under these keys: search for fewer keys at a time',
          })
        if (found.length > 0) bySource.set(participant_id, found)
      }
      await changed(options, id, (tx, row) => keep(options, tx, row, { bySource, by: by.person }))
      return [...bySource.values()].reduce((n, { length }) => n + length, 0)
    },
    async propose(by, id, participant) {
      expectOpen(await store.request(admin, id))
      const part = (await partsOf(options, id)).find((one) => one.participant === participant)
      if (part === undefined) throw new Refusal('not-found')
      if (part.left.length === 0) throw new Refusal('state-conflict', { detail: 'it is erased' })
      const signals = part.left.slice(0, ERASURE_SIGNALS_MAX)
      const payload = { participant: part.source, signals, basis: 'subject_request' }
      const approval = await options.ask(payload, by)
      await atControl(admin, (tx) => store.setApproval(tx, { request_id: id, participant_id: participant }, approval))
    },
    close: (by, id, outcome) =>
      changed(options, id, async (tx, row) => {
        const parts = await partsOf(options, id)
        if (outcome === 'erased' && (parts.length === 0 || parts.some(({ left }) => left.length > 0)))
          throw new Refusal('state-conflict', { detail: 'not everything that was found is erased' })
        if (outcome === 'nothing_found') expectNothing(row, parts)
        const at = clock()
        const n = parts.reduce((sum, { signals, left }) => sum + signals.length - left.length, 0)
        const fields = { kind: row.kind, due: row.due_at, outcome, n }
        const event = await record(options, tx, {
          ...{ kind: 'subject_request.closed', at, by, fields },
          after: row.last_event,
        })
        await store.changeRequest(tx, id, { outcome, closed_at: at, last_event: event })
      }),
  }
}

function expectOpen(row: store.SubjectRow | undefined): store.SubjectRow {
  if (row === undefined) throw new Refusal('not-found')
  if (row.closed_at !== null) throw new Refusal('state-conflict', { detail: 'the request is closed' })
  return row
}

function expectNothing(row: store.SubjectRow, parts: readonly SubjectPart[]): void {
  if (row.searched_at === null)
    throw new Refusal('state-conflict', { detail: 'nothing was searched yet: search for its match keys first' })
  if (parts.length > 0)
    throw new Refusal('state-conflict', {
      detail: 'signals were found: have them erased, or close it as answered or refused',
    })
}

async function changed(
  { admin, recorder }: SubjectOptions,
  id: Uuid,
  work: (tx: Tx, row: store.SubjectRow) => Promise<void>,
): Promise<void> {
  await atControl(admin, async (tx) => {
    await work(tx, expectOpen(await store.requestForUpdate(tx, id)))
  })
  recorder.wake()
}

/** What was found, with how many there are as the log tells auditors. */
async function keep(
  options: SubjectOptions,
  tx: Tx,
  row: store.SubjectRow,
  { bySource, by }: { bySource: ReadonlyMap<Uuid, readonly Uuid[]>; by: Uuid },
): Promise<void> {
  const at = options.clock()
  const known = new Map((await store.partsOf(tx, row.request_id)).map((part) => [part.participant_id, part]))
  for (const [participant_id, found] of bySource) {
    const signals = [...new Set([...(known.get(participant_id)?.signals ?? []), ...found])].sort()
    await store.putPart(tx, { request_id: row.request_id, participant_id, signals })
  }
  const n = [...bySource.values()].reduce((sum, { length }) => sum + length, 0)
  const fields = { kind: row.kind, due: row.due_at, outcome: 'searched', n }
  const event = await record(options, tx, { kind: 'subject_request.received', at, by, fields, after: row.last_event })
  await store.changeRequest(tx, row.request_id, { searched_at: at, last_event: event })
}

interface Told {
  kind: 'subject_request.received' | 'subject_request.closed'
  at: Date
  by: Uuid
  fields: { kind: string; due: Date; outcome?: string; n?: number }
  after?: Uuid
}

async function record(
  { recorder, programme }: SubjectOptions,
  tx: Tx,
  { kind, at, by, fields: { due, ...fields }, after }: Told,
): Promise<Uuid> {
  const event_id = newId(at)
  await recorder.record(tx, {
    ...{ kind, event_id, participant_id: programme, at },
    fields: { ...fields, due: due.toISOString(), person: by },
    ...(after !== undefined && { after }),
  })
  return event_id
}

async function partsOf({ admin, participants, erasures, unerased }: SubjectOptions, id: Uuid): Promise<SubjectPart[]> {
  const rows = await store.partsOf(admin, id)
  const done = rows.some(({ approval }) => approval !== null) ? await erasures() : []
  const parts: SubjectPart[] = []
  for (const { participant_id, approval, ...row } of rows) {
    const signals = row.signals as Uuid[]
    parts.push({
      ...{ participant: participant_id, signals, approval: approval ?? undefined },
      source: participants().find((one) => one.participant_id === participant_id)?.slug ?? '',
      left: await unerased(admin, participant_id, signals),
      erasure: done.find((one) => one.approval === approval),
    })
  }
  return parts
}

const requestOf = (row: store.SubjectRow): SubjectRequest => ({
  ...{ id: row.request_id, kind: row.kind, receivedAt: row.received_at, dueAt: row.due_at },
  ...{ extension: row.extension ?? undefined, searchedAt: row.searched_at ?? undefined },
  closed: row.closed_at === null || row.outcome === null ? undefined : { at: row.closed_at, outcome: row.outcome },
})
