import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/kernel/bytes.ts'
import { judgeAll } from '../../src/signals/judge.ts'
import { AUDIENCE, anItem, aWithdrawal, idOf, NOON, rulesFor, textOf } from './factory.ts'

const context = {
  participant: 'apple',
  rules: rulesFor(),
  now: NOON,
  categoryId: (_: number, slug: string) => slug.length,
}
const salted = (...items: unknown[]) => items.map((item) => ({ salt: '', item: textOf(item) }))

describe('the items of a submission', () => {
  test('of signals are judged each for itself, with key, profile, category and predecessor', () => {
    const good = anItem({ revision: 2, prev: 'A'.repeat(43) })
    expect(judgeAll('aldis-signal+jws', salted(anItem({ audience: idOf(9) }), good, 7), context)).toMatchObject([
      { outcome: 'refused', code: 'audience-unknown', pointer: '/audience' },
      {
        ...{ outcome: 'signal', item: good, profile: 'url/1', category: 'grooming'.length },
        ...{ key: fromHex(good.value.sha256), prev: new Uint8Array(32) },
      },
      { outcome: 'refused', code: 'validation-failed', pointer: '/type' },
    ])
    expect(good.audience).toBe(AUDIENCE)
  })
  test('keep what their source should know of them', () => {
    const rules = rulesFor({ suppressed: () => ({ list: 'common-fruit', refuse: false }) })
    expect(judgeAll('aldis-signal+jws', salted(anItem()), { ...context, rules })).toMatchObject([
      { outcome: 'signal', warning: 'on the suppression list common-fruit' },
    ])
  })
  test('of withdrawals are judged by their own shape', () => {
    const good = aWithdrawal()
    expect(judgeAll('aldis-withdrawal+jws', salted(good, anItem()), context)).toMatchObject([
      { outcome: 'withdrawal', item: good, prev: new Uint8Array(32) },
      { outcome: 'refused', code: 'validation-failed' },
    ])
  })
})
