import { randomBytes } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import type { LookupKey } from '../../src/client/derive.ts'
import { createBucketLookUp, openMatch, type SealedMatch } from '../../src/client/private-lookup.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { createVerifier } from '../../src/client/verify.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { bucketsOf, prefixNumber } from '../../src/matching/bucket.ts'
import { sealedKey, sealKid } from '../../src/matching/sealed.ts'
import { AUDIENCE, anItem, idOf, NOON, sha, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { type Answerer, closeServers, identityOf, json, serve } from './server.ts'
import { aNode, aRead, aSource, received } from './source.ts'

const apple = aSource('apple')
const node = aNode()
const verifier = createVerifier([apple.info], node.home)
const later = new Date('2027-01-01T00:00:00Z')

let pki: TestPki
let aspen: TlsIdentity
const clients: Client[] = []

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await closeServers()
})

async function clientOf(answer: Answerer) {
  const server = await serve(pki, answer)
  const client = createClient({ origin: server.origin, ...aspen })
  clients.push(client)
  return { client, requests: server.requests }
}

const asking = (n: number): LookupKey => ({ type: 'email', profile: 'email/1@spring', key: sha(`key ${n}`) })
const entryOf = (n: number): Uint8Array =>
  sealedKey(Buffer.from(asking(n).key, 'hex'), AUDIENCE).seal(
    'spring',
    { signal: idOf(n), category: 3, handling: 9, expires_at: later },
    new Uint8Array(12),
  )
/** A node with so many entries, each of an identifier of its own. */
function bucketNode(n: number, change: { bits?: number; entries?: number; gone?: number; unread?: boolean } = {}) {
  const { bits, width, bucket } = bucketsOf(Buffer.concat(Array.from({ length: n }, (_, i) => entryOf(i))), randomBytes)
  let gone = change.gone ?? 0
  const answer: Answerer = ({ path }, response) => {
    const [, , , audience, snapshot, prefix] = new URL(path, 'https://node').pathname.split('/')
    if (snapshot === undefined)
      return json(response, { audience, snapshot: '7', bits: change.bits ?? bits, entries: change.entries ?? width })
    if (gone > 0) {
      gone -= 1
      return json(response, { code: 'not-found', title: 'There is no such object', status: 404 }, 404)
    }
    response.writeHead(200, change.unread === true ? {} : { 'provenance-read': aRead(1) })
    response.end(bucket(prefixNumber(prefix ?? '', bits) ?? 0))
  }
  return { bits, answer }
}
const lookUp = (client: Client, onRead?: (read: string) => void) =>
  createBucketLookUp({ client, audience: AUDIENCE, purpose: 'appeal', now: () => NOON, ...(onRead && { onRead }) })

describe('a look-up by buckets', () => {
  test('finds just what the key opens, by a prefix alone, and asks for each bucket once', async () => {
    const { bits, answer } = bucketNode(1_200)
    const { client, requests } = await clientOf(answer)
    const reads: string[] = []
    const by = lookUp(client, (read) => reads.push(read))
    for (const n of [3, 700, 3, 1_199])
      expect((await by.find(asking(n))).map(({ signal }) => signal)).toEqual([idOf(n)])
    expect(await by.find(asking(5_000))).toEqual([])
    expect((await by.find(asking(3)))[0]).toMatchObject({ category: 3, handling: undefined, expires_at: later })
    const paths = requests.map(({ path }) => path)
    expect(new Set(paths).size).toBe(paths.length)
    expect(paths[0]).toBe(`/v1/lookup/${AUDIENCE}`)
    expect(paths.length - 1).toBeLessThanOrEqual(2 ** bits)
    expect(reads).toHaveLength(paths.length - 1)
    for (const path of paths.slice(1)) expect(path).toMatch(/\/7\/[0-9a-f]\?purpose=appeal$/)
  })

  test('says the same for any two keys of one bucket', async () => {
    const { bits, answer } = bucketNode(1_200)
    const prefix = (n: number) => (sealedKey(Buffer.from(asking(n).key, 'hex'), AUDIENCE).tag[0] ?? 0) >>> (8 - bits)
    const twin = Array.from({ length: 50 }, (_, i) => 6_000 + i).find((n) => prefix(n) === prefix(3)) ?? 0
    const said = async (n: number) => {
      const { client, requests } = await clientOf(answer)
      await lookUp(client).find(asking(n))
      return requests.map(({ method, path, headers: { host: _, ...headers }, body }) => ({
        method,
        path,
        headers,
        body,
      }))
    }
    expect(await said(twin)).toEqual(await said(3))
  })

  test('asks for the newest snapshot once more where the one that it was told is gone', async () => {
    const { answer } = bucketNode(40, { gone: 1 })
    const { client, requests } = await clientOf(answer)
    expect(await lookUp(client).find(asking(3))).toHaveLength(1)
    expect(requests).toHaveLength(4)
    const none = await clientOf(bucketNode(40, { gone: 2 }).answer)
    await expect(lookUp(none.client).find(asking(3))).rejects.toMatchObject({ code: 'not-found' })
  })

  test.each([
    ['that its buckets cannot have', { bits: 1 }],
    ['that is longer than any', { bits: 17, entries: 1_000 }],
    ['of no whole number of bits', { bits: 0.5 }],
  ])('does not ask by a prefix %s', async (_, change) => {
    const { client, requests } = await clientOf(bucketNode(40, change).answer)
    await expect(lookUp(client).find(asking(3))).rejects.toThrow('longer than its buckets allow')
    expect(requests).toHaveLength(1)
  })

  test('takes no bucket of another length than its snapshot says', async () => {
    const short = await clientOf(bucketNode(40, { entries: 41 }).answer)
    await expect(lookUp(short.client).find(asking(3))).rejects.toThrow('another size')
    const long = await clientOf(bucketNode(40, { entries: 39 }).answer)
    await expect(lookUp(long.client).find(asking(3))).rejects.toThrow('longer than')
  })

  test('takes no bucket of which the node names no record, but for one that is empty', async () => {
    const empty = await clientOf(bucketNode(0, { unread: true }).answer)
    expect(await lookUp(empty.client).find(asking(3))).toEqual([])
    const { client } = await clientOf(bucketNode(40, { unread: true }).answer)
    const unread = { name: 'VerificationFailed', step: 'read' }
    await expect(lookUp(client).find(asking(3))).rejects.toMatchObject(unread)
  })
})

describe('a match that is opened', () => {
  const token = asking(1).key
  const value = { profile: 'email/1', kid: 'spring', token }
  const match = (change: Partial<SealedMatch> = {}): SealedMatch => ({
    ...{ key: asking(1), audience: AUDIENCE, signal: idOf(1), category: 3, handling: 'review', expires_at: later },
    ...change,
  })
  const answering = async (items: readonly object[], asked = match()) => {
    const given = await received(node, apple, items.map(textOf))
    const submissions = [...new Map(given.map(({ proof }) => [proof?.event, proof])).values()]
    const { client, requests } = await clientOf((_, response) =>
      json(response, { as_of: '9', events: given.map(({ event }) => event), submissions }, 200, {
        'provenance-read': aRead(1),
      }),
    )
    const reads: string[] = []
    const opened = await openMatch({ client, verifier, node: node.home }, asked, {
      purpose: 'enforcement',
      onRead: (read) => reads.push(read),
    })
    return { opened, reads, path: requests[0]?.path }
  }
  const email = (change: object = {}) => anItem({ signal: idOf(1), value, ...change }, 'email')

  test('is what its source signed, with what the node promised of it', async () => {
    const { opened, reads, path } = await answering([email()])
    expect(opened).toMatchObject([{ authority: 'origin', item: email({ signal: idOf(1) }), match: match() }])
    expect(opened[0]?.promised).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(reads).toEqual([aRead(1)])
    expect(path).toBe(`/v1/audiences/${AUDIENCE}/signals/${idOf(1)}?purpose=enforcement`)
  })

  test.each<[string, object]>([
    ['of another identifier', { value: { ...value, token: sha('another') } }],
    ['under another key epoch', { value: { ...value, kid: 'summer' } }],
    ['of another audience', { audience: idOf(77) }],
    ['with another id', { signal: idOf(2) }],
  ])('is refused where the source signed one %s', async (_, change) => {
    await expect(answering([email(change)])).rejects.toThrow('no source signed this signal for the key that we hold')
  })

  test('leaves aside what another source calls by the same id', async () => {
    const { opened } = await answering([email({ value: { ...value, token: sha('another') } }), email()])
    expect(opened).toHaveLength(1)
  })

  test.each<[string, LookupKey, object]>([
    [
      'a link',
      { type: 'url', profile: 'url/1', key: sha('link') },
      anItem({
        signal: idOf(1),
        value: { profile: 'url/1', sha256: sha('link'), scope: { host: 'exact', path: 'exact' } },
      }),
    ],
    [
      'a media hash of 32 bytes',
      { type: 'media_hash', profile: 'sha256', key: sha('file') },
      anItem({ signal: idOf(1), value: { algorithm: 'sha256', hash: sha('file') } }, 'media_hash'),
    ],
    [
      'a shorter media hash',
      { type: 'media_hash', profile: 'md5', key: sha(`md5\0${'ab'.repeat(16)}`) },
      anItem({ signal: idOf(1), value: { algorithm: 'md5', hash: 'ab'.repeat(16) } }, 'media_hash'),
    ],
  ])('may be of %s', async (_, key, item) => {
    expect(sealKid(key.profile)).toBe(key.profile)
    expect((await answering([item], match({ key }))).opened).toHaveLength(1)
  })

  test('is nothing where the signal has ended since', async () => {
    const { client } = await clientOf((_, response) =>
      json(response, { code: 'not-found', title: 'There is no such object', status: 404 }, 404),
    )
    const opened = openMatch({ client, verifier, node: node.home }, match({ signal: idOf(4) as Uuid }), {
      purpose: 'appeal',
    })
    expect(await opened).toEqual([])
  })
})
