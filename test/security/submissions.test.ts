import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignedSubmission } from '../../src/signals/submission.ts'
import { decoded } from '../signals/factory.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { describedCodes } from './contract.ts'
import {
  CANARY,
  type Caller,
  callerOf,
  changesNothing,
  expectRefusal,
  JSON_TYPE,
  resigned,
  signTexts,
} from './world.ts'

let n: TestNode
let apple: Member
let banana: Member
let client: Caller
let audience: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  client = callerOf(n, apple)
  audience = await apple.everybody()
  await apple.item({ type: 'url', raw: 'https://bad.example/a' }, audience)
})
afterAll(async () => {
  client.close()
  await n.end()
})

const texts = async (count = 1): Promise<string[]> => {
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, audience)
  return Array.from({ length: count }, () => JSON.stringify({ ...item, note: CANARY, signal: newId(new Date()) }))
}
const post = (body: string) => client.ask({ method: 'POST', path: '/v1/submissions', headers: JSON_TYPE, body })
const good = async (): Promise<SignedSubmission> => signTexts(apple, await texts())

type Made = string | SignedSubmission | Promise<string | SignedSubmission>
type Case = readonly [what: string, make: () => Made, code: ErrorCode]

const withJws = (change: (jws: SignedSubmission['jws']) => object) => async (): Promise<string> => {
  const { jws, items } = await good()
  return JSON.stringify({ jws: change(jws), items })
}
const withHeader = (change: (header: Record<string, unknown>) => unknown) => async (): Promise<SignedSubmission> =>
  resigned(apple, await good(), { header: change })
const withPayload = (payload: (text: string) => string) => async (): Promise<SignedSubmission> => {
  const signed = await good()
  return resigned(apple, signed, { payload: payload(decoded(signed.jws.payload)) })
}
const withItem = (change: (item: { salt: string; item: string }) => object) => async (): Promise<string> => {
  const { jws, items } = await good()
  return JSON.stringify({ jws, items: items.map(change) })
}
/** The same base64url with its last character's unused bits set. */
const loose = (part: string): string => part.slice(0, -1) + String.fromCharCode(part.charCodeAt(part.length - 1) + 1)
const seconds = (ahead: number): Date => new Date(Date.now() + ahead * 1_000)
const other = (change: object) => async () => signTexts(apple, await texts(), change)

/** Somebody's else, or for somebody else. */
const PARTIES: readonly Case[] = [
  ['of another participant', async () => signTexts(banana, await texts()), 'wrong-issuer'],
  ['of nobody', other({ iss: CANARY }), 'wrong-issuer'],
  ['to another node', other({ aud: 'https://other.example.org' }), 'wrong-audience'],
  ['to another programme', other({ prg: 'meadow' }), 'wrong-audience'],
  ['to a node by another writing of its name', other({ aud: 'https://node.example.org/' }), 'wrong-audience'],
  ['of eight days ago', other({ now: seconds(-8 * 86_400) }), 'submission-stale'],
  ['of the future', other({ now: seconds(600) }), 'submission-stale'],
  ['by a key of another participant', () => byKeyOf(banana, banana), 'signing-key-unknown'],
  ['by another key than it names', () => byKeyOf(banana, apple), 'signature-invalid'],
]

/** Banana's key over apple's header, which names the key of one of them. */
async function byKeyOf(signer: Member, named: Member): Promise<SignedSubmission> {
  const { kid } = named.home.signingKey()
  return resigned(signer, await good(), { header: (header) => ({ ...header, kid }) })
}

const JWS: readonly Case[] = [
  ['with an empty header', withJws((jws) => ({ ...jws, protected: '' })), 'signature-invalid'],
  ['with padding', withJws((jws) => ({ ...jws, payload: `${jws.payload}=` })), 'signature-invalid'],
  ['with a space', withJws((jws) => ({ ...jws, signature: `${jws.signature} ` })), 'signature-invalid'],
  ['with loose bits', withJws((jws) => ({ ...jws, signature: loose(jws.signature) })), 'signature-invalid'],
  ['in the other base64', withJws((jws) => ({ ...jws, signature: `+${jws.signature.slice(1)}` })), 'signature-invalid'],
  ['with half a signature', withJws((jws) => ({ ...jws, signature: jws.signature.slice(43) })), 'signature-invalid'],
  ['with no signature', withJws(({ protected: head, payload }) => ({ protected: head, payload })), 'validation-failed'],
  ['with a signature of noughts', withJws((jws) => ({ ...jws, signature: 'A'.repeat(86) })), 'signature-invalid'],
  ['in compact form', async () => JSON.stringify({ jws: 'a.b.c', items: (await good()).items }), 'validation-failed'],
  ['in general form', withJws((jws) => ({ payload: jws.payload, signatures: [jws] })), 'validation-failed'],
  ['with an unprotected header', withJws((jws) => ({ ...jws, header: { kid: CANARY } })), 'validation-failed'],
  ['with a header of two KiB', withJws((jws) => ({ ...jws, protected: 'A'.repeat(2_048) })), 'validation-failed'],
  ['with a header that is no JSON', withHeader(() => '{'), 'invalid-json'],
  ['with a header that is a list', withHeader(() => []), 'signature-header'],
  ['with a duplicate in the header', withHeader((h) => JSON.stringify(h).replace('{', '{"kid":"x",')), 'json-strict'],
  ['without algorithm', withHeader((h) => ({ ...h, alg: 'none' })), 'signature-header'],
  ['with a shared secret', withHeader((h) => ({ ...h, alg: 'HS256' })), 'signature-header'],
  ['with the algorithm of another key', withHeader((h) => ({ ...h, alg: 'ES256' })), 'signing-key-unknown'],
  ['of another type', withHeader((h) => ({ ...h, typ: 'JWT' })), 'signature-header'],
  ['that brings its key along', withHeader((h) => ({ ...h, jwk: { kty: 'OKP' } })), 'signature-header'],
  ['that says where its key is', withHeader((h) => ({ ...h, jku: `https://${CANARY}.example` })), 'signature-header'],
  ['with critical members', withHeader((h) => ({ ...h, crit: ['b64'], b64: false })), 'signature-header'],
  ['without a jti', withHeader(({ jti: _, ...h }) => h), 'signature-header'],
  ['with a short jti', withHeader((h) => ({ ...h, jti: 'AAAA' })), 'signature-header'],
  ['with a time in text', withHeader((h) => ({ ...h, iat: String(h['iat']) })), 'signature-header'],
  ['with an unknown key', withHeader((h) => ({ ...h, kid: CANARY })), 'signing-key-unknown'],
]

const TREE: readonly Case[] = [
  ['of another count', withPayload((text) => text.replace('"count":1', '"count":2')), 'signature-invalid'],
  ['of another root', withPayload((text) => text.replace(/"root":"./, '"root":"_')), 'signature-invalid'],
  ['whose payload says the same otherwise', withPayload((text) => text.replace(',', ', ')), 'signature-invalid'],
  ['with another salt', withItem(({ item }) => ({ salt: 'A'.repeat(22), item })), 'signature-invalid'],
  ['with loose bits in a salt', withItem(({ salt, item }) => ({ salt: loose(salt), item })), 'signature-invalid'],
  ['with a short salt', withItem(({ item }) => ({ salt: 'AAAA', item })), 'validation-failed'],
  ['with one byte more', withItem(({ salt, item }) => ({ salt, item: `${item} ` })), 'signature-invalid'],
  ['with a lone surrogate in an item', withItem(({ salt }) => ({ salt, item: '"\ud800"' })), 'json-strict'],
  ['with an unknown member of an item', withItem((one) => ({ ...one, plover: CANARY })), 'validation-failed'],
  ['without items', withItemsOf((items) => items.slice(1)), 'validation-failed'],
  ['with an item twice', withItemsOf((items) => [...items, ...items]), 'signature-invalid'],
  ['of 1,001 items', withItemsOf((items) => Array(1_001).fill(items[0])), 'json-limit'],
  ['with an item of 16 KiB and more', () => ofLength('p', 16_385), 'json-limit'],
  ['with an item of fewer characters but more bytes', () => ofLength('é', 9_000), 'item-limit'],
  ['of more than 4 MiB', () => `{"jws":"${'p'.repeat(4 * 1_024 * 1_024)}"}`, 'too-large'],
  ['with an unknown member', async () => ({ ...(await good()), plover: CANARY }), 'validation-failed'],
  ['with its items twice', async () => JSON.stringify(await good()).replace('{', '{"items":[],'), 'json-strict'],
]

function withItemsOf(change: (items: SignedSubmission['items']) => unknown[]) {
  return async (): Promise<string> => {
    const { jws, items } = await good()
    return JSON.stringify({ jws, items: change(items) })
  }
}

const ofLength = async (character: string, length: number): Promise<SignedSubmission> =>
  signTexts(apple, [character.repeat(length)])

test.for([...PARTIES, ...JWS, ...TREE])('a submission %s is refused as a whole', async ([, make, code]) => {
  const made = await make()
  const body = typeof made === 'string' ? made : JSON.stringify(made)
  const answer = await changesNothing(n.t, () => post(body))
  expectRefusal(answer, code, ['bad.example'])
  expect(describedCodes({ method: 'POST', path: '/v1/submissions' })).toContain(code)
})

describe('a jti', () => {
  test('that was used for other bytes is refused, and for the same ones answered alike', async () => {
    const first = await good()
    const answer = await post(JSON.stringify(first))
    expect(answer.status).toBe(201)
    const { jti } = JSON.parse(decoded(first.jws.protected)) as { jti: string }
    const twin = await resigned(apple, await good(), { header: (header) => ({ ...header, jti }) })
    expectRefusal(await changesNothing(n.t, () => post(JSON.stringify(twin))), 'replayed')
    const again = await post(JSON.stringify(first))
    expect([again.status, again.text]).toEqual([answer.status, answer.text])
  })

  test('of another participant is nobody else’s', async () => {
    const first = await good()
    await post(JSON.stringify(first))
    const { jti } = JSON.parse(decoded(first.jws.protected)) as { jti: string }
    const own = await banana.item({ type: 'url', raw: 'https://bad.example/a' }, audience)
    const theirs = await resigned(banana, await signTexts(banana, [JSON.stringify(own)]), {
      header: (header) => ({ ...header, jti }),
    })
    expect(await banana.client.submit(theirs)).toMatchObject({ accepted: 1 })
  })
})

test('a key that has ended signs nothing', async () => {
  const cherry = await n.member('cherry')
  const theirs = callerOf(n, cherry)
  const body = JSON.stringify(await signTexts(cherry, await texts()))
  const key = { participant: 'cherry', kid: cherry.home.signingKey().kid }
  for (const as of ['retired', 'compromised'] as const) {
    await n.parts.participants.endSigningKey(n.ada, { ...key, as })
    const call = { method: 'POST', path: '/v1/submissions', headers: JSON_TYPE, body }
    expectRefusal(await changesNothing(n.t, () => theirs.ask(call)), 'signing-key-unknown')
  }
  theirs.close()
})
