import { verify } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { verifyCountersignature } from '../../src/signals/countersignature.ts'
import type { ItemResult, Submission, SubmissionResult } from '../../src/signals/schema.ts'
import { digestOfJws, headerOf, importJwk } from '../../src/signals/submission.ts'
import { aWorld, type Party, type World } from '../feeds/world.ts'
import { aWithdrawal, DAY, idOf, instantAt, leafText, ORIGIN, textOf } from './factory.ts'

let w: World
let apple: Party
let banana: Party
let audience: Uuid

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  audience = (await w.group('orchard-pair', [apple, banana])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(1_000))

const item = (change: object = {}) => w.item({ audience, ...change })
const codes = ({ results }: SubmissionResult) => results.map(({ status, code }) => code ?? status)
const refused = (code: string) => ({ code })
/** How many rows each table of the feature holds. */
const rows = async () => {
  const { rows: counts } = await sql<Record<string, string>>`
    select (select count(*) from submission) as submissions, (select count(*) from signal) as signals,
      (select count(*) from signal_revision) as revisions, (select count(*) from prov_record) as records,
      (select count(*) from prov_outbox) as outbox`.execute(w.t.owner)
  return counts[0]
}

/** Signed with an identifier that was used before. */
async function withJti(jti: string, items: readonly unknown[], by = apple): Promise<Submission> {
  const signed = await w.sign(by, items)
  const header = { ...headerOf(signed.jws.protected), jti }
  const head = toBase64Url(Buffer.from(JSON.stringify(header)))
  const signature = by.signer.sign(Buffer.from(`${head}.${signed.jws.payload}`))
  return { ...signed, jws: { ...signed.jws, protected: head, signature } }
}

describe('a submission', () => {
  test('of one signal is stored with its bytes, its record and its place in the queue of the log', async () => {
    const one = item()
    const signed = await w.sign(apple, [one])
    const result = await w.signals.submit(apple, signed)
    expect(result).toMatchObject({
      ...{ accepted: 1, refused: 0, receipt: `/provenance/1/receipts/${result.submission}` },
      results: [{ index: 0, signal: one.signal, revision: 1, status: 201 }],
    })
    const event = result.submission ?? idOf(0)
    const stored = await w.t.owner
      .selectFrom('submission as s')
      .innerJoin('signal_revision as r', 'r.submission_id', 's.submission_id')
      .innerJoin('signal as g', 'g.signal_id', 'r.signal_id')
      .innerJoin('prov_record as p', 'p.event_id', 's.submission_id')
      .innerJoin('prov_outbox as o', 'o.event_id', 's.submission_id')
      .select(['s.jws', 's.od', 'r.item', 'r.salt', 'g.state', 'g.leaf', 'g.last_event', 'p.kind', 's.participant_id'])
      .where('s.submission_id', '=', event)
      .executeTakeFirstOrThrow()
    const [sent = { salt: '', item: '' }] = signed.items
    expect({ ...stored, salt: toBase64Url(stored.salt ?? new Uint8Array(0)), leaf: toBase64Url(stored.leaf) }).toEqual({
      ...{ jws: JSON.stringify(signed.jws), od: digestOfJws(signed.jws), item: sent.item, salt: sent.salt },
      ...{ state: 1, leaf: leafText(sent), last_event: event, kind: 'signal.submitted' },
      participant_id: apple.participant,
    })
  })
  test('is countersigned by the node over its digest and what the log will hold', async () => {
    const signed = await w.sign(apple, [item()])
    const { submission, countersignature } = await w.signals.submit(apple, signed)
    const { c } = await w.t.owner
      .selectFrom('prov_record')
      .select('c')
      .where('event_id', '=', submission ?? idOf(0))
      .executeTakeFirstOrThrow()
    const key = importJwk({ kty: 'OKP', crv: 'Ed25519', x: toBase64Url(w.keys.publicKey('receipt')) })
    const header = verifyCountersignature(
      countersignature ?? { protected: '', signature: '' },
      signed.jws.payload,
      (data, signature) => verify(null, data, key, signature),
    )
    expect(header).toMatchObject({
      ...{ iss: ORIGIN, kid: 'receipt', iat: w.now().getTime() / 1000 },
      ...{ od: toBase64Url(digestOfJws(signed.jws)), rec: toBase64Url(c) },
    })
  })
  test('of many keeps what is good; a refused item is named, changes nothing and stops no other', async () => {
    const good = [item(), item({}), w.item({ audience }, 'email')]
    const [first, second, third] = good
    const result = await w.submit(apple, [
      ...[first, 'no json', item({ taxonomy: 9 }), second],
      ...[item({ audience: idOf(3) }), item({ tlp: 'red' }), item({ revision: 2, prev: 'A'.repeat(43) })],
      ...[textOf(item()).replace('{', '{"v":1,'), third],
    ])
    expect(codes(result)).toEqual([
      ...[201, 'invalid-json', 'taxonomy-unknown', 201, 'audience-unknown', 'tlp-refused', 'revision-conflict'],
      ...['json-strict', 201],
    ])
    expect([result.accepted, result.refused]).toEqual([3, 6])
    expect(result.results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    const kept = await w.t.owner
      .selectFrom('signal')
      .select('signal_id')
      .where('last_event', '=', result.submission ?? idOf(0))
      .execute()
    expect(kept.map(({ signal_id }) => signal_id).sort()).toEqual(good.map(({ signal }) => signal).sort())
  })
  test('tells the log counts of what was accepted, and no value', async () => {
    const url = item({ context: { region: 'FR', legal_basis: 'terms', surface: 'private' } })
    const phone = w.item({ audience, basis: 'automated', category: 'trafficking' }, 'phone')
    const stale = item({ revision: 5, prev: 'A'.repeat(43), basis: 'automated', category: 'trafficking' })
    const { submission } = await w.submit(apple, [url, phone, stale, 'no json'])
    const told = await w.opened(submission ?? idOf(0))
    const { kind, actor, n, refused: not, types, categories, region, basis } = told
    expect({ kind, actor, n, not, types, categories, region, basis }).toEqual({
      ...{ kind: 'signal.submitted', actor: 'apple', n: 4, not: 2 },
      ...{ types: { url: 1, phone: 1 }, categories: { grooming: 1, trafficking: 1 } },
      ...{ region: { FR: 1, DE: 1 }, basis: { human_reviewed: 1, automated: 1 } },
    })
    expect(JSON.stringify(told)).not.toContain(url.value.sha256)
  })
  test('of which every item is refused stores and logs nothing', async () => {
    const before = await rows()
    const result = await w.submit(apple, ['no json', item({ audience: idOf(3) })])
    expect(result).toEqual({
      ...{ submission: null, accepted: 0, refused: 2 },
      results: [
        expect.objectContaining({ index: 0, status: 400, code: 'invalid-json' }),
        { index: 1, status: 422, code: 'audience-unknown', pointer: '/audience' },
      ],
    })
    expect(await rows()).toEqual(before)
  })
  test('that does not verify is refused as a whole and leaves nothing', async () => {
    const before = await rows()
    const signed = await w.sign(apple, [item(), item()])
    const bent = { ...signed, items: signed.items.toReversed() }
    await expect(w.signals.submit(apple, bent)).rejects.toMatchObject(refused('signature-invalid'))
    await expect(w.signals.submit(banana, signed)).rejects.toMatchObject(refused('wrong-issuer'))
    await expect(w.signals.submit({ ...banana, uri: apple.uri }, signed)).rejects.toMatchObject(
      refused('signing-key-unknown'),
    )
    expect(await rows()).toEqual(before)
  })
  test('is refused while the log cannot be written, and accepted when it can', async () => {
    const before = await rows()
    const signed = await w.sign(apple, [item()])
    w.weather.healthy = false
    await expect(w.signals.submit(apple, signed)).rejects.toMatchObject(refused('log-behind'))
    w.weather.healthy = true
    expect(await rows()).toEqual(before)
    expect(codes(await w.signals.submit(apple, signed))).toEqual([201])
  })
  test('holds the signals of its source alone: two sources may choose one id', async () => {
    const mine = item()
    await w.submit(apple, [mine])
    expect(codes(await w.submit(banana, [{ ...mine, severity: 'low' }]))).toEqual([201])
    expect((await w.own(apple, mine.signal)).item).toBe(textOf(mine))
  })
})

describe('a dry run', () => {
  test('says what will become of a submission, and leaves no trace', async () => {
    const known = item()
    await w.signals.submit(apple, await w.sign(apple, [known]))
    const signed = await w.sign(apple, [item(), item({ category: 'plunder' }), { ...known, confidence: 1 }])
    const before = await rows()
    const told = await w.signals.tryOut(apple, signed)
    expect(await rows()).toEqual(before)
    expect(told).toMatchObject({ submission: null, accepted: 1, refused: 2 })
    expect(told).not.toHaveProperty('countersignature')
    const done = await w.signals.submit(apple, signed)
    expect(done.results).toEqual(told.results)
    expect(done.submission).not.toBeNull()
  })
  test('refuses the whole where the submission would be refused', async () => {
    const signed = await w.sign(apple, [item()])
    const altered = { ...signed, items: [{ ...signed.items[0], item: '{}' }] } as Submission
    await expect(w.signals.tryOut(apple, altered)).rejects.toMatchObject(refused('signature-invalid'))
  })
})

describe('repeated', () => {
  const replays = async (submission: Uuid | null) =>
    (
      await w.t.owner
        .selectFrom('submission')
        .select('replays')
        .where('submission_id', '=', submission ?? idOf(0))
        .executeTakeFirstOrThrow()
    ).replays

  test('the same bytes have the same answer, and change nothing', async () => {
    const signed = await w.sign(apple, [item(), 'no json', item({ audience: idOf(3) }), item()])
    const first = await w.signals.submit(apple, signed)
    const before = await rows()
    w.pass(60_000)
    expect(await w.signals.submit(apple, signed)).toEqual(first)
    expect(await w.signals.submit(apple, signed)).toEqual(first)
    expect(await rows()).toEqual(before)
    expect(await replays(first.submission)).toBe(2)
  })
  test('a revision and a withdrawal have the same answer too', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { leaf } = await w.own(apple, one.signal)
    const revision = await w.sign(apple, [{ ...one, revision: 2, prev: leaf, confidence: 10 }])
    const revised = await w.signals.submit(apple, revision)
    expect(codes(revised)).toEqual([200])
    expect(await w.signals.submit(apple, revision)).toEqual(revised)
    const end = aWithdrawal({ signal: one.signal, revision: 3, prev: (await w.own(apple, one.signal)).leaf })
    const withdrawal = await w.sign(apple, [end], 'aldis-withdrawal+jws')
    const withdrawn = await w.signals.submit(apple, withdrawal)
    expect(codes(withdrawn)).toEqual([200])
    expect(await w.signals.submit(apple, withdrawal)).toEqual(withdrawn)
    expect(await w.signals.submit(apple, revision)).toEqual(revised)
  })
  test('has the same answer when its signal has run out since', async () => {
    const signed = await w.sign(apple, [item({ expires_at: instantAt(DAY, w.now()) }), 'no json'])
    const first = await w.signals.submit(apple, signed)
    w.pass(2 * DAY)
    expect(await w.signals.submit(apple, signed)).toEqual(first)
  })
  test('twice at once, it is stored once', async () => {
    const before = await rows()
    const signed = await w.sign(apple, [item(), item()])
    const answers = await Promise.all([1, 2, 3].map(() => w.signals.submit(apple, signed)))
    expect(answers.map(({ submission }) => submission)).toEqual(Array(3).fill(answers[0]?.submission))
    expect(answers).toEqual(Array(3).fill(answers[0]))
    expect(Number((await rows())?.['submissions'])).toBe(Number(before?.['submissions']) + 1)
  })
  test('under the same jti, other bytes are refused', async () => {
    const signed = await w.sign(apple, [item()])
    const { jti } = headerOf(signed.jws.protected)
    const first = await w.signals.submit(apple, signed)
    const other = await withJti(jti, [item()])
    const before = await rows()
    await expect(w.signals.submit(apple, other)).rejects.toMatchObject(refused('replayed'))
    expect(await rows()).toEqual(before)
    expect(await w.signals.submit(apple, signed)).toEqual(first)
  })
  test('the jti of another source is not taken', async () => {
    const signed = await w.sign(apple, [item()])
    await w.signals.submit(apple, signed)
    const { jti } = headerOf(signed.jws.protected)
    expect(codes(await w.signals.submit(banana, await withJti(jti, [item()], banana)))).toEqual([201])
  })
  test('what was refused as a whole is judged anew', async () => {
    const signed = await w.sign(apple, [item()])
    await w.hold(true)
    expect(codes(await w.signals.submit(apple, signed))).toEqual(['collection-held'])
    await w.hold(false)
    expect(codes(await w.signals.submit(apple, signed))).toEqual([201])
  })
})

describe('a revision', () => {
  test('takes the next number over its predecessor, and is what stands', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { submission, results } = await w.revise(apple, one, { confidence: 20 })
    expect(results).toEqual([{ index: 0, signal: one.signal, revision: 2, status: 200 }])
    const own = await w.own(apple, one.signal)
    expect(own).toMatchObject({ revision: 2, state: 'live' })
    expect(JSON.parse(own.item)).toMatchObject({ confidence: 20, revision: 2 })
    expect(await w.opened(submission ?? idOf(0))).toMatchObject({ kind: 'signal.revised' })
  })
  test.for([
    ['an old number', { revision: 2 }, 'revision-conflict', '/revision'],
    ['a number too far', { revision: 4 }, 'revision-conflict', '/revision'],
    ['another predecessor', { prev: 'A'.repeat(43) }, 'revision-conflict', '/revision'],
    ['no predecessor', { prev: undefined }, 'revision-conflict', '/revision'],
  ] as const)('with %s is refused and names the current one', async ([, change, code, pointer]) => {
    const one = item()
    await w.submit(apple, [one])
    await w.revise(apple, one)
    const { leaf } = await w.own(apple, one.signal)
    const before = await rows()
    const result = await w.submit(apple, [{ ...one, revision: 3, prev: leaf, ...change }])
    const expected: ItemResult = { index: 0, status: 409, code, pointer, detail: 'the current revision is 2' }
    expect(result.results).toEqual([expected])
    expect(await rows()).toEqual(before)
  })
  test('of another thing is refused: what is shared cannot become something else', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { leaf } = await w.own(apple, one.signal)
    const next = { revision: 2, prev: leaf }
    const other = w.item({ audience, signal: one.signal, ...next }, 'email')
    expect(codes(await w.submit(apple, [{ ...other }]))).toEqual(['revision-conflict'])
    expect(codes(await w.submit(apple, [{ ...item({ signal: one.signal }), ...next }]))).toEqual(['revision-conflict'])
  })
  test('again as the first is refused', async () => {
    const one = item()
    await w.submit(apple, [one])
    expect(codes(await w.submit(apple, [{ ...one, confidence: 1 }]))).toEqual(['revision-conflict'])
  })
  test('of two that race, one wins', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { leaf } = await w.own(apple, one.signal)
    const results = await Promise.all(
      [10, 20, 30].map((confidence) => w.submit(apple, [{ ...one, revision: 2, prev: leaf, confidence }])),
    )
    expect(results.flatMap(codes).sort()).toEqual([200, 'revision-conflict', 'revision-conflict'])
  })
})

describe('a withdrawal', () => {
  test('ends the signal, and says why to the log', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { submission, results } = await w.withdraw(apple, one.signal, { reason: 'appeal_upheld' })
    expect(results).toEqual([{ index: 0, signal: one.signal, revision: 2, status: 200 }])
    expect(await w.own(apple, one.signal)).toMatchObject({ revision: 2, state: 'withdrawn' })
    expect(await w.opened(submission ?? idOf(0))).toMatchObject({
      ...{ kind: 'signal.withdrawn', n: 1, refused: 0, reasons: { appeal_upheld: 1 } },
      ...{ types: { url: 1 }, categories: { grooming: 1 } },
    })
  })
  test('counts the reasons of what it ended alone', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { leaf } = await w.own(apple, one.signal)
    const items = [
      aWithdrawal({ signal: one.signal, prev: leaf, reason: 'legal' }),
      aWithdrawal({ signal: newId(w.now()), reason: 'outdated' }),
    ]
    const result = await w.signals.submit(apple, await w.sign(apple, items, 'aldis-withdrawal+jws'))
    expect(codes(result)).toEqual([200, 'not-found'])
    const { refused: n, reasons } = await w.opened(result.submission ?? idOf(0))
    expect([n, reasons]).toEqual([1, { legal: 1 }])
  })
  test('with a stale revision or predecessor is refused and names the current one', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { leaf } = await w.own(apple, one.signal)
    await w.revise(apple, one)
    const expected = [{ index: 0, status: 409, code: 'revision-conflict', detail: 'the current revision is 2' }]
    expect((await w.withdraw(apple, one.signal, { revision: 2 })).results).toMatchObject(expected)
    expect((await w.withdraw(apple, one.signal, { prev: leaf })).results).toMatchObject(expected)
    expect(await w.own(apple, one.signal)).toMatchObject({ revision: 2, state: 'live' })
  })
  test('ends for good: neither revised nor withdrawn again', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.withdraw(apple, one.signal)
    expect(codes(await w.withdraw(apple, one.signal))).toEqual(['signal-ended'])
    expect(codes(await w.revise(apple, one))).toEqual(['signal-ended'])
    expect(codes(await w.submit(apple, [one]))).toEqual(['signal-ended'])
  })
  test('by a credential without its scope is refused and ends nothing', async () => {
    const one = item()
    await w.submit(apple, [one])
    for (const scopes of [[], ['signals:submit']]) {
      await expect(w.withdraw({ ...apple, scopes }, one.signal)).rejects.toMatchObject(refused('scope-missing'))
    }
    expect(await w.own(apple, one.signal)).toMatchObject({ revision: 1, state: 'live' })
  })
  test('of the signal of another is answered as of none', async () => {
    const one = item()
    await w.submit(apple, [one])
    const { leaf } = await w.own(apple, one.signal)
    const wanted = aWithdrawal({ signal: one.signal, prev: leaf })
    const unknown = aWithdrawal({ signal: newId(w.now()), prev: leaf })
    const result = await w.signals.submit(banana, await w.sign(banana, [wanted, unknown], 'aldis-withdrawal+jws'))
    expect(result.results.map(({ index, ...rest }) => rest)).toEqual(
      Array(2).fill({ status: 404, code: 'not-found', pointer: '/signal' }),
    )
    expect(await w.own(apple, one.signal)).toMatchObject({ state: 'live' })
  })
})

describe('one’s own signal', () => {
  test('is told with its bytes and the leaf that the next revision names', async () => {
    const one = item()
    const signed = await w.sign(apple, [one])
    await w.signals.submit(apple, signed)
    const [sent = { salt: '', item: '' }] = signed.items
    expect(await w.own(apple, one.signal)).toEqual({
      ...{ signal: one.signal, revision: 1, state: 'live', item: textOf(one), leaf: leafText(sent) },
    })
  })
  test('of another is answered as none', async () => {
    const one = item()
    await w.submit(apple, [one])
    const [foreign, none] = await Promise.allSettled([w.own(banana, one.signal), w.own(banana, newId(w.now()))])
    expect(foreign).toMatchObject({ status: 'rejected', reason: refused('not-found') })
    expect(JSON.stringify(foreign)).toBe(JSON.stringify(none))
  })
})

describe('expiry', () => {
  test('ends everything that is over in one event, and nothing else', async () => {
    await w.expire(apple.participant, 'apple')
    const soon = instantAt(3_600_000, w.now())
    const over = [item({ expires_at: soon }), w.item({ audience, expires_at: soon, category: 'network_hub' }, 'ip')]
    const [lasting, foreign] = [item(), item({ expires_at: soon })]
    await w.submit(apple, [...over, lasting])
    await w.submit(banana, [foreign])
    expect(await w.expire(apple.participant, 'apple')).toBe(0)
    w.pass(3_600_000)
    const kinds = await w.recorded(async () => expect(await w.expire(apple.participant, 'apple')).toBe(2))
    expect(kinds).toEqual(['signal.expired'])
    for (const { signal } of over) expect(await w.own(apple, signal)).toMatchObject({ state: 'expired', revision: 1 })
    expect(await w.own(apple, lasting.signal)).toMatchObject({ state: 'live' })
    expect(await w.own(banana, foreign.signal)).toMatchObject({ state: 'live' })
    const { last_event } = await w.t.owner
      .selectFrom('signal')
      .select('last_event')
      .where('signal_id', '=', over[0]?.signal ?? idOf(0))
      .executeTakeFirstOrThrow()
    expect(await w.opened(last_event)).toMatchObject({
      ...{ kind: 'signal.expired', actor: 'node', n: 2, rule: 'expires_at' },
      ...{ types: { ip: 1, url: 1 }, categories: { grooming: 1, network_hub: 1 } },
    })
    expect(await w.expire(apple.participant, 'apple')).toBe(0)
  })
  test('is for good, and holds from its second on, whether or not the node has come by', async () => {
    const one = item({ expires_at: instantAt(60_000, w.now()) })
    await w.submit(apple, [one])
    w.pass(60_000)
    const later = { expires_at: instantAt(DAY, w.now()) }
    expect(codes(await w.revise(apple, one, later))).toEqual(['signal-ended'])
    await w.expire(apple.participant, 'apple')
    expect(codes(await w.revise(apple, one, later))).toEqual(['signal-ended'])
    expect(codes(await w.withdraw(apple, one.signal))).toEqual(['signal-ended'])
  })
  test('does not touch what was withdrawn', async () => {
    const one = item({ expires_at: instantAt(60_000, w.now()) })
    await w.submit(apple, [one])
    await w.withdraw(apple, one.signal)
    w.pass(60_000)
    while ((await w.expire(apple.participant, 'apple')) > 0);
    expect(await w.own(apple, one.signal)).toMatchObject({ state: 'withdrawn' })
  })
})

describe('an upload', () => {
  const next = (upload_id: Uuid, by = apple) => w.signals.nextLine(by.participant, upload_id)
  const position = (upload_id: Uuid, next_line: bigint, stream = { broken: false }) => ({
    upload_id,
    next_line,
    stream,
  })

  test('begins at its first line', async () => {
    expect(await next(newId(w.now()))).toBe(1n)
  })
  test('moves with each submission, also one of which every item was refused', async () => {
    const id = newId(w.now())
    await w.submit(apple, [item()], position(id, 3n))
    expect(await next(id)).toBe(3n)
    await w.submit(apple, ['no json'], position(id, 5n))
    expect(await next(id)).toBe(5n)
  })
  test('moves with a submission that was told before: it is durable too', async () => {
    const [first, again] = [newId(w.now()), newId(w.now())]
    const signed = await w.sign(apple, [item()])
    await w.signals.submit(apple, signed, position(first, 3n))
    await w.signals.submit(apple, signed, position(again, 3n))
    expect(await next(again)).toBe(3n)
  })
  test('never moves backwards', async () => {
    const id = newId(w.now())
    await w.submit(apple, [item()], position(id, 9n))
    await w.submit(apple, [item()], position(id, 3n))
    expect(await next(id)).toBe(9n)
  })
  test('belongs to its participant', async () => {
    const id = newId(w.now())
    await w.submit(apple, [item()], position(id, 3n))
    expect(await next(id, banana)).toBe(1n)
    await w.submit(banana, [item()], position(id, 7n))
    expect([await next(id), await next(id, banana)]).toEqual([3n, 7n])
  })
  test('stands before what failed, and nothing after it passes', async () => {
    const id = newId(w.now())
    const stream = { broken: false }
    const signed = await Promise.all([1, 2, 3, 4].map(() => w.sign(apple, [item()])))
    const [one, two, three, four] = signed.map((submission, i) => ({
      submission,
      at: position(id, BigInt(3 + 2 * i), stream),
    }))
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error('four')
    await w.signals.submit(apple, one.submission, one.at)
    let countersigned = 0
    w.weather.beforeCountersignature = () => {
      countersigned += 1
      if (countersigned === 1) throw new Error('the key store is away')
    }
    const outcomes = await Promise.allSettled([
      w.signals.submit(apple, two.submission, two.at),
      w.signals.submit(apple, three.submission, three.at),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(stream.broken).toBe(true)
    await expect(w.signals.submit(apple, four.submission, four.at)).rejects.toMatchObject(refused('busy'))
    w.weather.beforeCountersignature = () => {}
    expect(await next(id)).toBe(3n)
    // Another request of the same upload goes on from there.
    const resumed = { broken: false }
    for (const { submission, at } of [two, three, four])
      await w.signals.submit(apple, submission, { ...at, stream: resumed })
    expect(await next(id)).toBe(9n)
  })
  test('stands before what failed also where submissions go one by one', async () => {
    const id = newId(w.now())
    const stream = { broken: false }
    const told = await w.sign(apple, [item()])
    await w.signals.submit(apple, told)
    const [one, two] = [await w.sign(apple, [item()]), await w.sign(apple, [item()])]
    let countersigned = 0
    w.weather.beforeCountersignature = () => {
      countersigned += 1
      if (countersigned === 1) throw new Error('the key store is away')
    }
    // What was told before sends the whole group one by one.
    const outcomes = await Promise.allSettled([
      w.signals.submit(apple, told),
      w.signals.submit(apple, one, position(id, 3n, stream)),
      w.signals.submit(apple, two, position(id, 5n, stream)),
    ])
    w.weather.beforeCountersignature = () => {}
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(outcomes[2]).toMatchObject({ reason: refused('busy') })
    expect(await next(id)).toBe(1n)
  })
  test('goes on behind a submission that was refused for good', async () => {
    const id = newId(w.now())
    const stream = { broken: false }
    const signed = await w.sign(apple, [item()])
    await w.signals.submit(apple, signed)
    const other = await withJti(headerOf(signed.jws.protected).jti, [item()])
    await expect(w.signals.submit(apple, other, position(id, 3n, stream))).rejects.toMatchObject(refused('replayed'))
    expect(stream.broken).toBe(false)
    await w.submit(apple, [item()], position(id, 5n, stream))
    expect(await next(id)).toBe(5n)
  })
  test('breaks while the log is behind, and not by a refusal that stays', async () => {
    const id = newId(w.now())
    const stream = { broken: false }
    const bad = await w.sign(apple, [item()])
    const bent = { ...bad, items: [...bad.items, ...bad.items] }
    await expect(w.signals.submit(apple, bent, position(id, 3n, stream))).rejects.toMatchObject(
      refused('signature-invalid'),
    )
    expect(stream.broken).toBe(false)
    w.weather.healthy = false
    await expect(w.submit(apple, [item()], position(id, 5n, stream))).rejects.toMatchObject(refused('log-behind'))
    w.weather.healthy = true
    expect(stream.broken).toBe(true)
    await expect(w.submit(apple, [item()], position(id, 7n, stream))).rejects.toMatchObject(refused('busy'))
    expect(await next(id)).toBe(1n)
  })
})

describe('a pattern', () => {
  const pattern = (change: object = {}, basis = 'human_reviewed') => {
    const made = w.item({ audience, basis }, 'keyword_pattern')
    return { ...made, value: { ...made.value, ...change } }
  }

  test('is tried before it is stored, and refused by name where it fails; the others are stored', async () => {
    const strings = ['the ent', 'entry', 'cent']
    const signed = await w.sign(apple, [
      ...[pattern(), pattern({ kind: 're2', text: '(?=a)blue kite' }), item()],
      ...[pattern({ must_match: ['blue kite', 'blue kites', 'a jay'] })],
      ...[pattern({ text: 'ent', must_match: strings }), pattern({ text: 'ent', must_match: strings }, 'automated')],
    ])
    const { results } = await w.signals.submit(apple, signed)
    expect(results.map(({ status, code, pointer }) => [code ?? status, pointer])).toEqual([
      ...[
        [201, undefined],
        ['pattern-syntax', '/value/text'],
        [201, undefined],
      ],
      ...[
        ['pattern-samples', '/value/must_match/2'],
        [201, undefined],
        ['pattern-broad', '/basis'],
      ],
    ])
    const again = await w.signals.submit(apple, signed)
    expect(again.results).toEqual(results)
  })

  test('keeps what the same participant submits behind it waiting, so that it is not overtaken', async () => {
    const first = pattern()
    const one = await w.sign(apple, [first])
    const leaf = leafText(one.items[0] ?? { salt: '', item: '' })
    const two = await w.sign(apple, [{ ...first, revision: 2, prev: leaf }])
    const withdrawn = await w.sign(apple, [item()])
    const [created, revised] = await Promise.all([one, two, withdrawn].map((each) => w.signals.submit(apple, each)))
    expect([created, revised].map((result) => codes(result as SubmissionResult))).toEqual([[201], [200]])
  })
})

test('a value on a suppression list is refused by name', async () => {
  const empty = { algorithm: 'sha1', hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' }
  const media = { ...w.item({ audience }, 'media_hash'), value: empty }
  const { results } = await w.signals.submit(apple, await w.sign(apple, [item(), media]))
  expect(results[1]).toMatchObject({ code: 'suppressed-value', pointer: '/value/hash', status: 422 })
})
