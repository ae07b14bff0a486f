import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signAct } from '../../src/client/acts.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { aForeignBridge, type ForeignBridge } from './bridge.ts'
import { expectPython, foreignClient, missingPython, needsPython, type Told } from './python.ts'

interface Stix {
  type: string
  id: string
  modified: string
  revoked?: boolean
  pattern?: string
  extensions: Record<string, Record<string, unknown>>
}

interface Status {
  id: string
  success: number
  failure: number
  successes: { id: string; message: string }[]
}

const SCOPES = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate'] as const),
  ...(['feedback:write', 'provenance:read'] as const),
]
const STANDING = 7
const OWN = 'extension-definition--2f9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21'
let n: TestNode
let apple: Member
let pair: Uuid
let items: SignalItem[]
let banana: Member
let b: ForeignBridge | undefined
let at: { origin: string; ca: string; cert: string; key: string; title: string }
const client = foreignClient('taxii.py')

beforeAll(async () => {
  if (missingPython !== '') return void process.stderr.write(`skipped: ${missingPython}\n`)
  n = await aTestNode()
  apple = await n.member('apple', { scopes: SCOPES })
  banana = await n.member('banana', { scopes: SCOPES })
  await n.member('cherry')
  pair = await apple.audience('two-of-us', 'banana')
  await apple.audience('twins', 'banana')
  items = [
    await apple.item({ type: 'url', raw: 'https://bad.example/a' }, pair),
    await apple.item({ type: 'email', raw: 'plum@mail.example' }, pair),
    await apple.item({ type: 'media_hash', algorithm: 'pdq', hash: '6b'.repeat(32) }, pair),
    ...(await Promise.all(
      Array.from({ length: 9 }, (_, i) => apple.item({ type: 'domain', raw: `d${i}.example` }, pair)),
    )),
  ]
  for (const item of items) await apple.client.submit(await apple.sign([item]))
  await settled(items.length)
  at = placeOf(banana, 'two-of-us')
})
afterAll(async () => {
  await client.end()
  await b?.end()
  await n?.end()
})

/** What the client is told of the node: files, since it takes no other. */
function placeOf({ home }: Member, title: string): typeof at {
  const file = (name: string, text: string): string => {
    writeFileSync(join(home.dir, name), text)
    return join(home.dir, name)
  }
  return {
    ...{ origin: n.partner, title, ca: file('taxii-ca.pem', n.parts.rootCertificate) },
    ...{ cert: file('taxii-cert.pem', home.certificate()), key: file('taxii-key.pem', home.tlsKey()) },
  }
}

/** Until the feed has as many entries: what was submitted comes to it through the log. */
async function settled(entries: number): Promise<void> {
  const count = async (): Promise<number> => {
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from feed_entry e join feed f using (feed_id)
      where f.audience_id = ${pair}::uuid`.execute(n.t.owner)
    return Number(rows[0]?.n)
  }
  while ((await count()) < entries) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Disclosures on record of the one who reads. */
async function reads(): Promise<number> {
  const { rows } = await sql<{
    n: bigint
  }>`select count(*) as n from read_journal j join participant p using (participant_id)
    where p.slug = 'banana'`.execute(n.t.owner)
  return Number(rows[0]?.n)
}

async function withdraw({ signal, revision }: SignalItem): Promise<void> {
  const { leaf } = await apple.client.own(signal)
  const item = { v: 1, signal, revision: revision + 1, prev: leaf, reason: 'mistaken' }
  await apple.client.submit(await apple.sign([item], 'aldis-withdrawal+jws'))
}

const answer = <T>({ answer: given, ...told }: Told): T => {
  expect(told).toEqual({})
  return given as T
}
const objectsOf = async (filters: object = {}, per_request = 1_000): Promise<Stix[]> =>
  answer<Stix[][]>(await client.call('pages', { at, what: 'objects', per_request, ...filters })).flat()

test('the client is there where it counts', expectPython)

describe('taxii2-client over mutual TLS', { shuffle: false }, () => {
  test('discovers the programme and the collections that it may read', async (context) => {
    needsPython(context)
    expect(answer(await client.call('discovery', { at }))).toMatchObject({
      ...{ roots: [`${n.partner}/taxii2/orchard/`], versions: ['application/taxii+json;version=2.1'] },
      collections: expect.arrayContaining([
        { title: 'two-of-us', alias: 'two-of-us', can_read: true, can_write: false },
      ]),
    })
  })

  test.for([1, 3, 7, 10, 1_000])('reads all, in pages of %i, without loss or repeat', async (per_request, context) => {
    needsPython(context)
    const pages = answer<Stix[][]>(await client.call('pages', { at, what: 'objects', per_request }))
    expect(pages.every((page) => page.length > 0 && page.length <= per_request)).toBe(true)
    const ids = pages.flat().map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toHaveLength(items.length + STANDING)
    const manifest = answer<{ id: string; date_added: string }[][]>(
      await client.call('pages', { at, what: 'manifest', per_request }),
    ).flat()
    expect(manifest.map(({ id }) => id)).toEqual(ids)
    const dates = manifest.map(({ date_added }) => date_added)
    expect(dates).toEqual([...new Set(dates)].sort())
  })

  test('reads what was added after an instant, by type, by id and by version', async (context) => {
    needsPython(context)
    const manifest = answer<{ id: string; date_added: string; version: string }[][]>(
      await client.call('pages', { at, what: 'manifest', per_request: 1_000 }),
    ).flat()
    const third = manifest[STANDING + 2]
    const later = await objectsOf({ added_after: third?.date_added }, 4)
    expect(later.map(({ id }) => id)).toEqual(manifest.slice(STANDING + 3).map(({ id }) => id))
    expect(await objectsOf({ type: 'indicator' }, 5)).toHaveLength(items.length)
    expect((await objectsOf({ id: [third?.id, 'indicator--none'] })).map(({ id }) => id)).toEqual([third?.id])
    const same = await objectsOf({ version: third?.version }, 5)
    expect(same.map(({ id }) => id)).toContain(third?.id)
    expect(new Set(same.map(({ modified }) => modified))).toEqual(new Set([third?.version]))
    expect(await objectsOf({ version: 'all' }, 5)).toHaveLength(manifest.length)
    expect(answer<{ objects: Stix[] }>(await client.call('get_object', { at, id: third?.id })).objects).toHaveLength(1)
    expect(answer(await client.call('versions', { at, id: third?.id }))).toEqual({ versions: [third?.version] })
  })

  test('finds the values that were shared, hashed, with their level', async (context) => {
    needsPython(context)
    const [url, email, pdq] = (await objectsOf({ type: 'indicator' })) as [Stix, Stix, Stix]
    expect(url.pattern).toMatch(
      /^\[url:extensions\.'extension-definition--[0-9a-f-]{36}'\.value_hashes\.'SHA-256' = '[0-9a-f]{64}'\]$/,
    )
    expect(email.pattern).toContain(`value_hashes.'HMAC-SHA-256' = '`)
    expect(pdq.pattern).toBe(`[file:hashes.PDQ = '${'6b'.repeat(32)}']`)
    expect(url).toMatchObject({ object_marking_refs: ['marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421'] })
  })

  test('a withdrawn signal comes again, revoked and without what was shared', async (context) => {
    needsPython(context)
    const [before] = await objectsOf({ type: 'indicator' })
    await withdraw(items[0] as SignalItem)
    await settled(items.length + 1)
    const all = await objectsOf({ type: 'indicator' })
    const again = all.filter(({ id }) => id === before?.id)
    expect(again).toMatchObject([{ revoked: true, pattern: expect.stringMatching(/^\[x-aldis-withdrawn:id = /) }])
    expect((again[0]?.modified ?? '') > (before?.modified ?? '')).toBe(true)
    expect(all.at(-1)?.id).toBe(before?.id)
    expect(JSON.stringify(all)).not.toContain(before?.pattern?.slice(-66))
  })

  test('what it may not do is refused: 404 for what is not there or not seen, no writing, 400 for what is malformed', async (context) => {
    needsPython(context)
    const id = 'indicator--00000000-0000-4000-8000-000000000000'
    expect(await client.call('get_object', { at, id })).toMatchObject({ status: 404 })
    expect(await client.call('by_alias', { at, root: 'orchard', alias: 'elsewhere' })).toMatchObject({ status: 404 })
    expect(await client.call('by_alias', { at, root: 'pear', alias: 'two-of-us' })).toMatchObject({ status: 404 })
    expect(await client.call('add', { at, envelope: { objects: [] } })).toMatchObject({ raised: 'AccessError' })
    expect(await client.call('pages', { at, what: 'objects', per_request: -1 })).toMatchObject({ status: 400 })
    expect(await client.call('pages', { at, what: 'objects', per_request: 5, added_after: 'noon' })).toMatchObject({
      status: 400,
    })
  })

  test('each page with something on it is on record; one without is not', async (context) => {
    needsPython(context)
    const before = await reads()
    await objectsOf({ type: 'indicator' }, 5)
    await objectsOf({ type: 'identity' })
    await objectsOf({ added_after: '2100-01-01T00:00:00Z' })
    // What every collection has is nobody's.
    expect((await reads()) - before).toBe(Math.ceil(items.length / 5))
  })

  test('a credential without the scope is refused in the words of the protocol', async (context) => {
    needsPython(context)
    const other = placeOf(await n.enrolled('banana', ['lookup:evaluate']), 'two-of-us')
    expect(await client.call('discovery', { at: other })).toMatchObject({
      ...{ status: 403, error: expect.stringContaining('"error_code":"scope-missing"') },
    })
  })

  test('without a certificate there is no connection', async (context) => {
    needsPython(context)
    const { origin, ca, title } = at
    expect(await client.call('discovery', { at: { origin, ca, title } })).toMatchObject({
      raised: expect.stringMatching(/SSLError|ConnectionError/),
    })
  })
})

describe('and in plain HTTP to a bridge', { shuffle: false }, () => {
  let here: { origin: string; title: string; user: string; password: string }

  test('reads the same objects out of the mirror, and there is none without its secret', async (context) => {
    needsPython(context)
    b = await aForeignBridge(banana, { category: 'grooming', context: 'DE/terms_of_service/public', write: true })
    here = { origin: b.bridge.origin, title: 'two-of-us', user: 'scanner', password: b.secret }
    const read = async (per_request: number): Promise<Stix[]> =>
      answer<Stix[][]>(await client.call('pages', { at: here, what: 'objects', per_request })).flat()
    const all = await read(4)
    const own = ({ type, id, pattern, revoked }: Stix) => ({ type, id, pattern, revoked })
    expect(all.map(own)).toEqual((await objectsOf()).map(own))
    const id = all.at(-1)?.id
    expect(answer<{ objects: Stix[] }>(await client.call('get_object', { at: here, id })).objects).toEqual([all.at(-1)])
    for (const wrong of [{ password: 'x' }, { user: 'other' }, { user: undefined, password: undefined }])
      expect(await client.call('discovery', { at: { ...here, ...wrong } })).toMatchObject({ status: 401 })
  })

  test('writes where its client may: signed here, served under an id of ours, with a status for a day', async (context) => {
    needsPython(context)
    const [theirs] = (await objectsOf({ type: 'indicator' })).filter(({ revoked }) => revoked !== true)
    const own = (change: object = {}) => ({
      ...{ type: 'indicator', spec_version: '2.1', id: 'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f' },
      ...{ created: '2026-03-01T12:00:00.000Z', modified: '2026-03-01T12:00:00.000Z', pattern_type: 'stix' },
      ...{ pattern: "[email-addr:value = 'Fig@Mail.Example']", valid_from: '2026-03-01T12:00:00Z', ...change },
    })
    const sighting = {
      ...{ type: 'sighting', spec_version: '2.1', id: 'sighting--ee20065d-2555-424f-ad9e-0f8428623c75' },
      ...{ created: '2026-03-01T12:00:00.000Z', modified: '2026-03-01T12:00:00.000Z', sighting_of_ref: theirs?.id },
    }
    const twins = { ...here, title: 'twins' }
    const add = async (objects: object[], to = twins): Promise<Status> =>
      answer<Status>(await client.call('add', { at: to, envelope: { objects } }))
    expect(answer(await client.call('discovery', { at: here }))).toMatchObject({
      collections: expect.arrayContaining([expect.objectContaining({ title: 'twins', can_write: true })]),
    })
    expect(await add([sighting, { type: 'malware' }, own({ id: theirs?.id })], here)).toMatchObject({
      ...{ status: 'complete', success: 1, failure: 2 },
      failures: [
        { id: 'unknown', message: expect.stringMatching(/^stix-type-refused /) },
        { id: theirs?.id, message: expect.stringMatching(/^state-conflict /) },
      ],
    })
    const told = await add([own()])
    expect(told).toMatchObject({ success: 1, failure: 0 })
    expect(answer(await client.call('status', { at: here, id: told.id }))).toEqual(told)
    const serves = told.successes[0]?.message
    // What was sent comes back by the log and the feed.
    const standing = async (): Promise<unknown> => {
      await b?.synced()
      return (await client.call('get_object', { at: twins, id: serves })).status
    }
    await expect.poll(standing, { timeout: 20_000 }).not.toBe(404)
    const served = async () =>
      answer<{ objects: Stix[] }>(await client.call('get_object', { at: twins, id: serves })).objects
    expect(await served()).toMatchObject([{ pattern: expect.stringContaining("value_hashes.'HMAC-SHA-256'") }])
    expect(JSON.stringify(await served())).not.toMatch(/fig@mail/i)
    const about = theirs?.extensions[OWN]?.['signal'] as Uuid
    expect((await apple.client.opinions('apple', about)).outcomes).toMatchObject({ seen_here: 1 })

    const [stands] = await served()
    const item = {
      ...{ v: 1 as const, source: 'banana', signal: stands?.extensions[OWN]?.['signal'] as Uuid, revision: 1 },
      ...{ key: /'([0-9a-f]{64})'\]$/.exec(stands?.pattern ?? '')?.[1] ?? '', outcome: 'not_violating' as const },
      reason: 'policy_differs',
    }
    const member = apple.home.membership()
    await apple.client.giveFeedback(await signAct(item, { member, key: apple.home.signingKey(), now: new Date() }))
    const { collections } = answer<{ collections: { title: string; can_write: boolean }[] }>(
      await client.call('discovery', { at: here }),
    )
    const inbox = { ...here, title: collections.find(({ can_write }) => !can_write)?.title }
    const heard = async () =>
      answer<Stix[][]>(
        await client.call('pages', { at: inbox, what: 'objects', per_request: 9, type: 'opinion' }),
      ).flat()
    while ((await heard()).length === 0) await b?.synced()
    const [opinion] = (await heard()) as (Stix & { object_refs: string[]; opinion: string })[]
    expect(opinion).toMatchObject({ opinion: 'strongly-disagree', object_refs: [serves] })
    expect(answer(await client.call('get_object', { at: inbox, id: opinion?.id }))).toEqual({ objects: [opinion] })

    const later = '2026-03-02T12:00:00.000Z'
    expect(await add([own()])).toMatchObject({ success: 1, successes: [{ message: 'here already' }] })
    expect(await add([own({ confidence: 5 })])).toMatchObject({ failure: 1 })
    expect(await add([own({ modified: later, confidence: 5 })])).toMatchObject({ success: 1 })
    const servedLater = async () => {
      await b?.synced()
      return served()
    }
    await expect.poll(servedLater, { timeout: 20_000 }).toMatchObject([{ confidence: 5 }])
    expect(await client.call('delete', { at: here, id: theirs?.id })).toMatchObject({ status: 403 })
    answer(await client.call('delete', { at: twins, id: serves }))
    await expect.poll(servedLater, { timeout: 20_000 }).toMatchObject([{ revoked: true }])
    expect(await add([own({ modified: '2026-03-03T12:00:00.000Z' })])).toMatchObject({ failure: 1 })
  })
})
