import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bridge, startBridge } from '../../src/bridge/bridge.ts'
import type { Happening } from '../../src/bridge/keeper.ts'
import { lookupKeys } from '../../src/client/derive.ts'
import { createBuckets } from '../../src/feeds/buckets.ts'
import { fromHex } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sealedKey } from '../../src/matching/sealed.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { bridgeClient, type Got } from '../bridge/client.ts'
import { type Gate, gateTo } from '../support/gate.ts'
import { aTestNode, EPOCH, type Member, type TestNode } from '../support/node.ts'
import { testPki } from '../support/pki.ts'
import { type Recorder, record } from '../support/recorder.ts'
import { settled } from '../support/settled.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')
const HOUR = 3_600_000
const PATTERN = {
  ...{ kind: 'literal' as const, text: 'blue kite', language: 'en', case_sensitive: false, whole_word: false },
  must_match: ['the Blue Kite sings', 'blue kite', 'blue kites'],
  must_not_match: ['the blue sky', 'kite', 'blue  kite'],
}
const HELD = 'fig@mail.example'
const NOBODYS = 'kiwi@mail.example'

let n: TestNode
let apple: Member
let banana: Member
let hidden: Uuid
/** Of apple's, which it takes back. */
let link: SignalItem
let recorder: Recorder
let gate: Gate
/** Whether the node's answer to what is sent next is lost. */
let loses = false

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  const scopes = [
    'signals:submit',
    'feed:read',
    'lookup:evaluate',
    'lookup:open',
    'feedback:write',
    'provenance:read',
  ] as const
  banana = await n.member('banana', { scopes })
  hidden = (
    await apple.client.openAudience(newId(new Date()), { label: 'hidden', mode: 'sealed', members: ['banana'] })
  ).audience
  const everybody = await apple.everybody()
  const open = [
    await apple.item({ type: 'url', raw: 'https://bad.example/a' }, everybody),
    await apple.item({ type: 'email', raw: 'plum@mail.example' }, everybody),
    await apple.item({ type: 'media_hash', algorithm: 'pdq', hash: `03${'6b'.repeat(31)}` }, everybody),
    await apple.item({ type: 'keyword_pattern', pattern: PATTERN }, everybody),
  ]
  link = open[0] as SignalItem
  await apple.client.submit(await apple.sign(open))
  const { submission } = await apple.client.submit(
    await apple.sign([await apple.item({ type: 'email', raw: HELD }, hidden)]),
  )
  await apple.client.receipt(submission ?? '')
  await settled(n.t)
  const { pools, clock, authority: directory } = n.node.parts
  await createBuckets({ db: pools.projector, clock, directory, random: (bytes) => randomBytes(bytes) }).round()

  const { home } = banana
  const identity = { key: home.tlsKey(), cert: home.certificate(), ca: n.parts.rootCertificate }
  recorder = await record(await testPki(), {
    ...{ origin: n.partner, identity },
    loses: (sent) => loses && sent.includes('POST /v1/submissions'),
  })
  gate = await gateTo(recorder.origin)
  writeFileSync(join(home.dir, 'ca.crt'), recorder.ca)
  writeFileSync(join(home.dir, 'membership.json'), JSON.stringify({ ...home.membership(), node: gate.origin }))
})
afterAll(async () => {
  await gate.shut()
  await recorder.close()
  await n.end()
})

/** Waits for what the bridge tells next. */
function listener() {
  const told: Happening[] = []
  let wake: () => void = () => {}
  return {
    tell(happening: Happening) {
      told.push(happening)
      wake()
    },
    async until(what: Happening['what'], is: (happening: Happening) => boolean = () => true): Promise<Happening> {
      for (;;) {
        const at = told.findIndex((one) => one.what === what && is(one))
        if (at >= 0) return told.splice(0, at + 1).at(-1) as Happening
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

type Told = { outcome: string; code?: string; matches?: Record<string, unknown>[] }
const resultsOf = ({ body }: Got): Told[] => body['results'] as Told[]
const submission = (value: string) => ({
  context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' },
  defaults: { category: 'grooming' },
  lines: [
    { type: 'email', value },
    { type: 'url', value: 'https://worse.example/b' },
  ],
})

/** Every writing in which token or tag of an identifier may stand. */
function writingsOf(raw: string, key: string): Buffer[] {
  const token = Buffer.from(fromHex(key) ?? [])
  const tag = Buffer.from(sealedKey(token, hidden).tag)
  const texts = [token, tag].flatMap((bytes) => {
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3))
    return [bytes.toString('hex'), whole.toString('base64'), whole.toString('base64url')].map((text) =>
      Buffer.from(text),
    )
  })
  return [Buffer.from(raw), token, tag, ...texts]
}
const captured = (): Buffer =>
  Buffer.concat(recorder.connections.flatMap(({ sent, received }) => [...sent, ...received]))

describe('a bridge beside a node that comes and goes', { shuffle: false }, () => {
  let offset = 0
  let bridge: Bridge
  let ask: ReturnType<typeof bridgeClient>
  const { tell, until } = listener()
  const keys = { submit: randomUUID(), feedback: randomUUID(), hits: randomUUID() }

  beforeAll(async () => {
    bridge = await startBridge({
      ...{ home: banana.home, place: { host: '127.0.0.1', port: 0 }, clock: () => new Date(Date.now() + offset) },
      ...{ intervalMs: HOUR, maxAgeMs: 24 * HOUR, acknowledges: true, tell },
    })
    ask = bridgeClient(bridge, banana.home.dir)
    await until('synced')
  })

  test('keeps the mirror by itself, and matches what is met, at home', async () => {
    expect((await ask('/readyz')).status).toBe(200)
    const queries = [
      { type: 'url', value: 'https://www.bad.example/a?b' },
      { type: 'email', value: 'Plum@mail.example' },
      { type: 'media_hash', algorithm: 'pdq', hash: '6b'.repeat(32) },
      { type: 'text', value: 'did you see the BLUE kite?' },
      { type: 'email', value: NOBODYS },
      { type: 'phone', value: 'no number' },
    ]
    const told = resultsOf(await ask('/v1/match', { body: { queries } }))
    expect(told.map(({ outcome }) => outcome)).toEqual(['match', 'match', 'match', 'match', 'none', 'refused'])
    expect(told[1]?.matches).toMatchObject([
      {
        ...{ source: 'apple', categories: ['grooming'], severity: 'high' },
        handling: { recommended: 'review', tlp: 'amber', reshare: 'own_organisation_and_processors' },
        provenance: { seq: '2', index: 1, verified: true },
      },
    ])
    expect(told[3]?.matches).toMatchObject([{ start: 16, end: 25 }])
    const stream = await ask('/v1/match/stream', {
      body: `${queries.map((query) => JSON.stringify(query)).join('\n')}\nno json\n`,
      headers: { 'content-type': 'application/x-ndjson' },
    })
    const lines = stream.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Told & { line: number })
    expect(lines.map(({ line, outcome }) => [line, outcome])).toEqual([
      ...told.map(({ outcome }, i) => [i + 1, outcome]),
      [7, 'refused'],
    ])
  })

  test('private look-ups leave neither token nor tag of what the node does not hold in the traffic', async () => {
    const key = await banana.home.hashKey(banana.client, EPOCH)
    const made = lookupKeys({ type: 'email', raw: NOBODYS }, { kid: EPOCH, key })
    if (made.outcome !== 'keys') throw new Error('no key')
    const writings = writingsOf(NOBODYS, made.keys[0]?.key ?? '')
    const body = (how: string, value = NOBODYS) => ({ how, queries: [{ type: 'email', value }] })
    for (const how of ['private', 'buckets'])
      expect(resultsOf(await ask('/v1/lookup', { body: body(how) }))).toMatchObject([{ outcome: 'none' }])
    expect(captured().includes('/v1/lookup/')).toBe(true)
    expect(writings.some((one) => captured().includes(one))).toBe(false)
    for (const how of ['private', 'buckets'])
      expect(resultsOf(await ask('/v1/lookup', { body: body(how, HELD) }))).toMatchObject([
        { outcome: 'match', matches: [{ source: 'apple', type: 'email' }] },
      ])
    expect(resultsOf(await ask('/v1/lookup', { body: body('node') }))).toMatchObject([{ outcome: 'none' }])
    expect(captured().includes(made.keys[0]?.key ?? '-')).toBe(true)
  })

  test('goes on matching while the node is away, and keeps what is written', async () => {
    await gate.shut()
    bridge.wake()
    await until('sync-failed', (one) => one.what === 'sync-failed' && one.why === 'away')
    const [match] = resultsOf(
      await ask('/v1/match', { body: { queries: [{ type: 'email', value: 'plum@mail.example' }] } }),
    )
    const { feed, seq } = (match?.matches?.[0]?.['provenance'] ?? {}) as { feed: string; seq: string }
    const last_at = `${new Date().toISOString().slice(0, 19)}Z`
    const sent = [
      ['/v1/submit', keys.submit, submission('pear@mail.example')],
      ['/v1/feedback', keys.feedback, { feed, seq, outcome: 'seen_here', reason: 'investigating' }],
      ['/v1/hits', keys.hits, { hits: [{ feed, seq, count: 3, last_at }] }],
    ] as const
    for (const [path, key, body] of sent) {
      const answer = await ask(path, { body, headers: { 'idempotency-key': key } })
      expect([answer.status, answer.body['entry']]).toMatchObject([202, { id: key, state: 'waiting' }])
      expect((await ask(path, { body, headers: { 'idempotency-key': key } })).body).toMatchObject({ replayed: true })
    }
    expect((await ask('/v1/outbox')).body).toMatchObject({ waiting: 3, refused: 0, delivered: 0 })
    const asked = { how: 'node', queries: [{ type: 'url', value: 'https://bad.example/a' }] }
    expect((await ask('/v1/lookup', { body: asked })).body).toMatchObject({ status: 503, code: 'node-needed' })
  })

  test('answers nothing from a mirror that is too old, and says since when', async () => {
    offset = 25 * HOUR
    const stale = await ask('/v1/match', { body: { queries: [{ type: 'url', value: 'https://bad.example/a' }] } })
    expect(stale.body).toMatchObject({ status: 503, code: 'mirror-stale', since: expect.stringMatching(/^20.*Z$/) })
    expect((await ask('/readyz')).status).toBe(503)
    expect((await ask('/livez')).status).toBe(200)
    offset = 0
    await bridge.close()
  })

  test('kill -9 while the node has the submission and its answer is lost: it is delivered once', async () => {
    await withdraw()
    loses = true
    await gate.open()
    const first = child()
    await sentTo('POST /v1/submissions')
    await first.kill()
    loses = false
    const second = child()
    await second.until('sent', (one) => one.what === 'sent' && one.id === keys.hits)
    const outbox = (await bridgeClient(await second.listening, banana.home.dir)('/v1/outbox')).body
    expect(outbox).toMatchObject({ waiting: 0, refused: 0, delivered: 3 })
    await second.kill()
    expect(await submittedBy('banana')).toEqual({ submissions: 1, signals: 2, replays: 1 })
  })

  test('what came meanwhile is caught up with, and what ended matches no longer and is acknowledged', async () => {
    // It asks once, and again in an hour.
    await settled(n.t)
    const caught = child()
    const listening = await caught.listening
    const asking = bridgeClient(listening, banana.home.dir)
    await caught.until('synced')
    const queries = [{ type: 'email', value: 'pear@mail.example' }]
    expect(resultsOf(await asking('/v1/match', { body: { queries } }))).toMatchObject([{ outcome: 'match' }])
    const ended = [{ type: 'url', value: 'https://bad.example/a' }]
    expect(resultsOf(await asking('/v1/match', { body: { queries: ended } }))).toEqual([{ index: 0, outcome: 'none' }])
    // A bridge that ends before its sources are told tells them when it next starts.
    await expect.poll(acknowledged).toHaveLength(1)
    const says = `at ${listening.origin}; nothing withheld`
    expect(await bridgeInDoctor()).toMatchObject({ ok: true, says: expect.stringContaining(says) })
    await caught.end()
    expect(await bridgeInDoctor()).toMatchObject({ ok: true, says: expect.stringContaining('; not running') })
  })

  const children = new Set<ChildProcess>()
  afterAll(() => {
    for (const one of children) one.kill('SIGKILL')
  })

  /** What `aldis doctor` says of the bridge of the folder. */
  async function bridgeInDoctor(): Promise<unknown> {
    const doctor = spawn(process.execPath, [MAIN, '--home', banana.home.dir, '--json', 'doctor'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.add(doctor)
    const findings = await Array.fromAsync(createInterface({ input: doctor.stdout }), (line) => JSON.parse(line))
    return findings.find(({ check }) => check === 'bridge')
  }

  /** `aldis bridge` as a process of its own. */
  function child() {
    const args = [MAIN, '--home', banana.home.dir, '--json', 'bridge', '--listen', '127.0.0.1:0', '--interval', '3600']
    const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(process_)
    const own = listener()
    let found: (at: { origin: string }) => void
    const listening = new Promise<{ origin: string }>((resolve) => {
      found = resolve
    })
    createInterface({ input: process_.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Happening | { what: 'listening'; origin: string }
      if (told.what === 'listening') found(told)
      else own.tell(told)
    })
    const ended = new Promise<void>((resolve) => process_.once('close', () => resolve()))
    const end = (signal: NodeJS.Signals) => {
      process_.kill(signal)
      return ended
    }
    return { ...own, listening, kill: () => end('SIGKILL'), end: () => end('SIGTERM') }
  }

  /** Takes the link back; the bridge hears of it once the node is back. */
  async function withdraw(): Promise<void> {
    const { signal, revision } = link
    const { leaf } = await apple.client.own(signal)
    const item = { v: 1, signal, revision: revision + 1, prev: leaf, reason: 'mistaken' }
    await apple.client.submit(await apple.sign([item], 'aldis-withdrawal+jws'))
  }

  async function sentTo(line: string): Promise<void> {
    const has = () => recorder.connections.some(({ sent }) => sent.some((bytes) => bytes.includes(line)))
    while (!has() || (await submittedBy('banana')).submissions === 0)
      await new Promise((resolve) => setTimeout(resolve, 20))
  }

  async function acknowledged(): Promise<{ upto: string }[]> {
    const { rows } = await sql<{ upto: string }>`select seq::text as upto from feed_ack`.execute(n.t.owner)
    return rows
  }

  async function submittedBy(slug: string): Promise<{ submissions: number; signals: number; replays: number }> {
    const { rows } = await sql<{ replays: number; signals: string }>`
      select s.replays, (select count(*) from signal g where g.participant_id = s.participant_id) as signals
      from submission s join participant p using (participant_id) where p.slug = ${slug}`.execute(n.t.owner)
    return { submissions: rows.length, signals: Number(rows[0]?.signals ?? 0), replays: rows[0]?.replays ?? 0 }
  }
})
