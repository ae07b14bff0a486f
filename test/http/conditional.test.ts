import { expect, test } from 'vitest'
import { expectTag, namesTag, tagOf } from '../../src/http/conditional.ts'

const etag = tagOf('plum')

test('a tag is the SHA-256 of the bytes', () => {
  expect(etag).toMatch(/^"[0-9a-f]{64}"$/)
  expect(tagOf(Buffer.from('plum'))).toBe(etag)
  expect(tagOf('fig')).not.toBe(etag)
})

test.each([
  [etag, true],
  [`W/${etag}`, true],
  [`"other", ${etag}`, true],
  ['*', true],
  [etag.slice(1, -1), false],
  ['"other"', false],
  ['', false],
  [undefined, false],
])('%s names it: %s', (header, expected) => {
  expect(namesTag(header, etag)).toBe(expected)
})

test.each([
  [undefined, true],
  [etag, true],
  [`"other" , ${etag}`, true],
  ['*', true],
  [`W/${etag}`, false],
  ['"other"', false],
  ['', false],
])('what is replaced if it matches %s: %s', (header, passes) => {
  if (passes) expect(() => expectTag(header, etag)).not.toThrow()
  else expect(() => expectTag(header, etag)).toThrow(expect.objectContaining({ code: 'precondition-failed' }))
})
