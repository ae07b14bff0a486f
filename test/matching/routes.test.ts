import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { pinnedOprfKey } from '../../src/client/oprf-key.ts'
import { oprfTokens } from '../../src/client/tokens.ts'
import { checkReceipt, openVkey } from '../../src/client/verify.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { createVoprf } from '../../src/matching/oprf.ts'
import type { OprfKey } from '../../src/matching/schema.ts'
import { aTestNode, EPOCH, type Member, type TestNode } from '../support/node.ts'
import { ask, days, oprfEpoch } from './world.ts'

const voprf = createVoprf({ group: nobleGroup, hash: sha512, random: () => randomBytes(64) })
const drawn = (n: number): string[] =>
  Array.from({ length: n }, () => toBase64Url(nobleGroup.elementFrom(randomBytes(64))))
const key = (): Record<string, string> => ({ 'idempotency-key': randomUUID() })

let n: TestNode
let plum: Member
const said = async (kid: string): Promise<OprfKey> => {
  const found = (await plum.client.oprfKeys()).keys.find((one) => one.kid === kid)
  if (found === undefined) throw new Error('no such key')
  return found
}
const usedBy = async (slug: string, purpose: string): Promise<number> => {
  const { participant_id } = n.parts.authority.participantBySlug(slug) ?? {}
  const row = await n.t.owner
    .selectFrom('evaluation_use')
    .select('used')
    .where('participant_id', '=', participant_id ?? ('' as never))
    .where('purpose', '=', purpose)
    .executeTakeFirst()
  return row?.used ?? 0
}

beforeAll(async () => {
  n = await aTestNode()
  plum = await n.member('plum')
  await oprfEpoch(n, 'year-1')
})
afterAll(() => n.end())

test('a batch is evaluated under the published key, with one proof that the other library verifies', async () => {
  const inputs = ['pear', 'plum', 'finch'].map((word) => Buffer.from(word))
  const blinded = inputs.map((input) => voprf.blind(input))
  const elements = blinded.map(({ element }) => toBase64Url(element))
  const { status, body } = await ask(plum, { kid: 'year-1', purpose: 'submit', elements }, key())
  expect(status).toBe(200)
  const [share] = body['shares'] as { index: number; elements: string[]; proof: string }[]
  expect(share).toMatchObject({ index: 1 })
  const evaluated = (share?.elements ?? []).map((text) => Buffer.from(text, 'base64url'))
  const proof = Buffer.from(share?.proof ?? '', 'base64url')
  const { public_key, shares } = await said('year-1')
  expect(shares).toEqual([{ index: 1, public_key }])
  const sent = blinded.map(({ element }) => element)
  expect(voprf.verify(Buffer.from(public_key, 'base64url'), sent, { elements: evaluated, proof })).toBe(true)
})

describe('refused, with nothing debited', () => {
  const identity = toBase64Url(new Uint8Array(32))
  const cases: readonly (readonly [what: string, body: () => object, code: string, pointer?: string])[] = [
    ['the identity', () => ({ elements: [...drawn(2), identity] }), 'element-invalid', '/elements/2'],
    ['bytes that are no element', () => ({ elements: [`${'_'.repeat(42)}8`] }), 'element-invalid', '/elements/0'],
    ['loose bits of base64url', () => ({ elements: [...drawn(1), 'B'.repeat(43)] }), 'element-invalid', '/elements/1'],
    ['an unknown epoch', () => ({ kid: 'year-9' }), 'hash-profile-unknown'],
    ['an epoch of another suite', () => ({ kid: EPOCH }), 'hash-profile-unknown'],
    ['an epoch that is retired', () => ({ kid: 'year-0' }), 'hash-profile-retired'],
    ['an epoch that has not begun', () => ({ kid: 'year-2' }), 'hash-profile-unknown'],
    ['another purpose', () => ({ purpose: 'curiosity' }), 'validation-failed'],
    ['no element', () => ({ elements: [] }), 'validation-failed'],
    ['257 elements', () => ({ elements: Array(257).fill(identity) }), 'validation-failed'],
    ['an element of 31 bytes', () => ({ elements: [identity.slice(1)] }), 'validation-failed'],
    ['a member too many', () => ({ note: 'pear' }), 'validation-failed'],
  ]
  let fig: Member
  beforeAll(async () => {
    fig = await n.member('fig')
    await oprfEpoch(n, 'year-0')
    await n.decide('hash-profile.retire', { kid: 'year-0' })
    await oprfEpoch(n, 'year-2', 2)
  })
  test.for(cases)('%s', async ([, body, code, pointer]) => {
    const answer = await ask(fig, { kid: 'year-1', purpose: 'lookup', elements: drawn(1), ...body() }, key())
    expect(answer.body['code']).toBe(code)
    if (pointer !== undefined) expect(answer.body['errors']).toEqual([{ pointer, code }])
    expect(await usedBy('fig', 'lookup')).toBe(0)
  })
  test.for([{}, { 'idempotency-key': 'pear' }])('a request that has no UUID for its key: %j', async (headers) => {
    const answer = await ask(
      fig,
      { kid: 'year-1', purpose: 'lookup', elements: drawn(1) },
      headers as Record<string, string>,
    )
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-header' } })
  })
  test('a credential without the scope', async () => {
    const kiwi = await n.member('kiwi', { scopes: ['signals:submit'] })
    const answer = await ask(kiwi, { kid: 'year-1', purpose: 'lookup', elements: drawn(1) }, key())
    expect(answer).toMatchObject({ status: 403, body: { code: 'scope-missing' } })
  })
})

describe('the quota', () => {
  test('is exact under 50 parallel batches, and one person cannot raise it', async () => {
    const apple = await n.member('apple')
    await n.decide('quota.change', { participant: 'apple', purpose: 'lookup', per_day: 100 })
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask(apple, { kid: 'year-1', purpose: 'lookup', elements: drawn(3) }, key())),
    )
    const passed = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    expect([passed.length, refused.length]).toEqual([33, 17])
    expect(await usedBy('apple', 'lookup')).toBe(99)
    expect(refused[0]?.body).toMatchObject({ code: 'quota-exceeded', limit: 100 })
    expect(refused[0]?.retryAfter).toBeGreaterThan(0)
    const one = { kid: 'year-1', purpose: 'lookup', elements: drawn(1) }
    expect((await ask(apple, one, key())).status).toBe(200)
    expect((await ask(apple, { ...one, purpose: 'submit' }, key())).status).toBe(200)
    await n.decide('quota.change', { participant: 'apple', purpose: 'lookup', per_day: 103 })
    expect((await ask(apple, { ...one, elements: drawn(3) }, key())).status).toBe(200)
    expect((await ask(apple, { ...one, elements: drawn(1) }, key())).status).toBe(429)
    await expect
      .poll(async () => (await fetch(`${n.ops}/metrics`)).text(), { timeout: 20_000 })
      .toContain('aldis_alarm{name="evaluations-high"} 1')
    const { participants } = n.parts
    const raise = { participant: 'apple', purpose: 'lookup', per_day: 1_000 }
    const { request_id } = await participants.propose('quota.change', raise, n.ada)
    await expect(participants.approve(request_id, n.ada, new Date())).rejects.toMatchObject({ code: 'self-approval' })
  })

  test('is not debited for the same key and body within ten minutes, and another body is a conflict', async () => {
    const cherry = await n.member('cherry')
    const headers = key()
    const body = { kid: 'year-1', purpose: 'submit', elements: drawn(4) }
    const [first, again] = [await ask(cherry, body, headers), await ask(cherry, body, headers)]
    expect([first.status, again.status]).toEqual([200, 200])
    const parts = [first, again].map((answer) => answer.body['shares'] as { elements: string[]; proof: string }[])
    expect(parts[0]?.[0]?.elements).toEqual(parts[1]?.[0]?.elements)
    expect(await usedBy('cherry', 'submit')).toBe(4)
    const other = await ask(cherry, { ...body, elements: drawn(4) }, headers)
    expect(other).toMatchObject({ status: 409, body: { code: 'state-conflict' } })
    expect(await usedBy('cherry', 'submit')).toBe(4)
    expect((await ask(cherry, body, key())).status).toBe(200)
    expect(await usedBy('cherry', 'submit')).toBe(8)
  })

  test('holds for a burst too: beyond 5,000 at once a participant waits', async () => {
    const mango = await n.member('mango')
    let answered = 0
    let status = 0
    // Elements that are none are refused after the burst was counted and before anything is debited.
    const body = { kid: 'year-1', purpose: 'lookup', elements: Array(256).fill(toBase64Url(new Uint8Array(32))) }
    for (; status !== 429 && answered < 100; answered++) status = (await ask(mango, body, key())).status
    expect([status, answered > 19]).toEqual([429, true])
    expect(await usedBy('mango', 'lookup')).toBe(0)
  })
})

describe('the SDK', () => {
  test('pins the key by the entry that published it, makes the tokens, and refuses another key from then on', async () => {
    const key = await said('year-1')
    const pinned = await pinnedOprfKey(plum.home, plum.client, key)
    const asked: number[] = []
    const tokens = oprfTokens({
      ...{ pinned, purpose: 'submit', evaluators: [plum.client.evaluate] },
      onProgress: (done) => asked.push(done),
    })
    const lines = [
      { type: 'email', raw: 'plum.finch@example.com' },
      { type: 'email', raw: ' plum.finch@EXAMPLE.com' },
      { type: 'domain', raw: 'pear.example' },
    ] as const
    const epoch = await tokens.epochFor(lines)
    if (!('tokens' in epoch)) throw new Error('no tokens')
    expect([...epoch.tokens.keys()]).toEqual(['email/1\0plum.finch@example.com'])
    expect([...epoch.tokens.values()][0]).toMatch(/^[0-9a-f]{64}$/)
    expect(asked).toEqual([1])
    expect([...epoch.tokens]).toEqual([...(await refreshed(pinned))])
    const other = await said('year-2').catch(() => undefined)
    const wrong = { ...key, public_key: other?.public_key ?? drawn(1)[0] ?? '' }
    await expect(pinnedOprfKey(plum.home, plum.client, wrong)).rejects.toThrow('another key for the epoch')
  })

  const refreshed = async (pinned: Parameters<typeof oprfTokens>[0]['pinned']): Promise<Map<string, string>> => {
    const again = oprfTokens({ pinned, purpose: 'lookup', evaluators: [plum.client.evaluate] })
    const epoch = await again.epochFor([{ type: 'email', raw: 'plum.finch@example.com' }])
    return 'tokens' in epoch ? new Map(epoch.tokens) : new Map()
  }

  test('refuses a key of which the log says something else, and one whose parts do not add up', async () => {
    const lime = await n.member('lime')
    const key = await said('year-1')
    const [public_key = ''] = drawn(1)
    const claimed = { ...key, public_key, shares: [{ index: 1, public_key }] }
    await expect(pinnedOprfKey(lime.home, lime.client, claimed)).rejects.toThrow('the log does not say')
    await expect(pinnedOprfKey(lime.home, lime.client, { ...key, public_key })).rejects.toThrow('do not add up')
  })

  test('refuses what is not evaluated under the pinned key', async () => {
    const pinned = await pinnedOprfKey(plum.home, plum.client, await said('year-1'))
    const other = voprf.group.scalarFrom(randomBytes(64))
    const tokens = oprfTokens({
      ...{ pinned, purpose: 'lookup' },
      evaluators: [
        async ({ kid, elements }) => {
          const made = voprf.evaluate(
            other,
            elements.map((text) => Buffer.from(text, 'base64url')),
          )
          const share = { index: 1, elements: made.elements.map(toBase64Url), proof: toBase64Url(made.proof) }
          return { kid, shares: [share] }
        },
      ],
    })
    await expect(tokens.epochFor([{ type: 'phone', raw: '+12025550143' }])).rejects.toThrow('does not hold')
  })
})

test('the log tells how many were evaluated for what, by epoch and purpose, and forgets no batch', async () => {
  const olive = await n.member('olive')
  await ask(olive, { kid: 'year-1', purpose: 'submit', elements: drawn(2) }, key())
  await ask(olive, { kid: 'year-1', purpose: 'submit', elements: drawn(3) }, key())
  await ask(olive, { kid: 'year-1', purpose: 'lookup', elements: drawn(1) }, key())
  const { participant_id } = n.parts.authority.participantBySlug('olive') ?? {}
  const eventOf = () =>
    n.t.owner
      .selectFrom('evaluation_batch')
      .select('event_id')
      .where('participant_id', '=', participant_id ?? ('' as never))
      .execute()
  await expect
    .poll(async () => (await eventOf()).every(({ event_id }) => event_id !== null), { timeout: 20_000 })
    .toBe(true)
  const events = [...new Set((await eventOf()).flatMap(({ event_id }) => event_id ?? []))]
  const told = await Promise.all(
    events.map(async (event) =>
      checkReceipt((await olive.client.receipt(event)) ?? '', openVkey(await olive.client.logKey())),
    ),
  )
  const fields = told.map((one) => Object.fromEntries(one.fields.map(({ name, value }) => [name, value])))
  expect(told.every(({ passed }) => passed)).toBe(true)
  const sums = Map.groupBy(fields, ({ purpose }) => purpose)
  const sumOf = (purpose: string): number => (sums.get(purpose) ?? []).reduce((sum, one) => sum + Number(one['n']), 0)
  expect([sumOf('submit'), sumOf('lookup')]).toEqual([5, 1])
  expect(
    fields.every(({ type, kid, actor }) => type === 'lookup.evaluated' && kid === 'year-1' && actor === 'olive'),
  ).toBe(true)
})

test('no element is in a table or in a line of the log of the process', async () => {
  const elements = drawn(3)
  const answer = await ask(plum, { kid: 'year-1', purpose: 'lookup', elements }, key())
  const [share] = answer.body['shares'] as { elements: string[] }[]
  const secret = [...elements, ...(share?.elements ?? [])]
  expect(secret).toHaveLength(6)
  const logged = n.logged()
  const dumped = JSON.stringify(await whole(n))
  for (const text of secret) {
    const hex = Buffer.from(text, 'base64url').toString('hex')
    for (const form of [text, hex, Buffer.from(text, 'base64url').toString('base64')]) {
      expect(logged.includes(form)).toBe(false)
      expect(dumped.includes(form)).toBe(false)
    }
  }
})

/** Every row of every table, bytes in hex. */
async function whole({ t }: TestNode): Promise<unknown[]> {
  const tables = await t.owner
    .selectFrom('pg_tables' as never)
    .select('tablename' as never)
    .where('schemaname' as never, '=', 'public' as never)
    .execute()
  const rows: unknown[] = []
  for (const { tablename } of tables as { tablename: string }[])
    rows.push(
      ...(
        await t.owner
          .selectFrom(tablename as never)
          .selectAll()
          .execute()
      ).map(textOf),
    )
  return rows
}

const textOf = (row: object): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      Buffer.isBuffer(value) ? value.toString('hex') : typeof value === 'bigint' ? String(value) : value,
    ]),
  )

test('two epochs overlap: each is served and listed, and one that is retired is listed as such', async () => {
  await oprfEpoch(n, 'year-1b')
  for (const kid of ['year-1', 'year-1b'])
    expect((await ask(plum, { kid, purpose: 'lookup', elements: drawn(1) }, key())).status).toBe(200)
  await n.decide('hash-profile.retire', { kid: 'year-1b' })
  expect(await said('year-1b')).toMatchObject({ status: 'retired', suite: 'oprf-ristretto255-sha512' })
  expect(days(0)).toMatch(/Z$/)
})
