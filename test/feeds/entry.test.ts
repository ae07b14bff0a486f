import fc from 'fast-check'
import { Check } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import {
  auditPaths,
  ENDS,
  EVENT_KIND,
  type EventType,
  erasedBody,
  eventBody,
  type FeedEvent,
  submissionBody,
  toldIn,
} from '../../src/feeds/entry.ts'
import { FeedEventSchema, SubmissionProof } from '../../src/feeds/schema.ts'
import { toBase64Url, u32 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { auditPath } from '../../src/provenance/merkle.ts'
import { idOf, NOON } from '../signals/factory.ts'

const event = (change: Partial<FeedEvent> = {}): FeedEvent => ({
  ...{ type: 'signal.created', at: NOON, source: 'apple', origin: idOf(1), signal_id: idOf(2), revision: 7 },
  ...{ submission_id: idOf(3), log_idx: 5n },
  ...change,
})
const signed = { index: 12, salt: 'c2FsdA', item: '{"v":1}', path: 'cGF0aA' }
const [FEED, SEQ] = [idOf(4), 9_007_199_254_740_993n]

describe('the body of an event', () => {
  test('is what the source said, with its place in the feed', () => {
    expect(JSON.parse(eventBody(FEED, SEQ, event({ signed })))).toEqual({
      ...{ seq: '9007199254740993', type: 'signal.created', at: NOON.toISOString(), feed: FEED, source: 'apple' },
      ...{ signal: idOf(2), revision: 7, event: idOf(3), ...signed },
    })
  })
  test('says why where the node speaks, and shows no bytes of anybody', () => {
    const body = eventBody(FEED, 1n, event({ type: 'signal.expired', reason: 'expired' }))
    expect(toldIn(body)).toMatchObject({ source: 'apple', reason: 'expired' })
    expect(toldIn(body)).not.toHaveProperty('item')
    expect(JSON.parse(body)).toEqual({
      ...{ seq: '1', type: 'signal.expired', at: NOON.toISOString(), feed: FEED, source: 'apple', signal: idOf(2) },
      ...{ revision: 7, event: idOf(3), reason: 'expired' },
    })
  })
  test('is JSON of one line for whatever an item is, and gives it back unchanged', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        '"},{"seq":"1',
        ',"item":"',
        '","path":"',
        '"source":"pear"',
        '\\',
        '"',
        '\u2028\u2029',
        '\0',
        '</script>',
        '{"a":"\\ud800"}',
        '\r\n',
      ),
      fc.array(fc.nat(0xffff), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
    )
    fc.assert(
      fc.property(hostile, (item) => {
        const body = eventBody(FEED, 1n, event({ signed: { ...signed, item } }))
        expect(body).not.toMatch(/[\r\n]/)
        const parsed = JSON.parse(body) as Record<string, unknown>
        expect(parsed['item']).toBe(item)
        expect(toldIn(body)).toEqual({ source: 'apple', item })
        expect(Object.keys(parsed)).toHaveLength(12)
        expect(Check(FeedEventSchema, parsed)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})

test('an event whose item was erased is read without one', () => {
  const told = toldIn(erasedBody(eventBody(FEED, SEQ, event({ signed }))))
  expect(told).toMatchObject({ source: 'apple', reason: 'erased' })
  expect(told).not.toHaveProperty('item')
})

test('the line of a submission is what proves its items', () => {
  const jws = { protected: 'p', payload: 'q', signature: 's' }
  const countersignature = { protected: 'n', signature: 't' }
  const body = submissionBody({
    ...{ submission_id: idOf(3), source: 'apple', n: 1_000 },
    ...{ jws: JSON.stringify(jws), countersignature: JSON.stringify(countersignature) },
  })
  expect(JSON.parse(body)).toEqual({ event: idOf(3), source: 'apple', count: 1_000, jws, countersignature })
  expect(Check(SubmissionProof, JSON.parse(body))).toBe(true)
})

describe('audit paths', () => {
  test.for(Array.from({ length: 70 }, (_, i) => i + 1))('of a tree of %i are those of RFC 6962', (size) => {
    const leaves = Array.from({ length: size }, (_, i) => sha256(u32(i)))
    const path = auditPaths(sha256, leaves)
    for (let i = 0; i < size; i++) {
      expect(path(i), String(i)).toBe(toBase64Url(Buffer.concat(auditPath(sha256, leaves, i))))
    }
  })
  test('of one leaf are empty', () => {
    expect(auditPaths(sha256, [sha256(u32(0))])(0)).toBe('')
  })
})

test('each kind has a number of its own, and is an end, goes on, or is told in an inbox', () => {
  const numbers = Object.values(EVENT_KIND)
  expect(new Set(numbers).size).toBe(numbers.length)
  const open: EventType[] = ['signal.created', 'signal.revised', 'signal.held', 'signal.released']
  const told: EventType[] = ['feedback.received', 'dispute.opened', 'dispute.closed', 'question.answered']
  expect([...ENDS, ...open, ...told].sort()).toEqual(Object.keys(EVENT_KIND).sort())
})
