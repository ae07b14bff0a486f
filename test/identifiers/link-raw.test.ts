import { describe, expect, test } from 'vitest'
import { defanged } from '../../src/identifiers/defang.ts'
import { findRawInLink } from '../../src/identifiers/link-raw.ts'

describe('a link holds what looks personal', () => {
  test.for([
    ['a user before its host', 'https://someone@bad.example/a', 'a link with a user'],
    ['an escaped user before its host', 'https://someone%40bad.example/a', 'a link with a user'],
    ['an e-mail address in its query', 'https://bad.example/?to=fig@mail.example', 'an e-mail address'],
    ['an e-mail address under escapes', 'https://bad.example/?to=fig%2540mail.example', 'an e-mail address'],
    [
      'an e-mail address beside an escape that is none',
      'https://bad.example/?to=fig%40mail.example&x=%zz',
      'an e-mail address',
    ],
    ['a phone number in its path', 'https://bad.example/+15550100200', 'a phone number'],
    ['a handle in its path', 'https://bad.example/@some.one', 'a user handle'],
    ['an e-mail address in its fragment', 'https://bad.example/a#fig@mail.example', 'an e-mail address'],
    [
      'an e-mail address in a link within it',
      'https://bad.example/?u=https%3A%2F%2Ffig%40mail.example',
      'an e-mail address',
    ],
    [
      'an e-mail address beside bytes that are no UTF-8',
      'https://bad.example/?to=fig%ff%40mail.example',
      'an e-mail address',
    ],
    ['a long number', 'https://bad.example/id/123456789', 'a phone number or an account number'],
  ] as const)('%s', ([, link, kind]) => {
    expect(findRawInLink(link, '/value')).toEqual({ pointer: '/value', kind })
  })
  test.for([
    'https://bad.example/invite',
    'bad.example',
    'https://bad.example:8443/a/b?page=2&q=fig#top',
    'http://192.0.2.7/a',
    'https://bad.example/2026-03-01/post',
    'https://bad.example/go?to=https%3A%2F%2Fother.example%2Fa',
    'https://bad.example/%zz/%E0%A4%A',
  ])('and not %s', (link) => {
    expect(findRawInLink(link, '/value')).toBeUndefined()
  })
})

test('escapes within escapes, beside some that are no UTF-8, cost one pass', () => {
  const link = `https://bad.example/%${'25'.repeat(2_000)}${'/%ff'.repeat(1_000)}`
  const start = performance.now()
  expect(findRawInLink(link, '/value')).toBeUndefined()
  expect(performance.now() - start).toBeLessThan(1_000)
})

test.for([
  ['https://bad.example/a.b?c=d.e', 'hxxps[:]//bad[.]example/a.b?c=d.e'],
  ['HTTP://Bad.Example', 'hxxp[:]//Bad[.]Example'],
  ['ftp://bad.example/a', 'fxp[:]//bad[.]example/a'],
  ['bad.example/a', 'bad[.]example/a'],
  ['plum.example', 'plum[.]example'],
] as const)('%s is shown as no link', ([link, shown]) => {
  expect(defanged(link)).toBe(shown)
})
