import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { aWorld, type World } from '../world.ts'

const refused = (code: string) => ({ code })

let w: World
beforeAll(async () => {
  w = await aWorld()
  for (const slug of ['ash', 'beech', 'cedar']) await w.admit(slug)
})
afterAll(() => w.end())

let made = 0
/** A group of ash and beech, with so many entries in its feed. */
const aGroup = async (entries = 0): Promise<string> => {
  made += 1
  const slug = `grove-${made}`
  const { audience_id } = (await w.decide('group.create', {
    ...{ slug, name: slug, mode: 'full', members: ['ash', 'beech'] },
  })) as { audience_id: Uuid }
  await w.t.owner
    .updateTable('feed_head')
    .set({ next_seq: BigInt(entries + 1) })
    .where('feed_id', '=', w.authority.feedOf(audience_id))
    .execute()
  return slug
}
const membersOf = async (slug: string) => (await w.service.groups()).find((one) => one.slug === slug)?.members
const change = (group: string, join: string[], leave: string[] = [], more: object = {}) =>
  w.decide('group.change', { group, join, leave, ...more })

describe('a change of a group', () => {
  test('that would widen whom old signals reach is refused, and changes nothing', async () => {
    const group = await aGroup(212)
    expect(await w.service.groupEffect({ group, join: ['cedar'], leave: [] })).toEqual({
      ...{ before: ['ash', 'beech'], after: ['ash', 'beech', 'cedar'], history: 212, widens: true },
    })
    await expect(change(group, ['cedar'])).rejects.toMatchObject({
      ...refused('audience-widened'),
      extra: { entries: 212 },
    })
    expect(await membersOf(group)).toEqual(['ash', 'beech'])
  })
  test('takes somebody in where it says that history is included, or where there is none', async () => {
    const [old, fresh] = [await aGroup(3), await aGroup()]
    await change(old, ['cedar'], [], { history: 'included' })
    await change(fresh, ['cedar'])
    expect([await membersOf(old), await membersOf(fresh)]).toEqual([
      ['ash', 'beech', 'cedar'],
      ['ash', 'beech', 'cedar'],
    ])
  })
  test('lets somebody go whatever was shared, and takes nobody back without saying so', async () => {
    const group = await aGroup(3)
    await change(group, [], ['beech'])
    expect(await membersOf(group)).toEqual(['ash'])
    await expect(change(group, ['beech'])).rejects.toMatchObject(refused('audience-widened'))
  })
  test('of a group whose members all left still knows that there was something', async () => {
    const group = await aGroup(3)
    await change(group, [], ['ash', 'beech'])
    await expect(change(group, ['cedar'])).rejects.toMatchObject(refused('audience-widened'))
  })
  test('is previewed as it would be refused', async () => {
    const group = await aGroup()
    const effect = (join: string[], leave: string[]) => w.service.groupEffect({ group, join, leave })
    await expect(effect(['ash'], [])).rejects.toMatchObject(refused('state-conflict'))
    await expect(effect(['nobody'], [])).rejects.toMatchObject(refused('validation-failed'))
    await expect(w.service.groupEffect({ group: 'no-such', join: [], leave: [] })).rejects.toMatchObject(
      refused('not-found'),
    )
  })
})

describe('the end of a group', () => {
  test('lets everybody leave, and its name is not used again', async () => {
    const group = await aGroup(3)
    expect(await w.recorded(() => w.decide('group.end', { group }))).toEqual([
      ...['approval.executed', 'approval.given', 'approval.requested', 'group.ended'],
    ])
    expect(await membersOf(group)).toBeUndefined()
    await expect(change(group, ['cedar'], [], { history: 'included' })).rejects.toMatchObject(refused('not-found'))
    await expect(
      w.decide('group.create', { slug: group, name: group, mode: 'full', members: [] }),
    ).rejects.toMatchObject(refused('state-conflict'))
  })
})
