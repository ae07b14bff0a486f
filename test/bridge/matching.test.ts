import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Told } from '../../src/bridge/answer.ts'
import { BRIDGE_LIMITS } from '../../src/bridge/limits.ts'
import { matchAll, NO_TOKENS, readQueries } from '../../src/bridge/matching.ts'
import { createMirrors, type Mirrors } from '../../src/bridge/mirror.ts'
import { refreshMatchFile } from '../../src/client/match-mirror.ts'
import { aHash, aMirror, apple, banana } from '../client/mirror-folder.ts'
import { anItem, idOf, NOON, PROGRAMME } from '../signals/factory.ts'

/** More than are told of one query. */
const ALIKE = BRIDGE_LIMITS.matches + 20
const HASH = randomBytes(32)
/** The hash with its first bits turned. */
function turned(n: number): string {
  const bytes = Buffer.from(HASH)
  for (let bit = 0; bit < n; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}
const popular = { type: 'media_hash', algorithm: 'pdq', hash: HASH.toString('hex') }

/** Two sources may call a signal of theirs so. */
const SHARED_ID = idOf(4_711)
const patternOf = (text: string) => ({ ...anItem({}, 'keyword_pattern').value, kind: 'literal', text, must_match: [] })

let dir: string
let mirrors: Mirrors
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-matching-'))
  const { value } = anItem({}, 'keyword_pattern')
  const mirror = aMirror(dir)
  await mirror.says(apple, [
    anItem({ signal: SHARED_ID, value: patternOf('grey heron') }, 'keyword_pattern'),
    // Those at TLP red are the nearest.
    ...Array.from({ length: ALIKE }, () => aHash('pdq', turned(0), { tlp: 'red' })),
    ...Array.from({ length: ALIKE }, (_, i) => aHash('pdq', turned(i < ALIKE - 1 ? 2 : 1))),
    ...Array.from({ length: ALIKE }, (_, i) => anItem({ value, ...(i < 5 ? { tlp: 'red' } : {}) }, 'keyword_pattern')),
  ])
  await mirror.says(banana, [anItem({ signal: SHARED_ID, value: patternOf('green jay') }, 'keyword_pattern')])
  await refreshMatchFile({ home: dir, programme: PROGRAMME, now: NOON })
  mirrors = createMirrors(dir, { programme: PROGRAMME, clock: () => NOON })
  mirrors.reopen({ full: true, sealed: undefined })
})
afterAll(async () => {
  await mirrors.close()
  rmSync(dir, { recursive: true })
})

const matched = async (queries: readonly object[]): Promise<Told[]> =>
  (await mirrors.use((open) => matchAll(open, readQueries(queries), NO_TOKENS))) ?? []

test('of a query no more signals are told than the limit, the nearest, with what says that there are more', async () => {
  const [told] = await matched([popular])
  expect(told).toMatchObject({ outcome: 'match', more: true, withheld: ALIKE })
  expect(told?.matches).toHaveLength(BRIDGE_LIMITS.matches)
  expect(told?.matches?.slice(0, 3).map(({ distance }) => distance)).toEqual([1, 2, 2])
})

test('of a text no more signals are told than the limit, with what says that there are more', async () => {
  const [told] = await matched([{ type: 'text', value: 'a blue kite' }])
  expect(told).toMatchObject({ outcome: 'match', more: true, withheld: 5 })
  expect(told?.matches).toHaveLength(BRIDGE_LIMITS.matches)
})

test('a text matches the pattern of the source that said it, whoever else calls a signal so', async () => {
  const told = await matched(['a grey heron', 'a green jay'].map((value) => ({ type: 'text', value })))
  expect(told.map(({ matches }) => matches?.map(({ source, signal }) => [source, signal]))).toEqual([
    [['apple', SHARED_ID]],
    [['banana', SHARED_ID]],
  ])
})

test('of a request no more signals are told than the limit, and one of each query in any case', async () => {
  const n = BRIDGE_LIMITS.matches_of_request / BRIDGE_LIMITS.matches + 50
  const none = { ...popular, hash: 'ab'.repeat(32) }
  const told = await matched([...Array.from({ length: n }, () => popular), none])
  const counts = told.map(({ matches }) => matches?.length ?? 0)
  expect(counts.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(BRIDGE_LIMITS.matches_of_request)
  expect([counts[0], Math.min(...counts.slice(0, n)), counts.at(-1)]).toEqual([BRIDGE_LIMITS.matches, 1, 0])
  expect(told.map(({ more = false }) => more)).toEqual([...Array.from({ length: n }, () => true), false])
})
