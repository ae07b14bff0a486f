import { describe, expect, test } from 'vitest'
import { grantedScopes, grantOf, oauthErrorOf } from '../../src/access/grant.ts'
import { ASSERTION_TYPE } from '../../src/access/schema.ts'
import { Refusal } from '../../src/kernel/errors.ts'

const GRANT = 'grant_type=client_credentials'
const encodedType = encodeURIComponent(ASSERTION_TYPE)

describe('a request for an access token', () => {
  test('names its grant, and at will scopes, client and assertion', () => {
    expect(grantOf(GRANT)).toEqual({ scopes: undefined, client: undefined, assertion: undefined })
    const asked = `${GRANT}&scope=feed%3Aread+lookup:open&client_id=a&client_assertion=x.y.z&client_assertion_type=${encodedType}`
    expect(grantOf(asked)).toEqual({ scopes: ['feed:read', 'lookup:open'], client: 'a', assertion: 'x.y.z' })
  })
  test('may have parameters that nobody knows, and ones that are empty', () => {
    expect(grantOf(`${GRANT}&scope=&resource=x`).scopes).toBeUndefined()
  })
  test.for([
    ['', 'grant-invalid'],
    ['grant_type=', 'grant-invalid'],
    ['grant_type=password', 'grant-unsupported'],
    ['grant_type=authorization_code&code=1', 'grant-unsupported'],
    [`${GRANT}&${GRANT}`, 'grant-invalid'],
    [`${GRANT}&x=%zz`, 'grant-invalid'],
    [`${GRANT}&x=%ff`, 'grant-invalid'],
    [`${GRANT}&scope=a++b`, 'grant-invalid'],
    [`${GRANT}&scope=a+a`, 'grant-invalid'],
    [`${GRANT}&client_assertion=x.y.z`, 'grant-invalid'],
    [`${GRANT}&client_assertion_type=${encodedType}`, 'grant-invalid'],
    [`${GRANT}&client_assertion=x&client_assertion_type=saml`, 'grant-invalid'],
    [`${GRANT}${'&x'.repeat(16)}`, 'grant-invalid'],
  ] as const)('%s is refused as %s', ([form, code]) => {
    expect(() => grantOf(form)).toThrow(expect.objectContaining({ code }))
  })
})

describe('the scopes of a token', () => {
  test('are all of the credential where none is asked for, and never more', () => {
    expect(grantedScopes(undefined, ['a', 'b'])).toEqual(['a', 'b'])
    expect(grantedScopes(['b'], ['a', 'b'])).toEqual(['b'])
    expect(() => grantedScopes(['b', 'c'], ['a', 'b'])).toThrow(expect.objectContaining({ code: 'scope-unknown' }))
  })
})

test('clients of OAuth are told in its own words', () => {
  const told = (code: ConstructorParameters<typeof Refusal>[0]) => oauthErrorOf(new Refusal(code)).error
  expect(told('client-refused')).toBe('invalid_client')
  expect(told('grant-unsupported')).toBe('unsupported_grant_type')
  expect(told('scope-unknown')).toBe('invalid_scope')
  expect(told('too-large')).toBe('invalid_request')
  expect(told('read-only')).toBe('temporarily_unavailable')
})
