import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chosenKeys,
  KEY_ACT_NAMES,
  KEY_ACTS,
  keyMapText,
  keyNow,
  PLAIN,
  parsePreferences,
} from '../../src/console/preference-rule.ts'

describe('keys of one’s own', () => {
  test('of nothing chosen are those that acts have anyhow', () => {
    expect(chosenKeys({})).toEqual({ keys: {} })
    expect(keyMapText({})).toBe('')
  })
  test.for([
    [{ claim: 'x' }, 'select'],
    [{ submit: 'q', next: 'q' }, 'next'],
    [{ claim: 'j' }, 'claim'],
    [{ undo: '?' }, 'undo'],
    [{ undo: '1' }, 'undo'],
    [{ undo: 'ab' }, 'undo'],
    [{ undo: 'Z' }, 'undo'],
    [{ undo: ' ' }, 'undo'],
  ] as const)('are refused where two acts have one, or the key is another’s: %j', ([asked, fault]) => {
    expect(chosenKeys(asked)).toMatchObject({ fault })
  })
  test('may change places', () => {
    const chosen = chosenKeys({ claim: 'x', select: 'c' })
    expect(chosen).toEqual({ keys: { claim: 'x', select: 'c' } })
    expect(keyMapText({ claim: 'x', select: 'c' })).toBe('x=c c=x')
  })
  test('a key that is left is nobody’s', () => {
    expect(keyMapText({ claim: 'p' })).toBe('p=c c=')
    expect(keyNow({ claim: 'p' }, 'c')).toBe('p')
    expect(keyNow({ claim: 'p' }, 'x')).toBe('x')
    expect(keyNow({ claim: 'p' }, '4')).toBe('4')
  })
  test('whatever is accepted gives each act one key and each key one act', () => {
    const key = fc.constantFrom(...'abcdefhilmnpqrstuvwxyz089.;+')
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...KEY_ACT_NAMES), key), (asked) => {
        const chosen = chosenKeys(asked)
        fc.pre('keys' in chosen)
        if (!('keys' in chosen)) return
        const now = KEY_ACT_NAMES.map((act) => keyNow(chosen.keys, KEY_ACTS[act].key))
        expect(new Set(now).size).toBe(KEY_ACT_NAMES.length)
        const pressed = new Map(
          keyMapText(chosen.keys)
            .split(' ')
            .map((pair) => [pair.slice(0, 1), pair.slice(2)]),
        )
        for (const act of KEY_ACT_NAMES) {
          const own = keyNow(chosen.keys, KEY_ACTS[act].key)
          expect(pressed.get(own) ?? own).toBe(KEY_ACTS[act].key)
        }
      }),
    )
  })
})

test.for(['{}', '[]', '{"keys":{},"opted_out":[],"daily_cap":0,"nudge_items":null,"nudge_minutes":null}', 'null'])(
  'what is kept in another form is as if nothing were chosen: %s',
  (text) => {
    expect(parsePreferences(text)).toEqual(PLAIN)
  },
)

test('what is kept comes back', () => {
  const chosen = { ...PLAIN, keys: { claim: 'p' }, opted_out: ['grooming'], daily_cap: 5 }
  expect(parsePreferences(JSON.stringify(chosen))).toEqual(chosen)
  expect(parsePreferences(JSON.stringify({ ...chosen, keys: { claim: 'x' } })).keys).toEqual({})
})
