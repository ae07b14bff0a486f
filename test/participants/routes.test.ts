import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Peer } from '../../src/http/peer.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { newId } from '../../src/kernel/ids.ts'
import { credentialRoutes, enrolmentRoutes } from '../../src/participants/routes.ts'
import { enrolmentProof, signingKeyProof } from '../../src/participants/schema.ts'
import { anEnrolment, aRequest, aSigner } from './keys.ts'
import { aWorld, NOON, type World } from './world.ts'

let w: World
let enrolling: FastifyInstance
let partner: FastifyInstance
let peer: Peer
const scopes: string[] = []
const signer = aSigner()

/** As the listeners make theirs; who is connected is given. */
const anApp = (): FastifyInstance => {
  const app = Fastify({ ajv: { customOptions: { removeAdditional: false } } })
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  app.setErrorHandler((error, _, reply) => {
    if (error instanceof Refusal) return reply.code(error.status).send({ code: error.code })
    const status = (error as { validation?: unknown }).validation === undefined ? 500 : 422
    return reply.code(status).send({ code: status === 500 ? 'internal' : 'validation-failed' })
  })
  app.addHook('onRoute', ({ method, url, config }) => {
    if (method !== 'HEAD') scopes.push(`${method} ${url} ${(config as { scope?: string } | undefined)?.scope}`)
  })
  return app
}

beforeAll(async () => {
  w = await aWorld()
  enrolling = anApp()
  await enrolling.register(enrolmentRoutes, { participants: w.service })
  partner = anApp()
  partner.decorateRequest('peer')
  partner.addHook('onRequest', async (request) => {
    request.peer = peer
  })
  await partner.register(credentialRoutes, { participants: w.service })
  await w.admit('banana')
  const participant = await w.admit('apple')
  const code = await w.code('apple')
  const tls = await aRequest()
  const proof = signer.sign(enrolmentProof(code, tls.pin))
  const body = { code, csr_pem: tls.pem, signing_jwk: signer.jwk, proof }
  const answer = await enrolling.inject({ method: 'POST', url: '/enroll', payload: body })
  expect(answer.statusCode, answer.body).toBe(201)
  const { uri, credential } = answer.json()
  peer = { participant, credential, uri, slug: 'apple', spki: tls.pin, leafSha256: '', notAfter: NOON, scopes: [] }
})
afterAll(async () => {
  await enrolling.close()
  await partner.close()
  await w.end()
})

const get = async (url: string) => (await partner.inject({ method: 'GET', url })).json()
const put = (url: string, payload: object) => partner.inject({ method: 'PUT', url, payload })
const post = (url: string, payload: object) => partner.inject({ method: 'POST', url, payload })

test('every route names its scope, and the enrolment listener has one route', () => {
  expect(scopes.filter((line) => line.endsWith('undefined'))).toEqual([])
  expect(enrolling.hasRoute({ method: 'POST', url: '/enroll' })).toBe(true)
  expect(scopes.filter((line) => line.includes('/enroll'))).toEqual(['POST /enroll public'])
})

describe('POST /enroll', () => {
  test('answers a used code as one that never was, and keeps no copy of the answer', async () => {
    const code = await w.code('banana')
    const request = await anEnrolment(code)
    const first = await enrolling.inject({ method: 'POST', url: '/enroll', payload: request })
    expect([first.statusCode, first.headers['cache-control']]).toEqual([201, 'no-store'])
    const invented = { ...request, code: `${code.slice(0, 17)}${'a'.repeat(32)}` }
    for (const payload of [request, invented]) {
      const answer = await enrolling.inject({ method: 'POST', url: '/enroll', payload })
      expect([answer.statusCode, answer.json()]).toEqual([403, { code: 'enrolment-refused' }])
    }
  })
  test('refuses a private key and any other extra member', async () => {
    const request = await anEnrolment(await w.code('banana', 'other'))
    const leaked = { ...request, signing_jwk: { ...request.signing_jwk, d: 'A'.repeat(43) } }
    for (const payload of [leaked, { ...request, scopes: ['reveal'] }]) {
      const answer = await enrolling.inject({ method: 'POST', url: '/enroll', payload })
      expect(answer.statusCode).toBe(422)
    }
  })
})

describe('the partner listener', () => {
  test('GET /v1/whoami says who is connected, by which key, where', async () => {
    expect(await get('/v1/whoami')).toEqual({
      participant: { slug: 'apple', name: 'apple', kind: 'platform', status: 'active' },
      credential: {
        id: peer.credential,
        scopes: ['signals:submit', 'feed:read'],
        not_after: new Date(NOON.getTime() + 90 * 86_400_000).toISOString(),
      },
      programme: { slug: 'orchard', trust_domain: 'orchard.example', node_origin: 'https://node.example.org' },
      time: NOON.toISOString(),
    })
  })
  test('GET /v1/participants gives what verifies a source, and no name of a person or organisation', async () => {
    const { participants } = await get('/v1/participants')
    const apple = participants.find((one: { slug: string }) => one.slug === 'apple')
    expect(Object.keys(apple).sort()).toEqual(['kind', 'signing_keys', 'slug', 'status', 'uri'])
    expect(apple.signing_keys).toMatchObject([{ kid: signer.kid, alg: 'Ed25519', jwk: signer.jwk, status: 'active' }])
  })
  test('PUT /v1/audiences makes one that GET then lists, once', async () => {
    const path = `/v1/audiences/${newId(NOON)}`
    const named = { label: 'Two', mode: 'full', members: ['banana'] }
    const made = await put(path, named)
    expect(made.statusCode, made.body).toBe(201)
    const again = await put(path, named)
    expect([again.statusCode, again.json()]).toEqual([200, made.json()])
    const other = await put(path, { ...named, label: 'Three' })
    expect([other.statusCode, other.json()]).toEqual([409, { code: 'state-conflict' }])
    const { audiences } = await get('/v1/audiences')
    expect(audiences).toContainEqual(made.json())
    expect(made.json()).toMatchObject({ kind: 'named', may_share: true, members: ['apple', 'banana'] })
  })
  test.for([
    ['nobody', { members: [] }],
    ['twice the same', { members: ['banana', 'banana'] }],
    ['a stranger', { members: ['cherry'] }],
    ['an unknown mode', { mode: 'open' }],
    ['a control character', { label: 'a\nb' }],
  ] as const)('PUT /v1/audiences with %s is refused', async ([, change]) => {
    const answer = await put(`/v1/audiences/${newId(NOON)}`, {
      label: 'Two',
      mode: 'full',
      members: ['banana'],
      ...change,
    })
    expect([answer.statusCode, answer.json()]).toEqual([422, { code: 'validation-failed' }])
  })
  test('POST /v1/credentials/renewals refuses the key of another', async () => {
    const answer = await post('/v1/credentials/renewals', { csr: (await aRequest()).pem })
    expect([answer.statusCode, answer.json()]).toEqual([422, { code: 'certificate-request-refused' }])
  })
  test('POST /v1/signing-keys takes a key over the nonce that GET gave', async () => {
    const { nonce } = await get('/v1/signing-keys/nonce')
    const next = aSigner('ES256')
    const data = signingKeyProof(nonce, next.kid)
    const answer = await post('/v1/signing-keys', {
      ...{ jwk: next.jwk, nonce, proof: next.sign(data) },
      previous: { kid: signer.kid, proof: signer.sign(data) },
    })
    expect([answer.statusCode, answer.json()]).toEqual([202, { kid: next.kid, status: 'pending' }])
  })
})
