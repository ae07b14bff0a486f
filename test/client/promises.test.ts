import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { VerificationFailed } from '../../src/client/errors.ts'
import { openHome } from '../../src/client/home.ts'
import { promisesIn, receiptOfRead } from '../../src/client/promises.ts'

const ID = '018f6b2e-0000-7000-8000-000000000001'
const C = 'A'.repeat(43)

test('the receipt of a read is named after it', () => {
  expect(receiptOfRead(`${ID}.7 ${C}`)).toBe(`read-${ID}-7`)
})

test.each(['', ID, `${ID}.7`, `${ID}.x ${C}`, `../${ID}.7 ${C}`, `${ID}.7 ${C}=`])(
  '%j names no read, and no file',
  (read) => {
    expect(() => receiptOfRead(read)).toThrow(VerificationFailed)
  },
)

test('a note of a read that names none is not passed over', () => {
  const home = openHome(mkdtempSync(join(tmpdir(), 'aldis-notes-')))
  home.note('reads.ndjson', { read: `${ID}.7 ${C}` })
  for (const read of ['', 'none', undefined]) home.note('reads.ndjson', { read })
  const torn: string[] = []
  expect(promisesIn(home.dir, (place) => torn.push(place))).toHaveLength(1)
  expect(torn).toEqual(['reads.ndjson:2', 'reads.ndjson:3', 'reads.ndjson:4'])
  rmSync(home.dir, { recursive: true })
})

test('a note that a crash cut short takes no other with it, and is named', () => {
  const home = openHome(mkdtempSync(join(tmpdir(), 'aldis-notes-')))
  const file = join(home.dir, 'events.ndjson')
  home.note('events.ndjson', { event: 'a', rec: C })
  appendFileSync(file, '{"event":"to')
  home.note('events.ndjson', { event: 'b', rec: C })
  appendFileSync(file, 'null\n')
  home.note('reads.ndjson', { read: `${ID}.7 ${C}` })
  const torn: string[] = []
  const names = promisesIn(home.dir, (place) => torn.push(place)).map(({ name }) => name)
  expect([names, torn]).toEqual([
    ['a', 'b', `read-${ID}-7`],
    ['events.ndjson:2', 'events.ndjson:4'],
  ])
  rmSync(home.dir, { recursive: true })
})

test('what is noted once more, after another answer to it, is one promise, of the time at which it can first have been made', () => {
  const home = openHome(mkdtempSync(join(tmpdir(), 'aldis-notes-')))
  const [signed_at, first, later] = ['2026-01-01T08:00:00.000Z', '2026-01-01T09:00:00.000Z', '2026-01-02T09:00:00.000Z']
  home.note('events.ndjson', { event: 'a', rec: C, at: first })
  home.note('events.ndjson', { event: 'a', rec: C, at: later, signed_at })
  home.note('events.ndjson', { event: 'a', rec: `B${C.slice(1)}`, at: later })
  home.note('events.ndjson', { event: 'b', rec: C, at: later, signed_at: first })
  home.note('events.ndjson', { event: 'b', rec: C, at: later, signed_at: later })
  const told = promisesIn(home.dir, () => {}).map(({ name, at, since }) => [name, at, since])
  expect(told).toEqual([
    ['a', first, signed_at],
    ['a', later, later],
    ['b', later, first],
  ])
  rmSync(home.dir, { recursive: true })
})
