import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createPiecePool, newPiece, piecesOf } from '../../src/feeds/pieces.ts'

const dir = mkdtempSync(join(tmpdir(), 'aldis-pieces-'))
afterAll(() => rmSync(dir, { recursive: true }))

const PIECE = newPiece().length
const isClosed = (file: FileHandle): boolean => file.fd === -1

async function aFile(bytes: Buffer): Promise<FileHandle> {
  writeFileSync(join(dir, 'file'), bytes)
  return open(join(dir, 'file'))
}

describe('a file in pieces', () => {
  test.for([0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])('of %i bytes is all of it', async (size) => {
    const bytes = randomBytes(size)
    const file = await aFile(bytes)
    const pieces: Buffer[] = await piecesOf(file, size, newPiece).toArray()
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
    expect(pieces).toHaveLength(Math.ceil(size / PIECE))
    await expect.poll(() => isClosed(file)).toBe(true)
  })
  test('is read no further than one piece ahead of its reader', async () => {
    const file = await aFile(randomBytes(5 * PIECE))
    let taken = 0
    const stream = piecesOf(file, 5 * PIECE, () => {
      taken += 1
      return newPiece()
    })
    await stream[Symbol.asyncIterator]().next()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(taken).toBe(2)
    stream.destroy()
    await expect.poll(() => isClosed(file)).toBe(true)
  })
  test('that is shorter than it was fails with where it ends, and is closed', async () => {
    const file = await aFile(randomBytes(2 * PIECE))
    truncateSync(join(dir, 'file'), PIECE)
    await expect(piecesOf(file, 2 * PIECE, newPiece).toArray()).rejects.toThrow(
      new RangeError(`a file of ${2 * PIECE} bytes ends at ${PIECE}`),
    )
    await expect.poll(() => isClosed(file)).toBe(true)
  })
})

describe('buffers of answers', () => {
  test('are used again once what was in them is written, by another answer too', () => {
    const pool = createPiecePool()
    let unsent = 0
    const one = pool.lend(() => unsent)
    const [first, second] = [one.take(), one.take()]
    one.passed(first)
    unsent = 1
    expect([first, second]).not.toContain(one.take())
    unsent = 0
    expect(one.take()).toBe(first)
    one.passed(second)
    one.passed(Buffer.from('a head'))
    unsent = 'a head'.length
    const other = pool.lend(() => 0)
    expect([one.take(), one.take()]).toContain(second)
    const third = other.take()
    other.passed(third)
    expect([other.take(), one.take()]).toContain(third)
  })
  test('of an answer that was written to its end are all used again', () => {
    const pool = createPiecePool()
    let unsent = 2 * PIECE
    const one = pool.lend(() => unsent)
    const taken = [one.take(), one.take()]
    for (const piece of taken) one.passed(piece)
    one.written()
    const other = pool.lend(() => 0)
    expect(taken).not.toContain(other.take())
    unsent = 0
    one.written()
    expect([other.take(), other.take()]).toEqual(expect.arrayContaining(taken))
  })
  test('are fresh where nobody knows what was written', () => {
    const lent = createPiecePool().lend(() => Number.POSITIVE_INFINITY)
    const taken = new Set(Array.from({ length: 20 }, () => lent.take()))
    for (const piece of taken) lent.passed(piece)
    expect(taken.has(lent.take())).toBe(false)
  })
  test('are kept for others up to 16 MiB', () => {
    const lent = createPiecePool().lend(() => 0)
    const taken = Array.from({ length: 70 }, () => lent.take())
    for (const piece of taken) lent.passed(piece)
    const again = new Set(taken.map(() => lent.take()))
    expect(taken.filter((piece) => again.has(piece))).toHaveLength((16 * 1_024 * 1_024) / PIECE)
  })

  /** What an answer does, in any order: a piece or a head is passed on, some of what waits is written, a piece is left behind. */
  const step = fc.record({
    answer: fc.nat(2),
    does: fc.constantFrom('piece', 'piece', 'head', 'write', 'leave', 'tell'),
    bytes: fc.integer({ min: 1, max: 2 * PIECE }),
  })
  test('hold what was put into them until the last of it is written, whatever several answers do', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const pool = createPiecePool()
        const answers = Array.from({ length: 3 }, () => {
          const waiting: { bytes: Buffer; mark: number; left: number }[] = []
          const unsent = () => waiting.reduce((sum, { left }) => sum + left, 0)
          return { waiting, unsent, lent: pool.lend(unsent) }
        })
        steps.forEach(({ answer, does, bytes }, i) => {
          const { waiting, lent } = answers[answer] ?? expect.fail()
          const put = (own: Buffer): void => {
            own.fill(i % 251)
            waiting.push({ bytes: own, mark: i % 251, left: own.length })
            lent.passed(own)
          }
          if (does === 'piece') put(lent.take().subarray(0, Math.min(bytes, PIECE)))
          if (does === 'head') put(Buffer.alloc(1 + (bytes % 300)))
          if (does === 'leave') lent.take().fill(255)
          if (does === 'tell') lent.written()
          for (let most = does === 'write' ? bytes : 0; most > 0 && waiting.length > 0; ) {
            const first = waiting[0] ?? expect.fail()
            const n = Math.min(most, first.left)
            const at = first.bytes.length - first.left
            expect(first.bytes.subarray(at, at + n).every((byte) => byte === first.mark)).toBe(true)
            first.left -= n
            most -= n
            if (first.left === 0) waiting.shift()
          }
        })
      }),
      { numRuns: 60 },
    )
  })
})
