import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askForToken, clientAssertion } from '../../src/client/access.ts'
import { createClient } from '../../src/client/client.ts'
import { LIMITS } from '../../src/http/limits.ts'
import type { WhoAmI } from '../../src/participants/schema.ts'
import { type Caller, callerOf } from '../security/world.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

const ORIGIN = 'https://node.example.org'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' } as const

let n: TestNode
let apple: Member
let other: Member
let banana: Member
let by: Caller
let ahead = 0
const callers: Caller[] = []

beforeAll(async () => {
  n = await aTestNode({ clock: () => new Date(Date.now() + ahead) })
  apple = await n.member('apple')
  other = await n.enrolled('apple')
  banana = await n.member('banana')
  by = known(apple)
})
afterAll(async () => {
  for (const one of callers) one.close()
  await n.end()
})

function known(member: Member): Caller {
  const one = callerOf(n, member)
  callers.push(one)
  return one
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const tokenOf = async ({ client }: Member, scopes?: readonly ('feed:read' | 'signals:submit')[]) =>
  (await askForToken(client.transport, scopes === undefined ? {} : { scopes })).access_token
const grant = (body: string, from = by) => from.ask({ method: 'POST', path: '/v1/oauth/token', headers: FORM, body })

async function refused(token: string, from = by): Promise<[number, string, string]> {
  const { status, headers, text } = await from.ask({ path: '/v1/whoami', headers: bearer(token) })
  return [status, (JSON.parse(text) as { code: string }).code, String(headers['www-authenticate'])]
}

describe('an access token', () => {
  test('is a JWT of RFC 9068 that others verify by the published keys, bound to the certificate', async () => {
    const { text } = await by.ask({ path: '/v1/oauth/jwks' })
    const verified = await jwtVerify(await tokenOf(apple), createLocalJWKSet(JSON.parse(text)), {
      ...{ issuer: ORIGIN, audience: ORIGIN, typ: 'at+jwt', maxTokenAge: '10m' },
      requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'scope', 'cnf'],
    })
    const { exp = 0, iat = 0 } = verified.payload
    expect(exp - iat).toBeLessThanOrEqual(600)
    expect(verified.payload['sub']).toMatch(/participant\/apple$/)
  })
  test('is told of beside what the node says of itself', async () => {
    expect(await apple.client.meta()).toMatchObject({
      name: 'aldis',
      api: ['v1'],
      programme: 'orchard',
      deprecated: [],
    })
    const { headers, text } = await by.ask({ path: '/v1/openapi.json' })
    expect(JSON.parse(text)).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) })
    const again = await by.ask({ path: '/v1/openapi.json', headers: { 'if-none-match': String(headers.etag) } })
    expect([again.status, again.text]).toEqual([304, ''])
    expect(JSON.parse((await by.ask({ path: '/problems/busy' })).text)).toMatchObject({ code: 'busy', status: 503 })
    expect((await by.ask({ path: '/problems/constructor' })).status).toBe(404)
  })
  test('is found by the metadata of RFC 8414', async () => {
    const metadata = JSON.parse((await by.ask({ path: '/.well-known/oauth-authorization-server' })).text)
    expect(metadata).toMatchObject({
      ...{ issuer: ORIGIN, token_endpoint: `${ORIGIN}/v1/oauth/token`, jwks_uri: `${ORIGIN}/v1/oauth/jwks` },
      tls_client_certificate_bound_access_tokens: true,
    })
  })
  test('cuts what a request may do, and whoami says to what', async () => {
    const headers = bearer(await tokenOf(apple, ['feed:read']))
    expect((await by.ask({ path: '/v1/feeds', headers })).status).toBe(200)
    const lacking = await by.ask({ path: '/v1/signing-keys/nonce', headers })
    expect(lacking.status).toBe(403)
    expect(lacking.headers['www-authenticate']).toBe('Bearer error="insufficient_scope", scope="signals:submit"')
    expect((await by.ask({ path: '/v1/signing-keys/nonce' })).status).toBe(200)
    const told = JSON.parse((await by.ask({ path: '/v1/whoami', headers })).text) as WhoAmI
    expect(told.access_token?.scopes).toEqual(['feed:read'])
    expect(told.credential.scopes.length).toBeGreaterThan(1)
  })
  test('asks for no wider one', async () => {
    const headers = { ...FORM, ...bearer(await tokenOf(apple, ['feed:read'])) }
    const ask = (scope: string) =>
      by.ask({ method: 'POST', path: '/v1/oauth/token', headers, body: `grant_type=client_credentials${scope}` })
    expect(JSON.parse((await ask('&scope=signals:submit')).text)).toMatchObject({ error: 'invalid_scope' })
    expect(JSON.parse((await ask('')).text)).toMatchObject({ scope: 'feed:read' })
  })
  test('that is refused is asked for in every protocol', async () => {
    const headers = { ...bearer('no.such.token'), accept: 'application/taxii+json;version=2.1' }
    const answer = await by.ask({ path: '/taxii2/', headers })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
  })
  test('that is refused is a request of its credential like any other', async () => {
    const { status, headers } = await known(banana).ask({ path: '/v1/whoami', headers: bearer('no.such.token') })
    expect(status).toBe(401)
    const left = /r=(\d+)/.exec(String(headers['ratelimit']))?.[1]
    expect(Number(left)).toBeLessThan(LIMITS.requests_per_credential_burst)
  })
  test('of another credential or certificate is worth nothing', async () => {
    const token = await tokenOf(apple)
    for (const member of [other, banana])
      expect(await refused(token, known(member))).toEqual([
        401,
        'access-token-unbound',
        expect.stringContaining('invalid_token'),
      ])
  })
  test('without a client certificate gets no answer at all', async () => {
    const stranger = createClient({ origin: n.partner, ca: n.parts.rootCertificate, key: '', cert: '' })
    const asked = stranger.transport.open({ method: 'GET', path: '/v1/whoami', headers: bearer(await tokenOf(apple)) })
    await expect(asked).rejects.toThrow()
    stranger.close()
  })
  test('ends after ten minutes', async () => {
    const token = await tokenOf(apple)
    ahead = 601_000
    try {
      expect(await refused(token)).toEqual([401, 'access-token-expired', expect.anything()])
    } finally {
      ahead = 0
    }
  })
  test('that another signed, or that was altered, is refused', async () => {
    const token = await tokenOf(apple)
    const [head = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const wider = Buffer.from(JSON.stringify({ ...claims, exp: Number(claims['exp']) + 60 })).toString('base64url')
    expect((await refused(`${head}.${wider}.${signature}`))[1]).toBe('access-token-invalid')
    const none = Buffer.from('{"alg":"none","kid":"x","typ":"at+jwt"}').toString('base64url')
    expect((await refused(`${none}.${payload}.${signature}`))[1]).toBe('access-token-invalid')
    expect((await refused(`${token} x`))[1]).toBe('access-token-invalid')
    const own = await importJWK(JSON.parse(apple.home.signingSecret() ?? ''), 'Ed25519')
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'Ed25519', kid: 'x', typ: 'at+jwt' }).sign(own)
    expect((await refused(forged))[1]).toBe('access-token-invalid')
    const foreign = await new SignJWT({ ...claims, iss: 'https://other.example' })
      .setProtectedHeader({ alg: 'Ed25519', kid: 'x', typ: 'at+jwt' })
      .sign(own)
    expect((await refused(foreign))[1]).toBe('access-token-foreign')
  })
  test('stands in no log', async () => {
    const token = await tokenOf(apple)
    await by.ask({ path: '/v1/feeds', headers: bearer(token) })
    await refused(`${token} x`)
    expect(n.logged()).not.toContain(token.slice(-40))
    expect(n.logged()).not.toContain(token.slice(0, 60))
  })
  test('lets a client of fewer scopes work on its own', async () => {
    const { node: origin } = apple.home.membership()
    const client = createClient({ origin, ...apple.home.identity(), scopes: ['feed:read'] })
    expect((await client.feeds()).feeds.length).toBeGreaterThan(0)
    await expect(client.signingKeyNonce()).rejects.toMatchObject({ code: 'scope-missing' })
    client.close()
  })
})

describe('a request for one', () => {
  test('is refused in the words of OAuth and under a code of ours', async () => {
    const cases = [
      ['grant_type=password', 400, 'unsupported_grant_type', 'grant-unsupported'],
      ['grant_type=client_credentials&scope=provenance:audit', 400, 'invalid_scope', 'scope-unknown'],
      ['grant_type=client_credentials&client_id=x', 401, 'invalid_client', 'client-refused'],
      ['scope=feed:read', 400, 'invalid_request', 'grant-invalid'],
    ] as const
    for (const [body, status, error, code] of cases) {
      const answer = await grant(body)
      expect([answer.status, JSON.parse(answer.text)]).toEqual([status, expect.objectContaining({ error, code })])
    }
  })
  test('is a form of its own type and of eight kilobytes at most', async () => {
    const headers = { 'content-type': 'application/json' }
    const json = await by.ask({ method: 'POST', path: '/v1/oauth/token', headers, body: '{}' })
    expect(json.status).toBe(415)
    expect((await grant(`grant_type=client_credentials&x=${'a'.repeat(8_192)}`)).status).toBe(413)
  })
  test('may prove the signing key as well, by an assertion that is taken once', async () => {
    const { credential } = await apple.client.whoami()
    const key = apple.home.signingKey()
    const of = { credential: credential.id, origin: ORIGIN, key, now: new Date() }
    const assertion = await clientAssertion(of)
    const ask = (text: string, member = apple) => askForToken(member.client.transport, { assertion: text })
    expect((await ask(assertion)).token_type).toBe('Bearer')
    await expect(ask(assertion)).rejects.toMatchObject({ code: 'client-refused' })
    await expect(ask(await clientAssertion(of), other)).rejects.toMatchObject({ code: 'client-refused' })
    await expect(ask(await clientAssertion({ ...of, key: banana.home.signingKey() }))).rejects.toMatchObject({
      code: 'client-refused',
    })
    await expect(ask(await clientAssertion({ ...of, now: new Date(Date.now() - 400_000) }))).rejects.toMatchObject({
      code: 'client-refused',
    })
  })
  test('takes the assertion that a library of JOSE makes', async () => {
    const { credential } = await apple.client.whoami()
    const key = await importJWK(JSON.parse(apple.home.signingSecret() ?? ''), 'EdDSA')
    const made = await new SignJWT({})
      .setProtectedHeader({ alg: 'EdDSA', kid: apple.home.signingKey().kid, typ: 'JWT' })
      .setIssuer(credential.id)
      .setSubject(credential.id)
      .setAudience(ORIGIN)
      .setIssuedAt()
      .setExpirationTime('2m')
      .setJti(crypto.randomUUID())
      .sign(key)
    const { scope } = await askForToken(apple.client.transport, { assertion: made })
    expect(scope.split(' ')).toContain('feed:read')
  })
})

test('a token of a revoked credential is worth nothing, nor is its connection', async () => {
  const lost = await n.enrolled('banana')
  const { credential } = await lost.client.whoami()
  const token = await tokenOf(lost)
  await n.parts.participants.revokeCredential(n.ada, { credential: credential.id, reason: 'key_theft' })
  expect((await refused(token))[1]).toBe('access-token-unbound')
  await expect(lost.client.whoami()).rejects.toThrow()
})
