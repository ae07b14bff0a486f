import fc from 'fast-check'
import { Check } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { auditPath, treeHash } from '../../src/provenance/merkle.ts'
import { openSubmission } from '../../src/signals/open-submission.ts'
import { Jws } from '../../src/signals/schema.ts'
import {
  digestOfJws,
  type FlatJws,
  headerOf,
  ITEM_BYTES_MAX,
  ITEMS_MAX,
  itemLeaf,
  payloadText,
  type SignedSubmission,
  type SubmissionHeader,
  signSubmission,
  verifySubmission,
} from '../../src/signals/submission.ts'
import { aKey, DAY, decoded, encoded, NOON, ORIGIN, PROGRAMME, refusalOf, type TestKey, uriOf } from './factory.ts'

const iss = uriOf('apple')
const key = aKey()
const ecKey = aKey('ES256')
const address = { typ: 'aldis-signal+jws', iss, aud: ORIGIN, prg: PROGRAMME } as const
const context = {
  ...{ iss, aud: ORIGIN, prg: PROGRAMME, now: NOON },
  findKey: (kid: string) => [key, ecKey].find(({ signing }) => signing.kid === kid)?.verifying,
}
const FRUITS = ['{"apple":1}', '{"banana":2}', '{"cherry":3}']

const signed = (items: readonly string[] = FRUITS, by: TestKey = key): Promise<SignedSubmission> =>
  signSubmission({ ...address, items, key: by.signing, now: NOON })

const good = await signed()
const goodHeader = headerOf(good.jws.protected)

/** Signed over whatever header and payload, as a source with a good key and bad intent would. */
async function forged(
  header: unknown,
  { items = good.items, payload = good.jws.payload, by = key } = {},
): Promise<SignedSubmission> {
  const head = encoded(header)
  const signature = toBase64Url(await by.signing.sign(utf8(`${head}.${payload}`)))
  return { jws: { protected: head, payload, signature }, items }
}

const codeOf = (submission: SignedSubmission, change: Partial<typeof context> = {}) =>
  refusalOf(() => verifySubmission(submission, { ...context, ...change })).code

describe('a submission', () => {
  test.for([
    ['Ed25519', key],
    ['ES256', ecKey],
  ] as const)('signed with %s verifies, and says who, what and when', async ([alg, by]) => {
    const submission = await signed(FRUITS, by)
    const { header, leaves, root, od } = verifySubmission(submission, context)
    expect(header).toEqual({
      ...{ alg, kid: by.signing.kid, typ: 'aldis-signal+jws', iss, aud: ORIGIN, prg: PROGRAMME },
      ...{ iat: NOON.getTime() / 1000, jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) },
    })
    expect(leaves.map(toBase64Url)).toEqual(submission.items.map(leafTextOf))
    expect(root).toEqual(treeHash(sha256, leaves))
    const { protected: head, payload, signature } = submission.jws
    expect(od).toEqual(Buffer.from(sha256(utf8(`${head}.${payload}.${signature}`))))
  })
  test('of one item has that item as its root', async () => {
    const submission = await signed(['{}'])
    const { leaves, root } = verifySubmission(submission, context)
    expect(Buffer.from(root)).toEqual(leaves[0])
  })
  test('has a salt of its own for each item and its own jti', async () => {
    const again = await signed()
    const salts = [...good.items, ...again.items].map(({ salt }) => salt)
    expect(new Set(salts).size).toBe(6)
    expect(headerOf(again.jws.protected).jti).not.toBe(goodHeader.jti)
  })
  test('holds at most 1,000 items and at least one', async () => {
    await expect(signed([])).rejects.toMatchObject({ code: 'items-limit' })
    await expect(signed(Array(ITEMS_MAX + 1).fill('{}'))).rejects.toMatchObject({ code: 'items-limit' })
    const most = await signed(Array(ITEMS_MAX).fill('{}'))
    expect(verifySubmission(most, context).leaves).toHaveLength(ITEMS_MAX)
    const [first = { salt: '', item: '' }] = most.items
    expect(codeOf({ ...most, items: [...most.items, first] })).toBe('items-limit')
    expect(codeOf({ ...most, items: [] })).toBe('items-limit')
  })
  test('of an item beyond 16 KiB, counted in bytes, is refused', async () => {
    const text = (bytes: number): string => `"${'é'.repeat((bytes - 2) / 2)}"`
    expect(codeOf(await signed([text(ITEM_BYTES_MAX)]))).toBe('nothing')
    expect(codeOf(await signed([text(ITEM_BYTES_MAX + 2)]))).toBe('item-limit')
  })
  test('with a lone surrogate, which has no bytes of its own, is refused', async () => {
    expect(codeOf(await signed(['"\ud83c"']))).toBe('json-strict')
  })
})

const leafTextOf = ({ salt, item }: { salt: string; item: string }): string =>
  toBase64Url(itemLeaf(Buffer.from(salt, 'base64url'), item))

describe('the protected header', () => {
  const { jti, iat, kid } = goodHeader

  test.for([
    ['crit', { crit: ['exp'] }],
    ['b64', { b64: false }],
    ['jwk', { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } }],
    ['jku', { jku: 'https://keys.example/jwks' }],
    ['x5c', { x5c: [] }],
    ['x5t#S256', { 'x5t#S256': '' }],
    ['any other member', { cty: 'json' }],
  ] as const)('with %s is refused, though signed', async ([, extra]) => {
    expect(codeOf(await forged({ ...goodHeader, ...extra }))).toBe('signature-header')
  })
  test.for(Object.keys(goodHeader))('without %s is refused', async (name) => {
    const rest = Object.fromEntries(Object.entries(goodHeader).filter(([one]) => one !== name))
    expect(codeOf(await forged(rest))).toBe('signature-header')
  })
  test.for([
    ['alg', 'none'],
    ['alg', 'HS256'],
    ['alg', 'EdDSA'],
    ['alg', ['Ed25519']],
    ['typ', 'JWT'],
    ['typ', 'aldis-receipt+jws'],
    ['kid', ''],
    ['kid', 7],
    ['iss', null],
    ['aud', [ORIGIN]],
    ['prg', 'o'.repeat(257)],
    ['iat', String(iat)],
    ['iat', iat + 0.5],
    ['jti', `${jti}A`],
    ['jti', jti.slice(1)],
    ['jti', `${jti.slice(0, -1)}B`],
    ['jti', `${jti}==`],
  ] as const)('whose %s is %j is refused, though signed', async ([name, value]) => {
    expect(codeOf(await forged({ ...goodHeader, [name]: value }))).toBe('signature-header')
  })
  test.for([
    ['a list', '[]', 'signature-header'],
    ['null', 'null', 'signature-header'],
    ['a string', '"{}"', 'signature-header'],
    ['no JSON', 'apple', 'invalid-json'],
    ['two values of one name', JSON.stringify(goodHeader).replace('{', '{"kid":"apple",'), 'json-strict'],
    ['a __proto__ of its own', JSON.stringify(goodHeader).replace('{', '{"__proto__":{},'), 'signature-header'],
  ] as const)('that is %s is refused', async ([, text, code]) => {
    expect(codeOf(await forged(text))).toBe(code)
  })
  test('that is not UTF-8 is refused', () => {
    const jws = { ...good.jws, protected: toBase64Url(Uint8Array.of(0x22, 0xff, 0x22)) }
    expect(codeOf({ ...good, jws })).toBe('json-strict')
  })
  test('has its members in any order', async () => {
    const backwards = Object.fromEntries(Object.entries(goodHeader).reverse())
    expect(codeOf(await forged(backwards))).toBe('nothing')
  })
  test('is the only header: the wire takes no unprotected one', () => {
    expect(Check(Jws, good.jws)).toBe(true)
    expect(Check(Jws, { ...good.jws, header: { kid } })).toBe(false)
  })
  test.for([
    ['of another issuer', { iss: uriOf('banana') }, 'wrong-issuer'],
    ['for another node', { aud: 'https://other.example.org' }, 'wrong-audience'],
    ['for another programme', { prg: 'garden' }, 'wrong-audience'],
    ['of an unknown key', { kid: 'A'.repeat(43) }, 'signing-key-unknown'],
    ['of a key whose name is as long as any', { kid: 'A'.repeat(256) }, 'signing-key-unknown'],
    ['of a key whose name is longer', { kid: 'A'.repeat(257) }, 'signature-header'],
    ['that names another algorithm than its key has', { alg: 'ES256' }, 'signing-key-unknown'],
  ] as const)('%s is refused', async ([, change, code]) => {
    expect(codeOf(await forged({ ...goodHeader, ...change }))).toBe(code)
  })
  test('is that of the connected participant, whoever else has the key', () => {
    expect(codeOf(good, { iss: uriOf('banana') })).toBe('wrong-issuer')
  })
  test.for([
    [-7 * DAY, 'nothing'],
    [-7 * DAY - 1_000, 'submission-stale'],
    [300_000, 'nothing'],
    [301_000, 'submission-stale'],
  ] as const)('signed %i ms from now: %s', async ([ms, code]) => {
    const submission = await signSubmission({
      ...{ ...address, items: FRUITS, key: key.signing },
      now: new Date(NOON.getTime() + ms),
    })
    expect(codeOf(submission)).toBe(code)
  })
  test('is as old as an import window allows, and no more', async () => {
    const submission = await signSubmission({
      ...{ ...address, items: FRUITS, key: key.signing },
      now: new Date(NOON.getTime() - 30 * DAY),
    })
    const window = { ...context, maxAge: 30 * 86_400 }
    expect(refusalOf(() => verifySubmission(submission, window)).code).toBe('nothing')
    expect(refusalOf(() => verifySubmission(submission, { ...window, maxAge: 30 * 86_400 - 1 })).code).toBe(
      'submission-stale',
    )
  })
})

/** A text of the same bytes to a lenient decoder: padded, with the bits of the last character that mean nothing. */
function loosened(part: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(part.at(-1) ?? '')
  const loose = part.length % 4 === 0 ? [] : [`${part.slice(0, -1)}${alphabet[last ^ 1]}`]
  const padding = part.length % 4 === 0 ? [] : [part.padEnd(Math.ceil(part.length / 4) * 4, '=')]
  return [...loose, ...padding, ` ${part}`, `${part}\n`, `${part.slice(0, 4)}\r\n${part.slice(4)}`]
}

const PARTS = ['protected', 'payload', 'signature'] as const

describe('canonical base64url', () => {
  test.for(PARTS)('%s in any other writing of the same bytes is refused', (part) => {
    const others = loosened(good.jws[part])
    expect(others.length).toBeGreaterThan(2)
    for (const text of others) {
      expect(codeOf({ ...good, jws: { ...good.jws, [part]: text } }), text).toBe('signature-invalid')
    }
  })
  test('of standard alphabet, or empty, is refused', () => {
    for (const signature of ['', good.jws.signature.replaceAll('-', '+').replaceAll('_', '/').replace(/./, '+')]) {
      expect(codeOf({ ...good, jws: { ...good.jws, signature } })).toBe('signature-invalid')
    }
  })
  test('of a salt is refused in any other writing and any other length', () => {
    const [first = { salt: '', item: '' }, ...rest] = good.items
    for (const salt of [...loosened(first.salt), '', first.salt.slice(0, 20), `${first.salt}AA`]) {
      expect(codeOf({ ...good, items: [{ ...first, salt }, ...rest] }), salt).toBe('signature-invalid')
    }
  })
})

describe('the signed payload', () => {
  const root = verifySubmission(good, context).root

  test('is count and root of exactly the items that came', async () => {
    const other = await signed(['{"damson":4}', '{"elder":5}', '{"fig":6}'])
    expect(codeOf({ jws: good.jws, items: other.items })).toBe('signature-invalid')
    expect(codeOf({ jws: good.jws, items: good.items.slice(1) })).toBe('signature-invalid')
    expect(codeOf({ jws: good.jws, items: good.items.toReversed() })).toBe('signature-invalid')
    expect(codeOf({ jws: good.jws, items: [...good.items, ...good.items.slice(0, 1)] })).toBe('signature-invalid')
  })
  test.for([
    ['a count that is not that of the items', payloadText(2, root)],
    ['another root', payloadText(3, new Uint8Array(32))],
    ['another version', payloadText(3, root).replace('"v":1', '"v":2')],
    ['a blank', payloadText(3, root).replace(',', ', ')],
    ['another order', `{"count":3,"v":1,"root":"${toBase64Url(root)}"}`],
    ['one member more', payloadText(3, root).replace('}', ',"x":1}')],
  ] as const)('with %s is refused, though signed', async ([, text]) => {
    expect(codeOf(await forged(goodHeader, { payload: encoded(text) }))).toBe('signature-invalid')
  })
  test('has one form', () => {
    expect(decoded(good.jws.payload)).toBe(`{"v":1,"count":3,"root":"${toBase64Url(root)}"}`)
  })
})

test('a signature by another key of the same name is refused', async () => {
  expect(codeOf(await forged(goodHeader, { by: aKey() }))).toBe('signature-invalid')
})

test('a signature in DER, or of another length, is refused', async () => {
  const submission = await signed(FRUITS, ecKey)
  for (const length of [63, 65, 70]) {
    const signature = toBase64Url(new Uint8Array(length))
    expect(codeOf({ ...submission, jws: { ...submission.jws, signature } })).toBe('signature-invalid')
  }
})

/** What a recipient of item `index` of a submission is given. */
function proofOf({ jws, items }: SignedSubmission, index: number) {
  const leaves = items.map(({ salt, item }) => itemLeaf(Buffer.from(salt, 'base64url'), item))
  const path = toBase64Url(Buffer.concat(auditPath(sha256, leaves, index)))
  const { salt = '', item = '' } = items[index] ?? {}
  return { jws, count: items.length, salt, item, index, path }
}

function verifyItem(proof: ReturnType<typeof proofOf>, by: Parameters<typeof openSubmission>[1]): SubmissionHeader {
  const { header, check } = openSubmission(proof, by)
  check(proof)
  return header
}

const itemCode = (proof: ReturnType<typeof proofOf>, by: TestKey = key) =>
  refusalOf(() => verifyItem(proof, by.verifying)).code

describe('one item of a submission', () => {
  test('is verified by its recipient with nothing of its siblings but hashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        async (items, at) => {
          const submission = await signed(items.map((text) => JSON.stringify(text)))
          const proof = proofOf(submission, at % items.length)
          const header: SubmissionHeader = verifyItem(proof, key.verifying)
          expect(header).toEqual(headerOf(submission.jws.protected))
          expect(proof.path.length).toBeLessThanOrEqual(Math.ceil((Math.ceil(Math.log2(items.length)) * 32 * 4) / 3))
        },
      ),
      { numRuns: 40 },
    )
  })
  test('tells nothing of an equal sibling: without its salt a guess cannot be checked', async () => {
    const submission = await signed(['{"apple":1}', '{"apple":1}'])
    const [mine = '', sibling = ''] = submission.items.map(leafTextOf)
    expect(mine).not.toBe(sibling)
    expect(proofOf(submission, 0).path).toBe(sibling)
    const mySalt = Buffer.from(submission.items[0]?.salt ?? '', 'base64url')
    expect(toBase64Url(itemLeaf(mySalt, '{"apple":1}'))).not.toBe(sibling)
    expect(toBase64Url(itemLeaf(new Uint8Array(16), '{"apple":1}'))).not.toBe(sibling)
  })
  test('fails with any bit of anything changed', async () => {
    const submission = await signed(['{"apple":"\ufffd"}', ...Array(12).fill('{"banana":2}')])
    const proof = proofOf(submission, 0)
    const texts: ['salt' | 'item' | 'path' | keyof FlatJws, string][] = [
      ['salt', proof.salt],
      ['item', proof.item],
      ['path', proof.path],
      ...PARTS.map((part): [keyof FlatJws, string] => [part, proof.jws[part]]),
    ]
    fc.assert(
      fc.property(fc.nat(texts.length - 1), fc.nat(), fc.nat(6), (which, place, bit) => {
        const [name, text] = texts[which] ?? ['salt', '']
        const at = place % text.length
        const changed = `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ (1 << bit))}${text.slice(at + 1)}`
        const bent = name === 'salt' || name === 'item' || name === 'path' ? { ...proof, [name]: changed } : proof
        const jws = bent === proof ? { ...proof.jws, [name]: changed } : proof.jws
        expect(itemCode({ ...bent, jws }), `${name} ${at} ${bit}`).not.toBe('nothing')
      }),
      { numRuns: 600 },
    )
    for (const part of PARTS) {
      for (const text of loosened(proof.jws[part])) {
        expect(itemCode({ ...proof, jws: { ...proof.jws, [part]: text } }), part).not.toBe('nothing')
      }
    }
  })
  test('is not one that encodes to the same bytes', async () => {
    const proof = proofOf(await signed(['{"apple":"\ufffd"}', '{}']), 0)
    expect(itemCode(proof)).toBe('nothing')
    expect(itemCode({ ...proof, item: '{"apple":"\ud800"}' })).toBe('signature-invalid')
  })
  test.for([
    ['another place', { index: 1 }],
    ['a place before the first', { index: -1 }],
    ['a place beyond the last', { index: 3 }],
    ['a broken place', { index: 0.5 }],
    ['another count', { count: 4 }],
    ['no count', { count: Number.NaN }],
    ['no path', { path: '' }],
    ['a path that is no whole number of nodes', { path: 'AAAA' }],
    ['a path of one node more', { path: proofOf(good, 0).path + proofOf(good, 0).path }],
    ['a path that is no base64url', { path: '%%%%' }],
    ['a salt that is no base64url', { salt: '%%%%' }],
    ['no salt', { salt: '' }],
    ["a sibling's salt", { salt: good.items[1]?.salt ?? '' }],
  ] as const)('with %s fails', ([, change]) => {
    expect(itemCode(proofOf(good, 0))).toBe('nothing')
    expect(itemCode({ ...proofOf(good, 0), ...change })).toBe('signature-invalid')
  })
  test('fails under another key, or a key of another algorithm', () => {
    expect(itemCode(proofOf(good, 0), aKey())).toBe('signature-invalid')
    expect(itemCode(proofOf(good, 0), ecKey)).toBe('signature-invalid')
  })
})

test('the digest covers header, payload and signature', () => {
  const digest = digestOfJws(good.jws).toString('hex')
  for (const part of PARTS) {
    expect(digestOfJws({ ...good.jws, [part]: encoded('x') }).toString('hex')).not.toBe(digest)
  }
})
