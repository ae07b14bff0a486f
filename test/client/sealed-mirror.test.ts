import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import type { LookupKey } from '../../src/client/derive.ts'
import { type SyncOptions, syncFeeds } from '../../src/client/mirror.ts'
import { openSealedMirror } from '../../src/client/private-lookup.ts'
import { RECORD_BYTES } from '../../src/client/sealed-mirror.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { createVerifier } from '../../src/client/verify.ts'
import { AUDIENCE, anItem, aWithdrawal, DAY, idOf, NOON, sha, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { asked } from './feed-node.ts'
import { anExpiry, aSealedEvent, eventOf, serveSealed, type TestSealedFeed } from './sealed-node.ts'
import { closeServers, identityOf } from './server.ts'
import { aNode, aSource, FEED, received } from './source.ts'

const apple = aSource('apple')
const node = aNode()
const verifier = createVerifier([apple.info], node.home)

let pki: TestPki
let aspen: TlsIdentity
let dir: string
const clients: Client[] = []

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-sealed-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await closeServers()
  rmSync(dir, { recursive: true })
})

const aFeed = (change: Partial<TestSealedFeed> = {}): TestSealedFeed => ({
  events: [],
  segment: 0,
  page: 1_000,
  ...change,
})
const keyOf = (n: number): string => sha(`key ${n}`)
const live = (seq: number, replaces?: number) =>
  aSealedEvent({ seq, key: keyOf(seq), signal: idOf(seq), ...(replaces === undefined ? {} : { replaces }) })
const asking = (n: number, profile = 'email/1@spring'): LookupKey => ({ type: 'email', profile, key: keyOf(n) })

async function syncWith(feed: TestSealedFeed, options: Partial<SyncOptions> = {}) {
  const server = await serveSealed(pki, feed, node.receiptKey)
  const client = createClient({ origin: server.origin, ...aspen })
  clients.push(client)
  const n = await syncFeeds({ client, verifier, dir, ...options })
  return { n, asked: asked(server.requests) }
}
const mirror = () => openSealedMirror(dir, { feed: FEED, audience: AUDIENCE, now: () => NOON })
const found = async (n: number) => (await mirror().find(asking(n))).map(({ signal }) => signal)
/** Which of the first so many keys the mirror finds. */
const present = async (n: number) => {
  const all = Array.from({ length: n }, (_, i) => i + 1)
  const signals = await Promise.all(all.map(found))
  return all.filter((i) => signals[i - 1]?.[0] === idOf(i))
}

describe('a sealed mirror', () => {
  test('finds what its keys open, and says what the entry says of it', async () => {
    await syncWith(aFeed({ events: [live(1), live(2)] }))
    expect(await mirror().find(asking(2))).toEqual([
      {
        ...{ key: asking(2), audience: AUDIENCE, signal: idOf(2), category: 3, handling: 'review' },
        expires_at: new Date('2027-01-01T00:00:00Z'),
      },
    ])
    expect(await mirror().find(asking(3))).toEqual([])
    expect(await mirror().find(asking(2, 'email/1@summer'))).toEqual([])
    expect(mirror().size).toBe(2)
  })

  test('takes segments and pages, and goes on where it stood', async () => {
    const feed = aFeed({ events: [live(1), live(2), live(3)], segment: 2, page: 1 })
    expect(await syncWith(feed)).toMatchObject({ n: 3, asked: ['segments 1', 'events 2'] })
    feed.events.push(live(4))
    expect(await syncWith(feed)).toEqual({ n: 1, asked: ['events 3'] })
    expect(await present(4)).toEqual([1, 2, 3, 4])
  })

  test('forgets what was replaced and what has ended, in the file too, and keeps the ends', async () => {
    const events = [live(1), live(2), live(3, 1), anExpiry(4, 2, idOf(2))]
    await syncWith(aFeed({ events }))
    expect(await present(3)).toEqual([3])
    const bytes = readFileSync(join(dir, `${FEED}.sealed`))
    expect(bytes.subarray(8, RECORD_BYTES).every((byte) => byte === 0)).toBe(true)
    expect(JSON.parse(readFileSync(join(dir, `${FEED}.ndjson`), 'utf8'))).toEqual(anExpiry(4, 2, idOf(2)))
  })

  test('forgets an entry that was erased before it came, and the one before it', async () => {
    const { sealed: _, ...stub } = live(2, 1)
    await syncWith(aFeed({ events: [live(1), { ...stub, reason: 'erased' }, live(3)] }))
    expect(await present(3)).toEqual([3])
  })

  test('does not find what has expired, whether its end has come or not', async () => {
    const expires_at = new Date(NOON.getTime() - DAY)
    await syncWith(aFeed({ events: [aSealedEvent({ seq: 1, key: keyOf(1), signal: idOf(1), expires_at })] }))
    expect(await found(1)).toEqual([])
  })

  test('holds an end to what its source signed', async () => {
    const end = textOf(aWithdrawal({ signal: idOf(1) }))
    const withdrawn = async (text: string) => {
      const [one] = await received(node, apple, [text], { typ: 'aldis-withdrawal+jws', seq: 2 })
      if (one === undefined) throw new Error('no event')
      return { ...one, event: { ...one.event, ends: '1' } }
    }
    const good = await withdrawn(end)
    await syncWith(aFeed({ events: [live(1), good] }))
    expect(await present(1)).toEqual([])
    const other = { ...good, event: { ...good.event, signal: idOf(9) } }
    rmSync(join(dir, `${FEED}.json`))
    await expect(syncWith(aFeed({ events: [live(1), other] }))).rejects.toThrow('another signal')
  })

  test('takes nothing in that the node did not sign as it is', async () => {
    const events = [live(1), live(2)]
    const refused = 'no pinned key of the node signed'
    await expect(syncWith(aFeed({ events, signs: (text) => `${text} ` }))).rejects.toThrow(refused)
    await expect(syncWith(aFeed({ events, segment: 2, signs: () => '' }))).rejects.toThrow(refused)
    expect(await syncWith(aFeed({ events }))).toMatchObject({ n: 2 })
    const [line = ''] = readFileSync(join(dir, `${FEED}.deltas.ndjson`), 'utf8').split('\n')
    expect(JSON.parse(line)).toMatchObject({ from: '1', to: '2', signature: expect.stringContaining(' ') })
  })

  test.each([
    ['an event that is missing', () => [live(1), live(3)], 'an event after 1 is missing'],
    ['an entry that is too short', () => [{ ...live(1), sealed: 'AAAA' }], 'is none'],
    ['an event of another feed', () => [{ ...live(1), feed: idOf(901) }], 'another feed'],
  ])('refuses %s', async (_, events, why) => {
    await expect(syncWith(aFeed({ events: events() }))).rejects.toThrow(why)
    expect(() => readFileSync(join(dir, `${FEED}.json`))).toThrow('ENOENT')
  })

  test.for([
    ['feed-cursor', 'feed'],
    ['provenance-read', 'read'],
  ] as const)('refuses a segment without %s', async ([without, step]) => {
    const one = syncWith(aFeed({ events: [live(1), live(2)], segment: 2, without }))
    await expect(one).rejects.toMatchObject({ name: 'VerificationFailed', step })
    expect(() => readFileSync(join(dir, `${FEED}.json`))).toThrow('ENOENT')
  })

  test('refuses a signal in the clear: what is sealed stays so', async () => {
    const [clear] = await received(node, apple, [textOf(anItem({}, 'email'))])
    if (clear === undefined) throw new Error('no event')
    await expect(syncWith(aFeed({ events: [clear] }))).rejects.toThrow('in the clear')
  })

  test('repeats what a crash left behind its noted place, and begins anew where it is gone', async () => {
    const feed = aFeed({ events: [live(1), live(2)] })
    await syncWith(feed)
    appendFileSync(join(dir, `${FEED}.sealed`), 'half a record')
    feed.events.push(live(3))
    expect(await syncWith(feed)).toMatchObject({ n: 1 })
    expect(await present(3)).toEqual([1, 2, 3])
    truncateSync(join(dir, `${FEED}.sealed`), RECORD_BYTES)
    expect(await syncWith(feed)).toMatchObject({ n: 3 })
    expect(await present(3)).toEqual([1, 2, 3])
  })

  test('that stands beyond its feed, which a restored backup set back, is filled anew', async () => {
    await syncWith(aFeed({ events: [live(1), live(2), live(3)] }))
    expect(await syncWith(aFeed({ events: [live(1), live(2)] }))).toMatchObject({ n: 2 })
    expect(await present(3)).toEqual([1, 2])
  })

  test('that lost what it noted and is killed while it is filled anew is whole after the next time', async () => {
    const feed = aFeed({ events: [live(1), live(2), live(3)] })
    await syncWith(feed)
    truncateSync(join(dir, `${FEED}.sealed`), RECORD_BYTES)
    await expect(syncWith({ ...feed, signs: () => '' })).rejects.toThrow('no pinned key')
    // Other bytes, as many as were noted before.
    appendFileSync(join(dir, `${FEED}.sealed`), Buffer.alloc(3 * RECORD_BYTES))
    expect(await syncWith(feed)).toMatchObject({ n: 3 })
    expect(await present(3)).toEqual([1, 2, 3])
  })

  test('counts what came, and names nothing of it', async () => {
    const told: [number, number][] = []
    const ends: string[] = []
    await syncWith(aFeed({ events: [live(1), live(2), anExpiry(3, 1, idOf(1))] }), {
      onSealed: (_, n) => told.push([n, told.length]),
      onEvents: (_, some) => void ends.push(...some.map(({ event }) => event.type)),
    })
    expect([told, ends]).toEqual([[[2, 0]], ['signal.expired']])
    expect(eventOf(live(1))).not.toHaveProperty('signal')
  })

  test('that is not there is told, and a feed that is no id is not looked for', () => {
    expect(mirror).toThrow('aldis sync')
    expect(() => openSealedMirror(dir, { feed: '../x' as never, audience: AUDIENCE })).toThrow('aldis sync')
  })
})
