import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Anchored } from '../../src/provenance/anchor.ts'
import { anchoredAfter, fileAnchor } from '../../src/provenance/anchor-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const tree = (size: bigint, seed = Number(size)) => ({
  ...{ origin: 'node.example.org/provenance/1', size },
  root: new Uint8Array(32).fill(seed),
})

test('what was swapped in is read, also by another that opens the folder', async () => {
  const anchor = fileAnchor(join(folder, 'a', '1'))
  expect(await anchor.read()).toBeUndefined()
  expect(await anchor.swap(undefined, tree(0n))).toBe('moved')
  expect(await anchor.swap(await anchor.read(), tree(5n))).toBe('moved')
  expect(await fileAnchor(join(folder, 'a', '1')).read()).toEqual({ ...tree(5n), generation: 2n })
})

test('of many that come from one generation exactly one wins, and what it wrote stands', async () => {
  for (let round = 0; round < 20; round++) {
    const anchors = Array.from({ length: 6 }, () => fileAnchor(folder))
    const from = await fileAnchor(folder).read()
    const outcomes = await Promise.all(anchors.map((one, i) => one.swap(from, tree(BigInt(round), i))))
    expect(outcomes.filter((outcome) => outcome === 'moved')).toHaveLength(1)
    const stands = await fileAnchor(folder).read()
    expect(stands).toEqual({ ...tree(BigInt(round), outcomes.indexOf('moved')), generation: BigInt(round) + 1n })
  }
})

test('who comes from a generation that passed is lost, and changes nothing', async () => {
  const anchor = fileAnchor(folder)
  await anchor.swap(undefined, tree(1n))
  const early = await anchor.read()
  await anchor.swap(early, tree(2n))
  expect(await anchor.swap(early, tree(3n))).toBe('lost')
  expect(await anchor.swap(undefined, tree(4n))).toBe('lost')
  expect(await anchor.read()).toMatchObject({ size: 2n })
})

test('sixteen generations below the newest are kept, and no other file left', async () => {
  const anchor = fileAnchor(folder)
  let from: Anchored | undefined
  for (let n = 0n; n < 40n; n++) {
    await anchor.swap(from, tree(n))
    from = await anchor.read()
  }
  expect(readdirSync(folder)).toHaveLength(17)
  expect(from).toEqual({ ...tree(39n), generation: 40n })
})

test('what a crash left half written counts for nothing, and is in nobody’s way', async () => {
  const anchor = fileAnchor(folder)
  await anchor.swap(undefined, tree(1n))
  writeFileSync(join(folder, '.0000000000000000002.1.1'), 'node.exa')
  writeFileSync(join(folder, 'README'), 'see the runbook')
  expect(await anchor.read()).toEqual({ ...tree(1n), generation: 1n })
  expect(await anchor.swap(await anchor.read(), tree(2n))).toBe('moved')
})

test.each(['', 'node.example.org/provenance/1\n5\n', 'node.example.org/provenance/1\n05\nAAAA\n'])(
  'a damaged anchor (%j) is an error and no missing one',
  async (text) => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, '0000000000000000001'), text)
    await expect(fileAnchor(folder).read()).rejects.toThrow('is no anchor')
  },
)

test('a folder that cannot be read is an error and no missing anchor', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  await expect(fileAnchor(file).read()).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('no other user may write over it', async () => {
  const anchor = fileAnchor(join(folder, 'anchor'))
  await anchor.swap(undefined, tree(1n))
  chmodSync(folder, 0o700)
  expect(readFileSync(join(folder, 'anchor', '0000000000000000001'), 'utf8')).toContain('\n1\n')
})

test('logs after one are those whose numbered folder has an anchor, by their number', async () => {
  expect(await anchoredAfter(join(folder, 'nowhere'), 1)).toEqual([])
  for (const log of [1, 10, 9, 2]) await fileAnchor(join(folder, String(log))).swap(undefined, tree(BigInt(log)))
  // Other things that are remembered: why a log was halted, what was erased.
  for (const name of ['11', 'erasures', '012']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, '11', 'halted.json'), '{}')
  const found = async (logId: number) => (await anchoredAfter(folder, logId)).map((one) => [one.logId, one.size])
  expect(await found(1)).toEqual([
    [2, 2n],
    [9, 9n],
    [10, 10n],
  ])
  expect(await found(10)).toEqual([])
})
