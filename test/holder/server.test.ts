import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holderAt } from '../../src/client/evaluator.ts'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { type Counts, openCounts } from '../../src/holder/counts.ts'
import { createHolder, partId } from '../../src/holder/holder.ts'
import { createLedger } from '../../src/holder/ledger.ts'
import { HOLDER_LIMITS, type HolderServer, startHolder } from '../../src/holder/server.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { createOprfPool } from '../../src/keys/oprf-pool.ts'
import type { KeyService } from '../../src/keys/service.ts'
import { createVoprf } from '../../src/matching/oprf.ts'
import type { Evaluation } from '../../src/matching/schema.ts'
import { type ClientIdentity, certificateOf, type TestPki, TRUST_DOMAIN, testPki } from '../support/pki.ts'

const voprf = createVoprf({ group: nobleGroup, hash: sha512, random: () => randomBytes(64) })
const QUOTA = 10

let dir: string
let pki: TestPki
let plum: ClientIdentity
let counts: Counts
let keys: KeyService
let server: HolderServer
let pin: string
const pool = createOprfPool({ threads: 1 })
const faults: unknown[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-holder-'))
  pki = await testPki()
  plum = await pki.participant('plum')
  keys = fileKeys(join(dir, 'keys'), pool)
  await keys.create(partId('year-1'), 'oprf')
  counts = openCounts(join(dir, 'counts.ndjson'))
  const ledger = createLedger(counts, () => QUOTA)
  server = await startHolder({
    ...{ host: '127.0.0.1', port: 0, trustDomain: TRUST_DOMAIN, clock: systemClock, material: pki.material },
    holder: createHolder({ keys, pool, ledger, clock: systemClock }),
    onFault: (error) => faults.push(error),
  })
  const leaf = certificateOf({ cert: pki.material.chain })
  pin = sha256(leaf.publicKey.export({ format: 'der', type: 'spki' })).toString('hex')
})
afterAll(async () => {
  await server.close()
  await pool.close()
  counts.close()
  rmSync(dir, { recursive: true })
  expect(faults).toEqual([])
})

const drawn = (n: number): string[] =>
  Array.from({ length: n }, () => toBase64Url(nobleGroup.elementFrom(randomBytes(64))))
const asked = (elements: string[], more: object = {}): Evaluation =>
  ({ kid: 'year-1', purpose: 'lookup', elements, ...more }) as Evaluation

interface Raw {
  path?: string
  method?: string
  body?: string
  headers?: Record<string, string>
}

/** The bare answer, or how the connection ended. */
function raw(
  identity: Partial<ClientIdentity>,
  { path = '/v1/oprf/evaluations', method = 'POST', body, headers = {} }: Raw,
) {
  const url = new URL(path, server.origin)
  return new Promise<{ status: number; code: string }>((resolve) => {
    const { key, cert } = identity
    const sent = { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers }
    const out = request(url, { method, key, cert, ca: pki.ca.root, headers: sent, agent: false }, async (message) => {
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      resolve({ status: message.statusCode ?? 0, code: String((JSON.parse(text) as { code?: string }).code) })
    })
    out.on('error', (error: NodeJS.ErrnoException) => resolve({ status: 0, code: error.code ?? error.message }))
    out.end(body ?? JSON.stringify(asked(drawn(1))))
  })
}

test('a participant has its elements evaluated under the part, with a proof, and the count is on the disk', async () => {
  const holder = holderAt({ origin: server.origin, pin }, plum)
  const blinded = ['pear', 'finch'].map((word) => voprf.blind(Buffer.from(word)).element)
  const result = await holder.evaluate(asked(blinded.map(toBase64Url), { purpose: 'submit' }), randomUUID())
  const [share] = result.shares
  expect(share?.index).toBe(2)
  const elements = (share?.elements ?? []).map((text) => Buffer.from(text, 'base64url'))
  const proof = Buffer.from(share?.proof ?? '', 'base64url')
  const publicKey = await keys.oprfPublicKey(partId('year-1'))
  expect(voprf.verify(publicKey, blinded, { elements, proof })).toBe(true)
  const line = readFileSync(join(dir, 'counts.ndjson'), 'utf8')
  expect(line).toContain('"participant":"plum","kid":"year-1","purpose":"submit","n":2')
  for (const element of [...blinded.map(toBase64Url), ...(share?.elements ?? [])]) expect(line).not.toContain(element)
  holder.close()
})

test('the client sends nothing to a holder with another TLS key than the pinned one', async () => {
  const holder = holderAt({ origin: server.origin, pin: '0'.repeat(64) }, plum)
  await expect(holder.evaluate(asked(drawn(1)), randomUUID())).rejects.toThrow('another key than the pinned one')
  holder.close()
})

test('beyond the quota nothing is evaluated', async () => {
  const kiwi = await pki.participant('kiwi')
  const ask = async (n: number) => (await raw(kiwi, { body: JSON.stringify(asked(drawn(n))) })).code
  expect([await ask(QUOTA), await ask(1)]).toEqual(['undefined', 'quota-exceeded'])
})

describe('is refused', () => {
  const cases: readonly (readonly [what: string, how: () => Raw, code: string])[] = [
    ['an unknown epoch', () => ({ body: JSON.stringify(asked(drawn(1), { kid: 'year-9' })) }), 'hash-profile-unknown'],
    ['the identity', () => ({ body: JSON.stringify(asked([toBase64Url(new Uint8Array(32))])) }), 'element-invalid'],
    ['what is no element', () => ({ body: JSON.stringify(asked([`${'_'.repeat(42)}8`])) }), 'element-invalid'],
    ['loose bits', () => ({ body: JSON.stringify(asked(['B'.repeat(43)])) }), 'element-invalid'],
    ['an unknown member', () => ({ body: JSON.stringify(asked(drawn(1), { note: 'pear' })) }), 'validation-failed'],
    ['a key twice', () => ({ body: '{"kid":"a","kid":"b"}' }), 'json-strict'],
    ['no JSON', () => ({ body: 'pear' }), 'invalid-json'],
    ['a body that is too long', () => ({ body: ' '.repeat(HOLDER_LIMITS.body_bytes + 1) }), 'too-large'],
    ['a body that is far too long', () => ({ body: ' '.repeat(400 * HOLDER_LIMITS.body_bytes) }), 'too-large'],
    [
      'a key epoch with the longest name that one has',
      () => ({ body: JSON.stringify(asked(drawn(1), { kid: 'y'.repeat(63) })) }),
      'hash-profile-unknown',
    ],
    [
      'a type that is not said in full',
      () => ({ headers: { 'content-type': 'application/jsonp' } }),
      'unsupported-media-type',
    ],
    ['no UUID as key', () => ({ headers: { 'idempotency-key': 'pear' } }), 'invalid-header'],
    ['another type', () => ({ headers: { 'content-type': 'text/plain' } }), 'unsupported-media-type'],
    ['another path', () => ({ path: '/pear' }), 'not-found'],
    ['another method', () => ({ method: 'PUT' }), 'method-not-allowed'],
  ]
  test.for(cases)('%s', async ([, how, code]) => {
    expect((await raw(plum, how())).code).toBe(code)
  })

  test('whoever has no certificate of the programme, or one that is none of a participant', async () => {
    const stranger = await (await testPki()).participant('plum')
    expect((await raw({}, {})).status).toBe(0)
    expect((await raw(stranger, {})).status).toBe(0)
    const foreign = await pki.odd({ uris: ['spiffe://elsewhere.test/participant/plum'] })
    expect(await raw(foreign, {})).toEqual({ status: 403, code: 'credential-not-enrolled' })
    const server = await pki.odd({ usages: ['1.3.6.1.5.5.7.3.1'] })
    expect((await raw(server, {})).status).not.toBe(200)
  })
})
