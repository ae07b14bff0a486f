import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toBase64Url, toHex } from '../../src/kernel/bytes.ts'
import { newId } from '../../src/kernel/ids.ts'
import { randomTextSource } from '../../src/kernel/random.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { commitment, openPayload } from '../../src/provenance/commitment.ts'
import type { NewEvent } from '../../src/provenance/events.ts'
import {
  commit,
  DECOY,
  epochKey,
  epochOf,
  monthOf,
  nextGeneration,
  openRecord,
  prepareRecord,
} from '../../src/provenance/record.ts'
import { bytes, RECORD } from './vectors.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
const keys = fileKeys(folder)
const salt = randomTextSource(32)

beforeAll(async () => {
  await keys.create('epoch-202603', 'symmetric')
  await keys.create('epoch-202604', 'symmetric')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const anEvent = (change: Partial<NewEvent> = {}): NewEvent => ({
  ...{
    kind: 'feedback.given',
    event_id: newId(NOON),
    participant_id: newId(NOON),
    at: NOON,
    actor: 'apple',
    subject: 'plum',
  },
  fields: { signal: newId(NOON), revision: 2, outcome: 'seen_here' },
  ...change,
})
const prepared = (event: NewEvent) => prepareRecord(event, { keys, logId: 1, salt })
const decoded = (text: string): string => Buffer.from(text, 'base64url').toString()

test('the published record is made of its fields and salts', () => {
  const { fields, payload, c } = RECORD.one_party
  const salts = fields.map((field) => toBase64Url(bytes(field.salt)))
  const disclosures = fields.map(({ name, value }) => ({ audience: 'A', name, value }))
  const made = commit({ disclosures, decoys: 0 }, () => salts.shift() ?? expect.fail('one salt too many'))
  expect(made.payload).toBe(payload)
  expect(toHex(made.c)).toBe(c)
  expect(made.texts).toEqual(fields.map(({ disclosure }) => disclosure))
})

test('a salt of another length opens nothing', () => {
  const disclosures = [{ audience: 'A', name: 'note', value: 'plums' }] as const
  for (const short of ['', 'A'.repeat(42)])
    expect(() => commit({ disclosures, decoys: 0 }, () => short)).toThrow('a salt is not of 32 bytes')
})

test('what is committed is JSON, and a decoy holds its salt and nothing else', () => {
  const salts = Array.from({ length: 3 }, salt)
  const drawn = [...salts]
  const disclosures = [{ audience: 'A', name: 'note', value: 'plums, and “more”' }]
  const { texts } = commit({ disclosures, decoys: 2 }, () => drawn.shift() ?? expect.fail('one salt too many'))
  expect(texts.map((text) => JSON.parse(decoded(text)) as unknown)).toEqual([
    [salts[0], 'note', 'plums, and “more”'],
    [salts[1], 'decoy'],
    [salts[2], 'decoy'],
  ])
})

test('a salt of another length is refused', () => {
  for (const short of ['', 'A'.repeat(42), 'A'.repeat(44)])
    expect(() => commit({ disclosures: [], decoys: 1 }, () => short)).toThrow('a salt is not of 32 bytes')
})

describe('a record', () => {
  test('opens to the fields of its event, each with its audience', () => {
    const event = anEvent({ after: newId(NOON) })
    const row = prepared(event)
    const opened = openRecord(row, event.event_id, keys)
    expect(opened.map(([audience]) => audience)).toEqual([
      'P:plum',
      'P:plum',
      'A',
      'P:plum',
      'P:plum',
      'AS:plum',
      'AS:plum',
      'AS:plum',
    ])
    const fields = openPayload(
      sha256,
      row.payload,
      opened.map(([, text]) => text ?? ''),
    )
    expect(fields.outcome === 'opened' && fields.fields).toEqual([
      { name: 'type', value: 'feedback.given' },
      { name: 'time', value: NOON.toISOString() },
      { name: 'actor', value: 'apple' },
      { name: 'subject', value: 'plum' },
      { name: 'after', value: event.after },
      ...Object.entries(event.fields).map(([name, value]) => ({ name, value })),
    ])
    expect(row).toMatchObject({
      log_id: 1,
      kind: 'feedback.given',
      at: NOON,
      parties: 'apple plum',
      after: event.after,
    })
    expect(toHex(row.c)).toBe(toHex(commitment(sha256, row.payload)))
  })
  test('does not show its fields to whoever has the row alone', () => {
    const row = prepared(anEvent({ fields: { outcome: 'a-word-nobody-guesses' } }))
    expect(row.body.includes('a-word-nobody-guesses')).toBe(false)
    expect(row.payload.includes('a-word-nobody-guesses')).toBe(false)
  })
  test('of the same event made twice has other salts, digests and commitment', () => {
    const event = anEvent()
    const [one, other] = [prepared(event), prepared(event)]
    expect(one.c).not.toEqual(other.c)
    const digests = (payload: string): string[] => JSON.parse(payload)._sd
    expect(digests(one.payload).filter((digest) => digests(other.payload).includes(digest))).toEqual([])
  })
  test('opens under no other event, commitment or month', () => {
    const event = anEvent()
    const row = prepared(event)
    expect(() => openRecord(row, newId(NOON), keys)).toThrow()
    expect(() => openRecord({ ...row, c: prepared(event).c }, event.event_id, keys)).toThrow()
    expect(() => openRecord({ ...row, epoch: row.epoch + 1 }, event.event_id, keys)).toThrow()
    expect(openRecord(row, event.event_id, keys).length).toBe(7)
  })
  test('hides the number of its sources behind decoys that open nothing', () => {
    const aBatch = (sources: NewEvent['sources'] = []): NewEvent => {
      const { subject: _, ...event } = anEvent({ kind: 'read.batch', fields: { n: 1 }, sources })
      return event
    }
    const digestsOf = (n: number): number => {
      const sources = Array.from({ length: n }, (_, i) => ({ party: `fruit-${i}` }))
      const { payload } = prepared(aBatch(sources))
      return JSON.parse(payload)._sd.length
    }
    expect([0, 1, 4, 5, 12].map(digestsOf)).toEqual([8, 8, 8, 16, 16])
    const event = aBatch([{ party: 'plum' }])
    const opened = openRecord(prepared(event), event.event_id, keys)
    expect(opened.map(([audience]) => audience === DECOY)).toEqual([...Array(5).fill(false), true, true, true])
    const decoys = opened.flatMap(([audience, text]) => (audience === DECOY ? [decoded(text ?? '')] : []))
    expect(decoys.map((text) => JSON.parse(text).slice(1))).toEqual([['decoy'], ['decoy'], ['decoy']])
    expect(new Set(decoys).size).toBe(3)
  })
})

test("a record's month names the key it is sealed with", () => {
  const names = [
    '2026-03-01T00:00:00Z',
    '2026-03-31T23:59:59.999Z',
    '2026-04-01T00:00:00Z',
    '2026-12-31T23:59:59Z',
    '2027-01-01T00:00:00Z',
  ]
  expect(names.map((at) => epochKey(epochOf(new Date(at))))).toEqual([
    ...['epoch-202603', 'epoch-202603', 'epoch-202604', 'epoch-202612', 'epoch-202701'],
  ])
  expect(epochOf(new Date('2027-01-01T00:00:00Z')) - epochOf(new Date('2026-12-31T23:59:59Z'))).toBe(1)
})

test('a month has further keys, which its records move to, each by a name of its own', () => {
  const epoch = epochOf(new Date('2026-11-30T00:00:00Z'))
  const [second, third] = [nextGeneration(epoch), nextGeneration(nextGeneration(epoch))]
  expect([epoch, second, third].map(epochKey)).toEqual(['epoch-202611', 'epoch-202611-2', 'epoch-202611-3'])
  expect([second, third].map(monthOf)).toEqual([epoch, epoch])
})
