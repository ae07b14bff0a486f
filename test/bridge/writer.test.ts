import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onlyWriter } from '../../src/bridge/writer.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-home-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('one process writes a home; the next is told so, until the first lets go', async () => {
  const letGo = await onlyWriter(home)
  await expect(onlyWriter(home)).rejects.toMatchObject({ code: 'home-in-use', status: 409 })
  await letGo()
  await (await onlyWriter(home))()
})

test('what a killed process left is taken over', async () => {
  await (await onlyWriter(home))()
  writeFileSync(join(home, 'feeds', 'writer'), '4194305 boot 1')
  await (await onlyWriter(home))()
})
