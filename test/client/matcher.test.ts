import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { matchFileOf, refreshMatchFile } from '../../src/client/match-mirror.ts'
import {
  createMatcher,
  type Match,
  type Matcher,
  type MatcherOptions,
  type MatchQuery,
} from '../../src/client/matcher.ts'
import { anItem, idOf, instantAt, NOON, PROGRAMME, sha } from '../signals/factory.ts'
import { aHash, aMirror, apple, banana, type MirrorFolder } from './mirror-folder.ts'
import { FEED } from './source.ts'

let mirror: MirrorFolder
const open: Matcher[] = []
beforeEach(() => {
  mirror = aMirror(mkdtempSync(join(tmpdir(), 'aldis-match-')))
})
afterEach(async () => {
  for (const matcher of open.splice(0)) await matcher.close()
  rmSync(mirror.home, { recursive: true })
})

/** Over what the mirror has now. */
async function matcher(options: MatcherOptions = {}): Promise<Matcher> {
  await refreshMatchFile({ home: mirror.home, programme: PROGRAMME, now: NOON })
  const one = createMatcher(matchFileOf(mirror.home), { now: () => NOON, programme: PROGRAMME, ...options })
  open.push(one)
  return one
}

const signalsOf = (matches: readonly Match[]): string[] => matches.map(({ signal }) => signal).sort()
async function found(query: MatchQuery, options?: MatcherOptions): Promise<string[]> {
  return signalsOf((await (await matcher(options)).match(query)).matches)
}

const pdq = (): string => randomBytes(32).toString('hex')
/** The hash with its first bits turned. */
function turned(hash: string, n: number): string {
  const bytes = Buffer.from(hash, 'hex')
  for (let bit = 0; bit < n; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

describe('what is shared is matched', () => {
  test('identifiers by their token, under the profile and key epoch that made it, and no other', async () => {
    const item = anItem({}, 'email')
    await mirror.says(apple, [item, anItem({}, 'email')])
    const { token } = item.value
    expect(await found({ type: 'email', profile: 'email/1', kid: 'spring', token })).toEqual([item.signal])
    expect(await found({ type: 'email', profile: 'email/1', kid: 'autumn', token })).toEqual([])
    expect(await found({ type: 'email', profile: 'email-provider/1', kid: 'spring', token })).toEqual([])
    expect(await found({ type: 'phone', profile: 'email/1', kid: 'spring', token })).toEqual([])
    expect(await found({ type: 'email', profile: 'email/1', kid: 'spring', token: sha('other') })).toEqual([])
  })

  test('links by every expression, those of domains too', async () => {
    const link = (expression: string, type: 'url' | 'domain') =>
      anItem(
        { value: { profile: `${type}/1`, sha256: sha(expression), scope: { host: 'suffix', path: 'root' } } },
        type,
      )
    const [page, folder, host, domain, other] = [
      ...['bad.example/a/b?c=d', 'bad.example/a/', 'bad.example/'].map((one) => link(one, 'url')),
      link('bad.example/', 'domain'),
      link('good.example/', 'domain'),
    ] as const
    await mirror.says(
      apple,
      [page, folder, host, domain, other].filter((one) => one !== undefined),
    )
    const all = [page, folder, host, domain].map((one) => one?.signal ?? '')
    expect(await found({ type: 'url', raw: 'https://www.bad.example/a/z' })).toEqual(all.slice(1).toSorted())
    expect(await found({ type: 'url', raw: 'https://bad.example/a/b?c=d' })).toEqual(all.toSorted())
    expect(await found({ type: 'domain', raw: 'bad.example' })).toEqual([domain?.signal])
    expect(await found({ type: 'url', raw: 'https://else.example/' })).toEqual([])
  })

  test('hashes of files exactly, in either case, of 32 bytes and of others', async () => {
    const md5 = createHash('md5').update('plum').digest('hex')
    const items = [aHash('sha256', sha('plum')), aHash('md5', md5)]
    await mirror.says(apple, items)
    const hash = sha('plum').toUpperCase()
    expect(await found({ type: 'media_hash', algorithm: 'sha256', hash })).toEqual([items[0]?.signal])
    expect(await found({ type: 'media_hash', algorithm: 'md5', hash: md5 })).toEqual([items[1]?.signal])
    expect(await found({ type: 'media_hash', algorithm: 'video_md5', hash: md5 })).toEqual([])
  })

  test('PDQ hashes within 31 bits, and how far they are', async () => {
    const hash = pdq()
    const items = [
      aHash('pdq', hash),
      aHash('pdq', turned(hash, 31)),
      aHash('pdq', turned(hash, 32)),
      aHash('pdq', pdq()),
    ]
    await mirror.says(apple, items)
    const { matches } = await (await matcher()).match({ type: 'media_hash', algorithm: 'pdq', hash })
    expect(matches.map(({ signal, distance }) => [signal, distance])).toEqual([
      [items[0]?.signal, 0],
      [items[1]?.signal, 31],
    ])
    // The same 32 bytes as those of another algorithm are another thing.
    expect(await found({ type: 'media_hash', algorithm: 'sha256', hash })).toEqual([])
  })

  test('of every source that shared it', async () => {
    const value = anItem({}, 'ip').value
    const items = [anItem({ value }, 'ip'), anItem({ value }, 'ip'), anItem({ value }, 'ip')]
    await mirror.says(apple, items.slice(0, 2))
    await mirror.says(banana, items.slice(2))
    const { matches } = await (await matcher()).match({ type: 'ip', ...value })
    expect(signalsOf(matches)).toEqual(items.map(({ signal }) => signal).sort())
    expect(matches.map(({ source }) => source).sort()).toEqual(['apple', 'apple', 'banana'])
  })

  test('with what the source said of it, its handling, and where that is proven', async () => {
    const item = anItem({ handling: 'block_link', severity: 'critical', confidence: 91, tlp: 'green' }, 'email')
    await mirror.says(apple, [anItem(), item])
    const { matches, more } = await (await matcher()).match({ type: 'email', ...item.value })
    expect(more).toBe(false)
    expect(matches).toEqual([
      {
        ...{ signal: item.signal, revision: 1, type: 'email', profile: 'email/1@spring', source: 'apple' },
        ...{ category: 'grooming', severity: 'critical', confidence: 91, handling: 'block_link', tlp: 'green' },
        ...{ basis: 'human_reviewed', expires_at: item.expires_at, held: false, distance: 0 },
        provenance: { event: expect.stringMatching(/^[0-9a-f-]{36}$/), index: 1, feed: FEED, seq: '2' },
      },
    ])
  })

  test('and keyword patterns are handed on with their signals', async () => {
    const item = anItem({}, 'keyword_pattern')
    await mirror.says(apple, [item, anItem({ expires_at: instantAt(-1_000) }, 'keyword_pattern')])
    const patterns = (await matcher()).patterns()
    expect(patterns.map(({ signal, type, value }) => ({ signal, type, value }))).toEqual([
      { signal: item.signal, type: 'keyword_pattern', value: item.value },
    ])
  })
})

describe('what is no longer so does not match', () => {
  const item = anItem({}, 'email')
  const query: MatchQuery = { type: 'email', ...item.value }
  const about = { source: 'apple', signal: item.signal }

  test.for(['signal.expired', 'signal.erased'])('after %s', async (type) => {
    await mirror.says(apple, [item])
    expect(await found(query)).toEqual([item.signal])
    mirror.nodeSays(type, about)
    expect(await found(query)).toEqual([])
  })

  test('after a withdrawal', async () => {
    await mirror.says(apple, [item])
    await mirror.says(apple, [{ v: 1, signal: item.signal, revision: 2, prev: 'A'.repeat(43), reason: 'mistaken' }])
    expect(await found(query)).toEqual([])
  })

  test("after a withdrawal of another source's signal of the same id it does", async () => {
    await mirror.says(apple, [item])
    await mirror.says(banana, [item])
    mirror.nodeSays('signal.withdrawn', { ...about, source: 'banana' })
    expect(await found(query)).toEqual([item.signal])
  })

  test('once it is expired, whether the node said so or not', async () => {
    await mirror.says(apple, [item])
    const at = Date.parse(item.expires_at)
    expect(await found(query, { now: () => new Date(at - 1) })).toEqual([item.signal])
    expect(await found(query, { now: () => new Date(at) })).toEqual([])
  })

  test('while it is held, unless that is asked for', async () => {
    await mirror.says(apple, [item])
    mirror.nodeSays('signal.held', about)
    expect(await found(query)).toEqual([])
    const held = await (await matcher({ held: true })).match(query)
    expect(held.matches).toMatchObject([{ signal: item.signal, held: true }])
    await mirror.says(apple, [{ ...item, revision: 2, severity: 'low' }])
    expect(await found(query)).toEqual([])
    mirror.nodeSays('signal.released', about)
    expect(await found(query)).toEqual([item.signal])
  })

  test('of a revision only what the newest says', async () => {
    await mirror.says(apple, [item])
    await matcher()
    await mirror.says(apple, [{ ...item, revision: 2, severity: 'low', handling: 'monitor' }])
    const { matches } = await (await matcher()).match(query)
    expect(matches).toMatchObject([{ revision: 2, severity: 'low', handling: 'monitor' }])
  })

  test('in the feed that it has left, and in the other it does', async () => {
    await mirror.says(apple, [item])
    mirror.nodeSays('signal.withdrawn', about)
    await mirror.says(apple, [{ ...item, revision: 2 }], { feed: idOf(901) })
    const { matches } = await (await matcher()).match(query)
    expect(matches.map(({ revision, provenance }) => [revision, provenance.feed])).toEqual([[2, idOf(901)]])
  })
})

describe('of a query', () => {
  test('all that match are told, unless it is said how many: then the nearest, and that there are more', async () => {
    const hash = pdq()
    const items = [5, 1, 4, 2, 3].map((n) => aHash('pdq', turned(hash, n)))
    await mirror.says(apple, items)
    const query: MatchQuery = { type: 'media_hash', algorithm: 'pdq', hash }
    const distances = async (options: MatcherOptions) => {
      const { matches, more } = await (await matcher(options)).match(query)
      return [matches.map(({ distance }) => distance), more]
    }
    expect(await distances({})).toEqual([[1, 2, 3, 4, 5], false])
    expect(await distances({ most: 5 })).toEqual([[1, 2, 3, 4, 5], false])
    expect(await distances({ most: 2 })).toEqual([[1, 2], true])
  })

  test('what is not to be told is counted, and takes the room of nothing that is', async () => {
    const value = anItem({}, 'ip').value
    const items = ['red', 'red', 'green', 'red'].map((tlp) => anItem({ value, tlp }, 'ip'))
    await mirror.says(apple, items)
    const tells = ({ tlp }: Match) => tlp !== 'red'
    const found = await (await matcher({ most: 1, tells })).match({ type: 'ip', ...value })
    expect([signalsOf(found.matches), found.more, found.withheld]).toEqual([[items[2]?.signal], false, 3])
  })
})

test.for<[string, MatchQuery]>([
  ['a token that is none', { type: 'email', profile: 'email/1', kid: 'spring', token: 'plum' }],
  ['a PDQ hash of 31 bytes', { type: 'media_hash', algorithm: 'pdq', hash: 'ab'.repeat(31) }],
  ['a hash that is no hex', { type: 'media_hash', algorithm: 'md5', hash: 'x'.repeat(32) }],
  ['a link without host', { type: 'url', raw: 'https:///' }],
])('%s is refused by name, without what it is', async ([, query]) => {
  await mirror.says(apple, [anItem()])
  await expect((await matcher()).match(query)).rejects.toMatchObject({ name: 'Refusal', code: 'validation-failed' })
})

test('many questions at once each get their own answer', async () => {
  const hashes = Array.from({ length: 200 }, pdq)
  const items = hashes.map((hash) => aHash('pdq', hash))
  await mirror.says(apple, items)
  const one = await matcher()
  const answers = await Promise.all(hashes.map((hash) => one.match({ type: 'media_hash', algorithm: 'pdq', hash })))
  expect(answers.map(({ matches }) => signalsOf(matches))).toEqual(items.map(({ signal }) => [signal]))
})

test('an empty mirror matches nothing', async () => {
  expect(await found({ type: 'media_hash', algorithm: 'pdq', hash: pdq() })).toEqual([])
  expect(await found({ type: 'url', raw: 'https://bad.example/' })).toEqual([])
})
