import { expect, test } from 'vitest'
import { parseSentText, readSentQuery, sentTerms, sentText } from '../../src/console/sent-filter.ts'

const FILTER = { state: 'live', type: 'url', category: 'grooming', said: 'needs_information' } as const

test('text, address and filter say the same', () => {
  const text = 'state:live type:url category:grooming said:needs_information'
  expect(parseSentText(text)).toEqual(FILTER)
  expect(sentText(FILTER)).toBe(text)
  expect(readSentQuery({ ...FILTER })).toEqual({ filter: FILTER })
  expect(parseSentText('  ')).toEqual({})
})

test('an empty field of a form asks for anything', () => {
  expect(readSentQuery({ state: '', said: 'disputed', cursor: '' })).toEqual({ filter: { said: 'disputed' } })
})

test.for([
  ['state', 'gone'],
  ['type', 'plum'],
  ['said', 'maybe'],
  ['cursor', 'x'],
  ['limit', '5'],
  ['constructor', 'x'],
] as const)('a name or value that there is none of is refused: %s %s', ([name, value]) => {
  expect(readSentQuery({ [name]: value })).toBeUndefined()
  expect(parseSentText(`${name}:${value}`)).toBeUndefined()
})

test.for(['state', 'state:', ':live', 'state:live state:held', 'live'])('%s is no term', (text) => {
  expect(parseSentText(text)).toBeUndefined()
})

test('each chip leads to the view without it', () => {
  expect(sentTerms({ state: 'live', said: 'disputed' }).map(({ without }) => without)).toEqual([
    '/submissions?said=disputed',
    '/submissions?state=live',
  ])
})
