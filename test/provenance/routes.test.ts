import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant } from '../../src/db/as-participant.ts'
import { createInstance } from '../../src/http/instance.ts'
import type { Peer } from '../../src/http/peer.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { parseReceipt, verifyReceipt } from '../../src/provenance/receipt.ts'
import { provenanceRoutes } from '../../src/provenance/routes.ts'
import { aLog, type LogWorld, NOON, type Slug } from './world.ts'

let w: LogWorld
let app: FastifyInstance
let unsigned: LogWorld
let peer: Peer
const scopes: (string | undefined)[] = []
const faults: unknown[] = []

const as = (slug: Slug, ...granted: string[]): void => {
  peer = {
    ...{ participant: w.ids[slug], slug, credential: newId(NOON), uri: `spiffe://orchard.example/participant/${slug}` },
    ...{ spki: '', leafSha256: '', notAfter: NOON, scopes: ['provenance:read', ...granted] },
  }
}
const get = (path: string) => app.inject({ method: 'GET', url: `/provenance/1/${path}` })

beforeAll(async () => {
  ;[w, unsigned] = [await aLog(), await aLog()]
  app = createInstance({ https: {}, onFinished: () => {}, onFault: (error) => void faults.push(error) })
  app.addHook('onRoute', ({ config }) => void scopes.push(config?.scope))
  app.decorateRequest('peer')
  app.addHook('onRequest', async (request) => {
    request.peer = peer
  })
  await app.register(provenanceRoutes, { ledger: w.ledger, prefix: '/provenance/1' })
  await app.register(provenanceRoutes, { ledger: unsigned.ledger, prefix: '/unsigned' })
  for (let i = 0; i < 5; i++) await w.record('apple', { subject: 'plum' })
  await w.publish()
  as('apple')
})
afterAll(async () => {
  await app.close()
  expect(faults).toEqual([])
  await w.end()
  await unsigned.end()
})

test('every route asks for the scope that reads the log', () => {
  expect(new Set(scopes)).toEqual(new Set(['provenance:read']))
})

test('the checkpoint is text that may be kept for a second', async () => {
  const { statusCode, headers, body } = await get('checkpoint')
  expect([statusCode, headers['content-type'], headers['cache-control']]).toEqual([
    ...[200, 'text/plain; charset=utf-8', 'private, max-age=1'],
  ])
  expect(body).toBe((await w.ledger.checkpoint())?.note)
})

test('the checkpoint of a log that was never signed is to come: behind, to be asked for in a second', async () => {
  const { statusCode, headers, body } = await app.inject({ method: 'GET', url: '/unsigned/checkpoint' })
  expect([statusCode, headers['retry-after']]).toEqual([503, '1'])
  expect(JSON.parse(body)).toMatchObject({ code: 'log-behind', detail: 'the log has no checkpoint yet' })
})

test('the key is a line of text', async () => {
  const { headers, body } = await get('vkey')
  expect([headers['content-type'], body]).toEqual(['text/plain; charset=utf-8', `${w.ledger.vkey()}\n`])
})

describe('a tile', () => {
  test.for(['tile/0/000.p/5', 'tile/entries/000.p/3'])(
    '%s is bytes that never change, under their hash',
    async (path) => {
      const { statusCode, headers, rawPayload } = await get(path)
      expect([statusCode, headers['content-type'], headers['cache-control']]).toEqual([
        ...[200, 'application/octet-stream', 'private, max-age=31536000, immutable'],
      ])
      expect(headers['etag']).toBe(`"${sha256(rawPayload).toString('hex')}"`)
      expect(rawPayload.equals(await w.ledger.tile(path))).toBe(true)
    },
  )
  test.for(['tile/0/000', 'tile/0/000.p/200', 'tile/0/000.p/0', 'tile/1/000.p/1', 'tile/x', 'tile/0/%2e%2e/000'])(
    '%s is not there',
    async (path) => {
      expect((await get(path)).statusCode).toBe(404)
    },
  )
})

describe('a proof', () => {
  test('is its nodes in base64', async () => {
    const inclusion = await w.ledger.inclusion(2n, 5n)
    expect((await get('proof/inclusion?index=2&size=5')).json()).toEqual({
      path: inclusion.map((node) => Buffer.from(node).toString('base64')),
    })
    const consistency = await w.ledger.consistency(3n, 5n)
    expect((await get('proof/consistency?from=3&to=5')).json()).toEqual({
      path: consistency.map((node) => Buffer.from(node).toString('base64')),
    })
  })
  test.for<[query: string, status: number]>([
    ['proof/inclusion?index=2&size=200', 404],
    ['proof/inclusion?index=5&size=5', 404],
    ['proof/consistency?from=5&to=200', 404],
    ['proof/consistency?from=5&to=3', 400],
    ['proof/inclusion?index=2', 400],
    ['proof/inclusion?index=-1&size=5', 400],
    ['proof/inclusion?index=02&size=5', 400],
    ['proof/inclusion?index=2&size=5&more=1', 400],
    ['proof/consistency?from=x&to=5', 400],
  ])('as %s asks for it is refused with %i', async ([query, status]) => {
    expect((await get(query)).statusCode).toBe(status)
  })
})

describe('a receipt', () => {
  const fieldsOf = (text: string): string[] => {
    const receipt = parseReceipt(text) ?? expect.fail('no receipt')
    const { passed, fields } = verifyReceipt(receipt, { hash: sha256, key: w.key, verify: verifyEd25519 })
    expect(passed).toBe(true)
    return fields.map(({ name }) => name).toSorted()
  }
  const anEvent = (): Promise<Uuid> => w.record('apple', { subject: 'plum', fields: { od: 'digest', refused: 0 } })

  test('is to be asked for again until it is signed, and then is text that nobody keeps', async () => {
    as('apple')
    const id = await anEvent()
    const waiting = await get(`receipts/${id}`)
    expect([waiting.statusCode, waiting.headers['retry-after'], waiting.body]).toEqual([202, '1', ''])
    await w.publish()
    const { statusCode, headers, body } = await get(`receipts/${id}`)
    expect([statusCode, headers['content-type'], headers['cache-control']]).toEqual([
      ...[200, 'text/plain; charset=utf-8', 'no-store'],
    ])
    expect(fieldsOf(body)).toEqual(['actor', 'od', 'refused', 'subject', 'time', 'type'])
  })
  test('is cut to whoever is connected; an auditor is one by scope', async () => {
    const id = await anEvent()
    await w.publish()
    as('plum')
    expect(fieldsOf((await get(`receipts/${id}`)).body)).toEqual(['subject', 'time', 'type'])
    as('kiwi')
    expect((await get(`receipts/${id}`)).json()).toMatchObject({ status: 404 })
    as('kiwi', 'provenance:audit')
    expect(fieldsOf((await get(`receipts/${id}`)).body)).toEqual(['actor', 'od', 'refused', 'subject', 'time', 'type'])
  })
  test("of a read is its reader's, by row and place", async () => {
    as('fig')
    const read = w.provenance.prepareRead({ route: '/v1/lookup', as_of: { log: '5' }, n: 0, body: 'b', sources: [] })
    const [name = ''] = await asParticipant(w.t.app, w.ids.fig, (tx) => w.provenance.insertReads(tx, w.ids.fig, [read]))
    const [id] = name.split('.')
    expect((await get(`receipts/${id}?read=0`)).statusCode).toBe(202)
    await w.provenance.journal.flush(w.ids.fig, 'fig')
    await w.publish()
    expect(fieldsOf((await get(`receipts/${id}?read=0`)).body)).toContain('reader')
    expect((await get(`receipts/${id}?read=1`)).statusCode).toBe(404)
    expect((await get(`receipts/${id}`)).statusCode).toBe(404)
    as('plum')
    expect((await get(`receipts/${id}?read=0`)).statusCode).toBe(404)
  })
  test('of one item is for its source, and asks for one thing', async () => {
    as('plum')
    const id = await anEvent()
    await w.publish()
    const item = newId(NOON)
    // An event that is no batch of reads gave nothing out.
    expect((await get(`receipts/${id}?item=${item}`)).statusCode).toBe(204)
    as('kiwi')
    expect((await get(`receipts/${id}?item=${item}`)).statusCode).toBe(404)
  })
  test.for<[path: string, status: number]>([
    [`receipts/${newId(NOON)}?item=${newId(NOON)}`, 404],
    [`receipts/${newId(NOON)}?item=x`, 400],
    [`receipts/${newId(NOON)}?item=${newId(NOON)}&read=0`, 400],
    [`receipts/${newId(NOON)}?revision=1`, 400],
    [`receipts/${newId(NOON)}?from=1`, 400],
    [`receipts/${newId(NOON)}?item=${newId(NOON)}&revision=0`, 400],
    [`receipts/${newId(NOON)}?item=${newId(NOON)}&from=-1`, 400],
    [`receipts/${newId(NOON)}?item=${newId(NOON)}&from=65537`, 400],
    ['receipts/x', 404],
    [`receipts/${newId(NOON).toUpperCase()}`, 404],
    [`receipts/${newId(NOON)}`, 404],
    [`receipts/${newId(NOON)}?read=01`, 400],
    [`receipts/${newId(NOON)}?read=-1`, 400],
    [`receipts/${newId(NOON)}?more=1`, 400],
  ])('as %s asks for it is refused with %i', async ([path, status]) => {
    expect((await get(path)).statusCode).toBe(status)
  })
})

describe('a record', () => {
  test('is to be asked for again until it is signed, then is cut to whoever is connected', async () => {
    as('apple')
    const id = await w.record('apple', { subject: 'plum', fields: { od: 'digest', refused: 0 } })
    expect((await get(`records/${id}`)).statusCode).toBe(202)
    await w.integrator().round()
    const waiting = await get(`records/${id}`)
    expect([waiting.statusCode, waiting.headers['retry-after'], waiting.body]).toEqual([202, '1', ''])
    await w.publish()
    const { statusCode, headers, body } = await get(`records/${id}`)
    expect([statusCode, headers['cache-control']]).toEqual([200, 'no-store'])
    const told = JSON.parse(body)
    const receipt = parseReceipt((await get(`receipts/${id}`)).body) ?? expect.fail('no receipt')
    expect(told).toEqual({ event: id, index: String(receipt.index), record: receipt.extra })
    as('plum')
    const disclosures: string[] = (await get(`records/${id}`)).json().record.disclosures
    const names = disclosures.map((one) => JSON.parse(Buffer.from(one, 'base64url').toString())[1])
    expect(names).toContain('type')
    expect(names).not.toContain('od')
  })
  test('is to a stranger as one that never was', async () => {
    as('apple')
    const id = await w.record('apple', { subject: 'plum' })
    await w.publish()
    as('kiwi')
    const answers = await Promise.all([id, newId(NOON)].map((one) => get(`records/${one}`)))
    const [hidden, never] = answers.map((one) => ({ ...one.json(), request_id: '', instance: '' }))
    expect(hidden).toEqual(never)
    expect(answers.map((one) => one.statusCode)).toEqual([404, 404])
  })
})

describe('a chain', () => {
  const linesIn = (body: string): { seq: string; event: Uuid; index: string }[] =>
    body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))

  test('is what concerns whoever is connected, link by link, as far as it is signed', async () => {
    as('fig')
    const before = linesIn((await get('chain')).body).length
    const ids = [await w.record('fig'), await w.record('apple', { subject: 'fig' })]
    await w.record('apple', { subject: 'plum' })
    await w.integrator().round()
    expect(linesIn((await get('chain')).body).length).toBe(before)
    await w.publish()
    const { statusCode, headers, body } = await get(`chain?after=${before}`)
    expect([statusCode, headers['content-type'], headers['cache-control']]).toEqual([
      ...[200, 'application/x-ndjson', 'no-store'],
    ])
    const lines = linesIn(body)
    expect(lines.map(({ seq }) => Number(seq))).toEqual([before + 1, before + 2])
    expect(lines.map(({ event }) => event).toSorted()).toEqual(ids.toSorted())
    expect(body.endsWith('\n')).toBe(true)
  })
  test('comes in pages of any size, and is the same', async () => {
    as('apple')
    for (let i = 0; i < 70; i++) await w.record('apple')
    await w.publish()
    const whole = linesIn((await get('chain')).body)
    expect(whole.length).toBeGreaterThan(70)
    const paged = []
    for (let after = 0; ; after += 33) {
      const page = linesIn((await get(`chain?after=${after}&limit=33`)).body)
      if (page.length === 0) break
      paged.push(...page)
    }
    expect(paged).toEqual(whole)
    expect(whole.map(({ seq }) => Number(seq))).toEqual(whole.map((_, i) => i + 1))
  })
  test("is nobody else's but an auditor's", async () => {
    as('apple')
    const own = linesIn((await get('chain')).body).map(({ event }) => event)
    as('kiwi')
    expect(linesIn((await get('chain')).body).filter(({ event }) => own.includes(event))).toEqual([])
    for (const party of ['apple', 'nobody']) expect((await get(`chain?party=${party}`)).statusCode).toBe(404)
    as('kiwi', 'provenance:audit')
    expect(linesIn((await get('chain?party=apple')).body).map(({ event }) => event)).toEqual(own)
    expect((await get('chain?party=nobody')).body).toBe('')
  })
  test.for<[query: string, status: number]>([
    ['after=-1', 400],
    ['after=01', 400],
    ['limit=0', 400],
    ['limit=1001', 422],
    ['party=A', 400],
    ['more=1', 400],
  ])('as %s asks for it is refused with %i', async ([query, status]) => {
    as('apple')
    expect((await get(`chain?${query}`)).statusCode).toBe(status)
  })
})
