import { expect, test } from 'vitest'
import { caseFold, isAssigned, textFault } from '../../src/identifiers/unicode.ts'
import { toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'

const all = Array.from({ length: 0x110000 }, (_, i) => i).filter((i) => i < 0xd800 || i > 0xdfff)

test('the tables are those of Unicode 16.0.0: as many assigned code points as it has', () => {
  // The standard's count: 154,998 characters, 65 controls, 137,468 for private use.
  expect(all.filter(isAssigned).length).toBe(154_998 + 65 + 137_468)
})

test('the tables never change', () => {
  const folded = all.filter(isAssigned).map((i) => `${i.toString(16)} ${caseFold(String.fromCodePoint(i))}`)
  expect(toHex(sha256(utf8(folded.join('\n'))))).toBe(
    '8a41fe0a4f985ac182b8e81f7136299425af513e4954a1a87b2009f54fa609c9',
  )
})

test('folding joins what differs in case alone', () => {
  const cased = all.filter((i) => isAssigned(i) && /\p{Lu}/u.test(String.fromCodePoint(i)))
  expect(cased.length).toBeGreaterThan(1800)
  const other = cased
    .map((i) => String.fromCodePoint(i))
    .filter((char) => caseFold(char) !== caseFold(char.toLowerCase()))
  expect(other).toEqual([])
})

test.each([
  ['\ud800', 'not well-formed Unicode'],
  ['a\u0000', 'a control character'],
  ['\u0378', 'a code point this runtime does not know'],
])('text that cannot be normalised everywhere is refused: %j', (text, reason) => {
  expect(textFault(text)).toBe(reason)
})

test('ordinary text of many scripts is taken', () => {
  expect(textFault('plum слива 梅 آلو प्लम 🐦')).toBeUndefined()
})
