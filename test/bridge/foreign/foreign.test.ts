import { readFileSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bridge, startBridge } from '../../../src/bridge/bridge.ts'
import { addForeignClient } from '../../../src/bridge/foreign/clients.ts'
import { openShelf } from '../../../src/bridge/foreign/shelf.ts'
import { writeKnown } from '../../../src/bridge/known.ts'
import { BRIDGE_LIMITS } from '../../../src/bridge/limits.ts'
import type { Home } from '../../../src/client/home.ts'
import { refreshMatchFile } from '../../../src/client/match-mirror.ts'
import { descriptorId, numberOf } from '../../../src/interop/threatexchange/numbers.ts'
import { aHash, aMirror, apple, banana, type MirrorFolder } from '../../client/mirror-folder.ts'
import { FEED } from '../../client/source.ts'
import { anItem, DAY, idOf, NOON, PROGRAMME, sha } from '../../signals/factory.ts'
import { aHome, aKnown } from '../home.ts'

interface Update {
  id: string
  indicator: string
  type: string
  last_updated: number
  should_delete: boolean
  descriptors?: { data: { id: string; status: string; tags: { data: { text: string }[] }; owner: { id: string } }[] }
}
type Page = { data: Update[]; paging?: { next: string } }

const H = (n: number): string => sha(`heron ${n}`)
const NOTE = 'a heron under the bridge'
const GROUP = numberOf('group', FEED)
let home: Home
let mirror: MirrorFolder
let bridge: Bridge
let token: string
let secret: string
let now = NOON
const [held, red, kept, shared] = [
  aHash('pdq', H(1)),
  aHash('pdq', H(2), { tlp: 'red' }),
  aHash('pdq', H(3)),
  aHash('pdq', H(4), { note: NOTE }),
]

beforeAll(async () => {
  home = await aHome()
  mirror = aMirror(home.dir)
  await mirror.says(apple, [held, red, kept, shared, anItem({}, 'tactic')])
  await mirror.says(banana, [aHash('pdq', H(4))])
  mirror.nodeSays('signal.held', { source: 'apple', signal: held.signal })
  await refreshMatchFile({ home: home.dir, programme: PROGRAMME, now: NOON })
  writeKnown(home.dir, aKnown())
  secret = addForeignClient(home.dir, 'scanner', { status: 'source' }, NOON)
  token = `${numberOf('participant', 'banana')}|${secret}`
  await start()
})
afterAll(async () => {
  await bridge.close()
  rmSync(home.dir, { recursive: true })
})

async function start(): Promise<void> {
  bridge = await startBridge({
    ...{ home, place: { host: '127.0.0.1', port: 0 }, clock: () => now },
    ...{ intervalMs: 3_600_000, maxAgeMs: 86_400_000 * 400, acknowledges: false, tell: () => {} },
  })
}
/** What came into the mirror meanwhile is taken in at the next start. */
async function again(): Promise<void> {
  await bridge.close()
  await start()
}

interface Got {
  status: number
  type: string
  text: string
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Got> {
  return new Promise((resolve, reject) => {
    const out = request(new URL(path, bridge.origin), { method, headers, agent: false }, async (message) => {
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk as Buffer)
      const type = String(message.headers['content-type'])
      resolve({ status: message.statusCode ?? 0, type, text: Buffer.concat(chunks).toString() })
    })
    out.on('error', reject)
    out.end(body)
  })
}
const graph = (path: string, query: Record<string, string> = {}): string =>
  `/v21.0/${path}?${new URLSearchParams({ access_token: token, ...query })}`
const page = async (query: Record<string, string> = {}): Promise<Page> =>
  JSON.parse((await get(graph(`${GROUP}/threat_updates/`, query))).text) as Page

const fetched = (query: Record<string, string>): Promise<Got> =>
  get(`/stopncii/v1/FetchHashes?${new URLSearchParams(query)}`, {
    'x-functions-key': 'any',
    'ocp-apim-subscription-key': secret,
  })
interface Hashes {
  hashRecords: { hashValue: string; hashStatus: string }[]
  nextPageToken: string | null
  nextSetTimestamp: number
}
const hashes = async (query: Record<string, string>): Promise<Hashes> => JSON.parse((await fetched(query)).text)

describe('a bridge asked by clients of other protocols', { shuffle: false }, () => {
  test('a value has one record, with a descriptor of each owner; red ones and what has no form are not told', async () => {
    const { data, paging } = await page()
    expect(paging).toBe(undefined)
    expect(data.map(({ indicator }) => indicator).sort()).toEqual([H(1), H(3), H(4)].sort())
    expect(data.find(({ indicator }) => indicator === H(4))?.descriptors?.data.map(({ owner }) => owner.id)).toEqual(
      ['apple', 'banana'].map((slug) => numberOf('participant', slug)),
    )
  })

  test('what is held is of unknown status and disputed; what its source reviewed is malicious where a client asks so', async () => {
    const { data } = await page()
    const of = (hash: string) => data.find(({ indicator }) => indicator === hash)?.descriptors?.data[0]
    expect(of(H(1))).toMatchObject({ status: 'UNKNOWN', id: descriptorId(held.signal) })
    expect(of(H(1))?.tags.data.map(({ text }) => text)).toContain('aldis_disputed')
    expect(of(H(3))?.status).toBe('MALICIOUS')
  })

  test('pages are whole addresses, and their seconds never go back', async () => {
    const seen: Update[] = []
    let { data, paging } = await page({ limit: '1', types: 'HASH_PDQ' })
    for (;;) {
      seen.push(...data)
      if (paging === undefined) break
      const next = new URL(paging.next)
      expect([next.origin, next.searchParams.get('types'), next.searchParams.get('access_token')]).toEqual([
        bridge.origin,
        'HASH_PDQ',
        token,
      ])
      ;({ data, paging } = JSON.parse((await get(next.pathname + next.search)).text) as Page)
    }
    expect(seen).toHaveLength(3)
    const times = seen.map(({ last_updated }) => last_updated)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  test('StopNCII: a feed that a page did not come to is begun on the next where the client began', async () => {
    const other = idOf(77)
    await mirror.says(apple, [aHash('pdq', H(8)), aHash('pdq', H(9))], { feed: other })
    const [feed] = aKnown().feeds
    if (feed === undefined) throw new Error('a feed')
    writeKnown(home.dir, { ...aKnown(), feeds: [feed, { ...feed, feed: other }] })
    await again()
    await page()
    await bridge.close()
    const shelf = openShelf(join(home.dir, 'bridge', 'foreign.db'))
    shelf.db.prepare('update record set last_updated = last_updated - 100 where indicator = ?').run(H(8))
    shelf.close()
    await start()
    const asked = { startTimestamp: String(NOON.getTime() / 1_000 - 50), pageSize: '1' }
    const seen: string[] = []
    for (let nextPageToken: string | null = ''; nextPageToken !== null; ) {
      const got: Hashes = await hashes({ ...asked, nextPageToken })
      seen.push(...got.hashRecords.map(({ hashValue }) => hashValue))
      nextPageToken = got.nextPageToken
    }
    expect(seen.sort()).toEqual([H(1), H(3), H(4), H(9)].sort())
    writeKnown(home.dir, aKnown())
    await again()
  })

  test('what was erased is told until the clients of each protocol passed it', async () => {
    const gone = aHash('pdq', H(5))
    await mirror.says(apple, [gone])
    mirror.nodeSays('signal.erased', { source: 'apple', signal: gone.signal })
    await again()
    const erased = async () =>
      (await hashes({ startTimestamp: '11' })).hashRecords.filter(({ hashValue }) => hashValue === H(5))
    expect(await erased()).toMatchObject([{ hashStatus: 'Deleted' }])
    await page({ start_time: String(NOON.getTime() / 1_000 + 1) })
    await again()
    expect(await erased()).toMatchObject([{ hashStatus: 'Deleted' }])
  })

  test('an end repeats type and value, and is no part of a first fetch', async () => {
    const { data } = await page()
    const newest = String(Math.max(...data.map(({ last_updated }) => last_updated)))
    mirror.nodeSays('signal.expired', { source: 'apple', signal: kept.signal })
    await again()
    const since = await page({ start_time: newest })
    expect(since.data.find(({ indicator }) => indicator === H(3))).toMatchObject({
      type: 'HASH_PDQ',
      should_delete: true,
    })
    expect((await page()).data.map(({ indicator }) => indicator)).not.toContain(H(3))
  })

  test('of what was erased its file has nothing more; its value is told as ended for a week, and no longer', async () => {
    expect(await onDisk(NOTE)).toBe(true)
    const start_time = String(Math.max(...(await page()).data.map(({ last_updated }) => last_updated)))
    mirror.nodeSays('signal.erased', { source: 'apple', signal: shared.signal })
    mirror.nodeSays('signal.erased', { source: 'apple', signal: held.signal })
    await again()
    // Of the value that another owner shares as well, its descriptor is there.
    const { data } = await page({ start_time })
    expect(data.find(({ indicator }) => indicator === H(4))?.descriptors?.data).toHaveLength(1)
    expect(data.find(({ indicator }) => indicator === H(1))).toMatchObject({ should_delete: true })
    expect(await onDisk(NOTE)).toBe(false)
    now = new Date(NOON.getTime() + 8 * DAY)
    await again()
    expect([await onDisk(H(1)), await onDisk(H(3))]).toEqual([false, true])
    now = NOON
  })

  test('an end goes after ninety days, and who comes later is told to begin anew', async () => {
    now = new Date(NOON.getTime() + 91 * DAY)
    await again()
    expect(await onDisk(H(3))).toBe(false)
    const start_time = String(NOON.getTime() / 1_000)
    expect(await get(graph(`${GROUP}/threat_updates/`, { start_time }))).toMatchObject({ status: 400 })
    // Whoever fetched all of it anew is not told so again, by either protocol.
    const { data } = await page()
    expect(data.map(({ indicator }) => indicator)).toEqual([H(4), ''])
    const newest = String(Math.max(...data.map(({ last_updated }) => last_updated)))
    expect(await get(graph(`${GROUP}/threat_updates/`, { start_time: newest }))).toMatchObject({ status: 200 })
    expect(await fetched({ startTimestamp: start_time })).toMatchObject({
      ...{ status: 400, text: expect.stringContaining('"invalid-cursor"') },
    })
    const { nextSetTimestamp } = await hashes({ startTimestamp: '10' })
    expect(await fetched({ startTimestamp: String(nextSetTimestamp) })).toMatchObject({ status: 200 })
    now = NOON
  })

  /** The bridge is closed and opened again, so that what is only in its log is in the file. */
  async function onDisk(text: string): Promise<boolean> {
    await page()
    await bridge.settled()
    await bridge.close()
    const found = readFileSync(join(home.dir, 'bridge', 'foreign.db')).includes(text)
    await start()
    return found
  }

  test('where there is nothing, a record stands that nobody keeps', async () => {
    const far = '2000000000'
    expect((await page({ start_time: far })).data).toEqual([
      { id: '0', indicator: '', type: 'DEBUG_STRING', last_updated: 2_000_000_000, should_delete: true },
    ])
  })

  test.each([
    ['no token', '', {}, 401],
    ['another’s secret', `access_token=1|${'A'.repeat(43)}`, {}, 401],
    ['a page of a browser', undefined, { origin: 'http://evil.example' }, 403],
    ['another host name', undefined, { host: 'evil.example:8480' }, 403],
  ] as const)(
    '%s is refused in the protocol’s words, and nothing of the URL is said',
    async (_what, query, headers, status) => {
      const path = query === undefined ? graph(`${GROUP}/threat_updates/`) : `/v21.0/${GROUP}/threat_updates/?${query}`
      const answer = await get(path, headers)
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
        status,
        { error: { code: status === 401 ? 190 : 200 } },
      ])
      expect(answer.text).not.toContain(secret)
    },
  )

  test.each([
    ['limit=0', 400],
    ['limit=1001', 400],
    ['limit=1&limit=2', 400],
    ['start_time=noon', 400],
    ['after=1', 400],
  ])('%s is refused', async (query, status) => {
    expect((await get(`${graph(`${GROUP}/threat_updates/`)}&${query}`)).status).toBe(status)
  })

  test('a POST of no media type is read by its URL', async () => {
    const answer = await get(graph('threat_descriptors/', { type: 'HASH_PDQ' }), { 'content-length': '0' }, 'POST')
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 100 } })
  })

  test('StopNCII: a record is whole, and an end is disputed by feedback', async () => {
    const fetch = (start: number) => hashes({ startTimestamp: String(start), pageSize: '2' })
    expect(await fetch(10)).toMatchObject({
      ...{ count: 1, hasMoreRecords: false, nextPageToken: null, nextSetTimestamp: expect.any(Number) },
      hashRecords: [{ signalType: 'ImagePDQ', caseNumbers: expect.any(Object), CSPFeedbacks: [] }],
    })
    expect(await fetch(2_000_000_000)).toEqual({
      ...{ count: 0, nextPageToken: null, nextSetTimestamp: 2_000_000_000, hasMoreRecords: false, hashRecords: [] },
    })
    expect((await get('/stopncii/v1/FetchHashes', {})).status).toBe(401)
  })

  test('TAXII: with name and secret, in its own media type', async () => {
    const authorization = `Basic ${Buffer.from(`scanner:${secret}`).toString('base64')}`
    expect(await get('/taxii2/', { authorization })).toMatchObject({
      status: 200,
      type: 'application/taxii+json;version=2.1',
    })
    expect(await get('/taxii2/', {})).toMatchObject({ status: 401, type: 'application/taxii+json;version=2.1' })
  })

  test('TAXII: a client that may not write is told so, and one that may is while the node is away', async () => {
    const posted = async (name: string, key: string, body: object) => {
      const authorization = `Basic ${Buffer.from(`${name}:${key}`).toString('base64')}`
      const headers = { authorization, 'content-type': 'application/taxii+json;version=2.1' }
      return get(`/taxii2/${PROGRAMME}/collections/orchard/objects/`, headers, 'POST', JSON.stringify(body))
    }
    const indicator = {
      ...{ type: 'indicator', spec_version: '2.1', id: 'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f' },
      ...{ created: '2026-03-01T12:00:00Z', modified: '2026-03-01T12:00:00Z', valid_from: '2026-03-01T12:00:00Z' },
      ...{ pattern: "[url:value = 'https://bad.example/heron']", pattern_type: 'stix' },
    }
    expect(await posted('scanner', secret, { objects: [indicator] })).toMatchObject({ status: 403 })
    const settings = { write: true, context: 'DE/terms_of_service/public' } as const
    const writer = addForeignClient(home.dir, 'writer', settings, NOON)
    expect(await posted('writer', writer, { type: 'bundle', objects: [indicator] })).toMatchObject({ status: 422 })
    const long = { objects: [{ ...indicator, description: 'x'.repeat(BRIDGE_LIMITS.body_bytes) }] }
    expect(JSON.parse((await posted('writer', writer, long)).text)).toMatchObject({ error_code: 'too-large' })
    // Without a category nothing is asked of the node.
    expect(await posted('writer', writer, { objects: [indicator] })).toMatchObject({
      ...{ status: 202, text: expect.stringContaining('validation-failed /category') },
    })
    const own = { category: 'grooming', extension_type: 'property-extension' }
    const full = { ...indicator, extensions: { 'extension-definition--2f9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21': own } }
    const away = await posted('writer', writer, { objects: [full] })
    expect([away.status, JSON.parse(away.text).error_code]).toEqual([503, 'node-needed'])
  })

  test('a file of another form is made anew, and is nobody else’s to read', async () => {
    expect(statSync(join(home.dir, 'bridge', 'foreign.db')).mode & 0o077).toBe(0)
    const path = join(home.dir, 'other.db')
    const first = openShelf(path)
    first.db.exec("insert into counter (name, value) values ('pos', 7); pragma user_version = 99")
    first.close()
    const second = openShelf(path)
    expect(second.db.prepare('select count(*) as n from counter').get()).toEqual({ n: 0 })
    second.close()
  })
})
