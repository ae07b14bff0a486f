import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bridge, startBridge } from '../../src/bridge/bridge.ts'
import type { Happening } from '../../src/bridge/keeper.ts'
import { writeKnown } from '../../src/bridge/known.ts'
import { BRIDGE_LIMITS } from '../../src/bridge/limits.ts'
import { lookupKeys } from '../../src/client/derive.ts'
import type { Home } from '../../src/client/home.ts'
import { matchFileOf, refreshMatchFile } from '../../src/client/match-mirror.ts'
import { aHash, aMirror, apple } from '../client/mirror-folder.ts'
import { FEED } from '../client/source.ts'
import { anItem, idOf, instantAt, NOON, PROGRAMME, sha } from '../signals/factory.ts'
import { bridgeClient } from './client.ts'
import { aHome, aKnown, SPRING } from './home.ts'

/** When one of the patterns expires. */
const SOON = instantAt(3_600_000)
const CANARY = 'quince.canary@mail.example'

let home: Home
let bridge: Bridge
let ask: ReturnType<typeof bridgeClient>
let now = NOON
const told: Happening[] = []

beforeAll(async () => {
  home = await aHome()
  const made = lookupKeys({ type: 'email', raw: 'plum@mail.example' }, { kid: 'spring', key: SPRING })
  const token = made.outcome === 'keys' ? made.keys[0]?.key : ''
  const mirror = aMirror(home.dir)
  await mirror.says(apple, [
    anItem({ value: { profile: 'email/1', kid: 'spring', token } }, 'email'),
    aHash('pdq', `03${'6b'.repeat(31)}`),
    anItem({}, 'keyword_pattern'),
    anItem(
      { expires_at: SOON, value: { ...anItem({}, 'keyword_pattern').value, text: 'green kite' } },
      'keyword_pattern',
    ),
    aHash('md5', 'ab'.repeat(16), { tlp: 'red' }),
  ])
  await refreshMatchFile({ home: home.dir, programme: PROGRAMME, now: NOON })
  writeKnown(home.dir, aKnown(['spring', 'split']))
  bridge = await startBridge({
    ...{ home, place: { host: '127.0.0.1', port: 0 }, clock: () => now },
    ...{ intervalMs: 3_600_000, maxAgeMs: 86_400_000, acknowledges: true, tell: (one) => told.push(one) },
  })
  ask = bridgeClient(bridge, home.dir)
})
afterAll(async () => {
  await bridge.close()
  rmSync(home.dir, { recursive: true })
})

const matched = async (query: object, path = '/v1/match') => {
  const { body } = await ask(path, { body: { queries: [query] } })
  return (body['results'] as Record<string, unknown>[])[0]
}

describe('without a node, a bridge', () => {
  test('is alive and ready, and a second one in its folder is refused', async () => {
    expect([(await ask('/livez')).status, (await ask('/readyz')).status]).toEqual([200, 200])
    const options = { home, place: { host: '127.0.0.1', port: 0 }, clock: () => now, tell: () => {} }
    const second = startBridge({ ...options, intervalMs: 1e6, maxAgeMs: 1e6, acknowledges: false })
    await expect(second).rejects.toMatchObject({ code: 'home-in-use' })
  })

  test('matches media hashes, texts and tokens, and says what it could not look for', async () => {
    expect(await matched({ type: 'media_hash', algorithm: 'pdq', hash: '6b'.repeat(32) })).toMatchObject({
      ...{ outcome: 'match', matches: [{ distance: 3, source: 'apple', provenance: { feed: FEED, seq: '2' } }] },
    })
    expect(await matched({ type: 'text', value: 'a blue kite' })).toMatchObject({ outcome: 'match' })
    // Of the two epochs one is here: what is found is told, and what is not found is not known.
    for (const path of ['/v1/match', '/v1/lookup']) {
      const hit = await matched({ type: 'email', value: 'Plum@mail.example' }, path)
      expect(hit).toMatchObject({ outcome: 'match', code: 'node-needed' })
      expect(await matched({ type: 'email', value: CANARY }, path)).toMatchObject({
        outcome: 'unknown',
        code: 'node-needed',
      })
    }
    const token = { type: 'email', profile: 'email/1', kid: 'split', token: sha('nobody') }
    expect(await matched(token)).toEqual({ index: 0, outcome: 'none' })
  })

  test('tells no pattern that has expired since it was first looked for', async () => {
    const text = { type: 'text', value: 'a green kite' }
    expect(await matched(text)).toMatchObject({ outcome: 'match' })
    now = new Date(Date.parse(SOON) - 1)
    expect(await matched(text)).toMatchObject({ outcome: 'match' })
    now = new Date(SOON)
    expect(await matched(text)).toEqual({ index: 0, outcome: 'none' })
    now = NOON
  })

  test('tells no signal at TLP red, and that there was one', async () => {
    const query = { type: 'media_hash', algorithm: 'md5', hash: 'ab'.repeat(16) }
    expect(await matched(query)).toEqual({ index: 0, outcome: 'none', withheld: 1 })
  })

  test('answers a stream line by line, whatever is in the others, before it has ended', async () => {
    const { port } = new URL(bridge.origin)
    const secret = readFileSync(join(home.dir, 'bridge', 'secret'), 'utf8').trim()
    const socket = connect(Number(port), '127.0.0.1')
    let got = ''
    const until = (text: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (got.includes(text)) resolve()
          else socket.once('data', look)
        }
        look()
      })
    socket.on('data', (bytes) => {
      got += bytes.toString()
    })
    const send = (line: string): void =>
      void socket.write(`${(line.length + 1).toString(16)}\r\n${line}\n\r\n`, 'latin1')
    socket.write(
      `POST /v1/match/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    send('{"type":"text","value":"the Blue Kite"}')
    await until('"line":1,"outcome":"match"')
    send('{"type":"text","type":"text"}')
    await until('"line":2,"outcome":"refused","code":"json-strict"')
    send(`{"type":"text","value":"${'x'.repeat(BRIDGE_LIMITS.line_bytes)}"}`)
    await until('"line":3,"outcome":"refused","code":"item-limit"')
    send('{"type":"text","value":"x"}')
    await until('"line":4,"outcome":"none"')
    send('{"type":"text","value":"\xff"}')
    await until('"line":5,"outcome":"refused","code":"json-strict"')
    socket.write('0\r\n\r\n')
    await until('\r\n0\r\n\r\n')
    socket.destroy()
  })

  test('keeps what is written, signed, and repeats its answer; nothing raw is on the disk or told', async () => {
    const key = randomUUID()
    const lines = [
      { type: 'url', value: 'https://worse.example/quince.canary', category: 'grooming' },
      { type: 'media_hash', algorithm: 'pear', hash: '6b'.repeat(32), category: 'grooming' },
      { type: 'url', value: 'https://worse.example/uncategorised' },
      { type: 'tactic', tactic: { title: 'half' }, category: 'grooming' },
      { type: 'url', raw: CANARY },
    ]
    const body = { context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' }, lines }
    const headers = { 'idempotency-key': key }
    const taken = await ask('/v1/submit', { body, headers })
    expect(taken.status).toBe(202)
    expect(taken.body).toMatchObject({ entry: { id: key, state: 'waiting', items: [{ line: 0 }] } })
    const refused = taken.body['refused'] as { line: number; reason: string }[]
    expect(refused.map(({ line }) => line)).toEqual([1, 2, 3, 4])
    expect(refused.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^\/value\/algorithm/),
      expect.stringContaining('/category: missing'),
      expect.stringMatching(/^\/value\//),
      expect.stringContaining('/raw: unknown member'),
    ])
    const again = await ask('/v1/submit', { body, headers })
    expect(again.body).toMatchObject({ entry: { id: key }, replayed: true })
    const other = await ask('/v1/submit', { body: { ...body, lines: lines.slice(1) }, headers })
    expect(other.body).toMatchObject({ status: 409, code: 'state-conflict' })
    await matched({ type: 'email', value: CANARY }, '/v1/lookup')
    const metrics = (await ask('/metrics')).text
    expect(metrics).toContain('aldis_bridge_queries_total{how="mirror",outcome="unknown"}')
    expect(`${metrics}${JSON.stringify(told)}${disk(home.dir)}`).not.toMatch(/canary/i)
  })

  test('takes no identifier whose token it cannot make, and nothing of it is kept', async () => {
    writeKnown(home.dir, aKnown(['split']))
    const headers = { 'idempotency-key': randomUUID() }
    const context = { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' }
    const known = { type: 'email', value: CANARY, category: 'grooming' }
    const two = await startOver(aKnown(['split']))
    const asking = bridgeClient(two, home.dir)
    const answer = await asking('/v1/submit', { body: { context, lines: [known] }, headers })
    expect(answer.body).toMatchObject({ status: 503, code: 'node-needed' })
    expect((await asking(`/v1/outbox/${headers['idempotency-key']}`)).status).toBe(404)
    await startOver(aKnown(['spring', 'split']))
  })

  test('names what it has no audience, no signal or no key for', async () => {
    const context = { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' }
    const lines = [{ type: 'url', value: 'https://worse.example/', category: 'grooming' }]
    const headers = { 'idempotency-key': randomUUID() }
    const post = async (path: string, body: object, sent: object = headers) =>
      (await ask(path, { body, headers: sent as Record<string, string> })).body['code']
    expect(await post('/v1/submit', { context, lines, audience: 'nobody' })).toBe('audience-unknown')
    expect(await post('/v1/submit', { context, lines, audience: 'twins' })).toBe('audience-unknown')
    expect(await post('/v1/submit', { context, lines }, {})).toBe('invalid-header')
    expect(await post('/v1/submit', { context, lines: [{ type: 'url', value: ' ' }] })).toBe('validation-failed')
    expect(await post('/v1/feedback', { feed: FEED, seq: '77', outcome: 'seen_here' })).toBe('validation-failed')
    expect(await post('/v1/hits', { hits: [{ feed: idOf(3), seq: '1', count: 1, last_at: instantAt(0) }] })).toBe(
      'validation-failed',
    )
    expect(
      await post('/v1/lookup', { how: 'private', queries: [{ type: 'url', value: 'https://a.example' }] }, {}),
    ).toBe('audience-unknown')
  })

  test('answers nothing once its mirror is too old, except what asks the node', async () => {
    now = new Date(NOON.getTime() + 86_400_001)
    for (const path of ['/v1/match', '/v1/lookup'])
      expect((await ask(path, { body: { queries: [{ type: 'text', value: 'x' }] } })).body).toMatchObject({
        ...{ status: 503, code: 'mirror-stale', since: '2026-03-01T12:00:00Z' },
      })
    const headers = { 'content-type': 'application/x-ndjson' }
    expect((await ask('/v1/match/stream', { body: '{}\n', headers })).text).toContain('mirror-stale')
    const queries = [{ type: 'url', value: 'https://bad.example/' }]
    expect((await ask('/v1/lookup', { body: { how: 'node', queries } })).body).toMatchObject({ code: 'node-needed' })
    expect((await ask('/readyz')).body).toMatchObject({ code: 'mirror-stale' })
    now = NOON
  })
})

/** The bridge again, in its folder, as after what a node said. */
async function startOver(known: ReturnType<typeof aKnown>): Promise<Bridge> {
  await bridge.close()
  writeKnown(home.dir, known)
  bridge = await startBridge({
    ...{ home, place: { host: '127.0.0.1', port: 0 }, clock: () => now },
    ...{ intervalMs: 3_600_000, maxAgeMs: 86_400_000, acknowledges: true, tell: (one) => told.push(one) },
  })
  ask = bridgeClient(bridge, home.dir)
  return bridge
}

/** Every file of a folder. */
function disk(dir: string): string {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((name) => statSync(name).isFile() && name !== matchFileOf(dir))
    .map((name) => readFileSync(name, 'latin1'))
    .join('\n')
}
