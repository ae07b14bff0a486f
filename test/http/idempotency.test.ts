import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { asParticipant } from '../../src/db/as-participant.ts'
import { createEventStreams } from '../../src/feeds/event-stream.ts'
import { feedRoutes } from '../../src/feeds/routes.ts'
import { keepAnswers, repeatOf } from '../../src/http/idempotency.ts'
import { createIdempotencyKeys, createKeyForgetting, type IdempotencyKeys } from '../../src/http/idempotency-keys.ts'
import { createInstance, requireScopes } from '../../src/http/instance.ts'
import { LIMITS } from '../../src/http/limits.ts'
import { OPERATIONS } from '../../src/http/operations.ts'
import { linkHash } from '../../src/identifiers/token.ts'
import { dayOf } from '../../src/kernel/day.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { reviewRoutes } from '../../src/review/routes.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, keyOf, type ReviewWorld } from '../review/world.ts'

const LEASE_MS = LIMITS.idempotency_claim_seconds * 1_000
const DAY_MS = LIMITS.idempotency_hours * 3_600_000

let w: ReviewWorld
let app: FastifyInstance
let keys: IdempotencyKeys
let apple: Party
let banana: Party
let cherry: Party
let audience: Uuid
/** Who is connected. */
let peer: Party
let faults: unknown[]
/** What the routes of the test wait for. */
let gate: Promise<void>

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  audience = (await w.group('trio', [apple, banana, cherry])).audience
  await w.keys.create('answers', 'symmetric')
  keys = createIdempotencyKeys({ db: w.t.app, clock: w.clock, keys: w.keys, kid: 'answers' })
  app = createInstance({ https: {}, onFinished: () => {}, onFault: (error) => faults.push(error) })
  app.decorateRequest('peer')
  app.addHook('onRequest', async (request) => {
    const { participant, slug, uri, credential } = peer
    const scopes = ['feedback:write', 'review:work', 'feed:read', 'lookup:evaluate', 'reveal']
    request.peer = { participant, slug, uri, credential, spki: '', leafSha256: '', notAfter: w.now(), scopes }
  })
  requireScopes(app)
  keepAnswers(app, { keys, onFault: (error) => faults.push(error) })
  await app.register(reviewRoutes, { review: w.review })
  const streams = createEventStreams({ events: (...asked) => w.feeds.events(...asked) })
  await app.register(feedRoutes, { feeds: w.feeds, streams })
  changing(app)
  await app.ready()
})
afterAll(async () => {
  await app.close()
  await w.end()
})
beforeEach(() => {
  peer = banana
  faults = []
  gate = Promise.resolve()
  w.pass(60_000)
})

/** One more row of whoever is connected. */
const change = () =>
  asParticipant(w.t.app, peer.participant, (tx) =>
    tx
      .insertInto('upload')
      .values({ participant_id: peer.participant, upload_id: randomUUID() as Uuid, next_line: 1n, updated_at: w.now() })
      .execute(),
  )
const changes = async (): Promise<number> => (await w.t.owner.selectFrom('upload').select('upload_id').execute()).length
const added = async (work: () => Promise<unknown>): Promise<number> => {
  const before = await changes()
  await work()
  return (await changes()) - before
}

/** Routes that change a row and end in every way that a route may. */
function changing(on: FastifyInstance): void {
  const config = { scope: 'public' } as const
  on.post('/v1/fruit', { config }, async () => {
    await gate
    await change()
    return { id: randomUUID() }
  })
  on.put('/v1/fruit', { config }, async () => {
    await change()
    return { id: randomUUID() }
  })
  on.post('/v1/fruit/long', { config }, async () => {
    await change()
    return { long: 'x'.repeat(LIMITS.idempotency_answer_bytes) }
  })
  on.post('/v1/fruit/waits', { config }, async () => {
    await change()
    await gate
    return { id: randomUUID() }
  })
  on.post<{ Params: { code: string } }>('/v1/fruit/changed/:code', { config }, async ({ params }) => {
    await change()
    throw new Refusal(params.code as 'busy')
  })
  on.post<{ Params: { code: string } }>('/v1/fruit/refused/:code', { config }, async ({ params }) => {
    await gate
    throw new Refusal(params.code as 'busy')
  })
}

const post = (url: string, key: string | undefined, payload: object = {}, method: 'POST' | 'PUT' = 'POST') =>
  app.inject({ method, url, payload, headers: key === undefined ? {} : { 'idempotency-key': key } })
const told = ({ statusCode, headers, body }: Awaited<ReturnType<typeof post>>) => ({
  ...{ statusCode, body, type: headers['content-type'] },
  replayed: headers['idempotent-replayed'],
})
const refusal = async (answer: ReturnType<typeof post>): Promise<unknown> => {
  const { statusCode, body } = await answer
  return [statusCode, (JSON.parse(body) as { code: string }).code]
}
const rowsOf = (party: Party) =>
  w.t.owner.selectFrom('idempotency_key').selectAll().where('participant_id', '=', party.participant).execute()
const rowUnder = async (key: string) => (await rowsOf(banana)).find(({ key_digest }) => key_digest.equals(sha256(key)))

/** Cases of banana's, claimed by ann. */
async function aLease(): Promise<{ id: Uuid; token: Uuid; version: number }> {
  const item = w.item({ audience, severity: 'medium' })
  await w.submit(apple, [item])
  await w.settle()
  const hit = { source: 'apple', signal: item.signal, key: keyOf(item), count: 1, last_at: '2026-03-01T11:00:00Z' }
  const { results } = (await post('/v1/hits', undefined, { hits: [hit] })).json<{ results: { case: Uuid }[] }>()
  const id = results[0]?.case as Uuid
  const { token, version } = (await post(`/v1/cases/${id}/lease`, undefined, { operator: 'ann' })).json<{
    token: Uuid
    version: number
  }>()
  return { id, token, version }
}

describe('a change under a key', () => {
  test('is carried out once: repeated it has the same answer, byte for byte, which says that it is one', async () => {
    const { id, token, version } = await aLease()
    const key = randomUUID()
    const hold = { operator: 'ann', token, version, reason: 'own_policy', hours: 1 }
    let first: unknown
    const kinds = await w.recorded(async () => {
      first = told(await post(`/v1/cases/${id}/hold`, key, hold))
    })
    expect([first, kinds.length]).toMatchObject([{ statusCode: 200, replayed: undefined }, 1])
    const again = await w.recorded(async () => {
      expect(told(await post(`/v1/cases/${id}/hold`, key, hold))).toEqual({ ...(first as object), replayed: 'true' })
    })
    expect(again).toEqual([])
    expect((await post(`/v1/cases/${id}/hold`, undefined, hold)).statusCode).toBe(409)
  })

  test('that answers without a body is repeated without one', async () => {
    const { id, token } = await aLease()
    const key = randomUUID()
    const end = () => post(`/v1/cases/${id}/lease/end`, key, { operator: 'ann', token })
    expect(told(await end())).toMatchObject({ statusCode: 204, body: '', replayed: undefined })
    expect(told(await end())).toMatchObject({ statusCode: 204, body: '', replayed: 'true' })
  })

  test('counts each repetition, so that a replay is a commit too', async () => {
    const key = randomUUID()
    for (let n = 0; n < 3; n++) await post('/v1/fruit', key)
    expect(await rowUnder(key)).toMatchObject({ replays: 2, done: true, changed: true })
  })

  test('keeps neither key nor answer as text', async () => {
    const key = randomUUID()
    const { id } = (await post('/v1/fruit', key)).json<{ id: string }>()
    const dump = JSON.stringify(await rowsOf(banana), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    )
    expect([dump.includes(key), dump.includes(id), dump.includes('application/json')]).toEqual([false, false, false])
  })

  test('is another one without a key, and by a method that needs none', async () => {
    const key = randomUUID()
    expect(await added(() => Promise.all([post('/v1/fruit', undefined), post('/v1/fruit', undefined)]))).toBe(2)
    const twice = async () => {
      for (const _ of [1, 2]) expect(told(await post('/v1/fruit', key, {}, 'PUT')).replayed).toBeUndefined()
    }
    expect(await added(twice)).toBe(2)
  })

  test('of two that come at once is carried out once; the other one is told that it is in flight', async () => {
    const key = randomUUID()
    const open = Promise.withResolvers<void>()
    gate = open.promise
    const count = await added(async () => {
      const first = post('/v1/fruit', key)
      await expect.poll(async () => (await rowUnder(key))?.done).toBe(false)
      const second = await post('/v1/fruit', key)
      expect([second.statusCode, second.json(), second.headers['retry-after']]).toMatchObject([
        ...[409, { code: 'idempotency-in-flight' }, '1'],
      ])
      open.resolve()
      const { body, statusCode } = await first
      expect(statusCode).toBe(200)
      expect((await post('/v1/fruit', key)).body).toBe(body)
    })
    expect(count).toBe(1)
  })

  test('is not another request: body, path and query are part of it', async () => {
    const key = randomUUID()
    await post('/v1/fruit', key, { a: 1 })
    const count = await added(async () => {
      for (const [url, body] of [
        ['/v1/fruit', { a: 2 }],
        ['/v1/fruit?a=1', { a: 1 }],
        ['/v1/fruit/waits', { a: 1 }],
      ] as const)
        expect(await refusal(post(url, key, body))).toEqual([422, 'idempotency-key-reused'])
    })
    expect(count).toBe(0)
  })

  test('is new again after a day, whatever it was used for', async () => {
    const key = randomUUID()
    const first = await post('/v1/fruit', key, { a: 1 })
    w.pass(DAY_MS - 1)
    expect((await post('/v1/fruit', key, { a: 1 })).body).toBe(first.body)
    w.pass(1)
    expect(told(await post('/v1/fruit', key, { a: 2 }))).toMatchObject({ statusCode: 200, replayed: undefined })
  })

  test('of another participant, or another credential, is another key', async () => {
    const key = randomUUID()
    const bodies = new Set<string>()
    for (const other of [banana, cherry, { ...banana, credential: newId(w.now()) }]) {
      peer = other
      const answer = await post('/v1/fruit', key)
      expect(told(answer).replayed).toBeUndefined()
      bodies.add(answer.body)
    }
    expect(bodies.size).toBe(3)
    peer = banana
    expect(await refusal(post('/v1/fruit/waits', key))).toEqual([422, 'idempotency-key-reused'])
  })
})

describe('a refusal', () => {
  test('that changed nothing leaves no trace: the key is free, also for another request', async () => {
    const { id } = await aLease()
    const key = randomUUID()
    expect(await refusal(post(`/v1/cases/${id}/lease`, key, { operator: 'bob' }))).toEqual([409, 'lease-held'])
    for (const code of ['busy', 'rate-limited', 'validation-failed', 'not-found'])
      expect(await refusal(post(`/v1/fruit/refused/${code}`, key))).toMatchObject([expect.any(Number), code])
    w.pass(16 * 60_000)
    const taken = await post(`/v1/cases/${id}/lease`, key, { operator: 'bob' })
    expect(taken.statusCode).toBe(200)
  })

  test('after a change is an answer like any other, and is repeated', async () => {
    const key = randomUUID()
    const count = await added(async () => {
      const first = told(await post('/v1/fruit/changed/policy-refused', key))
      expect(first).toMatchObject({ statusCode: 422, replayed: undefined })
      expect(told(await post('/v1/fruit/changed/policy-refused', key))).toEqual({ ...first, replayed: 'true' })
    })
    expect(count).toBe(1)
  })

  test.for(['busy', 'internal', 'rate-limited'])(
    'after a change for which %s is said is not repeated, nor is the change',
    async (code) => {
      const key = randomUUID()
      const count = await added(async () => {
        await post(`/v1/fruit/changed/${code}`, key)
        expect(await refusal(post(`/v1/fruit/changed/${code}`, key))).toEqual([409, 'idempotency-answer-lost'])
      })
      expect(count).toBe(1)
    },
  )
})

describe('a node that dies', () => {
  const claimed = (key: string) =>
    keys.claim({
      ...{ participant: banana.participant, credential: banana.credential, key, again: false },
      request: ['POST', '/v1/fruit', '{}'],
    })
  const begun = async (key: string) => {
    const claim = await claimed(key)
    if (!('id' in claim)) throw new Error('it was answered before')
    return claim
  }

  test('before the change lets the next attempt carry it out, once its place is free', async () => {
    const key = randomUUID()
    await begun(key)
    expect(await refusal(post('/v1/fruit', key))).toEqual([409, 'idempotency-in-flight'])
    w.pass(LEASE_MS)
    const count = await added(async () => expect((await post('/v1/fruit', key)).statusCode).toBe(200))
    expect(count).toBe(1)
  })

  test('between the change and its answer lets nobody carry it out again: the outcome is named', async () => {
    const key = randomUUID()
    const claim = await begun(key)
    const count = await added(async () => {
      await keys.within(claim, change)
      expect(await refusal(post('/v1/fruit', key))).toEqual([409, 'idempotency-in-flight'])
      w.pass(LEASE_MS)
      for (const _ of [1, 2]) expect(await refusal(post('/v1/fruit', key))).toEqual([409, 'idempotency-answer-lost'])
    })
    expect(count).toBe(1)
  })

  test('in the transaction of the change leaves neither change nor mark', async () => {
    const key = randomUUID()
    const claim = await begun(key)
    const dies = () =>
      asParticipant(w.t.app, banana.participant, async (tx) => {
        await sql`insert into upload (participant_id, upload_id, next_line, updated_at)
          values (${banana.participant}, ${randomUUID()}, 1, ${w.now()})`.execute(tx)
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx)
      })
    const count = await added(async () => {
      await expect(keys.within(claim, dies)).rejects.toMatchObject({ code: 'busy' })
      w.pass(LEASE_MS)
      expect((await post('/v1/fruit', key)).statusCode).toBe(200)
    })
    expect(count).toBe(1)
  })

  test('or is only slow changes nothing once another attempt took its place', async () => {
    const key = randomUUID()
    const open = Promise.withResolvers<void>()
    gate = open.promise
    const count = await added(async () => {
      const slow = post('/v1/fruit', key)
      await vi.waitFor(async () => expect(await rowUnder(key)).toBeDefined(), 20_000)
      w.pass(LEASE_MS)
      gate = Promise.resolve()
      const { body } = await post('/v1/fruit', key)
      open.resolve()
      expect(await refusal(slow)).toEqual([409, 'idempotency-in-flight'])
      expect((await post('/v1/fruit', key)).body).toBe(body)
    })
    expect(count).toBe(1)
  })

  test('an answer that could not be kept leaves all the same, and its change is not carried out again', async () => {
    const key = randomUUID()
    const open = Promise.withResolvers<void>()
    gate = open.promise
    const count = await added(async () => {
      const before = await changes()
      const first = post('/v1/fruit/waits', key)
      await vi.waitFor(async () => expect(await changes()).toBe(before + 1), 20_000)
      await sql`revoke update on idempotency_key from aldis_app`.execute(w.t.owner)
      open.resolve()
      const answer = await first
      await sql`grant update on idempotency_key to aldis_app`.execute(w.t.owner)
      expect([answer.statusCode, faults.length]).toEqual([200, 1])
      w.pass(LEASE_MS)
      expect(await refusal(post('/v1/fruit/waits', key))).toEqual([409, 'idempotency-answer-lost'])
    })
    expect(count).toBe(1)
  })
})

describe('what discloses', () => {
  const aLink = async (): Promise<SignalItem> => {
    const raw = `https://bad.example/${randomUUID()}`
    const scope = { host: 'exact', path: 'exact' } as const
    const value = { profile: 'url/1', scope, sha256: linkHash(sha256, raw.replace('https://', '')) }
    const item = w.item({ audience, value })
    await w.submit(apple, [item])
    await w.signals.values.give(apple, item.signal, { v: 1, revision: 1, value: raw })
    await w.settle()
    return item
  }

  test('is carried out and recorded again under its key, before it is answered; nothing of it is kept', async () => {
    const { signal } = await aLink()
    const key = randomUUID()
    const asked = () => post(`/v1/signals/${signal}/reveal`, key, { purpose: 'investigation' })
    const reads: unknown[] = []
    const kinds = await w.recorded(async () => {
      for (const _ of [1, 2]) {
        const answer = await asked()
        expect(told(answer)).toMatchObject({ statusCode: 200, replayed: undefined })
        expect(answer.json()).toMatchObject({ value: expect.stringContaining('https://bad.example/') })
        reads.push(answer.headers['provenance-read'])
      }
    })
    expect(kinds.filter((kind) => kind === 'value.revealed')).toHaveLength(2)
    expect(new Set(reads).size).toBe(2)
    expect(await rowUnder(key)).toMatchObject({ done: true, answer: null })
    const other = post(`/v1/signals/${signal}/reveal`, key, { purpose: 'appeal' })
    expect(await refusal(other)).toEqual([422, 'idempotency-key-reused'])
  })

  test('is judged anew: what may not be seen any more is not there', async () => {
    const { signal } = await aLink()
    const key = randomUUID()
    const asked = () => post(`/v1/signals/${signal}/reveal`, key, { purpose: 'investigation' })
    expect((await asked()).statusCode).toBe(200)
    await w.withdraw(apple, signal)
    await w.settle()
    expect(await refusal(asked())).toEqual([404, 'not-found'])
  })

  test('a look-up is a read: each time another one', async () => {
    const item = await aLink()
    const key = randomUUID()
    const profile = 'url/1'
    const body = { queries: [{ type: 'url', profile, keys: [keyOf(item)] }], purpose: 'investigation' }
    const reads = []
    for (const _ of [1, 2]) reads.push((await post('/v1/lookups', key, body)).headers['provenance-read'])
    expect(reads).toEqual([expect.any(String), expect.any(String)])
    expect(new Set(reads).size).toBe(2)
  })
})

describe('a key', () => {
  test.for([
    ['', 'empty'],
    ['a b', 'with a space'],
    ['fig,plum', 'with a comma'],
    ['"fig', 'with one quote'],
    ['"fi"g"', 'with a quote inside'],
    ['fig\\', 'with a backslash'],
    ['f\u00edg', 'not of ASCII'],
    ['f'.repeat(LIMITS.idempotency_key_characters + 1), 'too long'],
  ] as const)('is refused by name if it is %j: %s', async ([key]) => {
    const count = await added(async () => {
      expect(await refusal(post('/v1/fruit', key))).toEqual([400, 'idempotency-key-invalid'])
    })
    expect(count).toBe(0)
  })

  test('may be as long as the limit, and stand in quotes as the draft has it: that is the same key', async () => {
    const key = randomUUID().padEnd(LIMITS.idempotency_key_characters, 'x')
    const { body } = await post('/v1/fruit', `"${key}"`)
    expect(told(await post('/v1/fruit', key))).toMatchObject({ body, replayed: 'true' })
  })

  test('beyond those of a day is refused until the next one begins; known ones still answer', async () => {
    peer = cherry
    const known = randomUUID()
    const { body } = await post('/v1/fruit', known)
    const set = (used: number) =>
      w.t.owner
        .updateTable('idempotency_use')
        .set({ used })
        .where('participant_id', '=', cherry.participant)
        .where('day', '=', dayOf(w.now()))
        .execute()
    await set(LIMITS.idempotency_keys_per_day - 1)
    expect((await post('/v1/fruit', randomUUID())).statusCode).toBe(200)
    const beyond = randomUUID()
    const refused = await post('/v1/fruit', beyond)
    expect([refused.statusCode, refused.json()]).toMatchObject([
      ...[429, { code: 'quota-exceeded', limit: LIMITS.idempotency_keys_per_day }],
    ])
    const { idempotency_keys_per_day: limit } = LIMITS
    expect(await keys.usedBy(cherry.participant)).toMatchObject({ used: limit, limit })
    expect((await post('/v1/fruit', known)).body).toBe(body)
    expect((await post('/v1/fruit', undefined)).statusCode).toBe(200)
    w.pass(Number(refused.headers['retry-after']) * 1_000)
    expect((await post('/v1/fruit', beyond)).statusCode).toBe(200)
    const days = w.t.owner.selectFrom('idempotency_use').select('day').where('participant_id', '=', cherry.participant)
    expect(await days.execute()).toHaveLength(1)
  })

  test('whose answer is longer than the limit is carried out once, and says that the answer is not kept', async () => {
    const key = randomUUID()
    const count = await added(async () => {
      expect((await post('/v1/fruit/long', key)).statusCode).toBe(200)
      expect(await refusal(post('/v1/fruit/long', key))).toEqual([409, 'idempotency-answer-lost'])
    })
    expect(count).toBe(1)
  })

  test('is forgotten by the purge once its day is over, and no other is', async () => {
    const forget = createKeyForgetting({ admin: w.t.admin, clock: w.clock })
    await forget(banana.participant)
    const [old, young] = [randomUUID(), randomUUID()]
    await post('/v1/fruit', old)
    w.pass(DAY_MS)
    await post('/v1/fruit', young)
    peer = cherry
    await post('/v1/fruit', young)
    while ((await forget(banana.participant)) > 0);
    expect((await rowsOf(banana)).map(({ key_digest }) => key_digest)).toEqual([sha256(young)])
    expect(await rowsOf(cherry)).not.toEqual([])
  })

  test('of another participant is not seen by the application at all', async () => {
    await post('/v1/fruit', randomUUID())
    const seen = await asParticipant(w.t.app, cherry.participant, (tx) =>
      tx.selectFrom('idempotency_key').select('participant_id').execute(),
    )
    expect(new Set(seen.map(({ participant_id }) => participant_id))).not.toContain(banana.participant)
  })
})

describe('of the routes that are described', () => {
  const by = (repeat: string | undefined): string[] =>
    Object.keys(OPERATIONS)
      .filter((name) => {
        const [method = '', url = ''] = name.split(' ')
        return method === 'POST' && repeatOf({ method, url, config: { stream: url.endsWith('/stream') } }) === repeat
      })
      .map((name) => name.slice('POST '.length))
      .sort()

  test('these keep their answers, and none of them discloses a signal or a secret', () => {
    expect(by('kept')).toEqual([
      '/v1/bulk-jobs/:job/answer',
      '/v1/bulk-jobs/:job/cancel',
      '/v1/bulk-jobs/:job/undo',
      '/v1/cases/:case/decisions/:decision/second',
      '/v1/cases/:case/decisions/:decision/undo',
      '/v1/cases/:case/hand-over',
      '/v1/cases/:case/hold',
      '/v1/cases/:case/lease',
      '/v1/cases/:case/lease/end',
      '/v1/cases/:case/lease/renewal',
      '/v1/cases/:case/resume',
      '/v1/cases/next',
      '/v1/review/samples/:sample',
      '/v1/signals/:signal/release',
      '/v1/webhooks/:endpoint/deliveries/:message/redelivery',
      '/v1/webhooks/:endpoint/end',
    ])
    for (const url of by('kept'))
      expect(JSON.stringify(OPERATIONS[`POST ${url}`]), url).not.toContain('Provenance-Read')
  })

  test('these are carried out again', () => {
    expect(by('again')).toEqual([
      '/v1/bulk-jobs',
      '/v1/bulk-jobs/plan',
      '/v1/cases/:case/decisions',
      '/v1/credentials/renewals',
      '/v1/disputes',
      '/v1/disputes/:dispute/answer',
      '/v1/feedback',
      '/v1/feeds/:feed/acknowledgements',
      '/v1/hits',
      '/v1/lookups',
      '/v1/signals/:signal/reveal',
      '/v1/signing-keys',
      '/v1/submissions',
      '/v1/webhooks/:endpoint/rotation',
      '/v1/webhooks/:endpoint/test',
    ])
  })

  test('these have names of their own, or none', () => {
    expect(by(undefined)).toEqual(['/enroll', '/v1/oprf/evaluations', '/v1/submissions/stream'])
  })
})
