import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pseudonymOf } from '../../../src/console/viewer.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { SAMPLES_MAX, type SampleList } from '../../../src/review/sample-schema.ts'
import { compare } from '../../../src/review/second.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { aReviewWorld, type ReviewWorld } from '../world.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let audience: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  audience = (await w.group('fruit', [apple, banana])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

const NEVER = { hours: null, sample_percent: 0 }
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

async function opened(change: object = {}): Promise<{ id: Uuid; item: SignalItem }> {
  const item = w.item({ audience, severity: 'medium', ...change })
  await w.submit(apple, [item])
  await w.settle()
  return { item, id: (await w.hit(banana, apple, item)).results[0]?.case ?? ('' as Uuid) }
}

describe('hours of review', () => {
  const office = {
    days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const,
    ...{ from: '09:00', to: '17:00' },
  }

  test('are none at first, are set with an entry, and time counts only within them', async () => {
    expect(await w.review.setting(banana.participant)).toEqual(NEVER)
    const setting = { hours: { ...office, days: [...office.days] }, sample_percent: 0 }
    expect(await w.recorded(() => w.review.set(banana, setting))).toEqual(['review.set'])
    expect(await w.review.setting(banana.participant)).toEqual(setting)
    const due = Date.parse((await w.caseOf(banana, (await opened({ severity: 'critical' })).id)).due_at)
    expect(new Date(due).getUTCHours()).toBeGreaterThanOrEqual(9)
    expect(new Date(due).getUTCHours()).toBeLessThanOrEqual(17)
    expect([1, 2, 3, 4, 5]).toContain(new Date(due).getUTCDay())
    await w.review.set(banana, NEVER)
    const always = await w.caseOf(banana, (await opened({ severity: 'critical' })).id)
    expect(Date.parse(always.due_at) - w.now().getTime()).toBe(4 * 3_600_000)
  })

  test('that end before they begin are refused', async () => {
    const turned = { hours: { days: ['monday' as const], from: '17:00', to: '09:00' }, sample_percent: 0 }
    expect(await codeOf(w.review.set(banana, turned))).toBe('validation-failed')
  })
})

describe('a sample of what is closed', () => {
  const listed = async (who: string): Promise<SampleList['samples']> => {
    const { body } = await w.review.samples({ ...w.as(banana, who), route: '/v1/review/samples' })
    return (JSON.parse(body) as SampleList).samples
  }
  const closed = async (verdict: string, reason: string) => {
    const { id } = await opened()
    const lease = await w.review.claim(w.as(banana), id)
    await w.review.decide(w.as(banana), id, w.verdict(lease, { verdict, reason } as never))
    await w.release()
    return id
  }

  test('is decided a second time by another person, who does not see the first, and alters nothing', async () => {
    await w.review.set(banana, { hours: null, sample_percent: 100 })
    const id = await closed('outdated', 'inactive')
    const own = (samples: SampleList['samples']) => samples.find((one) => one.case.case === id)
    expect(own(await listed('ann'))).toBeUndefined()
    const found = own(await listed('bob'))
    expect(found?.case).toMatchObject({ case: id, state: 'closed' })
    expect(found?.case.decisions).toBeUndefined()
    const sample = found?.sample ?? ('' as Uuid)
    const said = { verdict: 'not_violating', reason: 'shared_host' } as const
    expect(await codeOf(w.review.answerSample(w.as(banana, 'ann'), sample, said))).toBe('self-approval')
    expect(await codeOf(w.review.answerSample(w.as(apple, 'bob'), sample, said))).toBe('not-found')
    expect(await codeOf(w.review.answerSample(w.as(banana, 'bob'), sample, { ...said, reason: 'law' }))).toBe(
      'reason-unknown',
    )
    const before = await w.caseOf(banana, id)
    const kinds = await w.recorded(async () =>
      expect(await w.review.answerSample(w.as(banana, 'bob'), sample, said)).toEqual({
        ...{ sample, agreed: false, verdict: 'outdated', reason: 'inactive' },
      }),
    )
    expect(kinds).toEqual(['review.sampled'])
    expect(await w.caseOf(banana, id)).toEqual(before)
    expect(own(await listed('bob'))).toBeUndefined()
    expect(await codeOf(w.review.answerSample(w.as(banana, 'cat'), sample, said))).toBe('state-conflict')
    const { samples } = await w.review.figures(banana.participant)
    expect(samples.answered - samples.agreed).toBeGreaterThan(0)
    await w.review.set(banana, NEVER)
  })

  test('stays to be found by whoever may answer it, however many older ones nobody who is present may', async () => {
    await w.review.set(banana, { hours: null, sample_percent: 100 })
    const id = await closed('outdated', 'inactive')
    const older = { n: SAMPLES_MAX, decided_by: 'bob', approved_by: 'cat', authority: 2 }
    await planted(id, older)
    await planted(id, { ...older, decided_by: 'eve', approved_by: null, authority: 3 })
    const own = (await listed('bob')).filter((one) => one.case.case === id)
    expect(own).toHaveLength(1)
    expect((await listed('dan')).length).toBe(SAMPLES_MAX)
    await w.t.owner.deleteFrom('review_sample').where('reason', '=', 'planted').execute()
    await w.review.set(banana, NEVER)
  })

  test('is listed to exactly those who are another person than each who stood for the first', async () => {
    const { person_id } = await w.participants.addPerson(w.ada, { name: 'Fig', organisation: 'banana' })
    await w.participants.grantRole(w.ada, { person: person_id, role: 'analyst' })
    const fig = pseudonymOf(person_id)
    const { id } = await opened()
    const names = ['ann', 'Ann', 'bob', fig, fig.toLowerCase()]
    const firsts = names.flatMap((decided_by) =>
      [null, 'ann', 'bob', fig].flatMap((approved_by) =>
        [2, 3].map((authority) => ({ decided_by, approved_by, authority })),
      ),
    )
    for (const first of firsts) await planted(id, { n: 1, ...first })
    const rows = await w.t.owner.selectFrom('review_sample').selectAll().where('reason', '=', 'planted').execute()
    for (const authority of ['attested', 'reviewed_here'] as const)
      for (const who of names) {
        const by = { ...w.as(banana, who), authority }
        const { body } = await w.review.samples({ ...by, route: '/v1/review/samples' })
        const seen = new Set((JSON.parse(body) as SampleList).samples.map(({ sample }) => sample))
        const two = (first: string, of: number) =>
          compare({ who: first, authority: of === 3 ? 'reviewed_here' : 'attested' }, by, (name) => name === fig) ===
          'two'
        for (const { sample_id, decided_by, approved_by, authority: of } of rows)
          expect([who, authority, decided_by, approved_by, of, seen.has(sample_id)]).toEqual([
            ...[who, authority, decided_by, approved_by, of],
            two(decided_by, of) && (approved_by === null || two(approved_by, of)),
          ])
      }
    await w.t.owner.deleteFrom('review_sample').where('reason', '=', 'planted').execute()
  })

  /** Samples of a case that are older than all others. */
  const planted = (id: Uuid, of: { n: number; decided_by: string; approved_by: string | null; authority: number }) =>
    sql`insert into review_sample (participant_id, sample_id, case_id, seq, verdict, reason, decided_by, approved_by, authority,
        opened_at, last_event)
      select ${banana.participant}, ('00000000' || substr(gen_random_uuid()::text, 9))::uuid, ${id}, 1, 1, 'planted',
        ${of.decided_by}, ${of.approved_by}, ${of.authority}, ${w.now()}, gen_random_uuid()
      from generate_series(1, ${of.n})`.execute(w.t.owner)

  test('is about as large as it was asked for, and none where it was not', async () => {
    await closed('outdated', 'inactive')
    const { opened: none } = (await w.review.figures(banana.participant)).samples
    await w.review.set(banana, { hours: null, sample_percent: 100 })
    await closed('outdated', 'inactive')
    expect((await w.review.figures(banana.participant)).samples.opened).toBe(none + 1)
    await w.review.set(banana, NEVER)
  })

  test('the database itself takes no second verdict of whoever gave the first', async () => {
    await w.review.set(banana, { hours: null, sample_percent: 100 })
    const id = await closed('outdated', 'inactive')
    const same = sql`update review_sample set second_by = 'Ann', second_verdict = 6, second_reason = 'inactive',
      second_authority = 2, second_at = opened_at where case_id = ${id}`.execute(w.t.owner)
    await expect(same).rejects.toThrow(/check constraint/)
    await w.review.set(banana, NEVER)
  })
})
