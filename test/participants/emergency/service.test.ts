import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { anEnrolment } from '../keys.ts'
import { aWorld, type World } from '../world.ts'

const HOUR = 3_600_000
const refused = (code: string) => ({ code })

let w: World
beforeAll(async () => {
  w = await aWorld()
})
afterAll(() => w.end())

let made = 0
const admitted = async (): Promise<string> => {
  made += 1
  await w.admit(`plum-${made}`)
  return `plum-${made}`
}
const reviewsOf = async (slug: string, person: Uuid = w.ben) =>
  (await w.service.requestsFor(person)).filter(
    ({ action, payload }) => action === 'emergency.review' && payload.includes(`"${slug}"`),
  )

describe('what one person did alone', () => {
  test('asks for its review in the same transaction, and names what was done', async () => {
    const slug = await admitted()
    const kinds = await w.recorded(() => w.service.suspend(w.ada, { participant: slug, reason: 'key_theft' }))
    expect(kinds).toEqual(['approval.requested', 'participant.suspended'])
    const [review] = await reviewsOf(slug)
    const suspended = await w.t.owner
      .selectFrom('participant')
      .select('last_event')
      .where('slug', '=', slug)
      .executeTakeFirstOrThrow()
    expect(JSON.parse(review?.payload ?? '{}')).toEqual({
      ...{ act: 'participant.suspend', event: suspended.last_event, participant: slug, reason: 'key_theft' },
    })
    expect(review).toMatchObject({ standing: 'short', ballot: 'allowed', requested_by: w.ada })
  })
  test('is reviewed by another, and then there is nothing left to carry out', async () => {
    const slug = await admitted()
    const { credential } = await w.service.enrol(await anEnrolment(await w.code(slug)))
    await w.service.revokeCredential(w.ada, { credential: credential as Uuid, reason: 'key_theft' })
    const [review] = await reviewsOf(slug)
    const id = review?.request_id ?? ('' as Uuid)
    await expect(w.service.approve(id, w.ada, w.now())).rejects.toMatchObject(refused('self-approval'))
    expect(await w.recorded(() => w.service.approve(id, w.ben, w.now()))).toEqual([
      ...['approval.executed', 'approval.given'],
    ])
    expect(await w.service.requestFor(w.ben, id)).toMatchObject({ standing: 'executed', mayExecute: false })
  })
  test('is not undone by a denial, which ends the review with a reason', async () => {
    const slug = await admitted()
    await w.service.suspend(w.ada, { participant: slug, reason: 'other' })
    const [review] = await reviewsOf(slug)
    const id = review?.request_id ?? ('' as Uuid)
    await w.service.reject(id, w.ben, w.now(), 'it was the wrong organisation')
    expect((await w.service.requestFor(w.ben, id))?.standing).toBe('rejected')
    expect(w.authority.participantBySlug(slug)?.status).toBe('suspended')
    const open = (await w.service.openRequests()).map(({ request_id }) => request_id)
    expect(open).not.toContain(review?.request_id)
    w.pass(40 * 24 * HOUR)
    expect(await reviewsOf(slug)).toEqual([])
  })
  test('is overdue after a day, never expires, and is listed until somebody has answered', async () => {
    const slug = await admitted()
    // Those of other tests are overdue by then.
    w.pass(24 * HOUR)
    const before = await w.service.overdueReviews()
    await w.service.suspend(w.ada, { participant: slug, reason: 'misuse' })
    w.pass(24 * HOUR - 1)
    expect(await w.service.overdueReviews()).toBe(before)
    w.pass(1)
    const overdue = await w.service.overdueReviews()
    expect(overdue).toBe(before + 1)
    w.pass(40 * 24 * HOUR)
    const [review] = await reviewsOf(slug)
    expect(review).toMatchObject({ standing: 'short', ballot: 'allowed' })
    expect(review?.due_at?.getTime()).toBeLessThan(w.now().getTime())
    await w.service.approve(review?.request_id ?? ('' as Uuid), w.ben, w.now())
    expect(await w.service.overdueReviews()).toBe(overdue - 1)
  })
  test('is reviewed at its own request alone: nobody proposes a review', async () => {
    const payload = { act: 'participant.suspend', event: w.ada, participant: 'plum', reason: 'other' }
    await expect(w.service.propose('emergency.review', payload, w.ada)).rejects.toMatchObject(refused('policy-refused'))
  })
})
