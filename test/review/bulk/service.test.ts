import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toBase64Url } from '../../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import type { BulkJob, BulkPlan, BulkRequest } from '../../../src/review/bulk-schema.ts'
import { LEASE_MS } from '../../../src/review/lease.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { readSays } from '../../provenance/disclosures.ts'
import { aWithdrawal } from '../../signals/factory.ts'
import { aReviewWorld, GRACE_MS, keyOf, type ReviewWorld } from '../world.ts'

const HOUR_MS = 3_600_000

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
/** Nothing of another test is under way or waits to leave. */
beforeEach(async () => {
  await worked()
  w.pass(60_000)
  for (let n = 1; n > 0; ) n = await w.releaseRound()
})

interface Opened {
  id: Uuid
  item: SignalItem
}

/** Cases of banana's over its own hits, one for each signal. */
async function opened(...changes: object[]): Promise<Opened[]> {
  const items = changes.map((change) => w.item({ audience, severity: 'medium', ...change }))
  await w.submit(apple, items)
  await w.settle()
  const last_at = `${w.now().toISOString().slice(0, 19)}Z`
  const hits = items.map((item) => ({ source: 'apple', signal: item.signal, key: keyOf(item), count: 1, last_at }))
  const { results } = await w.review.reportHits(banana, { hits })
  return items.map((item, i) => ({ item, id: results[i]?.case ?? ('' as Uuid) }))
}

const plain = (n: number): object[] => Array.from({ length: n }, () => ({}))
const versions = (cases: readonly Opened[]) => cases.map(({ id }) => ({ case: id, version: 1 }))
const asked = (cases: readonly Opened[], change: Partial<BulkRequest> = {}) => ({
  ...{ job: newId(w.now()), verdict: 'outdated' as const, reason: 'inactive', cases: versions(cases) },
  ...change,
})
const ann = () => w.as(banana, 'ann')
const lea = () => w.as(banana, 'lea', true)
const planOf = async (asked: object): Promise<{ plan: BulkPlan; read: string }> => {
  const { body, read } = await w.review.planBulk({ ...ann(), route: '/v1/bulk-jobs/plan' }, asked)
  return { plan: JSON.parse(body) as BulkPlan, read }
}
const approval = ({ n, digest }: BulkJob) => ({ answer: 'approve' as const, n, digest })
const jobOf = (job: Uuid): Promise<BulkJob> => w.review.bulkJob(banana.participant, job)
const statesOf = async (cases: readonly Opened[]): Promise<string[]> => {
  const rows = await w.t.owner.selectFrom('review_case').select(['case_id', 'state']).execute()
  const names = ['', 'open', 'held', 'awaiting_second', 'decided', 'closed', 'void']
  const known = new Map(rows.map(({ case_id, state }) => [case_id, names[state] ?? '']))
  return cases.map(({ id }) => known.get(id) ?? '')
}
const worked = async (): Promise<void> => {
  for (let n = 1; n > 0; ) n = await w.bulkRound()
}
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

describe('up to 25 cases', () => {
  test('are decided before the answer, each with its entry, and the job with its own', async () => {
    const cases = await opened(...plain(3))
    let job: BulkJob | undefined
    const kinds = await w.recorded(async () => {
      job = await w.review.beginBulk(ann(), asked(cases))
    })
    expect(job).toMatchObject({ state: 'done', n: 3, looked_at: 3, results: { decided: 3 }, needs_lead: false })
    expect(kinds).toEqual([...['review.bulk', 'review.bulk', 'review.decided', 'review.decided', 'review.decided']])
    expect(await w.opened(job?.event ?? ('' as Uuid))).toMatchObject({
      ...{ kind: 'review.bulk', job: job?.job, step: 'finish', n: 3, verdict: 'outdated', reviewers: 1 },
      results: { decided: 3 },
    })
    const [decision] = (await w.caseOf(banana, cases[0]?.id ?? ('' as Uuid))).decisions ?? []
    expect(decision).toMatchObject({ decided_by: 'ann', standing: 'grace', job: job?.job })
  })

  test('the same id again changes nothing, and stands for no other list or decision', async () => {
    const [one, two] = await opened(...plain(2))
    if (one === undefined || two === undefined) throw new Error('two cases')
    const request = asked([one])
    const first = await w.review.beginBulk(ann(), request)
    expect(await w.recorded(async () => expect(await w.review.beginBulk(ann(), request)).toEqual(first))).toEqual([])
    expect(await codeOf(w.review.beginBulk(ann(), { ...request, cases: versions([two]) }))).toBe('state-conflict')
    expect(await codeOf(w.review.beginBulk(ann(), { ...request, verdict: 'seen_here', reason: 'investigating' }))).toBe(
      'state-conflict',
    )
    const newer = { cases: [{ case: one.id, version: 2 }] }
    for (const change of [newer, { note_team: 'seen twice' }, { note_shared: 'no longer used' }])
      expect(await codeOf(w.review.beginBulk(ann(), { ...request, ...change }))).toBe('state-conflict')
    expect(await statesOf([one, two])).toEqual(['decided', 'open'])
  })

  test('what is wrong of the request as a whole decides nothing', async () => {
    const cases = await opened({})
    const wrong: [object, string][] = [
      [{ reason: 'own_policy' }, 'reason-unknown'],
      [{ note_shared: 'ask fig@mail.example' }, 'raw-identifier'],
      [{ cases: [...versions(cases), ...versions(cases)] }, 'validation-failed'],
    ]
    for (const [change, code] of wrong) expect(await codeOf(w.review.beginBulk(ann(), asked(cases, change)))).toBe(code)
    expect(await statesOf(cases)).toEqual(['open'])
  })

  test('nothing of another organisation is there', async () => {
    const cases = await opened({})
    const { job, results } = await w.review.beginBulk(w.as(cherry, 'eve', true), asked(cases))
    expect(results).toEqual({ not_there: 1 })
    expect(await codeOf(jobOf(job))).toBe('not-found')
    expect(await codeOf(w.review.undoBulk(lea(), job))).toBe('not-found')
    expect(await codeOf(w.review.cancelBulk(lea(), job))).toBe('not-found')
    expect(await codeOf(w.review.bulkItems(banana.participant, job))).toBe('not-found')
  })
})

describe('a plan', () => {
  test('says what would become of each case, and changes nothing', async () => {
    const cases = await opened({}, { severity: 'critical' }, {}, {})
    const [free, urgent, taken, gone] = cases
    if (free === undefined || urgent === undefined || taken === undefined || gone === undefined) throw new Error('four')
    await w.review.claim(w.as(banana, 'bob'), taken.id)
    await w.withdraw(apple, gone.item.signal)
    await w.settle()
    const plan = async () => planOf({ cases: cases.map(({ id }) => id), verdict: 'confirmed_no_presence' })
    const { plan: told, read } = await plan()
    expect(read).toBe('')
    expect(told).toMatchObject({ changed: 2, proposed: 1, needs_lead: false, more: false })
    expect(told.cases.map(({ result }) => result)).toEqual(['decided', 'proposed', 'claimed', 'signal_ended'])
    expect(await w.recorded(plan)).toEqual([])
    const done = await w.review.beginBulk(ann(), {
      ...asked(cases, { verdict: 'confirmed_no_presence', reason: 'no_account' }),
      cases: told.cases.map((one) => ({ case: one.case, version: one.version })),
    })
    expect(done.results).toEqual(told.results)
  })

  test('of a filter takes open cases alone, in the order of the queue', async () => {
    const cases = await opened({ category: 'trafficking' }, { category: 'trafficking', severity: 'high' })
    const { plan } = await planOf({ filter: { category: 'trafficking' } })
    expect(plan.cases.map((one) => one.case)).toEqual(cases.map(({ id }) => id).reverse())
    await w.review.beginBulk(ann(), asked(cases))
    expect((await planOf({ filter: { category: 'trafficking' } })).plan.cases).toEqual([])
    expect(await codeOf(planOf({}))).toBe('validation-failed')
  })

  test('of a filter tells of signals what a page of the queue does, and is recorded as a read of them all', async () => {
    const filter = { category: 'contact_offence' }
    const cases = await opened(...plain(3).map((one) => ({ ...one, ...filter })))
    const { read, plan } = await planOf({ filter })
    expect(plan.cases).toHaveLength(3)
    await w.provenance.journal.flush(banana.participant, 'banana')
    const inner = await w.provenance.journal.inner(banana.participant, read.split(' ')[0] ?? '')
    if (inner === undefined || inner === 'waiting') throw new Error('no record of the read')
    const said = Object.fromEntries(readSays(inner.opened).map(({ name, value }) => [name, value]))
    expect(said).toMatchObject({ route: '/v1/bulk-jobs/plan', n: 3, source: { party: 'apple', n: 3 } })
    expect(said['body']).toBe(toBase64Url(sha256(Buffer.from(JSON.stringify(plan)))))
    // Without the log nothing is given out.
    w.weather.healthy = false
    expect(await codeOf(planOf({ filter }))).toBe('log-behind')
    w.weather.healthy = true
    await w.review.beginBulk(ann(), asked(cases))
    expect((await planOf({ filter })).read).toBe('')
  })
})

describe('more than 25 cases', () => {
  test('wait for a lead who is another person and says exactly what is decided', async () => {
    const cases = await opened(...plain(26))
    const job = await w.review.beginBulk(ann(), asked(cases))
    expect(job).toMatchObject({ state: 'proposed', needs_lead: true, looked_at: 0 })
    await worked()
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
    const answers: [ReturnType<typeof ann>, object, string][] = [
      [w.as(banana, 'ann', true), approval(job), 'self-approval'],
      [w.as(banana, 'ANN', true), approval(job), 'self-approval'],
      [w.as(banana, 'bob'), approval(job), 'person-unknown'],
      [{ ...lea(), authority: 'reviewed_here' }, approval(job), 'person-unknown'],
      [lea(), { ...approval(job), n: 25 }, 'validation-failed'],
      [lea(), { answer: 'approve' }, 'validation-failed'],
      [lea(), { ...approval(job), digest: 'A'.repeat(43) }, 'approval-refused'],
      [lea(), { answer: 'retract' }, 'person-unknown'],
    ]
    for (const [by, answer, code] of answers)
      expect([code, await codeOf(w.review.answerBulk(by, job.job, answer as never))]).toEqual([code, code])
    expect((await w.review.bulkProposals(banana.participant)).map((one) => one.job)).toContain(job.job)
    expect(await w.review.answerBulk(lea(), job.job, approval(job))).toMatchObject({ state: 'running' })
    await worked()
    const done = await jobOf(job.job)
    expect(done).toMatchObject({ state: 'done', approved_by: 'lea', results: { decided: 26 } })
    expect(await w.opened(done.event)).toMatchObject({ step: 'finish', reviewers: 2, n: 26 })
    expect(await codeOf(w.review.answerBulk(lea(), job.job, approval(job)))).toBe('state-conflict')
  })

  test('the database itself runs nothing without another approver of the same list', async () => {
    const cases = await opened(...plain(26))
    const { job } = await w.review.beginBulk(ann(), asked(cases))
    const set = (change: string) =>
      sql
        .raw(`update bulk_job set ${change} where job_id = '${job}'`)
        .execute(w.t.owner)
        .then(
          () => 'done',
          (error: { message: string }) => (/check constraint/.test(error.message) ? 'refused' : error.message),
        )
    for (const change of [
      'state = 2',
      "state = 2, approved_by = 'ann', approved_digest = digest",
      "state = 2, approved_by = 'Ann', approved_digest = digest",
      "state = 2, approved_by = 'lea'",
      "state = 2, approved_by = 'lea', approved_digest = sha256('')",
      'needs_second = false',
    ])
      expect([change, await set(change)]).toEqual([change, 'refused'])
  })

  test('a list that was changed after it was approved is not carried out', async () => {
    const [cases, [other]] = [await opened(...plain(26)), await opened({})]
    const job = await w.review.beginBulk(ann(), asked(cases))
    await w.review.answerBulk(lea(), job.job, approval(job))
    await sql`update bulk_item set case_id = ${other?.id} where job_id = ${job.job} and place = 7`.execute(w.t.owner)
    await worked()
    expect(await jobOf(job.job)).toMatchObject({ state: 'refused', refusal: 'list_changed', looked_at: 0 })
    expect(new Set(await statesOf([...cases, ...(other === undefined ? [] : [other])]))).toEqual(new Set(['open']))
  })

  test('and before it was approved, it is refused to the lead', async () => {
    const cases = await opened(...plain(26))
    const job = await w.review.beginBulk(ann(), asked(cases))
    await sql`update bulk_item set version = 2 where job_id = ${job.job} and place = 7`.execute(w.t.owner)
    expect(await codeOf(w.review.answerBulk(lea(), job.job, approval(job)))).toBe('approval-refused')
  })

  test('a proposal is denied by a lead, taken back by whoever made it, or lapses after a day', async () => {
    const cases = await opened(...plain(26))
    const begin = () => w.review.beginBulk(ann(), asked(cases))
    const [denied, back, late] = [await begin(), await begin(), await begin()]
    await w.review.answerBulk(lea(), denied.job, { answer: 'deny', reason: 'too_many' })
    await w.review.answerBulk(ann(), back.job, { answer: 'retract' })
    w.pass(24 * HOUR_MS)
    expect(await codeOf(w.review.answerBulk(lea(), late.job, approval(late)))).toBe('state-conflict')
    expect(await w.recorded(worked)).toContain('review.bulk')
    const refusals = await Promise.all([denied, back, late].map(async ({ job }) => (await jobOf(job)).refusal))
    expect(refusals).toEqual(['too_many', 'retracted', 'time_over'])
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
  })
})

describe('500 mixed cases', () => {
  test('end each by itself; the sums agree, nothing leaves before the grace of the whole is over', async () => {
    const kinds = ['free', 'claimed', 'critical', 'gone', 'expired'] as const
    const kindOf = (i: number): (typeof kinds)[number] => kinds[i % 10 < 3 ? 0 : i % 10 > 6 ? 4 : 1 + (i % 3)] ?? 'free'
    const soon = `${new Date(w.now().getTime() + 2 * HOUR_MS).toISOString().slice(0, 19)}Z`
    const cases = await opened(
      ...Array.from({ length: 497 }, (_, i) => ({
        ...(kindOf(i) === 'critical' && { severity: 'critical' }),
        ...(kindOf(i) === 'expired' && { expires_at: soon }),
      })),
    )
    const of = (kind: string): Opened[] => cases.filter((_, i) => kindOf(i) === kind)
    const own = await ownCases(3)
    const job = await w.review.beginBulk(
      ann(),
      asked([...cases, ...own], { verdict: 'confirmed_action_taken', reason: 'law' }),
    )
    // A day is what a lead has; what happens meanwhile is found case by case.
    w.pass(3 * HOUR_MS)
    for (const { id } of of('claimed')) await w.review.claim(w.as(banana, 'bob'), id)
    await withdrawn(of('gone'))
    await w.review.answerBulk(lea(), job.job, approval(job))
    await w.bulkRound()
    const half = await jobOf(job.job)
    expect([half.state, half.looked_at]).toEqual(['running', 50])
    w.pass(GRACE_MS + 1)
    expect(await w.releaseRound()).toBe(0)
    await worked()
    const done = await jobOf(job.job)
    const expected = {
      ...{ decided: of('free').length, claimed: of('claimed').length, proposed: of('critical').length },
      ...{ signal_ended: of('gone').length + of('expired').length, own: own.length },
    }
    expect(done).toMatchObject({ state: 'done', n: 500, looked_at: 500, results: expected })
    const { items } = await w.review.bulkItems(banana.participant, job.job)
    const states = await statesOf([...cases, ...own])
    for (const [i, { result }] of items.entries()) {
      const left = { decided: 'decided', proposed: 'awaiting_second', signal_ended: /open|void/, own: 'open' }
      expect(states[i]).toMatch(left[result as keyof typeof left] ?? 'open')
    }
    expect(await w.releaseRound()).toBe(0)
    w.pass(GRACE_MS + 1)
    let released = 0
    for (let n = await w.releaseRound(); n > 0; n = await w.releaseRound()) released += n
    expect(released).toBe(expected.decided)
    expect(new Set(await statesOf(of('free')))).toEqual(new Set(['closed']))
    const [{ said } = { said: 0n }] = (
      await sql<{ said: bigint }>`select count(*) as said from feedback where participant_id = ${banana.participant}
        and signal_id = any(${of('free').map(({ item }) => item.signal)}::uuid[])`.execute(w.t.owner)
    ).rows
    expect(Number(said)).toBe(expected.decided)
  }, 60_000)

  async function withdrawn(cases: readonly Opened[]): Promise<void> {
    const items: object[] = []
    for (const { item } of cases) {
      const { leaf: prev } = await w.own(apple, item.signal)
      items.push(aWithdrawal({ signal: item.signal, revision: 2, prev }))
    }
    await w.signals.submit(apple, await w.sign(apple, items, 'aldis-withdrawal+jws'))
    await w.settle()
  }

  /** Cases over signals of banana's own that cherry disputes. */
  async function ownCases(n: number): Promise<Opened[]> {
    const items = Array.from({ length: n }, () => w.item({ audience, severity: 'medium' }))
    await w.submit(banana, items)
    await w.settle()
    for (const item of items)
      await w.object(cherry, { ...w.about(banana, item), dispute: newId(w.now()), ground: 'false_match' })
    await w.settle()
    const rows = await w.t.owner
      .selectFrom('review_case')
      .select(['case_id', 'signal_id'])
      .where('participant_id', '=', banana.participant)
      .execute()
    return items.map((item) => ({
      item,
      id: rows.find(({ signal_id }) => signal_id === item.signal)?.case_id ?? ('' as Uuid),
    }))
  }
})

describe('the way back', () => {
  const begun = async (n: number) => {
    const cases = await opened(...plain(n - 1), { severity: 'critical' })
    const job = await w.review.beginBulk(ann(), asked(cases, { verdict: 'confirmed_action_taken', reason: 'law' }))
    if (job.needs_lead) await w.review.answerBulk(lea(), job.job, approval(job))
    return { cases, job: job.job }
  }

  test('within the grace all of it is undone, proposals included, and nothing of it leaves', async () => {
    const { cases, job } = await begun(4)
    w.pass(GRACE_MS - 1)
    const undone = await w.review.undoBulk(w.as(banana, 'bob'), job)
    expect(undone).toMatchObject({ state: 'undone', undone: 4, results: { decided: 3, proposed: 1 } })
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
    expect(await w.review.undoBulk(ann(), job)).toEqual(undone)
    await w.release()
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
  })

  test('after the grace it stands', async () => {
    const { cases, job } = await begun(2)
    w.pass(GRACE_MS)
    expect(await codeOf(w.review.undoBulk(ann(), job))).toBe('grace-over')
    await w.release()
    expect(await statesOf(cases)).toEqual(['closed', 'awaiting_second'])
  })

  test('a job under way is cancelled: what was decided stands, the rest is left', async () => {
    const { cases, job } = await begun(60)
    await w.bulkRound()
    const cancelled = await w.review.cancelBulk(ann(), job)
    expect(cancelled).toMatchObject({ state: 'cancelled', results: { decided: 50, cancelled: 10 } })
    await worked()
    expect((await statesOf(cases)).filter((state) => state === 'decided')).toHaveLength(50)
    expect(await codeOf(w.review.cancelBulk(ann(), job))).toBe('state-conflict')
    await w.review.undoBulk(ann(), job)
    expect((await jobOf(job)).state).toBe('undoing')
    w.pass(GRACE_MS + 1)
    expect(await w.releaseRound()).toBe(0)
    await worked()
    expect(await jobOf(job)).toMatchObject({ state: 'undone', undone: 50 })
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
  })

  test('undone under way nothing further is decided', async () => {
    const { cases, job } = await begun(60)
    await w.bulkRound()
    await w.review.undoBulk(ann(), job)
    await worked()
    expect(await jobOf(job)).toMatchObject({ state: 'undone', undone: 50, results: { decided: 50, cancelled: 10 } })
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
  })

  test('what was decided anew since stays as it is', async () => {
    const { cases, job } = await begun(3)
    const id = cases[0]?.id ?? ('' as Uuid)
    const [first] = (await w.caseOf(banana, id)).decisions ?? []
    await w.review.undo(ann(), { case: id, decision: first?.decision ?? ('' as Uuid) })
    const lease = await w.review.claim(w.as(banana, 'bob'), id)
    await w.review.decide(w.as(banana, 'bob'), id, w.verdict(lease))
    expect(await w.review.undoBulk(ann(), job)).toMatchObject({ state: 'undone', undone: 2 })
    expect(await statesOf(cases)).toEqual(['decided', 'open', 'open'])
  })
})

describe('a process that is killed', () => {
  test('goes on where it was: each case is decided once, whoever works beside it', async () => {
    const cases = await opened(...plain(40))
    const job = await w.review.beginBulk(ann(), asked(cases))
    await w.review.answerBulk(lea(), job.job, approval(job))
    // The write that says so fails: nothing of the case is committed either.
    await w.without('update on bulk_item', 'aldis_app', async () => expect(w.bulkRound()).rejects.toThrow())
    expect(new Set(await statesOf(cases))).toEqual(new Set(['open']))
    const rounds = Array.from({ length: 3 }, () => worked())
    await Promise.all(rounds)
    expect(await jobOf(job.job)).toMatchObject({ state: 'done', results: { decided: 40 } })
    const [{ n } = { n: 0n }] = (
      await sql<{ n: bigint }>`select count(*) as n from decision where job_id = ${job.job}`.execute(w.t.owner)
    ).rows
    expect(Number(n)).toBe(40)
  })

  test('a case whose lease was one’s own is nobody’s afterwards', async () => {
    const [one] = await opened({})
    const id = one?.id ?? ('' as Uuid)
    await w.review.claim(ann(), id)
    await w.review.beginBulk(ann(), asked(one === undefined ? [] : [one]))
    expect((await w.caseOf(banana, id)).lease).toBeUndefined()
    w.pass(LEASE_MS)
  })
})
