import { describe, expect, test } from 'vitest'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { stubOf } from '../../src/signals/stub.ts'
import { anItem, aWithdrawal, textOf } from './factory.ts'

const LEAF = new Uint8Array(32).fill(7)

describe('the stub of an erased item', () => {
  test('keeps what its log entry committed to, and nothing else', () => {
    const item = anItem({ note: 'a note' }, 'email')
    const { signal, revision, audience, type, category, expires_at } = item
    expect(stubOf(textOf(item), LEAF)).toEqual({
      ...{ v: 1, signal, revision, audience, type, category, expires_at },
      leaf: toBase64Url(LEAF),
    })
  })
  test('of a withdrawal has no reason', () => {
    const withdrawal = aWithdrawal({ revision: 2 })
    expect(stubOf(textOf(withdrawal), LEAF)).toEqual({
      ...{ v: 1, signal: withdrawal.signal, revision: 2, leaf: toBase64Url(LEAF) },
    })
  })
})
