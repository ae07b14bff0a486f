import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Jwt, jwtText, readJwt } from '../../src/access/jwt.ts'
import type { AccessClaims } from '../../src/access/schema.ts'
import { type Bound, judgeAssertion, judgeToken } from '../../src/access/token.ts'

const NOW = 1_800_000_000
const ORIGIN = 'https://node.example.org'
const x5t = 'A'.repeat(43)
const SIGNATURE = 'A'.repeat(86)
const bound: Bound = {
  ...{ origin: ORIGIN, programme: 'orchard', credential: 'c-1', thumbprint: x5t, scopes: ['feed:read', 'lookup:open'] },
  now: NOW,
}
const claims: AccessClaims = {
  ...{ iss: ORIGIN, aud: ORIGIN, prg: 'orchard', sub: 'spiffe://x/participant/apple', client_id: 'c-1' },
  ...{ iat: NOW - 10, exp: NOW + 590, jti: 'j', scope: 'feed:read', cnf: { 'x5t#S256': x5t } },
}
const jwt = (own: object, typ: string | undefined = 'at+jwt'): Jwt => ({
  ...{ header: { alg: 'Ed25519', kid: 'k', typ }, claims: own, signed: new Uint8Array(), signature: SIGNATURE },
})
const fault = (own: object, typ?: string, isOurs = true) => {
  const judged = judgeToken(jwt(own, typ), isOurs, bound)
  return 'fault' in judged ? judged.fault : undefined
}

describe('a token', () => {
  test('lets do what it names, until it ends', () => {
    expect(judgeToken(jwt(claims), true, bound)).toEqual({ scopes: ['feed:read'], expires: NOW + 590 })
  })
  test('without scopes lets do nothing', () => {
    expect(judgeToken(jwt({ ...claims, scope: '' }), true, bound)).toMatchObject({ scopes: [] })
  })
  test('is refused by the name of what is wrong with it', () => {
    expect(fault({ ...claims, iss: 'https://other.example' })).toBe('access-token-foreign')
    expect(fault({ ...claims, aud: 'https://other.example' })).toBe('access-token-foreign')
    expect(fault({ ...claims, prg: 'garden' })).toBe('access-token-foreign')
    expect(fault(claims, 'at+jwt', false)).toBe('access-token-invalid')
    expect(fault(claims, 'JWT')).toBe('access-token-invalid')
    expect(fault({ ...claims, exp: NOW })).toBe('access-token-expired')
    expect(fault({ ...claims, client_id: 'c-2' })).toBe('access-token-unbound')
    expect(fault({ ...claims, cnf: { 'x5t#S256': 'B'.repeat(43) } })).toBe('access-token-unbound')
    expect(fault({ ...claims, scope: 'feed:read signals:submit' })).toBe('access-token-widened')
  })
  test('that is bound to no certificate is none', () => {
    const { cnf: _, ...plain } = claims
    expect(fault(plain)).toBe('access-token-invalid')
    expect(fault({ ...claims, cnf: { jkt: x5t } })).toBe('access-token-invalid')
  })
})

describe('an assertion', () => {
  const good = { iss: 'c-1', sub: 'c-1', aud: ORIGIN, jti: 'a'.repeat(22), exp: NOW + 300 }
  const judged = (own: object, typ: string | undefined = 'JWT') =>
    judgeAssertion(jwt(own, typ), { origin: ORIGIN, credential: 'c-1', now: NOW })
  test('is of this credential, for this node, and of the next five minutes', () => {
    expect(judged(good)).toEqual({ jti: good.jti, exp: good.exp })
    expect(judged({ ...good, aud: [ORIGIN], iat: NOW, nbf: NOW })).toMatchObject({ jti: good.jti })
  })
  test.for([
    { iss: 'c-2' },
    { sub: 'c-2' },
    { aud: 'https://other.example' },
    { aud: [ORIGIN, 'https://other.example'] },
    { exp: NOW - 6 },
    { exp: NOW + 306 },
    { iat: NOW + 6 },
    { nbf: NOW + 6 },
    { jti: 'short' },
    { exp: String(NOW + 60) },
    { more: 1 },
  ])('with %o is none', (change) => {
    expect(judged({ ...good, ...change })).toHaveProperty('fault')
  })
  test('is no access token', () => {
    expect(judged(good, 'at+jwt')).toHaveProperty('fault')
  })
})

describe('a JWT', () => {
  const header = { alg: 'Ed25519', kid: 'k', typ: 'at+jwt' }
  const text = (head: object, body: unknown = claims) => `${jwtText(head, body as object)}.${SIGNATURE}`
  test('is read as it was written', () => {
    expect(readJwt(text(header))).toMatchObject({ header, claims })
  })
  test('is none with another member in its header, another form, or too long', () => {
    for (const more of [{ crit: ['b64'] }, { jwk: {} }, { jku: 'https://evil.example' }, { x5c: [] }])
      expect(readJwt(text({ ...header, ...more }))).toBeUndefined()
    const whole = text(header)
    for (const bad of [`${whole}.x`, `${whole}=`, whole.replace('.', '..'), '', '..', ` ${whole}`])
      expect(readJwt(bad)).toBeUndefined()
    expect(readJwt(text(header, { ...claims, pad: 'x'.repeat(4_000) }))).toBeUndefined()
    expect(readJwt(text(header, []))).toBeUndefined()
  })
  test('is read from any text without an exception', () => {
    fc.assert(fc.property(fc.string(), (bytes) => void readJwt(bytes)))
    fc.assert(
      fc.property(fc.tuple(fc.base64String(), fc.base64String()), ([a, b]) => void readJwt(`${a}.${b}.${SIGNATURE}`)),
    )
  })
})
