import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asParticipant } from '../../src/db/as-participant.ts'
import { connect } from '../../src/db/connect.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { LEASE_MS } from '../../src/review/lease.ts'
import { takeNext } from '../../src/review/leases.ts'
import { hitsOf } from '../../src/review/seen.ts'
import { createReviewService, type ReviewServiceOptions } from '../../src/review/service.ts'
import { caseOf } from '../../src/review/store.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, GRACE_MS, keyOf, type ReviewWorld } from './world.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let cherry: Party
let audience: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  audience = (await w.group('fruit', [apple, banana, cherry])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

/** A signal of apple's that everybody has. */
async function shared(change: object = {}): Promise<SignalItem> {
  const item = w.item({ audience, severity: 'medium', ...change })
  await w.submit(apple, [item])
  await w.settle()
  return item
}

/** A case of banana's over its own hit. */
async function opened(change: object = {}): Promise<{ item: SignalItem; id: Uuid }> {
  const item = await shared(change)
  const { results } = await w.hit(banana, apple, item)
  const id = results[0]?.case
  if (id === undefined) throw new Error('no case')
  return { item, id }
}

/** A case of banana's over what it received and saw nothing of. */
async function routed(): Promise<{ item: SignalItem; id: Uuid }> {
  const none = { keyword_patterns: false, critical: false, not_reviewed: false, new_sources: false, categories: [] }
  await w.review.route(banana, { ...none, not_reviewed: true })
  const item = await shared({ basis: 'automated' })
  await w.review.route(banana, none)
  const found = (await w.queue(banana, { limit: 100 })).cases.find(({ signal }) => signal === item.signal)
  if (found === undefined) throw new Error('no case')
  return { item, id: found.case }
}

const REASON_OF = {
  ...{ confirmed_action_taken: 'own_policy', confirmed_no_presence: 'no_account' },
  ...{ outdated: 'inactive', not_violating: 'policy_differs' },
} as const

/** Claimed and decided, or corrected where it is closed. */
async function decided(id: Uuid, verdict: keyof typeof REASON_OF) {
  const { state, version } = await w.caseOf(banana, id)
  const lease = state === 'closed' ? { version } : await w.review.claim(w.as(banana), id)
  const { token: _, ...corrects } = w.verdict(
    { token: id, version },
    { verdict, reason: REASON_OF[verdict], counts: {} },
  )
  return w.review.decide(w.as(banana), id, {
    ...corrects,
    ...('token' in lease && { token: lease.token }),
    version: lease.version,
  })
}

/** The loop does all entries once more, as after a crash it does some. */
async function followedAgain(): Promise<void> {
  await w.t.owner.updateTable('projector').set({ next_idx: 0n }).where('name', '=', 'feedback').execute()
  await w.settle()
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

describe('hits', () => {
  test('the first hit opens a case, and so do the second and the tenth', async () => {
    const { item, id } = await opened()
    expect(await w.caseOf(banana, id)).toMatchObject({
      state: 'open',
      own_hits: 1,
      severity: 'medium',
      source: 'apple',
    })
    const cases: (Uuid | undefined)[] = []
    for (const count of [2, 5, 9, 10, 50]) cases.push((await w.hit(banana, apple, item, count)).results[0]?.case)
    expect(cases).toEqual([id, undefined, undefined, id, undefined])
    expect((await w.caseOf(banana, id)).triggers?.map(({ ref }) => ref)).toEqual(['hits-1', 'hits-2', 'hits-10'])
  })

  test('a report that was heard before changes nothing and has no entry', async () => {
    const { item } = await opened()
    const again = await w.hit(banana, apple, item)
    expect(again).toEqual({ results: [{ index: 0, status: 200 }], event: null })
  })

  test('of a signal that is not there, is somebody else’s to see or one’s own, nothing is taken', async () => {
    const item = await shared()
    const pair = await w.group(`pair-${newId(w.now()).slice(-6)}`, [apple, cherry])
    const hidden = w.item({ audience: pair.audience })
    await w.submit(apple, [hidden])
    await w.settle()
    const refused = { results: [{ index: 0, status: 404, code: 'not-found' }], event: null }
    expect(await w.hit(banana, apple, hidden)).toEqual(refused)
    expect(await w.hit(banana, cherry, item)).toEqual(refused)
    expect(await w.hit(banana, apple, { ...item, signal: newId(w.now()) })).toEqual(refused)
    expect(await w.hit(apple, apple, item)).toEqual(refused)
  })

  test('a reference that looks raw refuses its hit alone; numbers are those of tickets', async () => {
    const items = [await shared(), await shared(), await shared(), await shared(), await shared()]
    const refs = ['192.0.2.7', '353861234567', 'INC0012345678', `0x${'5a'.repeat(20)}`, '01-86-123-4567']
    const last_at = '2026-03-01T11:00:00Z'
    const hits = items.map((item, i) => ({
      ...{ source: 'apple', signal: item.signal, key: keyOf(item), count: 1, last_at, own_ref: refs[i] ?? '' },
    }))
    const { results } = await w.review.reportHits(banana, { hits })
    expect(results.map(({ status, code }) => [status, code])).toEqual([
      [422, 'raw-identifier'],
      [200, undefined],
      [200, undefined],
      [422, 'raw-identifier'],
      [422, 'raw-identifier'],
    ])
    expect(results.map((one) => one.case === undefined)).toEqual([true, false, false, true, true])
    const { rows } = await sql`select from hit where own_ref in ('192.0.2.7', '01-86-123-4567')`.execute(w.t.owner)
    expect(rows).toEqual([])
  })

  test('after an action, reports add nothing to a case that somebody is to look at already', async () => {
    const { id, item } = await opened()
    await w.hit(banana, apple, item, 10)
    const refs = async () => (await w.caseOf(banana, id)).triggers?.slice(2).map(({ ref }) => ref)
    const decide = async (change: object = {}) =>
      w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id), change))
    await decide()
    await w.release()
    // It opens the case, and those after it tell whose it is.
    const reports = await Promise.all([11, 12, 13].map((count) => w.hit(banana, apple, item, count)))
    for (const { results } of reports) expect(results[0]?.case ?? id).toBe(id)
    expect(await refs()).toHaveLength(1)
    // What was decided without knowing of it is looked at again, because of the first.
    await decide()
    for (const count of [14, 15, 16]) await w.hit(banana, apple, item, count)
    await w.release()
    expect((await refs())?.at(-1)).toBe('again-14')
    expect(await refs()).toHaveLength(2)
    expect((await w.caseOf(banana, id)).state).toBe('open')
    await decide({ escalate: true })
    for (const count of [17, 18, 19]) await w.hit(banana, apple, item, count)
    expect((await refs())?.slice(2)).toEqual(['again-17'])
  })

  test('a case is told with the newest hundred of its reasons', async () => {
    const { id } = await opened()
    await sql`insert into case_trigger select participant_id, case_id, 'lifecycle', n::text, at + n * interval '1 s',
        ('ffffffff-ffff-7fff-8fff-' || lpad(to_hex(n), 12, '0'))::uuid
      from case_trigger, generate_series(1, 120) n where case_id = ${id}`.execute(w.t.owner)
    const refs = (await w.caseOf(banana, id)).triggers?.map(({ ref }) => ref)
    expect(refs).toEqual(Array.from({ length: 100 }, (_, i) => String(i + 21)))
  })

  test('one case of an organisation for a signal, however many report at once', async () => {
    const item = await shared()
    const all = await Promise.all(Array.from({ length: 8 }, (_, i) => w.hit(banana, apple, item, 8 - i)))
    const ids = new Set(all.flatMap(({ results }) => results[0]?.case ?? []))
    expect(ids.size).toBe(1)
    const of = { participant: banana.participant, origin: apple.participant, signal: item.signal }
    const told = await asParticipant(w.t.app, banana.participant, (tx) => hitsOf(tx, of))
    expect(told.count).toBe(8)
  })
})

describe('leases', () => {
  test('of two that claim one case at once, one has it and the other hears who', async () => {
    const { id } = await opened()
    for (let i = 0; i < 50; i++) {
      const claims = [`ann-${i}`, `bob-${i}`].map((who) => w.review.claim(w.as(banana, who), id))
      const settled = await Promise.allSettled(claims)
      const won = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      const lost = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as { code: string }] : []))
      expect([won.length, lost.map(({ code }) => code)]).toEqual([1, ['lease-held']])
      w.pass(LEASE_MS + 1)
    }
  })

  test('claimed again by its holder it is the same lease, and it lasts longer', async () => {
    const { id } = await opened()
    const first = await w.review.claim(w.as(banana), id)
    w.pass(60_000)
    const again = await w.review.claim(w.as(banana), id)
    expect(again.token).toBe(first.token)
    expect(again.expires_at > first.expires_at).toBe(true)
  })

  test('a lead takes over before the time is over, which the log tells', async () => {
    const { id } = await opened()
    const { token } = await w.review.claim(w.as(banana, 'ann'), id)
    const kinds = await w.recorded(() => w.review.claim(w.as(banana, 'lea', true), id))
    expect(kinds).toEqual(['review.moved'])
    expect(await codeOf(w.review.renew(w.as(banana, 'ann'), id, token))).toBe('lease-held')
  })

  test('a lease that lapsed still decides as long as nobody came between, and not afterwards', async () => {
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    w.pass(LEASE_MS + 1)
    const other = await opened()
    const gone = await w.review.claim(w.as(banana), other.id)
    w.pass(LEASE_MS + 1)
    await w.review.claim(w.as(banana, 'bob'), other.id)
    expect(await codeOf(w.review.decide(w.as(banana), other.id, w.verdict(gone)))).toBe('lease-held')
    expect((await w.review.decide(w.as(banana), id, w.verdict(lease))).state).toBe('decided')
  })

  test('a case that somebody took while it was looked for is passed over', async () => {
    const [taken, free] = [(await opened()).id, (await opened()).id]
    const { token } = await w.review.claim(w.as(banana, 'bob'), taken)
    const found = [taken, free]
    // As a search whose snapshot is older than the lease answers.
    const search = async (tx: Parameters<typeof caseOf>[0]) => caseOf(tx, banana.participant, found.shift() ?? taken)
    const given = await asParticipant(w.t.app, banana.participant, (tx) =>
      takeNext(tx, () => search(tx), { by: w.as(banana, 'ann'), now: w.now() }),
    )
    expect(given?.case).toBe(free)
    expect((await w.review.renew(w.as(banana, 'bob'), taken, token)).token).toBe(token)
  })

  test('who leaves has ten seconds to come back', async () => {
    const { id } = await opened()
    const { token } = await w.review.claim(w.as(banana), id)
    await w.review.leave(w.as(banana), id, token)
    expect(await codeOf(w.review.claim(w.as(banana, 'bob'), id))).toBe('lease-held')
    w.pass(10_001)
    expect(await codeOf(w.review.claim(w.as(banana, 'bob'), id))).toBe('done')
  })

  test('the next one is what nobody works on, most urgent first, and is passed over by everybody else', async () => {
    const party = await w.admit('elder')
    const own = (await w.group('elders', [apple, party])).audience
    const items = (['low', 'critical'] as const).map((severity) => w.item({ audience: own, severity }))
    await w.submit(apple, items)
    await w.settle()
    for (const item of items) await w.hit(party, apple, item)
    const severityOf = async (who: string) => {
      const lease = await w.review.next(w.as(party, who))
      return lease === undefined ? undefined : (await w.caseOf(party, lease.case)).severity
    }
    expect([await severityOf('nina'), await severityOf('otto'), await severityOf('pia')]).toEqual([
      ...['critical', 'low', undefined],
    ])
  })

  test('a case that is handed over waits for whom it was handed to', async () => {
    const { id } = await opened()
    const { token, version } = await w.review.claim(w.as(banana), id)
    await w.review.handOver(w.as(banana), id, { token, version, to: 'bob' })
    // Another tab of whoever gave it away goes on with the token of before.
    expect(await codeOf(w.review.renew(w.as(banana), id, token))).toBe('lease-lapsed')
    expect(await codeOf(w.review.claim(w.as(banana, 'eve'), id))).toBe('lease-held')
    expect(await codeOf(w.review.claim(w.as(banana, 'bob'), id))).toBe('done')
  })

  test('only an open case is handed over', async () => {
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    const { version } = await w.review.decide(w.as(banana), id, w.verdict(lease))
    const work = w.review.handOver(w.as(banana), id, { token: lease.token, version, to: 'bob' })
    await expect(work).rejects.toMatchObject({ code: 'case-moved', extra: { version } })
  })

  test('a reason to park a case that looks raw is refused', async () => {
    const { id } = await opened()
    const { token, version } = await w.review.claim(w.as(banana), id)
    const work = w.review.hold(w.as(banana), id, { token, version, reason: 'call_353861234567', hours: 1 })
    expect(await codeOf(work)).toBe('raw-identifier')
  })

  test('whoever asks for the next one while working on it keeps the lease', async () => {
    const party = await w.admit('fern')
    const item = w.item({ audience: (await w.group('ferns', [apple, party])).audience })
    await w.submit(apple, [item])
    await w.settle()
    await w.hit(party, apple, item)
    const first = await w.review.next(w.as(party))
    expect((await w.review.next(w.as(party)))?.token).toBe(first?.token)
  })

  test('what is parked comes back by itself, and earlier by hand', async () => {
    const [one, two] = [await opened(), await opened()]
    for (const { id } of [one, two]) {
      const { token, version } = await w.review.claim(w.as(banana), id)
      expect((await w.review.hold(w.as(banana), id, { token, version, reason: 'waiting', hours: 2 })).state).toBe(
        'held',
      )
    }
    const { version } = await w.caseOf(banana, one.id)
    expect((await w.review.resume(w.as(banana), one.id, version)).state).toBe('open')
    w.pass(2 * 3_600_000)
    await w.releaseRound()
    expect((await w.caseOf(banana, two.id)).state).toBe('open')
  })
})

/** What the recipient's records of a kind say, in their order. */
async function told(kind: string): Promise<Record<string, unknown>[]> {
  const rows = await w.t.owner
    .selectFrom('prov_record')
    .select('event_id')
    .where('participant_id', '=', banana.participant)
    .where('kind', '=', kind)
    .orderBy('event_id')
    .execute()
  return Promise.all(rows.map(({ event_id }) => w.opened(event_id)))
}

describe('decisions', () => {
  test('nothing leaves within the grace, and undoing leaves nothing but its entry', async () => {
    await w.release()
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    const { decision } = await w.review.decide(w.as(banana), id, w.verdict(lease))
    await w.releaseRound()
    expect((await w.caseOf(banana, id)).state).toBe('decided')
    const kinds = await w.recorded(() => w.review.undo(w.as(banana), { case: id, decision }))
    expect(kinds).toEqual(['review.undone'])
    w.pass(GRACE_MS + 1)
    expect(await w.recorded(() => w.releaseRound())).toEqual([])
    expect(await w.caseOf(banana, id)).toMatchObject({ state: 'open', decisions: [{ standing: 'ended' }] })
  })

  test('after the grace it is released once, told to the source and can only be corrected', async () => {
    await w.release()
    const { id, item } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    const { decision } = await w.review.decide(w.as(banana), id, w.verdict(lease))
    w.pass(GRACE_MS + 1)
    // Two processes at once, as after a crash between decision and release.
    const kinds = await w.recorded(() => Promise.all([w.releaseRound(), w.releaseRound()]))
    expect(kinds).toEqual(['feedback.given', 'review.moved'])
    await w.settle()
    expect(await w.caseOf(banana, id)).toMatchObject({ state: 'closed', decisions: [{ standing: 'released' }] })
    expect(await codeOf(w.review.undo(w.as(banana), { case: id, decision }))).toBe('grace-over')
    const { version } = await w.caseOf(banana, id)
    const correction = w.verdict({ version, token: lease.token }, { verdict: 'outdated', reason: 'inactive' })
    await w.review.decide(w.as(banana), id, correction)
    await w.release()
    expect(await w.feedback.opinions(apple.participant, { source: 'apple', signal: item.signal })).toMatchObject({
      ...{ outcomes: { outdated: 1 }, standing: 'negative' },
    })
    expect((await w.review.figures(banana.participant)).corrected).toBeGreaterThan(0)
  })

  test('undone, a decision on a case that was opened again leaves it open, and a correction leaves it closed', async () => {
    const { id, item } = await opened()
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    const { version } = await w.caseOf(banana, id)
    const { decision } = await w.review.decide(w.as(banana), id, w.verdict({ version } as never, { reason: 'law' }))
    expect((await w.review.undo(w.as(banana), { case: id, decision })).state).toBe('closed')
    await w.hit(banana, apple, item, 3)
    const again = await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    expect((await w.review.undo(w.as(banana), { case: id, decision: again.decision })).state).toBe('open')
  })

  test('a release that fails half-way leaves the decision due, and nothing told', async () => {
    await w.release()
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    await w.review.decide(w.as(banana), id, w.verdict(lease))
    w.pass(GRACE_MS + 1)
    const broken = asParticipant(w.t.app, banana.participant, async (tx) => {
      await tx
        .updateTable('decision')
        .set({ released_at: w.now(), last_event: newId(w.now()) })
        .where('participant_id', '=', banana.participant)
        .where('case_id', '=', id)
        .execute()
      throw new Error('the process ends here')
    })
    await expect(broken).rejects.toThrow('ends here')
    expect(await w.recorded(() => w.releaseRound())).toEqual(['feedback.given', 'review.moved'])
  })

  test('the same decision again changes nothing, and its id for another is refused', async () => {
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    const body = w.verdict(lease)
    const first = await w.review.decide(w.as(banana), id, body)
    expect(await w.recorded(() => w.review.decide(w.as(banana), id, body))).toEqual([])
    expect((await w.review.decide(w.as(banana), id, body)).decision).toBe(first.decision)
    expect(await codeOf(w.review.decide(w.as(banana), id, { ...body, reason: 'law' }))).toBe('state-conflict')
  })

  test('the id of a decision is refused for another case, and changes nothing there', async () => {
    const [{ id }, { id: other }] = [await opened(), await opened()]
    const body = w.verdict(await w.review.claim(w.as(banana), id))
    await w.review.decide(w.as(banana), id, body)
    const lease = await w.review.claim(w.as(banana), other)
    const again = () => w.review.decide(w.as(banana), other, { ...w.verdict(lease), decision: body.decision })
    const kinds = await w.recorded(async () => expect(await codeOf(again())).toBe('state-conflict'))
    expect([kinds, (await w.caseOf(banana, other)).state]).toEqual([[], 'open'])
    expect((await w.review.decide(w.as(banana), other, w.verdict(lease))).state).toBe('decided')
  })

  test('a decision over an older version is refused and names the present one', async () => {
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    const { token, version } = lease
    await w.review.handOver(w.as(banana), id, { token, version, to: 'ann' })
    const work = w.review.decide(w.as(banana), id, w.verdict(lease))
    await expect(work).rejects.toMatchObject({ code: 'case-moved', extra: { version: version + 1 } })
  })

  test.each([
    ['a reason of another verdict', { reason: 'false_match' }, 'reason-unknown'],
    ['other without a note', { reason: 'other' }, 'reason-unknown'],
    ['an e-mail address in a note', { note_shared: 'ask fig@mail.example' }, 'raw-identifier'],
    ['a phone number in a team note', { note_team: 'call +353 86 123 4567' }, 'raw-identifier'],
    ['a phone number as a category', { category_suggested: '353861234567' }, 'raw-identifier'],
  ])('%s is refused', async (_, change, code) => {
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    expect(await codeOf(w.review.decide(w.as(banana), id, w.verdict(lease, change)))).toBe(code)
  })

  test('a confirmation at critical needs another person, and the database refuses the same one', async () => {
    await w.release()
    const { id } = await opened({ severity: 'critical' })
    const lease = await w.review.claim(w.as(banana), id)
    const { decision, state } = await w.review.decide(w.as(banana), id, w.verdict(lease))
    expect(state).toBe('awaiting_second')
    w.pass(GRACE_MS + 1)
    expect(await w.recorded(() => w.releaseRound())).toEqual([])
    const of = { case: id, decision }
    expect(await codeOf(w.review.second(w.as(banana), of, { operator: 'ann', answer: 'approve' }))).toBe(
      'self-approval',
    )
    const forced = asParticipant(w.t.app, banana.participant, (tx) =>
      tx
        .updateTable('decision')
        .set({ approved_by: 'ann', last_event: newId(w.now()) })
        .where('participant_id', '=', banana.participant)
        .where('case_id', '=', id)
        .execute(),
    )
    expect(await codeOf(forced)).toBe('23514')
    const past = asParticipant(w.t.app, banana.participant, (tx) =>
      tx
        .updateTable('decision')
        .set({ release_at: w.now(), last_event: newId(w.now()) })
        .where('participant_id', '=', banana.participant)
        .where('case_id', '=', id)
        .execute(),
    )
    expect(await codeOf(past)).toBe('23514')
    expect((await w.review.second(w.as(banana, 'bob'), of, { operator: 'bob', answer: 'approve' })).state).toBe(
      'decided',
    )
    await w.release()
    expect((await w.caseOf(banana, id)).decisions).toMatchObject([{ standing: 'released', approved_by: 'bob' }])
  })

  test('who is in doubt asks for a second person where none is needed', async () => {
    const { id } = await opened()
    const body = w.verdict(await w.review.claim(w.as(banana), id), { escalate: true })
    expect((await w.review.decide(w.as(banana), id, body)).state).toBe('awaiting_second')
  })

  test('a proposal is denied by another, taken back by its author, or runs out', async () => {
    const propose = async () => {
      const { id } = await opened({ severity: 'critical' })
      const { decision } = await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
      return { case: id, decision }
    }
    const [denied, retracted, forgotten] = [await propose(), await propose(), await propose()]
    await w.review.second(w.as(banana, 'bob'), denied, { operator: 'bob', answer: 'deny' })
    await w.review.second(w.as(banana), retracted, { operator: 'ann', answer: 'retract' })
    w.pass(24 * 3_600_000)
    await w.releaseRound()
    for (const { case: id } of [denied, retracted, forgotten])
      expect(await w.caseOf(banana, id)).toMatchObject({ state: 'open', decisions: [{ standing: 'ended' }] })
    const undone = (await told('review.undone')).map(({ decision }) => decision)
    expect(undone).toEqual(expect.arrayContaining([denied, retracted, forgotten].map(({ decision }) => decision)))
  })

  test('a proposal on a signal that its source takes back ends with the case, which the log tells', async () => {
    const { id, item } = await opened({ severity: 'critical' })
    const { decision } = await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.withdraw(apple, item.signal)
    await w.settle()
    expect(await w.caseOf(banana, id)).toMatchObject({ state: 'void', decisions: [{ standing: 'ended' }] })
    expect((await told('review.undone')).map((one) => one['decision'])).toContain(decision)
  })

  test('the log says which decision a correction replaces, and that what confirms again after a later hit replaces none', async () => {
    const { id, item } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    const first = await w.review.decide(w.as(banana), id, w.verdict(lease))
    await w.release()
    const { version } = await w.caseOf(banana, id)
    const correction = w.verdict({ version, token: lease.token }, { reason: 'law' })
    const second = await w.review.decide(w.as(banana), id, correction)
    await w.release()
    await w.hit(banana, apple, item, 10)
    await w.settle()
    const third = await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    await w.hit(banana, apple, item, 100)
    await w.settle()
    const reversal = w.verdict(await w.review.claim(w.as(banana), id), {
      verdict: 'not_violating',
      reason: 'false_match',
    })
    const fourth = await w.review.decide(w.as(banana), id, reversal)
    const superseded = (await told('review.decided'))
      .filter((one) => one['case'] === id)
      .map((one) => [one['decision'], one['supersedes']])
    expect(superseded).toEqual([
      [first.decision, undefined],
      [second.decision, first.decision],
      [third.decision, undefined],
      [fourth.decision, third.decision],
    ])
  })

  test('a verdict that is none yet parks the case, and time that the source owes does not count', async () => {
    const { id } = await opened()
    const due = (await w.caseOf(banana, id)).due_at
    const lease = await w.review.claim(w.as(banana), id)
    await w.review.decide(w.as(banana), id, w.verdict(lease, { verdict: 'needs_information', reason: 'context' }))
    await w.release()
    expect(await w.caseOf(banana, id)).toMatchObject({ state: 'held' })
    w.pass(24 * 3_600_000)
    await w.releaseRound()
    const back = await w.caseOf(banana, id)
    expect([back.state, Date.parse(back.due_at) - Date.parse(due) >= 24 * 3_600_000]).toEqual(['open', true])
    const question = (await w.queue(apple)).cases.find(({ signal }) => signal === back.signal)
    expect(question).toMatchObject({ state: 'open', source: 'apple' })
  })
})

describe('what others do', () => {
  test('another organisation’s case is not there', async () => {
    const { id } = await opened()
    expect(await codeOf(w.caseOf(cherry, id))).toBe('not-found')
    expect(await codeOf(w.review.claim(w.as(cherry), id))).toBe('not-found')
  })

  test('a signal that is withdrawn before anybody decided leaves nothing to decide', async () => {
    const { id, item } = await opened()
    await w.withdraw(apple, item.signal)
    await w.settle()
    expect((await w.caseOf(banana, id)).state).toBe('void')
    expect(await codeOf(w.review.claim(w.as(banana), id))).toBe('case-moved')
  })

  test('what was acted on is looked at again once its source changes or withdraws it', async () => {
    const { id, item } = await opened()
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    await w.revise(apple, item, { confidence: 10 })
    await w.settle()
    expect(await w.caseOf(banana, id)).toMatchObject({ state: 'open', revision: 2, confidence: 10 })
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    // The loop may do an entry again: what it has opened once is not opened anew.
    await followedAgain()
    expect((await w.caseOf(banana, id)).state).toBe('closed')
    await w.withdraw(apple, item.signal)
    await w.settle()
    const { state, triggers } = await w.caseOf(banana, id)
    expect([state, triggers?.map(({ kind }) => kind)]).toEqual(['open', ['private_hit', 'lifecycle', 'lifecycle']])
    // What it has opened stays open.
    await followedAgain()
    expect((await w.caseOf(banana, id)).state).toBe('open')
  })

  test('what was acted on is looked at again once it is erased, and shown as it was seen', async () => {
    const { id, item } = await opened({ severity: 'high' })
    await decided(id, 'confirmed_action_taken')
    await w.release()
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await w.settle()
    const seen = await w.caseOf(banana, id)
    expect(seen).toMatchObject({ state: 'open', severity: 'high', own_hits: 1 })
    expect([seen.triggers?.at(-1)?.kind, seen.said]).toEqual(['lifecycle', undefined])
    await followedAgain()
    expect((await w.caseOf(banana, id)).version).toBe(seen.version)
  })

  test('a withdrawal that is followed only after the erasure opens what was acted on', async () => {
    const { id, item } = await opened()
    await decided(id, 'confirmed_action_taken')
    await w.release()
    await w.withdraw(apple, item.signal)
    await w.project()
    w.pass(1_000)
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await w.follower().round()
    expect((await w.caseOf(banana, id)).triggers?.map(({ kind }) => kind)).toEqual(['private_hit', 'lifecycle'])
    await w.settle()
    expect((await w.caseOf(banana, id)).state).toBe('open')
  })

  test('an erasure before anybody decided leaves nothing to decide', async () => {
    const { id, item } = await opened()
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await w.settle()
    expect((await w.caseOf(banana, id)).state).toBe('void')
  })

  test('whoever a revision leaves without the signal looks again at what it did, and is shown nothing of what was revised', async () => {
    const narrow = (await w.group('fruit-bowl', [apple, cherry])).audience
    const { id, item } = await opened()
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    await w.revise(apple, item, { audience: narrow, severity: 'critical', confidence: 10 })
    await w.settle()
    const shown = { state: 'open', revision: 1, severity: item.severity, confidence: item.confidence }
    expect(await w.caseOf(banana, id)).toMatchObject(shown)
    // And so where somebody to whom it is given objects to it.
    const of = { ...w.about(apple, { ...item, revision: 2 }), dispute: newId(w.now()), ground: 'false_match' }
    await w.object(cherry, of)
    await w.settle()
    const { triggers, ...now } = await w.caseOf(banana, id)
    expect([now, triggers?.map(({ kind }) => kind)]).toMatchObject([shown, ['private_hit', 'lifecycle', 'dispute']])
  })

  test('a signal that runs out ends what nobody decided, and leaves what was acted on', async () => {
    const at = `${new Date(w.now().getTime() + 86_400_000).toISOString().slice(0, 19)}Z`
    const [one, two] = [await opened({ expires_at: at }), await opened({ expires_at: at })]
    await w.review.decide(w.as(banana), one.id, w.verdict(await w.review.claim(w.as(banana), one.id)))
    await w.release()
    w.pass(2 * 86_400_000)
    await w.expire(apple.participant, 'apple')
    await w.settle()
    expect([(await w.caseOf(banana, one.id)).state, (await w.caseOf(banana, two.id)).state]).toEqual(['closed', 'void'])
  })

  test('a signal that ended within the grace of a decision leaves nothing to decide once that is undone', async () => {
    const VERDICT = { outdated: { verdict: 'outdated', reason: 'inactive' }, confirmed_action_taken: {} } as const
    const at = `${new Date(w.now().getTime() + 2_000).toISOString().slice(0, 19)}Z`
    const [withdrawn, expired, live, acted] = [
      await opened(),
      await opened({ expires_at: at }),
      await opened(),
      await opened(),
    ]
    const decide = async ({ id }: { id: Uuid }, verdict: keyof typeof VERDICT) =>
      w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id), VERDICT[verdict]))
    await decide(acted, 'confirmed_action_taken')
    await w.release()
    await w.hit(banana, apple, acted.item, 2)
    const [one, two, three, four] = [
      await decide(withdrawn, 'outdated'),
      await decide(expired, 'confirmed_action_taken'),
      await decide(live, 'outdated'),
      await decide(acted, 'outdated'),
    ]
    await w.withdraw(apple, withdrawn.item.signal)
    await w.withdraw(apple, acted.item.signal)
    w.pass(3_000)
    await w.expire(apple.participant, 'apple')
    await w.settle()
    const states = () =>
      Promise.all([withdrawn, expired, live, acted].map(async ({ id }) => (await w.caseOf(banana, id)).state))
    expect(await states()).toEqual(['decided', 'decided', 'decided', 'decided'])
    for (const { case: id, decision } of [one, two, three, four])
      await w.review.undo(w.as(banana), { case: id, decision })
    await w.settle()
    // What was told before stays to be looked at again.
    expect(await states()).toEqual(['void', 'void', 'open', 'open'])
  })

  test('whoever read a case before its source revised it reads it again, and nothing is decided meanwhile', async () => {
    const { id, item } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    await w.revise(apple, item, { confidence: 10 })
    await w.settle()
    const of = w.verdict(lease)
    expect(await codeOf(w.review.decide(w.as(banana), id, of))).toBe('case-moved')
    const { version, decisions } = await w.caseOf(banana, id)
    expect([decisions, version]).toEqual([[], lease.version + 1])
    await w.review.decide(w.as(banana), id, { ...of, version })
    expect((await w.caseOf(banana, id)).state).toBe('decided')
  })

  test('what is told names the revision that was decided on, not one that came within the grace', async () => {
    const { id, item } = await opened()
    const of = { verdict: 'not_violating', reason: 'false_match' } as const
    const decision = w.verdict(await w.review.claim(w.as(banana), id), of)
    await w.review.decide(w.as(banana), id, decision)
    await w.revise(apple, item, { confidence: 10 })
    await w.settle()
    expect(await w.caseOf(banana, id)).toMatchObject({ state: 'decided', revision: 2 })
    await w.release()
    const own = ['feedback.given', 'dispute.opened'] as const
    for (const kind of own)
      expect((await told(kind)).filter(({ signal }) => signal === item.signal)).toMatchObject([{ revision: 1 }])
  })

  test('what its source makes critical takes two persons, whether it waits, is proposed or stands in its grace', async () => {
    const [waits, proposed, alone] = [await opened(), await opened(), await opened()]
    const decide = async ({ id }: { id: Uuid }, change = {}) =>
      w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id), change))
    const lease = await w.review.claim(w.as(banana), waits.id)
    await decide(proposed, { escalate: true })
    await decide(alone)
    for (const { item } of [waits, proposed, alone]) await w.revise(apple, item, { severity: 'critical' })
    await w.settle()
    const first = (await w.queue(banana, { severity: 'critical' })).cases.map((one) => one.case)
    expect(first).toContain(waits.id)
    expect(await w.caseOf(banana, waits.id)).toMatchObject({ severity: 'critical', revision: 2, state: 'open' })
    const { token } = lease
    const decided = ({ version }: { version: number }) =>
      w.review.decide(w.as(banana), waits.id, w.verdict({ version, token }))
    expect((await decided(await w.caseOf(banana, waits.id))).state).toBe('awaiting_second')
    expect(await w.caseOf(banana, proposed.id)).toMatchObject({ severity: 'critical', state: 'awaiting_second' })
    await w.release()
    expect(await w.caseOf(banana, alone.id)).toMatchObject({ state: 'open', decisions: [{ standing: 'ended' }] })
    expect((await told('review.undone')).filter((one) => one['case'] === alone.id)).toHaveLength(1)
    expect((await decide(alone)).state).toBe('awaiting_second')
  })

  test('what comes within the grace opens the case when it is over', async () => {
    const all = [await opened(), await opened(), await opened(), await opened()] as const
    const [hit, disputed, withdrawn, revised] = all
    for (const { id } of all) await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    w.pass(1_000)
    await w.hit(banana, apple, hit.item, 2)
    const claim = { ...w.about(apple, disputed.item), dispute: newId(w.now()), ground: 'false_match' }
    await w.object(cherry, claim)
    await w.withdraw(apple, withdrawn.item.signal)
    await w.revise(apple, revised.item, { confidence: 10 })
    await w.settle()
    await w.release()
    const cases = await Promise.all(all.map(({ id }) => w.caseOf(banana, id)))
    expect(
      cases.map(({ triggers, decisions, ...one }) => [one.state, decisions?.[0]?.standing, triggers?.[1]?.kind]),
    ).toEqual(['private_hit', 'dispute', 'lifecycle', 'lifecycle'].map((kind) => ['open', 'released', kind]))
  })

  test('what comes while a correction waits or stands in its grace opens the case when it is denied or undone', async () => {
    const all = [await opened(), await opened()] as const
    for (const { id } of all) await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    const corrections = []
    for (const [i, { id, item }] of all.entries()) {
      const { version } = await w.caseOf(banana, id)
      const change = { reason: 'law', escalate: i === 0 }
      const { decision } = await w.review.decide(w.as(banana), id, w.verdict({ version } as never, change))
      corrections.push({ case: id, decision })
      await w.hit(banana, apple, item, 3)
    }
    const [denied, undone] = corrections
    if (denied === undefined || undone === undefined) throw new Error('no corrections')
    const answer = await w.review.second(w.as(banana, 'bob'), denied, { operator: 'bob', answer: 'deny' })
    expect([answer.state, (await w.review.undo(w.as(banana), undone)).state]).toEqual(['open', 'open'])
  })

  test('what was there when somebody decided does not open the case afterwards, even if all came in one millisecond', async () => {
    const { id, item } = await opened({ severity: 'critical' })
    const { decision } = await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.hit(banana, apple, item, 2)
    await w.review.second(w.as(banana, 'bob'), { case: id, decision }, { operator: 'bob', answer: 'deny' })
    const outdated = { verdict: 'outdated', reason: 'inactive', counts: {} } as const
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id), outdated))
    await w.release()
    expect((await w.caseOf(banana, id)).state).toBe('closed')
  })

  test('an answer to a question brings the case back that waits for it', async () => {
    const { id, item } = await opened()
    const asks = { verdict: 'needs_information', reason: 'context' } as const
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id), asks))
    await w.release()
    expect((await w.caseOf(banana, id)).state).toBe('held')
    const answer = { note: 'on the second surface' }
    await w.feedback.answerQuestion(
      { ...apple, person: newId(w.now()) },
      { signal: item.signal, asker: 'banana' },
      answer,
    )
    await w.settle()
    const { state, held_until, triggers, priority } = await w.caseOf(banana, id)
    expect([state, held_until, triggers?.at(-1)?.kind]).toEqual(['open', undefined, 'lifecycle'])
    expect(priority).not.toContain('Waits for the source.')
  })

  test('a hit after an action opens the case again, and the source hears that it was seen again', async () => {
    const { id, item } = await opened()
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    const { acted, seen_again, hits_since_action } = await w.review.figures(banana.participant)
    await w.hit(banana, apple, item, 4)
    expect((await w.caseOf(banana, id)).state).toBe('open')
    expect(await w.review.figures(banana.participant)).toMatchObject({
      ...{ acted, seen_again: seen_again + 1, hits_since_action: hits_since_action + 3 },
    })
    await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id)))
    await w.release()
    expect(await w.feedback.opinions(banana.participant, { source: 'apple', signal: item.signal })).toMatchObject({
      seen_again: 1,
    })
  })

  test('after an action each report opens the case again, also where nothing was reported before it', async () => {
    const { id, item } = await routed()
    await w.release()
    const { acted, seen_again, hits_since_action } = await w.review.figures(banana.participant)
    await decided(id, 'confirmed_action_taken')
    await w.release()
    expect((await w.review.figures(banana.participant)).acted).toBe(acted + 1)
    for (const count of [1, 2, 3, 4]) {
      expect((await w.hit(banana, apple, item, count)).results[0]?.case).toBe(id)
      expect((await w.caseOf(banana, id)).state).toBe('open')
      await decided(id, 'confirmed_no_presence')
      await w.release()
    }
    expect(await w.review.figures(banana.participant)).toMatchObject({
      ...{ acted: acted + 1, seen_again: seen_again + 1, hits_since_action: hits_since_action + 4 },
    })
  })

  test('where the action is corrected or found uncalled for, reports open a case at their numbers alone', async () => {
    const verdicts = ['outdated', 'not_violating'] as const
    await w.release()
    const { acted } = await w.review.figures(banana.participant)
    for (const verdict of verdicts) {
      const { id, item } = await opened()
      await decided(id, 'confirmed_action_taken')
      await w.release()
      if (verdict === 'not_violating') await w.hit(banana, apple, item, 3)
      await decided(id, verdict)
      await w.release()
      expect((await w.hit(banana, apple, item, 4)).results[0]?.case).toBe(verdict === 'outdated' ? id : undefined)
      expect((await w.hit(banana, apple, item, 5)).results[0]?.case).toBeUndefined()
      expect((await w.hit(banana, apple, item, 10)).results[0]?.case).toBe(id)
    }
    expect((await w.review.figures(banana.participant)).acted).toBe(acted)
  })

  test('an action that was undone, or corrected before anything was reported, makes no report one after an action', async () => {
    const [undone, corrected] = [await routed(), await routed()]
    const { decision } = await decided(undone.id, 'confirmed_action_taken')
    await w.review.undo(w.as(banana), { case: undone.id, decision })
    await decided(undone.id, 'outdated')
    await decided(corrected.id, 'confirmed_action_taken')
    await w.release()
    await decided(corrected.id, 'outdated')
    await w.release()
    for (const { id, item } of [undone, corrected]) {
      expect((await w.hit(banana, apple, item, 3)).results[0]?.case).toBe(id)
      expect((await w.hit(banana, apple, item, 4)).results[0]?.case).toBeUndefined()
    }
  })

  test('received signals become cases by rules that an organisation sets, and by none before', async () => {
    const plain = await shared({ severity: 'critical' })
    expect((await w.queue(cherry)).cases).toEqual([])
    const rules = { keyword_patterns: false, critical: true, not_reviewed: false, new_sources: false, categories: [] }
    await w.review.route(cherry, rules)
    const [met, other] = [await shared({ severity: 'critical' }), await shared({ severity: 'low' })]
    const { cases } = await w.queue(cherry)
    const seen = cases.map(({ signal }) => signal)
    expect([seen.includes(met.signal), seen.includes(other.signal), seen.includes(plain.signal)]).toEqual([
      true,
      false,
      false,
    ])
    await w.review.route(cherry, { ...rules, critical: false })
  })

  test('a round asks for the rules of routing once, however many signals it carries, and finds those that were set before', async () => {
    const party = await w.admit('quince')
    const own = (await w.group('quinces', [apple, party])).audience
    await w.settle()
    const rules = { keyword_patterns: false, critical: true, not_reviewed: false, new_sources: false, categories: [] }
    await w.review.route(party, rules)
    const given = ['critical', 'low', 'critical'].map((severity) => w.item({ audience: own, severity }))
    for (const one of given) await w.submit(apple, [one])
    while ((await w.integrate()) > 0);
    const statements: string[] = []
    const reads = connect({ url: w.t.url('aldis_projector'), max: 2, statementLog: (sql) => statements.push(sql) })
    try {
      expect(await w.followerOn(reads).round()).toBeGreaterThanOrEqual(4)
    } finally {
      await reads.destroy()
    }
    expect(statements.filter((sql) => sql.includes('"routing_rule"'))).toHaveLength(1)
    await w.settle()
    const seen = (await w.queue(party)).cases.map(({ signal }) => signal)
    expect(given.map(({ signal }) => seen.includes(signal))).toEqual([true, false, true])
    await w.review.route(party, { ...rules, critical: false })
  })

  test('done again from the beginning of the log, nothing is opened twice', async () => {
    const count = async () => {
      const { n } = await w.t.owner
        .selectFrom('review_case')
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
      const moved = await w.t.owner
        .selectFrom('prov_record')
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
      return [n, moved.n]
    }
    await w.settle()
    const before = await count()
    await followedAgain()
    expect(await count()).toEqual(before)
  })
})

test('each statement of figures has a time of its own', async () => {
  const statements: string[] = []
  const db = connect({ url: w.t.url('aldis_app'), max: 1, statementLog: (sql) => statements.push(sql) })
  const asked = { db, clock: () => w.now(), slugOf: () => '', timeoutMs: 1_234 }
  try {
    await createReviewService(asked as unknown as ReviewServiceOptions).figures(banana.participant)
  } finally {
    await db.destroy()
  }
  expect(statements.join()).toContain('statement_timeout = 1234')
})

describe('the queue', () => {
  test('what is overdue comes first by its date, then everything by rank, each page after the other', async () => {
    const party = await w.admit('date')
    const own = (await w.group('dates', [apple, party])).audience
    const items: SignalItem[] = []
    for (const severity of ['low', 'high', 'medium', 'critical', 'low', 'high'] as const) {
      const item = w.item({ audience: own, severity })
      await w.submit(apple, [item])
      items.push(item)
    }
    await w.settle()
    for (const item of items) await w.hit(party, apple, item)
    w.pass(5 * 3_600_000)
    const whole = (await w.queue(party)).cases
    expect(whole.map(({ severity }) => severity)).toEqual(['high', 'critical', 'high', 'medium', 'low', 'low'])
    const paged: string[] = []
    let cursor: string | null = null
    do {
      const page = await w.queue(party, { limit: 2, ...(cursor === null ? {} : { cursor }) })
      paged.push(...page.cases.map((one) => one.case))
      cursor = page.next
      // What becomes overdue between pages is neither repeated nor left out.
      w.pass(70 * 3_600_000)
    } while (cursor !== null)
    expect(paged).toEqual(whole.map((one) => one.case))
  })

  test('a page of cases is a read of their signals, which the log counts', async () => {
    await opened()
    const { read } = await w.review.list({ ...banana, route: '/v1/cases' }, { limit: 1 })
    expect(read).toMatch(/^[0-9a-f-]{36}\.[0-9]+ [A-Za-z0-9_-]{43}$/)
  })
})
