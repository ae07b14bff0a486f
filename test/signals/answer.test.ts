import { Check } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { answerOf, refusedWhole, warningsOf } from '../../src/signals/answer.ts'
import type { Judged, Refused } from '../../src/signals/apply.ts'
import { SubmissionResult } from '../../src/signals/schema.ts'
import { anItem, aWithdrawal, idOf, textOf } from './factory.ts'

const countersignature = { protected: 'p', signature: 's' }
const [created, revised, ended] = [anItem(), anItem({ revision: 2 }), aWithdrawal({ revision: 3 })]
const judged: readonly Judged[] = [
  { outcome: 'signal', item: created, key: new Uint8Array(32), profile: 'url/1', category: 1, prev: undefined },
  { outcome: 'refused', code: 'tlp-refused', pointer: '/tlp' },
  { outcome: 'signal', item: revised, key: new Uint8Array(32), profile: 'url/1', category: 1, prev: undefined },
  { outcome: 'withdrawal', item: ended, prev: undefined },
]
const items = [created, { any: 'thing' }, revised, ended].map((item) => ({ item: textOf(item) }))
const refused: Refused[] = [{ index: 1, code: 'tlp-refused', pointer: '/tlp', detail: 'a hint' }]
const answer = answerOf(idOf(1), { judged, items }, { refused, countersignature }, '/receipt')

describe('the answer to a submission', () => {
  test('names every item by its place: made, changed, or refused by code, pointer and status', () => {
    expect(answer).toEqual({
      ...{ submission: idOf(1), accepted: 3, refused: 1, countersignature, receipt: '/receipt' },
      results: [
        { index: 0, signal: created.signal, revision: 1, status: 201 },
        { index: 1, code: 'tlp-refused', pointer: '/tlp', detail: 'a hint', status: 422 },
        { index: 2, signal: revised.signal, revision: 2, status: 200 },
        { index: 3, signal: ended.signal, revision: 3, status: 200 },
      ],
    })
    expect(Check(SubmissionResult, answer)).toBe(true)
  })
  test('warns of an accepted item as it did the first time', () => {
    const warned = judged.map((one) => (one.outcome === 'signal' ? { ...one, warning: 'on a list' } : one))
    const kept = warningsOf(warned, [...refused, { index: 2, code: 'revision-conflict', pointer: '/revision' }])
    expect(kept).toEqual({ warnings: { 0: 'on a list' } })
    expect(warningsOf(judged, refused)).toEqual({})
    const told = answerOf(idOf(1), { judged, items }, { refused, ...kept, countersignature }, '/receipt')
    expect(told.results.map(({ warning }) => warning)).toEqual(['on a list', undefined, undefined, undefined])
    expect(Check(SubmissionResult, told)).toBe(true)
  })
  test('is the same when told again, whatever would be judged now', () => {
    const now: readonly Judged[] = judged.map((one, i) =>
      i === 1 ? one : { outcome: 'refused', code: 'retention-exceeded', pointer: '/expires_at' },
    )
    expect(answerOf(idOf(1), { judged: now, items }, { refused, countersignature }, '/receipt')).toEqual(answer)
    const lenient = judged.map((one, i) => (i === 1 ? (judged[0] ?? one) : one))
    expect(answerOf(idOf(1), { judged: lenient, items }, { refused, countersignature }, '/receipt')).toEqual(answer)
  })
  test('of which nothing was stored has neither submission nor signature', () => {
    const whole = refusedWhole([{ index: 0, code: 'not-found', pointer: '/signal' }])
    expect(whole).toEqual({
      ...{ submission: null, accepted: 0, refused: 1 },
      results: [{ index: 0, code: 'not-found', pointer: '/signal', status: 404 }],
    })
    expect(Check(SubmissionResult, whole)).toBe(true)
  })
})
