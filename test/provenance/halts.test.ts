import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HALTS, LASTING, LogHalted } from '../../src/provenance/anchor.ts'
import { fileHalts } from '../../src/provenance/halts.ts'

const NOON = new Date('2026-03-01T12:00:00Z')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('why a log was halted is kept, for its owner alone, also for another that opens the folder; only a contradiction takes the place of another reason', () => {
  const dir = join(folder, 'anchor', '1')
  const halts = fileHalts(dir)
  expect(halts.kept()).toBeUndefined()
  halts.keep(new LogHalted('root-differs', 'the first'), NOON)
  halts.keep(new LogHalted('witness-ahead', 'the second'), NOON)
  expect(halts.kept()).toMatchObject({ reason: 'root-differs', found: 'the first' })
  halts.keep(new LogHalted('contradicted', 'the witness w holds another history'), NOON)
  halts.keep(new LogHalted('root-differs', 'something else'), NOON)
  const kept = fileHalts(dir).kept()
  expect(kept).toMatchObject({ reason: 'contradicted', found: 'the witness w holds another history' })
  expect(kept?.message).toContain(HALTS.contradicted)
  expect(readdirSync(dir)).toEqual(['halted.json'])
  expect(statSync(join(dir, 'halted.json')).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(dir, 'halted.json'), 'utf8'))).toMatchObject({ at: NOON.toISOString() })
  fileHalts(dir).lift()
  expect(halts.kept()).toBeUndefined()
})

test.each([
  ...['', '{}', '{"v":1', '{"v":2,"reason":"contradicted","found":"x","at":"y"}'],
  '{"v":1,"reason":"toString","found":"x","at":"y"}',
  '{"v":1,"reason":"contradicted","found":"x","at":"y","more":1}',
])('what cannot be read (%j) is an error and no log that may be signed', (text) => {
  writeFileSync(join(folder, 'halted.json'), text)
  expect(() => fileHalts(folder).kept()).toThrow('is not as the node wrote it')
})

test('what the next comparison finds by itself is not kept', () => {
  const others = Object.keys(HALTS).filter((reason) => !(LASTING as ReadonlySet<string>).has(reason))
  expect(others.sort()).toEqual(['anchor-ahead', 'anchor-foreign', 'anchor-missing', 'closed'])
})
