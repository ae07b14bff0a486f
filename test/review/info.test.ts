import { describe, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { saidOf, textsOf } from '../../src/review/info.ts'
import { anItem } from '../signals/factory.ts'

const WORDS = 'the orchard gate'
const id = newId(new Date('2026-03-01T12:00:00Z'))

describe('what a case tells of its signal', () => {
  test.each(['url', 'email', 'keyword_pattern', 'media_hash', 'tactic'] as const)(
    'of type %s it has no words that somebody wrote, but tells that there are some',
    (type) => {
      const item = anItem({ note: WORDS }, type)
      const told = JSON.stringify(saidOf(item))
      expect(told).not.toContain(WORDS)
      expect(saidOf(item).texts).toContain('note')
      for (const text of [item.value]
        .flatMap((value) => Object.values(value))
        .filter((one) => Array.isArray(one))
        .flat())
        expect(told).not.toContain(String(text))
      expect(textsOf(id, item).note).toBe(WORDS)
    },
  )

  test('a pattern and a tactic are words, a hash is none', () => {
    expect(saidOf(anItem({}, 'keyword_pattern'))).toMatchObject({ texts: ['pattern'] })
    expect(saidOf(anItem({}, 'keyword_pattern'))).not.toHaveProperty('value')
    expect(saidOf(anItem({}, 'tactic'))).toMatchObject({ texts: ['tactic'] })
    expect(saidOf(anItem({}, 'url'))).toMatchObject({ texts: [], value: { rule: 'url/1' } })
    expect(textsOf(id, anItem({}, 'url'))).toEqual({ case: id })
  })
})
