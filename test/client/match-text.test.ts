import { expect, test } from 'vitest'
import { type MatchedLine, matchLines } from '../../src/client/match-text.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import { createTextMatcher } from '../../src/matching/text-match.ts'

const matcher = createTextMatcher([
  {
    ...{ signal: 'kite', revision: 3 },
    value: {
      ...{ kind: 'literal', text: 'blue kite', language: 'en', case_sensitive: false, whole_word: false },
      ...{ must_match: [], must_not_match: [] },
    },
  },
])

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const matched = (text: string | Uint8Array, size = 7): Promise<MatchedLine[]> =>
  Array.fromAsync(matchLines(matcher, chunked(typeof text === 'string' ? utf8(text) : text, size)))

test('each line is matched for itself, however the bytes are cut', async () => {
  const text = 'a blue\nkite\nthe BLUE k\u0131te, \u{1f426} blue kite\n'
  for (const size of [1, 2, 3, 64]) {
    const lines = await matched(text, size)
    expect(lines.map(({ line }) => line)).toEqual([1n, 2n, 3n])
    expect(lines[2]).toEqual({
      ...{ line: 3n, outcome: 'matched' },
      hits: [{ pattern: 0, signal: 'kite', revision: 3, start: 18, end: 27 }],
    })
  }
})

test('a line beyond 64 KiB is named and passed over, and the next is matched', async () => {
  const lines = await matched(`${'x'.repeat(65_537)}\nblue kite\n${'x'.repeat(65_536)}`, 4_096)
  expect(lines.map(({ outcome }) => outcome)).toEqual(['too-long', 'matched', 'matched'])
  expect(lines[1]).toMatchObject({ line: 2n, hits: [{ pattern: 0, signal: 'kite' }] })
})

test('bytes that are no UTF-8 match nothing and stop nothing', async () => {
  const lines = await matched(Uint8Array.of(0xff, 0x62, 0xc3, ...utf8('blue kite'), 0xed, 0xa0, 0x80, 0x0a))
  expect(lines).toMatchObject([{ outcome: 'matched', hits: [{ start: 3, end: 12 }] }])
})

test('of a stream nothing is held but its line', async () => {
  const source = async function* (): AsyncGenerator<Uint8Array> {
    const chunk = utf8(`${'a blue kite, '.repeat(70)}\n`.repeat(64))
    for (let i = 0; i < 400; i++) yield chunk
  }
  let hits = 0
  let most = 0
  const before = process.memoryUsage().heapUsed
  for await (const one of matchLines(matcher, source())) {
    hits += one.outcome === 'matched' ? one.hits.length : 0
    if (hits % 1_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed)
  }
  expect(hits).toBe(400 * 64)
  // 23 MB went through.
  expect(most - before).toBeLessThan(100_000_000)
})
