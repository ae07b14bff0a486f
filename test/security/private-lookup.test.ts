import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { type LookupKey, lookupKeys } from '../../src/client/derive.ts'
import { syncFeeds } from '../../src/client/mirror.ts'
import { createBucketLookUp, openMatch, openSealedMirror } from '../../src/client/private-lookup.ts'
import { checkReceipt, createVerifier, openVkey } from '../../src/client/verify.ts'
import { createBuckets } from '../../src/feeds/buckets.ts'
import { fromHex } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { prefixOf } from '../../src/matching/bucket.ts'
import { sealedKey } from '../../src/matching/sealed.ts'
import { disclosedBy, keptUnlessLost } from '../../src/provenance/kept-read.ts'
import { readSays } from '../provenance/disclosures.ts'
import { aTestNode, EPOCH, type Member, type TestNode } from '../support/node.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { type Recorder, record } from '../support/recorder.ts'

const PURPOSE = 'investigation' as const
/** Shared by apple, and so held by the node. */
const HELD = 'fig@mail.example'
/** Known to banana alone. */
const NOBODYS = 'kiwi@mail.example'

let n: TestNode
let pki: TestPki
let apple: Member
let banana: Member
let cherry: Member
let audience: Uuid
let feed: Uuid
const open: { client: Client; recorder: Recorder }[] = []

beforeAll(async () => {
  n = await aTestNode()
  pki = await testPki()
  ;[apple, banana, cherry] = [await n.member('apple'), await n.member('banana'), await n.member('cherry')]
  const named = { label: 'hidden', mode: 'sealed' as const, members: ['banana'] }
  audience = (await apple.client.openAudience(newId(new Date()), named)).audience
  const hash = (i: number): string => i.toString(16).padStart(64, '0')
  const raws = Array.from(
    { length: 900 },
    (_, i) => ({ type: 'media_hash', algorithm: 'sha256', hash: hash(i + 1) }) as const,
  )
  // The first fetches the key of the epoch, once.
  const items = [await apple.item({ type: 'email', raw: HELD }, audience)]
  for (const raw of raws) items.push(await apple.item(raw, audience))
  await apple.client.submit(await apple.sign(items))
  const own = (await banana.client.feeds()).feeds.find((one) => one.audience === audience)
  feed = own?.feed ?? audience
  await banana.client.sealedPage(feed, { cursor: own?.start ?? '', wait: 20 })
  for (let tries = 0; tries < 100; tries++) {
    const { last_seq } = (await banana.client.feeds()).feeds.find((one) => one.feed === feed) ?? {}
    if (last_seq === '901') break
    await banana.client.sealedPage(feed, { cursor: own?.start ?? '', wait: 1 })
  }
  const { pools, clock, authority } = n.node.parts
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
  await createBuckets({ db: pools.projector, clock, directory: authority, random }).round()
})
afterEach(async () => {
  for (const { client, recorder } of open.splice(0)) {
    client.close()
    await recorder.close()
  }
})
afterAll(() => n.end())

/** Banana at its node, with every byte between the two kept. */
async function watched() {
  const { home } = banana
  const identity = { key: home.tlsKey(), cert: home.certificate(), ca: n.parts.rootCertificate }
  const recorder = await record(pki, { origin: n.partner, identity })
  const client = createClient({ origin: recorder.origin, ...identity, ca: recorder.ca, maxSockets: 1 })
  open.push({ client, recorder })
  return { client, recorder }
}

const keyOf = async (raw: string): Promise<LookupKey> => {
  const key = await banana.home.hashKey(banana.client, EPOCH)
  const derived = lookupKeys({ type: 'email', raw }, { kid: EPOCH, key })
  if (derived.outcome !== 'keys' || derived.keys[0] === undefined) throw new Error('no key')
  return derived.keys[0]
}
const verifierOf = async (client: Client) => {
  const { node_origin, programme } = banana.home.membership()
  const node = { node_origin, programme, receipt_keys: banana.home.receiptKeys() }
  return { node, verifier: createVerifier((await client.participants()).participants, node) }
}
const dir = () => `${banana.home.dir}/feeds`
const lookIn = {
  async mirror(client: Client) {
    await syncFeeds({ client, verifier: (await verifierOf(client)).verifier, dir: dir() })
    return openSealedMirror(dir(), { feed, audience })
  },
}

/** Every writing in which 32 or 16 bytes, or a name, may stand: a copy anywhere is found by one of them. */
function writingsOf(raw: string, { key }: LookupKey): Buffer[] {
  const token = Buffer.from(fromHex(key) ?? [])
  const tag = Buffer.from(sealedKey(token, audience).tag)
  const writings = [token, tag].flatMap((bytes) => {
    const hex = bytes.toString('hex')
    // The last characters of a base64 text depend on what follows.
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3))
    return [
      bytes,
      ...[hex, hex.toUpperCase(), whole.toString('base64'), whole.toString('base64url')].map((text) =>
        Buffer.from(text),
      ),
    ]
  })
  return [Buffer.from(raw), ...writings]
}
const holds = (bytes: Buffer, writings: readonly Buffer[]): boolean => writings.some((one) => bytes.includes(one))

/** Every value of every table, as PostgreSQL writes it: bytes in hex. */
async function database(): Promise<Buffer> {
  const { rows } = await sql<{ name: string }>`
    select quote_ident(relname) as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`.execute(
    n.t.owner,
  )
  const texts: string[] = []
  for (const { name } of rows) {
    const all = await sql.raw<{ row: string }>(`select t::text as row from ${name} as t`).execute(n.t.owner)
    texts.push(...all.rows.map(({ row }) => row))
  }
  return Buffer.from(texts.join('\n'))
}
const captured = ({ connections }: Recorder): Buffer =>
  Buffer.concat(connections.flatMap(({ sent, received }) => [...sent, ...received]))

/** What banana's reads of a piece of work left, opened. */
async function readsOf(work: () => Promise<unknown>): Promise<ReadonlyMap<string, unknown>[]> {
  const all = () =>
    n.t.owner
      .selectFrom('read_journal as j')
      .innerJoin('participant as p', 'p.participant_id', 'j.participant_id')
      .select(['j.journal_id', 'j.body', 'j.epoch'])
      .where('p.slug', '=', 'banana')
      .orderBy('j.journal_id')
      .execute()
  const before = new Set((await all()).map(({ journal_id }) => journal_id))
  await work()
  const fresh = (await all()).filter(({ journal_id }) => !before.has(journal_id))
  return fresh.flatMap((row) =>
    (keptUnlessLost(n.node.parts.keys, row) ?? []).map(
      (kept) => new Map(readSays(disclosedBy(kept).opened).map(({ name, value }) => [name, value])),
    ),
  )
}

describe('an identifier that the node does not hold', () => {
  test.each(['mirror', 'buckets'] as const)(
    'is nowhere after a look-up by %s: not on the wire, in no table, in no log line',
    async (how) => {
      const { client, recorder } = await watched()
      const key = await keyOf(NOBODYS)
      const place =
        how === 'mirror' ? await lookIn.mirror(client) : createBucketLookUp({ client, audience, purpose: PURPOSE })
      expect(await place.find(key)).toEqual([])
      const writings = writingsOf(NOBODYS, key)
      expect(captured(recorder).length).toBeGreaterThan(1_000)
      expect(holds(captured(recorder), writings)).toBe(false)
      expect(holds(await database(), writings)).toBe(false)
      expect(holds(Buffer.from(n.logged()), writings)).toBe(false)
    },
  )

  test('would be found if it were there: one that is held is', async () => {
    const { client, recorder } = await watched()
    const key = await keyOf(HELD)
    const writings = writingsOf(HELD, key)
    const [match] = await createBucketLookUp({ client, audience, purpose: PURPOSE }).find(key)
    expect(match).toMatchObject({ audience, handling: 'review' })
    expect(holds(captured(recorder), writings)).toBe(true)
    expect(holds(await database(), writings)).toBe(true)
    // By its tag in both: its token and itself were never sent, and itself is stored nowhere.
    expect(holds(captured(recorder), [Buffer.from(HELD), Buffer.from(key.key)])).toBe(false)
    expect(holds(await database(), [Buffer.from(HELD)])).toBe(false)
    // Asked for by its key, in the way of full audiences, it would be on the wire.
    const queries = [{ type: 'email' as const, profile: key.profile, keys: [key.key] }]
    expect((await client.lookUp({ purpose: PURPOSE, queries })).matches).toEqual([])
    expect(holds(captured(recorder), [Buffer.from(key.key)])).toBe(true)
  })
})

test('two identifiers of one bucket are asked for byte by byte alike', async () => {
  const { bits } = await banana.client.bucketSnapshot(audience)
  expect(bits).toBeGreaterThan(0)
  const tagged = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const key = await keyOf(`kiwi-${i}@mail.example`)
      return { key, prefix: prefixOf(sealedKey(fromHex(key.key) ?? new Uint8Array(0), audience).tag, bits) }
    }),
  )
  const { recorder } = await watched()
  const identity = { key: banana.home.tlsKey(), cert: banana.home.certificate(), ca: recorder.ca }
  const sent = async (key: LookupKey): Promise<Buffer> => {
    for (;;) {
      const before = recorder.connections.length
      const client = createClient({ origin: recorder.origin, ...identity, maxSockets: 1 })
      await createBucketLookUp({ client, audience, purpose: PURPOSE }).find(key)
      client.close()
      const bytes = Buffer.concat(recorder.connections.slice(before).flatMap((one) => one.sent))
      // A busy node is asked the same once more, whoever is looked for: compared is what was answered at once.
      const asked = bytes.toString('latin1').match(/^[A-Z]+ \S+ HTTP\/1\.1/gm) ?? []
      if (new Set(asked).size === asked.length) return bytes
    }
  }
  const [first, ...others] = tagged
  const twin = others.find(({ prefix }) => prefix === first?.prefix)
  const stranger = others.find(({ prefix }) => prefix !== first?.prefix)
  if (first === undefined || twin === undefined || stranger === undefined) throw new Error('too few identifiers')
  const asked = await sent(first.key)
  expect(asked.toString()).toContain(`/v1/lookup/${audience}/`)
  expect((await sent(twin.key)).equals(asked)).toBe(true)
  const other = await sent(stranger.key)
  expect(other.equals(asked)).toBe(false)
  expect(other).toHaveLength(asked.length)
})

test('a session with a mirror leaves numbers alone, and each opening names its signal to its source', async () => {
  const { client } = await watched()
  const { node, verifier } = await verifierOf(client)
  const key = await keyOf(HELD)
  const reads = await readsOf(async () => {
    await syncFeeds({ client, verifier, dir: `${dir()}-counts` })
    const own = openSealedMirror(`${dir()}-counts`, { feed, audience })
    expect(own.size).toBe(901)
    expect(await own.find(key)).toHaveLength(1)
    expect(await own.find(await keyOf(NOBODYS))).toEqual([])
  })
  expect(reads).toHaveLength(1)
  const [read] = reads
  const names = [...(read?.keys() ?? [])].filter((name) => name !== 'decoy')
  expect(names.sort()).toEqual(['as_of', 'body', 'channel', 'n', 'route', 'set_salt'])
  expect(read?.get('n')).toBe(901)
  expect(read?.get('as_of')).toEqual({ feed, from: '1', to: '901' })

  const [match] = await openSealedMirror(`${dir()}-counts`, { feed, audience }).find(key)
  if (match === undefined) throw new Error('no match')
  const opened: Awaited<ReturnType<typeof openMatch>> = []
  const [opening] = await readsOf(async () => {
    opened.push(...(await openMatch({ client, verifier, node }, match, { purpose: PURPOSE })))
  })
  expect(opened).toMatchObject([{ authority: 'origin', event: { source: 'apple' } }])
  expect(opening?.get('source')).toMatchObject({ party: 'apple', n: 1 })
  expect(opening?.get('purpose')).toBe(PURPOSE)
  const receipt = await client.receipt(opened[0]?.event.event ?? '', {}, 20_000)
  expect(checkReceipt(receipt ?? '', openVkey(await client.logKey()))).toMatchObject({ passed: true })
})

test('a sealed audience of others, and what is in it, is as if it never was', async () => {
  const [match] = await createBucketLookUp({ client: banana.client, audience, purpose: PURPOSE }).find(
    await keyOf(HELD),
  )
  const { snapshot } = await banana.client.bucketSnapshot(audience)
  const never = newId(new Date())
  const answers = (of: { audience: Uuid; signal: Uuid; snapshot: string; feed: Uuid }) =>
    Promise.all(
      [
        `/v1/lookup/${of.audience}`,
        `/v1/lookup/${of.audience}/${of.snapshot}/0?purpose=appeal`,
        `/v1/audiences/${of.audience}/signals/${of.signal}?purpose=appeal`,
        `/v1/feeds/${of.feed}/events`,
      ].map((path) =>
        cherry.client.transport.call({ method: 'GET', path, idempotent: false }).catch((error: object) => {
          const { code, status, message, errors } = error as Record<string, unknown>
          return { code, status, message, errors }
        }),
      ),
    )
  const hidden = await answers({ audience, signal: match?.signal ?? never, snapshot, feed })
  expect(hidden).toEqual(await answers({ audience: never, signal: never, snapshot: '1', feed: never }))
  expect(hidden.map(({ status }) => status)).toEqual([404, 404, 404, 404])
})
