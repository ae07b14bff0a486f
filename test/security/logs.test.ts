import { sql } from 'kysely'
import { beforeAll, describe, expect, test } from 'vitest'
import { lookupKeys } from '../../src/client/derive.ts'
import { newId } from '../../src/kernel/ids.ts'
import { aTestNode, EPOCH, type Member, type TestNode } from '../support/node.ts'
import { testPki } from '../support/pki.ts'
import { type Caller, caller, callerOf, JSON_TYPE, quiet, signTexts } from './world.ts'

/** What was sent or made in a busy run, by what it is; every form in which it could be written down. */
const secrets: Record<string, string[]> = {}
let logged = ''
let metrics = ''
let database = ''
/** `table.column` -> everything that stands there. */
const columns = new Map<string, string>()

const MAIL = 'plover.quince@mail.example'
const OTHER_MAIL = 'heron.medlar@mail.example'
const NOTE = 'a note about plover and quince'
const WORD = 'plover-canary-quince'

const forms = (bytes: Buffer): string[] => [
  bytes.toString('hex'),
  bytes.toString('base64'),
  bytes.toString('base64url'),
]
const textForms = (text: string): string[] => [text, ...forms(Buffer.from(text))]

beforeAll(async () => {
  const n = await aTestNode()
  try {
    await busyRun(n)
    metrics = await (await fetch(`${n.ops}/metrics`)).text()
    await readColumns(n)
  } finally {
    await n.end()
    logged = n.logged()
  }
}, 60_000)

async function busyRun(n: TestNode): Promise<void> {
  const [apple, banana] = [await n.member('apple'), await n.member('banana')]
  const clients = [callerOf(n, apple), callerOf(n, banana)] as const
  const everybody = await apple.everybody()
  const [token, asked] = await keysOf(apple)
  secrets['the raw value'] = [...textForms(MAIL), ...textForms(OTHER_MAIL), ...textForms('plover.quince')]
  secrets['a token'] = forms(Buffer.from(token, 'hex'))
  secrets['a key that was asked for'] = forms(Buffer.from(asked, 'hex'))
  secrets['a note'] = [NOTE]
  secrets['a word of a request'] = textForms(WORD)
  const item = await apple.item({ type: 'email', raw: MAIL, note: NOTE }, everybody)
  await apple.client.submit(await apple.sign([item]))
  await badRequests(clients[0], { apple, item })
  await reads(n, banana, { token, asked })
  await badConnections(n)
  secrets['a one-time code'] = await codes(n)
  await forcedFaults(n, clients[0], { apple, item, how: 'refused' })
  database = await databaseLog(n)
  // From here on the server's own log quotes what its errors do, which no statement of ours makes it do.
  await forcedFaults(n, clients[0], { apple, item, how: 'quoted' })
  for (const client of clients) client.close()
}

async function keysOf({ home, client }: Member): Promise<[token: string, asked: string]> {
  const key = await home.hashKey(client, EPOCH)
  secrets['the hash key'] = forms(Buffer.from(key))
  const [token, asked] = [MAIL, OTHER_MAIL].map((raw) => lookupKeys({ type: 'email', raw }, { kid: EPOCH, key }))
  if (token?.outcome !== 'keys' || asked?.outcome !== 'keys') throw new Error('keys')
  return [token.keys[0]?.key ?? '', asked.keys[0]?.key ?? '']
}

const post = (path: string, body: unknown) => ({
  ...{ method: 'POST', path, headers: JSON_TYPE },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

async function badRequests(client: Caller, { apple, item }: { apple: Member; item: object }): Promise<void> {
  const note = `${NOTE}: write to ${MAIL}`
  const bad = [
    { ...item, note },
    { ...item, [MAIL]: 1 },
    { ...item, value: MAIL },
    { ...item, category: WORD },
  ]
  const texts = [
    ...bad.map((one) => JSON.stringify({ ...one, signal: newId(new Date()) })),
    `{"${MAIL}":1,"${MAIL}":2}`,
  ]
  const good = JSON.stringify({ ...item, signal: newId(new Date()) })
  await client.ask(post('/v1/submissions', await signTexts(apple, [...texts, good])))
  await client.ask(post('/v1/submissions', await signTexts(apple, texts, { prg: WORD })))
  await client.ask(post('/v1/submissions', `{"${MAIL}":"${WORD}`))
  await client.ask(post(`/v1/lookups?secret=${WORD}`, { queries: MAIL, purpose: WORD }))
  for (const path of [`/v1/whoami?secret=${WORD}`, `/${WORD}`, `/v1/feeds/${WORD}/events`, `/%ff${WORD}`]) {
    await client.ask({ path, headers: { 'x-plover': WORD, 'user-agent': WORD, cookie: WORD, authorization: WORD } })
    await client.ask({ method: 'PROPFIND', path })
  }
  await client.ask({ path: '/v1/whoami', headers: { 'client-cert': `:${WORD}:` } })
  await client.raw(`${WORD} / HTTP/1.1\r\n${WORD}\r\n\r\n`)
  const stream = { 'content-type': 'application/x-ndjson', 'upload-id': newId(new Date()) }
  await client.ask({ method: 'POST', path: '/v1/submissions/stream', headers: stream, body: `{"${MAIL}":"${WORD}"}\n` })
}

async function reads(
  n: TestNode,
  { client }: Member,
  { token, asked }: { token: string; asked: string },
): Promise<void> {
  await quiet(n.t)
  const query = { type: 'email' as const, profile: `email/1@${EPOCH}`, keys: [token, asked] }
  const { matches } = await client.lookUp({ queries: [query], purpose: 'enforcement' })
  expect(matches).toHaveLength(2)
  const { feeds } = await client.feeds()
  for (const { feed } of feeds) await client.events(feed, { limit: 10 })
  await quiet(n.t)
}

async function badConnections(n: TestNode): Promise<void> {
  const stranger = await (await testPki()).participant(WORD)
  const { key, cert } = stranger
  await caller(n.partner, { key, cert, ca: n.parts.rootCertificate }).raw(`GET /${WORD} HTTP/1.1\r\n\r\n`)
}

/** One code that was used, one that was not, and one that is none. */
async function codes(n: TestNode): Promise<string[]> {
  await n.decide('participant.admit', { slug: 'cherry', name: 'cherry', kind: 'platform' })
  const open = { participant: 'cherry', label: 'main', scopes: ['feed:read' as const] }
  const { code } = (await n.decide('credential.enrol', open)) as { code: string }
  const nobody = caller(n.enrol, { ca: n.parts.rootCertificate })
  const wrong = `${code.slice(0, 17)}${'a'.repeat(32)}`
  for (const one of [code, wrong]) {
    const proof = {
      csr_pem: WORD,
      signing_jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
      proof: 'A'.repeat(86),
    }
    await nobody.ask(post(`/enroll?code=${one}`, { code: one, ...proof }))
  }
  nobody.close()
  return [...textForms(code), ...textForms(code.slice(17)), ...textForms(wrong)]
}

/** A constraint that no row holds, and one whose failure quotes the whole text in its message. */
const FAILING = { refused: "= ''", quoted: '::int > 0' } as const

/** Faults of the database in a request and in a loop. */
async function forcedFaults(
  n: TestNode,
  client: Caller,
  of: { apple: Member; item: object; how: keyof typeof FAILING },
): Promise<void> {
  const { owner } = n.t
  const text = (): string => JSON.stringify({ ...of.item, signal: newId(new Date()) })
  const submit = async (): Promise<number> =>
    (await client.ask(post('/v1/submissions', await signTexts(of.apple, [text()])))).status
  const failing = sql.raw(FAILING[of.how])
  await sql`alter table signal_revision add constraint never check (item ${failing}) not valid`.execute(owner)
  expect(await submit()).toBe(500)
  await sql`alter table signal_revision drop constraint never`.execute(owner)
  await sql`alter table feed_entry add constraint never check (body ${failing}) not valid`.execute(owner)
  const before = n.logged().split('a loop failed').length
  expect(await submit()).toBe(201)
  for (let i = 0; i < 100 && n.logged().split('a loop failed').length === before; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await sql`alter table feed_entry drop constraint never`.execute(owner)
  await quiet(n.t)
}

/** What the embedded server wrote down itself; how another one is set is not ours to say. */
async function databaseLog({ t }: TestNode): Promise<string> {
  if (process.env['TEST_DATABASE_URL'] !== undefined) return ''
  const { rows } = await sql<{ text: string }>`
    select pg_read_file(current_setting('log_directory') || '/' || name) as text from pg_ls_logdir()`.execute(t.owner)
  const text = rows.map((row) => row.text).join('\n')
  expect(text).toContain('violates check constraint')
  return text
}

async function readColumns({ t }: TestNode): Promise<void> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(t.owner)
  for (const { name } of tables) {
    const { rows } = await sql<{
      row: Record<string, unknown>
    }>`select to_jsonb(t) as row from ${sql.table(name)} t`.execute(t.owner)
    for (const { row } of rows) {
      for (const [column, value] of Object.entries(row)) {
        const at = `${name}.${column}`
        columns.set(at, `${columns.get(at) ?? ''}\n${typeof value === 'string' ? value : JSON.stringify(value)}`)
      }
    }
  }
}

const heldBy = (what: string): string[] =>
  [...columns].flatMap(([at, text]) => (secrets[what]?.some((form) => text.includes(form)) ? [at] : [])).sort()

describe('of a busy run', () => {
  test('there is something to look through', () => {
    for (const event of ['"request"', '"request failed"', '"a loop failed"', '"connections refused"']) {
      expect(logged).toContain(`"event":${event}`)
    }
    for (const state of ['23514', '22P02']) expect(logged).toContain(`"sqlstate":"${state}"`)
    expect(logged).toContain('"status":500')
    expect(metrics).toMatch(/aldis_requests_total\{[^}]*status="500"[^}]*\} 2/)
    expect(columns.size).toBeGreaterThan(150)
    expect(
      Object.values(secrets)
        .flat()
        .every((form) => form.length >= 13),
    ).toBe(true)
  })

  test('neither the logs nor the metrics repeat anything', () => {
    const found = Object.entries(secrets).flatMap(([what, all]) =>
      all.flatMap((form) => [
        ...(logged.includes(form) ? [`log: ${what}`] : []),
        ...(metrics.includes(form) ? [`metrics: ${what}`] : []),
        ...(database.includes(form) ? [`log of the database: ${what}`] : []),
      ]),
    )
    expect(found).toEqual([])
  })

  test.for([
    ['the raw value', []],
    ['the hash key', []],
    ['a key that was asked for', []],
    ['a word of a request', []],
    ['a one-time code', []],
    ['a token', ['feed_entry.body', 'shared_signal.signal_key', 'signal.signal_key', 'signal_revision.item']],
    ['a note', ['feed_entry.body', 'signal_revision.item']],
  ] as const)('the database holds %s nowhere but where it belongs', ([what, places]) => {
    expect(secrets[what]?.length).toBeGreaterThan(0)
    expect(heldBy(what)).toEqual(places)
  })
})
