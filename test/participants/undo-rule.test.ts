import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ACTIONS, type ActionName } from '../../src/participants/action.ts'
import { inverseOf, memberDifferences } from '../../src/participants/undo-rule.ts'

const slugs = fc.uniqueArray(fc.constantFrom('ash', 'beech', 'cedar', 'dove'), { maxLength: 4 })

describe('what brings back what was before', () => {
  test('of a group is who left joining and who joined leaving, so that twice is once', () => {
    fc.assert(
      fc.property(slugs, slugs, (join, leave) => {
        const change = { action: 'group.change' as const, payload: { group: 'grove', join, leave, effective_at: 'x' } }
        const back = inverseOf(change)
        expect(back?.payload).toEqual({ group: 'grove', join: leave, leave: join, history: 'included' })
        expect(back && inverseOf(back)?.payload).toMatchObject({ join, leave })
      }),
    )
  })
  test('of a held collection is that it is held no more', () => {
    const payload = { region: 'IE', legal_basis: 'terms', surface: 'public', held: true }
    expect(inverseOf({ action: 'collection.hold', payload })?.payload).toEqual({ ...payload, held: false })
  })
  test('of a policy is the one before under a new number, while it is in force', () => {
    const asked = { action: 'policy.publish' as const, payload: { kind: 'taxonomy', version: 7, body: '{}' } }
    const before = { version: 6, body: '{"a":1}' }
    expect(inverseOf(asked, { policy: { before, current: 7 } })?.payload).toEqual({
      ...{ kind: 'taxonomy', version: 8, body: '{"a":1}' },
    })
    expect(inverseOf(asked, { policy: { before, current: 9 } })).toBeUndefined()
    expect(inverseOf(asked)).toBeUndefined()
  })
  test('is nothing for every act that is for good', () => {
    const some = new Set<ActionName>([
      'group.change',
      'collection.hold',
      'feed.pause',
      'quota.change',
      'policy.publish',
    ])
    for (const action of Object.keys(ACTIONS) as ActionName[])
      if (!some.has(action)) expect(inverseOf({ action, payload: {} }), action).toBeUndefined()
  })
})

test('two objects differ in the members that are not the same, whichever has them', () => {
  expect(memberDifferences('{"a":1,"b":[1],"c":"x"}', '{"a":1,"b":[1,2],"d":null}')).toEqual([
    { what: 'b', before: '[1]', after: '[1,2]' },
    { what: 'c', before: '"x"', after: 'absent' },
    { what: 'd', before: 'absent', after: 'null' },
  ])
  for (const none of ['', 'x', 'null', '7'])
    expect(memberDifferences('{"a":1}', none)).toEqual([{ what: 'a', before: '1', after: 'absent' }])
})
