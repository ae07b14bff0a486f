import { expect, test } from 'vitest'
import type { Pattern } from '../../src/matching/pattern.ts'
import { diffPatterns } from '../../src/matching/pattern-diff.ts'

const kite: Pattern = {
  ...{ kind: 're2', text: 'blue kites?', language: 'en', case_sensitive: false, whole_word: false },
  ...{ must_match: ['a', 'b', 'c'], must_not_match: ['x', 'y', 'z'] },
}

test('of the same pattern there is no difference, whether a choice is left out or said to be none', () => {
  const none = {
    changed: [],
    text: undefined,
    must_match: { added: [], removed: [] },
    must_not_match: { added: [], removed: [] },
  }
  expect(diffPatterns(kite, kite)).toEqual(none)
  expect(diffPatterns(kite, { ...kite, confusables: false })).toEqual(none)
})

test('the text is cut where it differs, and never within a character', () => {
  expect(diffPatterns(kite, { ...kite, text: 'blue (?:kite|jay)s?' }).text).toEqual({
    ...{ head: 'blue ', removed: 'kite', added: '(?:kite|jay)', tail: 's?' },
  })
  expect(diffPatterns({ ...kite, text: 'a\u{1f426}' }, { ...kite, text: 'a\u{1f427}' }).text).toEqual({
    ...{ head: 'a', removed: '\u{1f426}', added: '\u{1f427}', tail: '' },
  })
  expect(diffPatterns({ ...kite, text: 'aa' }, { ...kite, text: 'aaa' }).text).toEqual({
    ...{ head: 'aa', removed: '', added: 'a', tail: '' },
  })
})

test('choices and test strings that came or went are named', () => {
  const after: Pattern = { ...kite, case_sensitive: true, must_match: ['a', 'd'], must_not_match: ['x', 'y', 'z', 'w'] }
  expect(diffPatterns(kite, after)).toEqual({
    changed: [{ member: 'case_sensitive', before: 'false', after: 'true' }],
    text: undefined,
    must_match: { added: ['d'], removed: ['b', 'c'] },
    must_not_match: { added: ['w'], removed: [] },
  })
})
