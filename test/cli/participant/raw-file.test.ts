import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRaw } from '../../../src/cli/participant/raw-file.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-raw-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

test('lines may end as on any system, a text may hold what looks like an end, and empty lines are counted', async () => {
  const file = join(dir, 'raw.ndjson')
  const url = (note: string): string => JSON.stringify({ type: 'url', raw: 'https://plum.example/', note })
  writeFileSync(file, `${url('one')}\r\n\n${url('two\u2028and\u0085three')}\n \r\npear`)
  expect(await Array.fromAsync(readRaw(file))).toMatchObject([
    { line: 1, outcome: 'raw', raw: { note: 'one' } },
    { line: 3, outcome: 'raw', raw: { note: 'two\u2028and\u0085three' } },
    { line: 5, outcome: 'refused' },
  ])
})
