import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pseudonymOf } from '../../../src/console/viewer.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import type { Reviewer } from '../../../src/review/service.ts'
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

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** A critical case of banana's. */
async function opened(): Promise<{ id: Uuid; item: SignalItem }> {
  const item = w.item({ audience, severity: 'critical' })
  await w.submit(apple, [item])
  await w.settle()
  return { item, id: (await w.hit(banana, apple, item)).results[0]?.case ?? ('' as Uuid) }
}

async function decided(by: Reviewer) {
  const { id, item } = await opened()
  const lease = await w.review.claim(by, id)
  const { decision, state } = await w.review.decide(by, id, w.verdict(lease))
  const answer = (who: Reviewer, what: 'approve' | 'deny' | 'retract') =>
    codeOf(w.review.second(who, { case: id, decision }, { operator: who.who, answer: what }))
  return { id, item, state, answer }
}

describe('a second person is another person', () => {
  const attested = (who: string) => w.as(banana, who)
  const signedIn = (who: string): Reviewer => ({ ...w.as(banana, who), authority: 'reviewed_here' })
  let [fig, kiwi]: [string, string] = ['', '']

  beforeAll(async () => {
    const people = [1, 2].map(async (n) => {
      const { person_id } = await w.participants.addPerson(w.ada, { name: `Fig ${n}`, organisation: 'banana' })
      await w.participants.grantRole(w.ada, { person: person_id, role: 'analyst' })
      return pseudonymOf(person_id)
    })
    ;[fig = '', kiwi = ''] = await Promise.all(people)
  })

  test('two names of one tool are, and one name however it is written is not', async () => {
    const { answer } = await decided(attested('ann'))
    expect(await answer(attested('ann'), 'approve')).toBe('self-approval')
    expect(await answer(attested('ANN'), 'approve')).toBe('self-approval')
    expect(await answer(attested('bob'), 'approve')).toBe('done')
  })

  test('a console login and a name of the tool’s do not count as two', async () => {
    const here = await decided(signedIn(fig))
    expect(await here.answer(attested('bob'), 'approve')).toBe('person-unknown')
    expect(await here.answer(signedIn(kiwi), 'approve')).toBe('done')
    const there = await decided(attested('ann'))
    expect(await there.answer(signedIn(fig), 'approve')).toBe('person-unknown')
    expect(await there.answer(signedIn(fig), 'retract')).toBe('person-unknown')
    expect(await there.answer(attested('bob'), 'approve')).toBe('done')
  })

  test('unless the tool names a person of the programme, who is another one', async () => {
    const { answer } = await decided(signedIn(fig))
    expect(await answer(attested(fig), 'approve')).toBe('self-approval')
    expect(await answer(attested(fig.toLowerCase()), 'approve')).toBe('self-approval')
    expect(await answer(attested(kiwi), 'approve')).toBe('done')
    const there = await decided(attested(kiwi))
    expect(await there.answer(signedIn(kiwi), 'approve')).toBe('self-approval')
    expect(await there.answer(signedIn(fig), 'approve')).toBe('done')
  })

  test('and until that one approves the log calls it proposed, as no decision is', async () => {
    const { id, answer } = await decided(attested('ann'))
    await answer(attested('bob'), 'approve')
    const of = w.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'review.decided')
    const told = await Promise.all((await of.orderBy('at').execute()).map(({ event_id }) => w.opened(event_id)))
    const own = told.filter((one) => one['case'] === id)
    expect(own.map(({ reviewers, proposed }) => [reviewers, proposed])).toEqual([
      [1, true],
      [2, undefined],
    ])
  })

  test('whoever it is may deny: nothing leaves by that', async () => {
    const { id, answer } = await decided(attested('ann'))
    expect(await answer(signedIn(fig), 'deny')).toBe('done')
    expect((await w.caseOf(banana, id)).state).toBe('open')
  })
})

describe('where the programme lets one person confirm at critical', () => {
  const publish = (version: number, body: object) =>
    w.decide('policy.publish', { kind: 'review', version, body: JSON.stringify(body) })

  test('it leaves marked, the source is told, and it is counted apart', async () => {
    expect((await decided(w.as(banana))).state).toBe('awaiting_second')
    expect(await codeOf(publish(1, { v: 1, critical_second: 'never' }))).toBe('validation-failed')
    await publish(1, { v: 1, critical_second: 'marked' })
    await w.authority.refresh()
    const before = (await w.review.figures(banana.participant)).single_reviewed
    const { id, item, state } = await decided(w.as(banana))
    expect(state).toBe('decided')
    expect((await w.caseOf(banana, id)).decisions?.[0]).toMatchObject({ single_reviewed: true })
    await w.release()
    const inbox = w.authority.inboxOf(apple.participant)
    const { events } = await w.page(apple, inbox)
    const told = events
      .map((event) => event as { signal: Uuid; data?: object })
      .filter((one) => one.signal === item.signal)
    expect(told.map(({ data }) => data)).toEqual([
      expect.objectContaining({ outcome: 'confirmed_action_taken', single_reviewed: true }),
    ])
    expect((await w.review.figures(banana.participant)).single_reviewed).toBe(before + 1)
    const asked = await opened()
    const lease = await w.review.claim(w.as(banana), asked.id)
    const escalated = await w.review.decide(w.as(banana), asked.id, w.verdict(lease, { escalate: true }))
    expect(escalated.state).toBe('awaiting_second')
    const { job, results } = await w.review.beginBulk(w.as(banana), {
      ...{ job: asked.id, verdict: 'confirmed_action_taken', reason: 'law' },
      cases: [{ case: (await opened()).id, version: 1 }],
    })
    expect([results, (await w.review.bulkJob(banana.participant, job)).state]).toEqual([{ proposed: 1 }, 'done'])
    await publish(2, { v: 1, critical_second: 'required' })
    await w.authority.refresh()
    expect((await decided(w.as(banana))).state).toBe('awaiting_second')
  })
})
