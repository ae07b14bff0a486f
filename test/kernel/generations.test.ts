import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderGenerations } from '../../src/kernel/generations.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('of many that move on from one generation exactly one wins, and what it wrote stands', async () => {
  for (let round = 0n; round < 20n; round++) {
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, i) => folderGenerations(folder).next(round, `plum ${i}`)),
    )
    expect(outcomes.filter((outcome) => outcome === 'kept')).toHaveLength(1)
    const newest = await folderGenerations(folder).newest()
    expect(newest).toMatchObject({ generation: round + 1n, text: `plum ${outcomes.indexOf('kept')}` })
  }
  expect(readdirSync(folder)).toHaveLength(17)
})

test('who comes from a generation that was long cleared away is lost, and leaves nothing', async () => {
  const memory = folderGenerations(folder)
  for (let n = 0n; n < 40n; n++) expect(await memory.next(n, `fig ${n}`)).toBe('kept')
  for (const from of [0n, 5n, 22n, 39n]) expect(await memory.next(from, 'pear')).toBe('lost')
  expect(await memory.newest()).toMatchObject({ generation: 40n, text: 'fig 39' })
  expect(readdirSync(folder)).toHaveLength(17)
})

test('what a crash left half written, and what others put there, counts for nothing', async () => {
  const memory = folderGenerations(folder)
  await memory.next(0n, 'fig')
  writeFileSync(join(folder, '0000000000000000002.1.1.1'), 'pe')
  writeFileSync(join(folder, 'README'), 'see the runbook')
  expect(await memory.newest()).toMatchObject({ generation: 1n, text: 'fig' })
  expect(await memory.next(1n, 'pear')).toBe('kept')
})
