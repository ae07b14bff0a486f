import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fill } from '../../../src/bridge/foreign/fill.ts'
import { shelfReads } from '../../../src/bridge/foreign/reads.ts'
import { openShelf, type Shelf } from '../../../src/bridge/foreign/shelf.ts'
import { aHash, aMirror, apple, banana } from '../../client/mirror-folder.ts'
import { FEED } from '../../client/source.ts'
import { anItem, DAY, idOf, NOON, PROGRAMME, sha } from '../../signals/factory.ts'

const [one, two, three] = [1, 2, 3].map((n) => aHash('pdq', sha(`heron ${n}`)))
if (one === undefined || two === undefined || three === undefined) throw new Error('three hashes')

let home: string
let shelf: Shelf
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-fill-'))
  mkdirSync(join(home, 'bridge'))
  shelf = openShelf(join(home, 'bridge', 'foreign.db'))
})
afterEach(() => {
  shelf.close()
  rmSync(home, { recursive: true })
})

const filled = () => fill({ shelf, home, programme: PROGRAMME, kindOf: () => 'audience', onWithheld: () => {} })
const signals = (): unknown[] =>
  shelf.db
    .prepare('select signal from sign order by seq')
    .all()
    .map((row) => row['signal'])

test('a shelf is read anew where the mirror was taken anew in other bytes, however many they are', async () => {
  await aMirror(home).says(apple, [one, two])
  await filled()
  rmSync(join(home, 'feeds'), { recursive: true })
  const again = aMirror(home)
  for (const item of [one, two, three]) await again.says(apple, [item])
  await filled()
  expect(signals()).toEqual([one, two, three].map(({ signal }) => signal))
})

test('of a mirror that is damaged behind what was read a shelf keeps what it has', async () => {
  const mirror = aMirror(home)
  await mirror.says(apple, [one])
  await filled()
  const read = statSync(mirror.file()).size
  await mirror.says(apple, [two])
  const all = readFileSync(mirror.file())
  writeFileSync(mirror.file(), all.fill(7, read))
  await expect(filled()).rejects.toMatchObject({ reason: 'mirror-damaged' })
  expect(signals()).toEqual([one.signal])
})

test('what comes later into any feed has no earlier time, since clients go on from one time over all of them', async () => {
  const [mirror, other] = [aMirror(home), idOf(77)]
  const at = new Date(NOON.getTime() + 100_000)
  await mirror.says(apple, [one, two])
  mirror.nodeSays('signal.held', { source: 'apple', signal: one.signal, at })
  await filled()
  await mirror.says(apple, [three], { feed: other })
  mirror.nodeSays('signal.expired', { source: 'apple', signal: one.signal, at: NOON })
  await filled()
  const reads = shelfReads(shelf.db)
  const from = { second: at.getTime() / 1_000 }
  const since = (feed: string) => reads.records(feed, { from, endedAfter: 0, limit: 9 }).map((row) => row.indicator)
  expect(since(other)).toEqual([three.value.hash])

  // Nor one that is older than what was taken away.
  const before = at.getTime() / 1_000 + 1
  expect(reads.purge(FEED, { before, erasedBefore: before, reached: 0 })).toBe(1)
  mirror.nodeSays('signal.held', { source: 'apple', signal: two.signal, at })
  await filled()
  const behind = { second: reads.purgedUpto(FEED) + 1 }
  expect(reads.records(FEED, { from: behind, endedAfter: 0, limit: 9 })).toMatchObject([{ indicator: two.value.hash }])
})

/** Each record of a value, in the order of what changed last. */
const records = (feed = FEED) => shelfReads(shelf.db).records(feed, { from: { pos: 0 }, endedAfter: 0, limit: 99 })
const told = (): [string, number][] => records().map(({ indicator, live }) => [indicator, live])
const words = (text: string, more: object = {}) => ({ ...anItem({}, 'keyword_pattern').value, text, ...more })
/** As clients have it: of any case and within words, thus an expression. */
const term = (text: string): string => JSON.stringify({ and: [{ or: [`regex-/(?i)${text}/`] }], not: [] })

describe('a keyword pattern whose words are revised', () => {
  const pattern = anItem({ value: words('blue heron') }, 'keyword_pattern')
  const revised = (revision: number, value: object) => ({ ...pattern, revision, value })

  test('ends under its former words', async () => {
    const mirror = aMirror(home)
    await mirror.says(apple, [pattern])
    await filled()
    await mirror.says(apple, [revised(2, words('grey heron'))])
    await filled()
    expect(told()).toEqual([
      [term('blue heron'), 0],
      [term('grey heron'), 1],
    ])
    await mirror.says(apple, [revised(3, words('blue heron'))])
    await filled()
    expect(told()).toEqual([
      [term('grey heron'), 0],
      [term('blue heron'), 1],
    ])
  })

  test('ends under its former words also where clients have no form for the new ones', async () => {
    const mirror = aMirror(home)
    await mirror.says(apple, [pattern, revised(2, words('blue heron', { confusables: true }))])
    await filled()
    expect(told()).toEqual([[term('blue heron'), 0]])
  })

  test('goes on under words that another source shares', async () => {
    const mirror = aMirror(home)
    await mirror.says(banana, [anItem({ value: words('blue heron') }, 'keyword_pattern')])
    await mirror.says(apple, [pattern, revised(2, words('grey heron'))])
    await filled()
    expect(told().sort()).toEqual([
      [term('blue heron'), 1],
      [term('grey heron'), 1],
    ])
  })

  test('once it is erased, leaves no former words in the file after a week', async () => {
    const mirror = aMirror(home)
    await mirror.says(apple, [pattern, revised(2, words('grey heron')), revised(3, words('white heron'))])
    mirror.nodeSays('signal.erased', { source: 'apple', signal: pattern.signal })
    await filled()
    expect(records().map(({ live, erased }) => [live, erased])).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
    ])
    const behind = NOON.getTime() / 1_000 + 1
    shelfReads(shelf.db).purge(FEED, { before: behind - (90 * DAY) / 1_000, erasedBefore: behind, reached: 0 })
    for (const table of ['record', 'former', 'sign'])
      expect(JSON.stringify(shelf.db.prepare(`select * from ${table}`).all())).not.toContain('heron')
  })

  test('leaves no former words behind that their records have left', async () => {
    const mirror = aMirror(home)
    await mirror.says(apple, [pattern, revised(2, words('grey heron'))])
    await filled()
    const behind = NOON.getTime() / 1_000 + 1
    shelfReads(shelf.db).purge(FEED, { before: behind, erasedBefore: behind, reached: 0 })
    expect(shelf.db.prepare('select * from former').all()).toEqual([])
  })

  test('counts as two of the 5,000 records that share a second', async () => {
    const mirror = aMirror(home)
    for (const from of [0, 1_000, 2_000]) {
      const some = Array.from({ length: from < 2_000 ? 1_000 : 600 }, (_, i) =>
        revised(from + i + 1, words(`heron ${from + i}`)),
      )
      await mirror.says(apple, some)
    }
    await filled()
    const shared = shelf.db
      .prepare('select count(*) as n from record group by last_updated order by last_updated')
      .all()
    // The last one that has the first second has no successor there.
    expect(shared).toEqual([{ n: 2_499 }, { n: 101 }])
  })
})

test('what came to be at TLP red is told no more, for being held neither', async () => {
  const mirror = aMirror(home)
  await mirror.says(apple, [one, { ...one, revision: 2, tlp: 'red' }])
  mirror.nodeSays('signal.held', { source: 'apple', signal: one.signal, revision: 2 })
  await filled()
  expect(told()).toEqual([[one.value.hash, 0]])
  await mirror.says(apple, [{ ...one, revision: 3 }])
  await filled()
  expect(told()).toEqual([[one.value.hash, 1]])
})
