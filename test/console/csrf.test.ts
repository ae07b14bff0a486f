import { describe, expect, test } from 'vitest'
import { isLocal, isSameOrigin } from '../../src/console/csrf.ts'
import { links } from '../../src/console/links.ts'

const OWN = 'https://console.example:8445'

describe('a request that changes something', () => {
  test.for([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: OWN }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ origin: OWN }, true],
    [{ origin: 'https://console.example' }, false],
    [{ origin: 'null' }, false],
    [{}, false],
  ] as const)('with %j comes from a page of the console: %s', ([headers, same]) => {
    expect(isSameOrigin(headers, OWN)).toBe(same)
  })
})

describe('the way back after signing in', () => {
  test.for([
    ['/'],
    ['/log/entries/3'],
    ['/queue?type=url&state=open'],
    [links.requests()],
    [links.explorer({ q: "kind:signal.* actor:aster at>=2026-11-01 it's (one)" })],
  ])('%s is one', ([path]) => {
    expect(isLocal(path ?? '')).toBe(true)
  })
  test.for([
    ['//evil.example'],
    ['https://evil.example'],
    ['/\\evil.example'],
    ['javascript:alert(1)'],
    ['/a\n/b'],
    [''],
    [`/${'a'.repeat(2_000)}`],
    ['/"onload='],
  ])('%j is none', ([path]) => {
    expect(isLocal(path ?? '')).toBe(false)
  })
})
