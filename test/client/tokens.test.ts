import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { derive, lookupKeys, type RawLine, tokenName } from '../../src/client/derive.ts'
import { nobleGroup } from '../../src/client/noble-group.ts'
import type { PinnedKey } from '../../src/client/oprf-key.ts'
import { type Evaluator, hmacTokens, oprfTokens, type TokenMaker } from '../../src/client/tokens.ts'
import { tokenInput } from '../../src/identifiers/token.ts'
import { toBase64Url, toHex } from '../../src/kernel/bytes.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { openSodiumGroup } from '../../src/keys/sodium-group.ts'
import { createVoprf } from '../../src/matching/oprf.ts'
import { AUDIENCE, NOON } from '../signals/factory.ts'

const sodium = createVoprf({ group: await openSodiumGroup(), hash: sha512, random: () => randomBytes(64) })
const makers: TokenMaker[] = []
afterEach(async () => {
  for (const maker of makers.splice(0)) await maker.close()
})

/** A key in so many parts, and whoever holds each. */
function aKey(parts: number): { pinned: PinnedKey; evaluators: Evaluator[]; batches: number[]; scalars: Uint8Array[] } {
  const scalars = Array.from({ length: parts }, () => sodium.group.scalarFrom(randomBytes(64)))
  const keys = scalars.map((scalar) => sodium.publicKey(scalar))
  const batches: number[] = []
  const evaluators = scalars.map(
    (scalar, i): Evaluator =>
      async ({ kid, elements }) => {
        if (i === 0) batches.push(elements.length)
        const sent = elements.map((text) => Buffer.from(text, 'base64url'))
        const made = sodium.evaluate(scalar, sent)
        const share = { index: i + 1, elements: made.elements.map(toBase64Url), proof: toBase64Url(made.proof) }
        return { kid, shares: [share] }
      },
  )
  const shares = keys.map((key, i) => ({ index: i + 1, public_key: toBase64Url(key) }))
  const pinned = { kid: 'year-1', key: { public_key: keys.reduce(sodium.group.add), parts: keys }, shares }
  return { pinned, evaluators, batches, scalars }
}

function makerOf(of: Parameters<typeof oprfTokens>[0]): TokenMaker {
  const maker = oprfTokens(of)
  makers.push(maker)
  return maker
}

const lines = (n: number): RawLine[] =>
  Array.from({ length: n }, (_, i) => ({ type: 'email', raw: `finch${i}@example.com` }))
const tokensOf = async (maker: TokenMaker, of: readonly RawLine[]): Promise<ReadonlyMap<string, string>> => {
  const epoch = await maker.epochFor(of)
  if (!('tokens' in epoch)) throw new Error('no tokens')
  return epoch.tokens
}

test('many identifiers are made in batches by threads, each told of, and are what the key alone makes', async () => {
  const { pinned, evaluators, batches, scalars } = aKey(1)
  const told: [number, number][] = []
  const onProgress = (done: number, asked: number): void => void told.push([done, asked])
  const tokens = await tokensOf(makerOf({ pinned, evaluators, purpose: 'submit', batch: 8, onProgress }), lines(20))
  expect(tokens.size).toBe(20)
  expect(batches.toSorted((a, b) => b - a)).toEqual([8, 8, 4])
  expect(told.map(([, asked]) => asked)).toEqual([20, 20, 20])
  expect(told.at(-1)?.[0]).toBe(20)
  const [scalar = new Uint8Array(0)] = scalars
  const input = tokenInput('email/1', 'finch7@example.com')
  const { blind, element } = sodium.blind(input)
  const [made = new Uint8Array(0)] = sodium.evaluate(scalar, [element]).elements
  const alone = toHex(sodium.finalize(input, blind, made).subarray(0, 32))
  expect(tokens.get(tokenName({ profile: 'email/1', canonical: 'finch7@example.com' }))).toBe(alone)
})

test('what has its token is not asked for again, and what has none is not asked for at all', async () => {
  const { pinned, evaluators, batches } = aKey(1)
  const maker = makerOf({ pinned, evaluators, purpose: 'lookup' })
  await maker.epochFor([...lines(2), { type: 'email', raw: ' Finch0@EXAMPLE.com ' }])
  await maker.epochFor([
    ...lines(2),
    { type: 'url', raw: 'https://pear.example/' },
    { type: 'media_hash', algorithm: 'md5', hash: 'ab'.repeat(16) },
    { type: 'phone', raw: 'no number' },
  ])
  expect(batches).toEqual([2])
})

test('items and look-ups have the very same token, under the profile of its epoch', async () => {
  const { pinned, evaluators } = aKey(1)
  const line: RawLine = { type: 'username', raw: '@Some.Finch', service: 'orchard' }
  const epoch = await makerOf({ pinned, evaluators, purpose: 'submit' }).epochFor([line])
  const item = derive(line, {
    ...{ audience: AUDIENCE, taxonomy: 1, now: NOON, epoch, days: () => 30 },
    defaults: {
      ...{ category: 'grooming', severity: 'high', confidence: 80, basis: 'human_reviewed', handling: 'review' },
      ...{ tlp: 'amber', context: { region: 'DE', legal_basis: 'consent', surface: 'public' } },
    },
  })
  const keys = lookupKeys(line, epoch)
  if (item.outcome !== 'item' || keys.outcome !== 'keys') throw new Error('refused')
  const { token, kid, profile } = item.item.value as { token: string; kid: string; profile: string }
  expect(keys.keys).toEqual([{ type: 'username', profile: `${profile}@${kid}`, key: token }])
  expect(kid).toBe('year-1')
  expect(() => lookupKeys({ type: 'email', raw: 'never.asked@example.com' }, epoch)).toThrow('was not made before')
})

test('an hmac epoch needs nobody', async () => {
  const key = Buffer.alloc(32, 5)
  expect(await hmacTokens('spring', key).epochFor(lines(1))).toEqual({ kid: 'spring', key })
})

describe('a split key', () => {
  test('makes what the sum of its parts makes', async () => {
    const { pinned, evaluators, scalars } = aKey(2)
    const tokens = await tokensOf(makerOf({ pinned, evaluators, purpose: 'submit' }), lines(1))
    const input = tokenInput('email/1', 'finch0@example.com')
    const { blind, element } = sodium.blind(input)
    const [one, other] = scalars.map((scalar) => sodium.evaluate(scalar, [element]).elements)
    const [sum = new Uint8Array(0)] = sodium.addShares(one ?? [], other ?? [])
    expect([...tokens.values()]).toEqual([toHex(sodium.finalize(input, blind, sum).subarray(0, 32))])
  })

  test('is refused where either part is proved under another key, or is missing', async () => {
    const { pinned, evaluators } = aKey(2)
    const [first, second] = evaluators
    const foreign = aKey(2).evaluators
    if (first === undefined || second === undefined) throw new Error('two parts')
    const made = (of: (Evaluator | undefined)[]): Promise<unknown> =>
      makerOf({ pinned, purpose: 'lookup', evaluators: of.flatMap((one) => one ?? []) }).epochFor(lines(1))
    await expect(made([foreign[0], second])).rejects.toThrow('part 1 does not hold')
    await expect(made([first, foreign[1]])).rejects.toThrow('part 2 does not hold')
    await expect(made([first])).rejects.toThrow('part 2 does not hold')
    await expect(made([second, first])).rejects.toThrow('another part')
  })
})

describe('what does not verify makes no token', () => {
  const spoiled: readonly (readonly [what: string, spoil: (share: { elements: string[]; proof: string }) => object])[] =
    [
      ['an element that was exchanged', ({ elements }) => ({ elements: elements.toReversed() })],
      ['an element too few', ({ elements }) => ({ elements: elements.slice(1) })],
      ['the identity', ({ elements }) => ({ elements: elements.map(() => toBase64Url(new Uint8Array(32))) })],
      ['what is no base64url', ({ elements }) => ({ elements: elements.map(() => '%') })],
      ['a proof of zeros', () => ({ proof: toBase64Url(new Uint8Array(64)) })],
      ['a proof that is cut short', ({ proof }) => ({ proof: proof.slice(4) })],
    ]
  test.for(spoiled)('%s', async ([, spoil]) => {
    const { pinned, evaluators } = aKey(1)
    const evaluate: Evaluator = async (asked, key) => {
      const result = await evaluators[0]?.(asked, key)
      const [share] = result?.shares ?? []
      if (share === undefined) throw new Error('no share')
      return { kid: asked.kid, shares: [{ ...share, ...spoil(share) }] }
    }
    const maker = makerOf({ pinned, purpose: 'lookup', evaluators: [evaluate] })
    await expect(maker.epochFor(lines(2))).rejects.toMatchObject({ name: 'VerificationFailed' })
  })

  test('parts that do not add up to the key', async () => {
    const { pinned, evaluators } = aKey(1)
    const other = { ...pinned, key: { ...pinned.key, public_key: nobleGroup.elementFrom(randomBytes(64)) } }
    const maker = makerOf({ pinned: other, purpose: 'lookup', evaluators })
    await expect(maker.epochFor(lines(1))).rejects.toThrow('do not add up')
  })
})

test('the first batch that fails ends the rest', async () => {
  const { pinned, evaluators } = aKey(1)
  let n = 0
  const evaluate: Evaluator = async (asked, key) => {
    n += 1
    if (n === 2) throw new Error('the connection broke')
    const result = await evaluators[0]?.(asked, key)
    if (result === undefined) throw new Error('nobody')
    return result
  }
  const maker = makerOf({ pinned, purpose: 'lookup', batch: 1, evaluators: [evaluate] })
  await expect(maker.epochFor(lines(8))).rejects.toThrow('the connection broke')
  expect(n).toBeLessThan(8)
})
