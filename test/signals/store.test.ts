import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant, type Tx } from '../../src/db/as-participant.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { createUploadForgetting, UPLOAD_KEPT_DAYS } from '../../src/signals/forget-uploads.ts'
import * as store from '../../src/signals/store.ts'
import { aWorld, type World } from '../feeds/world.ts'
import { aDigest, DAY, idOf, NOON } from './factory.ts'

let w: World
const [apple, banana] = [newId(NOON), newId(NOON)]
beforeAll(async () => {
  w = await aWorld()
})
afterAll(() => w.end())

const digest = (): Buffer => Buffer.from(aDigest(), 'hex')
const soon = (ms: number): Date => new Date(NOON.getTime() + ms)

const aSubmission = (change: Partial<store.SubmissionRow> = {}): store.SubmissionRow => ({
  ...{ submission_id: newId(NOON), jti: aDigest().slice(0, 22), typ: 1, od: digest(), jws: '{}', n: 1 },
  ...{ leaves: digest(), response: '{}', received_at: NOON },
  ...change,
})
const aSignal = (change: Partial<store.SignalRow> = {}): store.SignalRow => ({
  ...{ signal_id: newId(NOON), signal_key: digest(), type: 1, profile: 'url/1', category: 3, audience_id: idOf(1) },
  ...{ revision: 1, state: 1, expires_at: soon(DAY), leaf: digest(), last_event: newId(NOON) },
  ...change,
})
const aRevision = (change: Partial<store.RevisionRow> = {}): store.RevisionRow => ({
  ...{ signal_id: newId(NOON), revision: 1, submission_id: newId(NOON), item_index: 0 },
  ...{ salt: Buffer.alloc(16, 7), item: '{"a":"ü"}' },
  ...change,
})

/** Work in a participant's name, with a record, as every change has one. */
const within = <T>(participant: Uuid, work: (tx: Tx) => Promise<T>): Promise<T> =>
  asParticipant(w.t.app, participant, async (tx) => {
    const result = await work(tx)
    await w.provenance.record(tx, {
      ...{ kind: 'signal.submitted', event_id: newId(NOON), participant_id: participant, at: NOON, fields: {} },
    })
    return result
  })

/** One signal with its submission and first revision. */
async function insert(participant: Uuid, change: Partial<store.SignalRow> = {}) {
  const submission = aSubmission()
  const signal = aSignal({ last_event: submission.submission_id, ...change })
  const { signal_id, revision } = signal
  const row = aRevision({ signal_id, revision, submission_id: submission.submission_id })
  await within(participant, (tx) =>
    store.insertSubmissions(tx, participant, { submissions: [submission], signals: [signal], revisions: [row] }),
  )
  return { submission, signal, row }
}

const sqlState = (code: string) => expect.objectContaining({ code })

describe('submissions', () => {
  test('go in with their signals and revisions by one statement, byte for byte', async () => {
    const { submission, signal, row } = await insert(apple)
    const stored = await asParticipant(w.t.app, apple, async (tx) => ({
      own: await store.ownSignal(tx, apple, signal.signal_id),
      locked: await store.signalsForUpdate(tx, apple, [signal.signal_id, newId(NOON)]),
      told: await store.submissionsByJti(tx, apple, [submission.jti, 'another']),
    }))
    const { signal_id, revision, state, leaf, expires_at } = signal
    expect(stored.own).toEqual({
      ...{ signal_id, revision, state, leaf, expires_at, item: row.item, submission_id: submission.submission_id },
    })
    expect(stored.locked).toEqual([{ ...signal, value_event: null }])
    const { submission_id, jti, od, response } = submission
    expect(stored.told).toEqual([{ submission_id, jti, od, response }])
    const { salt } = await w.t.owner
      .selectFrom('signal_revision')
      .select('salt')
      .where('signal_id', '=', signal_id)
      .executeTakeFirstOrThrow()
    expect(salt).toEqual(row.salt)
  })
  test('of many rows at once keep them apart', async () => {
    const submissions = [aSubmission(), aSubmission({ n: 2, leaves: Buffer.concat([digest(), digest()]) })]
    const signals = [aSignal(), aSignal({ type: 3, profile: 'email/1@spring' }), aSignal({ audience_id: idOf(2) })]
    const revisions = signals.map(({ signal_id }, i) => aRevision({ signal_id, item_index: i, item: `{"n":${i}}` }))
    await within(apple, (tx) => store.insertSubmissions(tx, apple, { submissions, signals, revisions }))
    const ids = signals.map(({ signal_id }) => signal_id)
    const found = await asParticipant(w.t.app, apple, (tx) => store.signalsForUpdate(tx, apple, ids))
    expect(found.toSorted((a, b) => (a.signal_id < b.signal_id ? -1 : 1))).toEqual(
      signals
        .map((signal) => ({ ...signal, value_event: null }))
        .toSorted((a, b) => (a.signal_id < b.signal_id ? -1 : 1)),
    )
  })
  test('move a signal on, but never its key, type or profile', async () => {
    const { signal } = await insert(apple)
    const next = aSignal({ signal_id: signal.signal_id, revision: 2, type: 3, profile: 'x', category: 9, state: 2 })
    const { signal_id } = signal
    await within(apple, (tx) =>
      store.insertSubmissions(tx, apple, {
        ...{ submissions: [aSubmission()], signals: [next] },
        revisions: [aRevision({ signal_id, revision: 2 })],
      }),
    )
    const { signal_key, type, profile } = signal
    const [found] = await asParticipant(w.t.app, apple, (tx) => store.signalsForUpdate(tx, apple, [signal_id]))
    expect(found).toEqual({ ...next, signal_key, type, profile, value_event: null })
  })
  test('twice under one jti of one participant collide; of two participants do not', async () => {
    const { submission } = await insert(apple)
    const twin = aSubmission({ jti: submission.jti })
    const change = { submissions: [twin], signals: [], revisions: [] }
    await expect(within(apple, (tx) => store.insertSubmissions(tx, apple, change))).rejects.toEqual(sqlState('23505'))
    await within(banana, (tx) => store.insertSubmissions(tx, banana, change))
  })
  test('never write one revision twice', async () => {
    const { row } = await insert(apple)
    const change = { submissions: [aSubmission()], signals: [], revisions: [row] }
    await expect(within(apple, (tx) => store.insertSubmissions(tx, apple, change))).rejects.toEqual(sqlState('23505'))
  })
  test('count how often they were told again', async () => {
    const { submission } = await insert(apple)
    for (let i = 0; i < 2; i++)
      await asParticipant(w.t.app, apple, (tx) => store.countReplay(tx, apple, submission.submission_id))
    const { replays } = await w.t.owner
      .selectFrom('submission')
      .select('replays')
      .where('submission_id', '=', submission.submission_id)
      .executeTakeFirstOrThrow()
    expect(replays).toBe(2)
  })
  test('without a record are rolled back', async () => {
    const signal = aSignal()
    const change = { submissions: [aSubmission()], signals: [signal], revisions: [] }
    await expect(asParticipant(w.t.app, apple, (tx) => store.insertSubmissions(tx, apple, change))).rejects.toThrow(
      'provenance record',
    )
    const rows = await asParticipant(w.t.app, apple, (tx) => store.signalsForUpdate(tx, apple, [signal.signal_id]))
    expect(rows).toEqual([])
  })
  test.for([
    ['a key of 31 bytes', { signals: [aSignal({ signal_key: Buffer.alloc(31) })] }],
    ['a leaf of 33 bytes', { signals: [aSignal({ leaf: Buffer.alloc(33) })] }],
    ['a revision before the first', { signals: [aSignal({ revision: 0 })] }],
    ['a salt of 15 bytes', { revisions: [aRevision({ salt: Buffer.alloc(15) })] }],
    ['fewer leaves than items', { submissions: [aSubmission({ n: 2 })] }],
    ['1,001 items', { submissions: [aSubmission({ n: 1_001, leaves: Buffer.alloc(32 * 1_001) })] }],
    ['a digest of 31 bytes', { submissions: [aSubmission({ od: Buffer.alloc(31) })] }],
  ] as [string, Partial<store.Change>][])('with %s are refused by the database itself', async ([, change]) => {
    const rows = { submissions: [], signals: [], revisions: [], ...change }
    await expect(within(apple, (tx) => store.insertSubmissions(tx, apple, rows))).rejects.toEqual(sqlState('23514'))
  })
})

describe('another participant', () => {
  test('sees nothing of it, by its own name or by that of the owner', async () => {
    const { submission, signal } = await insert(apple)
    const upload_id = newId(NOON)
    await asParticipant(w.t.app, apple, (tx) =>
      store.moveUploads(tx, apple, [{ upload_id, next_line: 5n, updated_at: NOON }]),
    )
    for (const name of [apple, banana]) {
      const seen = await asParticipant(w.t.app, banana, async (tx) => [
        await store.ownSignal(tx, name, signal.signal_id),
        ...(await store.signalsForUpdate(tx, name, [signal.signal_id])),
        ...(await store.submissionsByJti(tx, name, [submission.jti])),
        await store.uploadOf(tx, name, upload_id),
        ...(await store.dueForUpdate(tx, name, soon(9 * DAY), 10)),
      ])
      expect(seen).toEqual([undefined, undefined])
    }
  })
  test('changes nothing of it and writes nothing in its name', async () => {
    const { submission, signal } = await insert(apple)
    const ids = [signal.signal_id]
    await within(banana, async (tx) => {
      await store.countReplay(tx, apple, submission.submission_id)
      await store.expireSignals(tx, { participant_id: apple, ids, event: newId(NOON), state: 3 })
    })
    const [found] = await asParticipant(w.t.app, apple, (tx) => store.signalsForUpdate(tx, apple, ids))
    expect(found?.state).toBe(1)
    const rows = { submissions: [aSubmission()], signals: [], revisions: [] }
    await expect(within(banana, (tx) => store.insertSubmissions(tx, apple, rows))).rejects.toEqual(sqlState('42501'))
  })
})

test.for([
  'update signal_revision set item = item',
  'delete from signal_revision',
  'delete from signal',
  'delete from submission',
  'update submission set response = response',
  'delete from upload',
])('the application may not: %s', async (statement) => {
  await expect(asParticipant(w.t.app, apple, (tx) => sql.raw(statement).execute(tx))).rejects.toEqual(sqlState('42501'))
})

describe('uploads', () => {
  test('move forward and never back, many in one statement', async () => {
    const [a, b] = [newId(NOON), newId(NOON)]
    const move = (rows: [Uuid, bigint][]) =>
      asParticipant(w.t.app, apple, (tx) =>
        store.moveUploads(
          tx,
          apple,
          rows.map(([upload_id, next_line]) => ({ upload_id, next_line, updated_at: NOON })),
        ),
      )
    const places = () =>
      asParticipant(w.t.app, apple, async (tx) => [
        (await store.uploadOf(tx, apple, a))?.next_line,
        (await store.uploadOf(tx, apple, b))?.next_line,
      ])
    await move([
      [a, 10n],
      [b, 900_000_000_000_000n],
    ])
    await move([
      [a, 4n],
      [b, 900_000_000_000_001n],
    ])
    expect(await places()).toEqual([10n, 900_000_000_000_001n])
  })
  test('that have rested for thirty days are forgotten, and no others', async () => {
    const [old, fresh, stranger] = [newId(NOON), newId(NOON), newId(NOON)]
    const at = (updated_at: Date, upload_id: Uuid, by = apple) =>
      asParticipant(w.t.app, by, (tx) => store.moveUploads(tx, by, [{ upload_id, next_line: 2n, updated_at }]))
    const later = new Date(NOON.getTime() + 1)
    await at(NOON, old)
    await at(later, fresh)
    await at(NOON, stranger, banana)
    const forget = (ms: number, by = apple) => {
      const now = new Date(NOON.getTime() + UPLOAD_KEPT_DAYS * DAY + ms)
      return createUploadForgetting({ admin: w.t.admin, clock: () => now }).forget(by)
    }
    const left = async () => {
      const rows = await w.t.owner.selectFrom('upload').select('upload_id').execute()
      return rows.flatMap(({ upload_id }) => ([old, fresh, stranger].includes(upload_id) ? [upload_id] : []))
    }
    expect(await forget(0)).toBe(0)
    expect(await forget(1)).toBeGreaterThanOrEqual(1)
    expect((await left()).sort()).toEqual([fresh, stranger].sort())
    expect(await forget(1)).toBe(0)
    expect(await forget(1, banana)).toBeGreaterThanOrEqual(1)
    expect(await left()).toEqual([fresh])
  })
  test('that never began have no place', async () => {
    expect(await asParticipant(w.t.app, apple, (tx) => store.uploadOf(tx, apple, newId(NOON)))).toBeUndefined()
  })
})

describe('what is due', () => {
  const cherry = newId(NOON)
  const due = (tx: Tx, limit = 10) => store.dueForUpdate(tx, cherry, NOON, limit)

  test('is live or held and over, the oldest first, and no more than asked for', async () => {
    const signals = [
      ...[aSignal({ expires_at: soon(-1) }), aSignal({ expires_at: soon(-3) }), aSignal({ expires_at: NOON })],
      ...[aSignal({ expires_at: soon(1) }), aSignal({ expires_at: soon(-9), state: 2 })],
      ...[aSignal({ expires_at: soon(-9), state: 3 }), aSignal({ expires_at: soon(-2), state: 4 })],
    ]
    const revisions = signals.map(({ signal_id }) => aRevision({ signal_id }))
    await within(cherry, (tx) =>
      store.insertSubmissions(tx, cherry, { submissions: [aSubmission()], signals, revisions }),
    )
    const [first, second, third, , , , held] = signals.map(({ signal_id }) => signal_id)
    const ids = await asParticipant(w.t.app, cherry, async (tx) => (await due(tx)).map(({ signal_id }) => signal_id))
    expect(ids).toEqual([second, held, first, third])
    expect(await asParticipant(w.t.app, cherry, async (tx) => (await due(tx, 1)).length)).toBe(1)
    const seen: number[] = []
    await asParticipant(w.t.app, cherry, async (tx) => {
      await due(tx, 2)
      // Another process comes by meanwhile: it takes what is left and waits for nothing.
      seen.push(await asParticipant(w.t.app, cherry, async (other) => (await due(other)).length))
    })
    expect(seen).toEqual([2])
    const event = newId(NOON)
    await within(cherry, (tx) => store.expireSignals(tx, { participant_id: cherry, ids, event, state: 3 }))
    expect(await asParticipant(w.t.app, cherry, due)).toEqual([])
  })
})
