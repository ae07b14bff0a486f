import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSegmentFiles, type SegmentFiles } from '../../src/feeds/segment-files.ts'
import { sha256 } from '../../src/kernel/sha256.ts'

let dir: string
let errors: unknown[]
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'aldis-segments-')), 'segments')
  errors = []
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

const open = (maxBytes = 1_000): SegmentFiles =>
  createSegmentFiles({ dir, maxBytes, onError: (error) => errors.push(error) })
const aSegment = (n = 100) => {
  const bytes = randomBytes(n)
  return { bytes, digest: sha256(bytes), size: n }
}
type Segment = ReturnType<typeof aSegment>

async function read(files: SegmentFiles, segment: Segment, onFetch = () => {}): Promise<Buffer> {
  const got = await files.open(segment, async () => {
    onFetch()
    return segment.bytes
  })
  return got instanceof Readable ? Buffer.concat(await got.toArray()) : (got ?? Buffer.from('nothing'))
}

/** Reads once and settles; answers whether the database was asked. */
async function asked(files: SegmentFiles, segment: Segment): Promise<boolean> {
  let fetched = false
  const got = await read(files, segment, () => {
    fetched = true
  })
  expect(got.equals(segment.bytes)).toBe(true)
  await files.close()
  return fetched
}

test('a segment comes from the database once, and then from its file', async () => {
  const files = open(1_000_000)
  const [one, other] = [aSegment(500_000), aSegment(0)]
  expect([await asked(files, one), await asked(files, one), await asked(files, other)]).toEqual([true, false, true])
  expect([await asked(files, other), await asked(files, one)]).toEqual([false, false])
})

test('nobody else may look into the folder or a file', async () => {
  const files = open()
  await asked(files, aSegment())
  const [file = ''] = readdirSync(dir)
  expect([dir, join(dir, file)].map((path) => statSync(path).mode & 0o077)).toEqual([0, 0])
})

test('what is gone or of another length is read from the database again', async () => {
  const files = open()
  const one = aSegment()
  await asked(files, one)
  const path = join(dir, readdirSync(dir)[0] ?? '')
  truncateSync(path, 50)
  expect([await asked(files, one), await asked(files, one)]).toEqual([true, false])
  rmSync(path)
  expect([await asked(files, one), await asked(files, one)]).toEqual([true, false])
})

test('the oldest goes when there is no more room', async () => {
  const files = open(250)
  const [first, second, third] = [aSegment(), aSegment(), aSegment()]
  for (const one of [first, second, third]) await asked(files, one)
  expect(readdirSync(dir)).toHaveLength(2)
  expect([await asked(files, second), await asked(files, third), await asked(files, first)]).toEqual([
    false,
    false,
    true,
  ])
})

test('nothing of an earlier process is used', async () => {
  const one = aSegment()
  await asked(open(), one)
  writeFileSync(join(dir, 'half.br.new'), 'plum')
  const files = open()
  expect(readdirSync(dir)).toEqual([])
  expect(await asked(files, one)).toBe(true)
})

test('many at once are written once, and each gets its bytes', async () => {
  const files = open()
  const one = aSegment()
  const all = await Promise.all(Array.from({ length: 10 }, () => read(files, one)))
  expect(all.every((got) => got.equals(one.bytes))).toBe(true)
  await files.close()
  expect([readdirSync(dir).length, errors]).toEqual([1, []])
  expect(await asked(files, one)).toBe(false)
})

test('a folder that cannot be written costs speed and nothing else', async () => {
  const files = open()
  rmSync(dir, { recursive: true })
  const one = aSegment()
  expect([await asked(files, one), await asked(files, one)]).toEqual([true, true])
  expect([errors.length, existsSync(dir)]).toEqual([2, false])
})

test('what the database does not have is not there', async () => {
  const files = open()
  expect(await files.open(aSegment(), async () => undefined)).toBeUndefined()
  expect(readdirSync(dir)).toEqual([])
})
