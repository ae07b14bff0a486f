import { describe, expect, test } from 'vitest'
import { linkHash } from '../../src/identifiers/token.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { valueFault } from '../../src/signals/value-rule.ts'
import { anItem } from './factory.ts'

type Scope = { host: 'exact' | 'suffix'; path: 'query' | 'exact' | 'prefix' | 'root' }
const link = (expression: string, scope: Scope) =>
  anItem({ value: { profile: 'url/1', sha256: linkHash(sha256, expression), scope } })
const domain = (name: string) =>
  anItem(
    { value: { profile: 'domain/1', sha256: linkHash(sha256, `${name}/`), scope: { host: 'exact', path: 'root' } } },
    'domain',
  )
const EXACT = { host: 'exact', path: 'exact' } as const

describe('a value is what the signal hashed', () => {
  test.for([
    [link('bad.example/a', EXACT), 'https://bad.example/a'],
    [link('bad.example/a', EXACT), ' HTTPS://BAD.example:443/b/../a#part '],
    [link('bad.example/a', EXACT), 'http://bad.example/a?q=1'],
    [link('bad.example/a?q=1', { host: 'exact', path: 'query' }), 'http://bad.example/a?q=1'],
    [link('bad.example/', { host: 'suffix', path: 'root' }), 'https://www.bad.example/a/b'],
    [link('bad.example/a/', { host: 'exact', path: 'prefix' }), 'https://bad.example/a/b'],
    [domain('plum.example'), 'plum.example'],
    [domain('plum.example'), 'PLUM.example.'],
  ] as const)('%#', ([item, value]) => {
    expect(valueFault(sha256, item, value)).toBeUndefined()
  })
})

describe('and is refused by name', () => {
  test.for([
    ['where it is another link', link('bad.example/a', EXACT), 'https://bad.example/b', 'value-mismatch'],
    [
      'under another scope',
      link('bad.example/a', { host: 'exact', path: 'prefix' }),
      'https://bad.example/a',
      'value-mismatch',
    ],
    [
      'where it is another link, whatever it looks like',
      link('bad.example/a', EXACT),
      'https://bad.example/b#fig@mail.example',
      'value-mismatch',
    ],
    ['where it is no link', link('bad.example/a', EXACT), 'mailto:a', 'value-mismatch'],
    ['where it is a link and the signal a domain', domain('plum.example'), 'https://plum.example/', 'value-mismatch'],
    [
      'with a character that nobody sees',
      link('bad.example/a', EXACT),
      'https://bad.example/\u{200b}a',
      'value-mismatch',
    ],
    ['with a control character', link('bad.example/a', EXACT), 'https://bad.example/a\u{1b}[2J', 'value-mismatch'],
    ['with a user', link('bad.example/a', EXACT), 'https://fig@bad.example/a', 'raw-identifier'],
    [
      'with an e-mail address in what is not hashed',
      link('bad.example/a', EXACT),
      'https://bad.example/a#fig@mail.example',
      'raw-identifier',
    ],
    ['beside a token', anItem({}, 'email'), 'fig@mail.example', 'value-mismatch'],
    ['beside a pattern', anItem({}, 'keyword_pattern'), 'blue kite', 'value-mismatch'],
  ] as const)('%s', ([, item, value, code]) => {
    const fault = valueFault(sha256, item, value)
    expect(fault).toMatchObject({ pointer: '/value', code })
    expect(JSON.stringify(fault)).not.toContain(value)
  })
})
