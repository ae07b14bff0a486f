import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import type { ActionName } from '../../../src/participants/action.ts'
import { anEnrolment } from '../keys.ts'
import { aWorld, TAXONOMY, type World } from '../world.ts'

const [MINUTE, DAY] = [60_000, 86_400_000]
const refused = (code: string) => ({ code })

let w: World
beforeAll(async () => {
  w = await aWorld()
  for (const slug of ['ash', 'beech', 'cedar']) await w.admit(slug)
})
afterAll(() => w.end())

const at = (ms: number): string => `${new Date(w.now().getTime() + ms).toISOString().slice(0, 19)}Z`
let made = 0
const aGroup = async (): Promise<string> => {
  made += 1
  const slug = `grove-${made}`
  await w.decide('group.create', { slug, name: slug, mode: 'full', members: ['ash', 'beech'] })
  return slug
}
const membersOf = async (slug: string) => (await w.service.groups()).find((one) => one.slug === slug)?.members
const approved = async (action: ActionName, payload: unknown, by = w.ada): Promise<Uuid> => {
  const { request_id } = await w.service.propose(action, payload, by)
  await w.service.approve(request_id, by === w.ada ? w.ben : w.ada, w.now())
  return request_id
}
const seen = (id: Uuid) => w.service.requestFor(w.ada, id)
const due = async (): Promise<string[]> => {
  const refusals: string[] = []
  await w.service.executeDue((_, { code }) => refusals.push(code))
  return refusals
}

describe('an act that is set for a time', () => {
  test('waits for it, and is carried out then, once, with nobody pressing anything', async () => {
    const group = await aGroup()
    const id = await approved('group.change', { group, join: ['cedar'], leave: [], effective_at: at(DAY) })
    expect(await seen(id)).toMatchObject({ standing: 'scheduled', mayExecute: false })
    await due()
    await expect(w.service.execute(id, w.ada)).rejects.toMatchObject(refused('approval-refused'))
    expect(await membersOf(group)).toEqual(['ash', 'beech'])
    w.pass(DAY)
    // Two processes, or one that was killed and begins again: the rows alone say what is left.
    const counts = await Promise.all([1, 2].map(() => w.service.executeDue(() => {})))
    expect(counts.toSorted()).toEqual([0, 1])
    expect(await membersOf(group)).toEqual(['ash', 'beech', 'cedar'])
    expect(await w.recorded(due)).toEqual([])
    expect((await seen(id))?.standing).toBe('executed')
  })
  test.for([
    ['passed', -MINUTE],
    ['too far', 90 * DAY + MINUTE],
  ] as const)('is not set for a time that is %s', async ([, ms]) => {
    const group = await aGroup()
    const payload = { group, join: ['cedar'], leave: [], effective_at: at(ms) }
    await expect(w.service.propose('group.change', payload, w.ada)).rejects.toMatchObject({
      errors: [{ pointer: '/payload/effective_at' }],
    })
  })
  test('says by how much it is late, and is gone when it is a day late', async () => {
    const [group, other] = [await aGroup(), await aGroup()]
    const change = (of: string) => ({ group: of, join: ['cedar'], leave: [], effective_at: at(DAY) })
    const [late, lost] = [await approved('group.change', change(group)), await approved('group.change', change(other))]
    w.pass(DAY + 6 * MINUTE)
    const overdue = await w.service.overdueActs()
    expect(overdue).toBe(2)
    await w.service.execute(late, w.ada)
    expect(await w.service.overdueActs()).toBe(1)
    w.pass(DAY)
    await due()
    expect((await seen(lost))?.standing).toBe('expired')
    expect(await membersOf(other)).toEqual(['ash', 'beech'])
    expect(await w.service.overdueActs()).toBe(0)
  })
  test('is done with the authority of then: who asked has to hold the role still, also where another carries it out', async () => {
    const { person_id } = await w.service.addPerson(w.ada, { name: 'Cy', organisation: 'orchard-office' })
    await w.decide('role.grant', { person: person_id, role: 'node_admin' })
    const group = await aGroup()
    const payload = { group, join: ['cedar'], leave: [] }
    await approved('group.change', { ...payload, effective_at: at(DAY) }, person_id)
    const byHand = await approved('group.change', payload, person_id)
    expect((await seen(byHand))?.mayExecute).toBe(true)
    await w.service.endRole(w.ada, { person: person_id, role: 'node_admin' })
    expect((await seen(byHand))?.mayExecute).toBe(false)
    await expect(w.service.execute(byHand, w.ben)).rejects.toMatchObject(refused('person-unknown'))
    w.pass(DAY)
    expect(await due()).toEqual(['person-unknown'])
    expect(await membersOf(group)).toEqual(['ash', 'beech'])
    w.pass(DAY)
  })
  test.for([
    ['a new group', 'group.create', { slug: 'orchid', name: 'Orchid', mode: 'full', members: ['ash'] }],
    [
      'a hold of a collection',
      'collection.hold',
      { region: 'IE', legal_basis: 'consent', surface: 'public', held: true },
    ],
    ['the end of a probation', 'participant.confirm', { participant: 'elm' }],
  ] as const)('is %s too', async ([, action, payload]) => {
    if (action === 'participant.confirm') {
      await w.decide('participant.admit', { slug: 'elm', name: 'Elm', kind: 'platform', probation_days: 30 })
      await w.service.enrol(await anEnrolment(await w.code('elm')))
    }
    const id = await approved(action, { ...payload, effective_at: at(DAY) })
    expect(await due()).toEqual([])
    expect((await seen(id))?.standing).toBe('scheduled')
    w.pass(DAY)
    expect(await due()).toEqual([])
    expect((await seen(id))?.standing).toBe('executed')
  })
  test('that was not approved waits, and is refused by name where the world has moved on', async () => {
    const group = await aGroup()
    const payload = { group, join: ['cedar'], leave: [], effective_at: at(DAY) }
    await w.service.propose('group.change', payload, w.ada)
    await approved('group.change', payload)
    await w.decide('group.change', { group, join: ['cedar'], leave: [] })
    w.pass(DAY)
    expect(await due()).toEqual(['state-conflict'])
    w.pass(DAY)
  })
})

describe('a request that is taken back', () => {
  test('is never carried out, whoever tries and whatever its time', async () => {
    const group = await aGroup()
    const id = await approved('group.change', { group, join: ['cedar'], leave: [], effective_at: at(DAY) })
    expect(await w.recorded(() => w.service.cancel(id, w.ada))).toEqual(['approval.cancelled'])
    expect((await seen(id))?.standing).toBe('cancelled')
    await expect(w.service.cancel(id, w.ada)).rejects.toMatchObject(refused('approval-refused'))
    await expect(w.service.approve(id, w.ben, w.now())).rejects.toMatchObject(refused('approval-refused'))
    w.pass(DAY)
    expect(await w.recorded(due)).toEqual([])
    await expect(w.service.execute(id, w.ada)).rejects.toMatchObject(refused('approval-refused'))
    expect(await membersOf(group)).toEqual(['ash', 'beech'])
  })
  test('is taken back by the roles that decide it alone, and a review by nobody', async () => {
    const { person_id } = await w.service.addPerson(w.ada, { name: 'Dan', organisation: 'orchard-office' })
    const { request_id } = await w.service.propose('group.end', { group: await aGroup() }, w.ada)
    await expect(w.service.cancel(request_id, person_id)).rejects.toMatchObject(refused('person-unknown'))
    await w.admit('elder')
    await w.service.suspend(w.ada, { participant: 'elder', reason: 'test' })
    const review = (await w.service.requestsFor(w.ben)).find(({ action }) => action === 'emergency.review')
    await expect(w.service.cancel(review?.request_id ?? request_id, w.ada)).rejects.toMatchObject(
      refused('policy-refused'),
    )
  })
})

describe('to undo what was done', () => {
  test('is another request, with the inverse', async () => {
    const group = await aGroup()
    const id = await approved('group.change', { group, join: ['cedar'], leave: ['beech'] })
    await expect(w.service.undo(id, w.ada)).rejects.toMatchObject(refused('state-conflict'))
    await w.service.execute(id, w.ada)
    w.pass(1_000)
    const back = await w.service.undo(id, w.ben)
    expect(JSON.parse(back.payload)).toEqual({ group, join: ['beech'], leave: ['cedar'], history: 'included' })
    expect(await membersOf(group)).toEqual(['ash', 'cedar'])
    await w.service.approve(back.request_id, w.ada, w.now())
    await w.service.execute(back.request_id, w.ben)
    expect(await membersOf(group)).toEqual(['ash', 'beech'])
  })
  test('publishes the policy before as a new version, and only what is in force', async () => {
    const categories = (slug: string) => [{ id: 1, slug, needs_note: false }]
    const body = (slug: string) => JSON.stringify({ version: 2, categories: categories(slug) })
    const second = await approved('policy.publish', { kind: 'taxonomy', version: 2, body: body('a') })
    const before = await w.service.differences({
      action: 'policy.publish',
      payload: JSON.stringify({ kind: 'taxonomy', version: 2, body: body('a') }),
    })
    expect(before).toEqual([
      { what: 'version', before: '1', after: '2' },
      { what: 'categories', before: '[]', after: JSON.stringify(categories('a')) },
    ])
    await w.service.execute(second, w.ada)
    const back = await w.service.undo(second, w.ada)
    expect(JSON.parse(back.payload)).toEqual({ kind: 'taxonomy', version: 3, body: TAXONOMY })
    await w.decide('policy.publish', { kind: 'taxonomy', version: 3, body: body('b') })
    await expect(w.service.undo(second, w.ada)).rejects.toMatchObject(refused('state-conflict'))
  })
  test('gives a quota the number that it had before', async () => {
    const quota = (per_day: number) => ({ participant: 'ash', purpose: 'lookup' as const, per_day })
    const first = await approved('quota.change', quota(7))
    await w.service.execute(first, w.ada)
    expect(JSON.parse((await w.service.undo(first, w.ada)).payload)).toMatchObject({ per_day: 100_000 })
    w.pass(1_000)
    const second = await approved('quota.change', quota(9))
    expect(await w.service.differences({ action: 'quota.change', payload: JSON.stringify(quota(9)) })).toEqual([
      { what: 'a day', before: '7', after: '9' },
    ])
    await w.service.execute(second, w.ada)
    expect(JSON.parse((await w.service.undo(second, w.ada)).payload)).toMatchObject({ per_day: 7 })
  })
})
