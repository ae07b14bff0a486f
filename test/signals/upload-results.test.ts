import { expect, test } from 'vitest'
import { PART_BYTES } from '../../src/signals/upload-limits.ts'
import { createSize, piecesOf } from '../../src/signals/upload-parts.ts'
import { createCount, createResults } from '../../src/signals/upload-results.ts'

const text = (...lines: object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

test('items are counted by their submissions, and those that a refused one takes with it', () => {
  const count = createCount()
  expect(count.add(text({ line: 2, status: 201 }, { line: 2, first: 1, status: 200, accepted: 1, refused: 0 }))).toBe(
    undefined,
  )
  count.add(text({ line: 5, first: 3, status: 200, accepted: 1, refused: 1 }))
  count.add(text({ line: 9, first: 6, status: 422, code: 'signature-invalid' }))
  expect(count.sofar()).toEqual({ accepted: 2n, refused: 4n })
})

test('what ends an upload is told by its code, and counts nothing', () => {
  const count = createCount()
  expect(count.add(text({ line: 9, first: 6, status: 503, code: 'busy' }))).toBe('busy')
  expect(count.sofar()).toEqual({ accepted: 0n, refused: 0n })
})

test('results are written in pieces of a row, and in between it is told how far it is', async () => {
  const written: (number | string)[] = []
  let now = 0
  const results = createResults(
    async (content, part) => void written.push(content === undefined ? 'told' : part),
    () => now,
  )
  const half = 'x'.repeat(PART_BYTES / 2)
  for (const step of [0, 0, 500, 2_000, 0]) {
    now += step
    await results.add(half)
  }
  await results.end()
  await results.end()
  expect(written).toEqual([0, 1, 2])
  now += 2_000
  await results.add('y')
  await results.end()
  expect(written).toEqual([0, 1, 2, 'told', 3])
})

test('pieces fit a row, and the size counts lines, a last one without its end too', async () => {
  const sizes: number[] = []
  const size = createSize()
  const chunks = async function* () {
    for (let i = 0; i < 40; i++) yield Buffer.from(`${'z'.repeat(99_999)}\n`)
    yield Buffer.from('last')
  }
  for await (const piece of piecesOf(chunks())) {
    sizes.push(piece.length)
    size.add(piece)
  }
  expect(Math.max(...sizes)).toBeLessThan(PART_BYTES + 100_000)
  expect([size.bytes(), size.lines(), sizes.length]).toEqual([4_000_004, 41, 4])
})
