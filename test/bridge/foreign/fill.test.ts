import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fill } from '../../../src/bridge/foreign/fill.ts'
import { shelfReads } from '../../../src/bridge/foreign/reads.ts'
import { openShelf, type Shelf } from '../../../src/bridge/foreign/shelf.ts'
import { aHash, aMirror, apple } from '../../client/mirror-folder.ts'
import { FEED } from '../../client/source.ts'
import { idOf, NOON, PROGRAMME, sha } from '../../signals/factory.ts'

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
