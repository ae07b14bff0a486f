import { describe, expect, test } from 'vitest'
import type { LookupKey } from '../../src/client/derive.ts'
import { lookedUp } from '../../src/client/looked-up.ts'
import { createVerifier } from '../../src/client/verify.ts'
import type { FeedEventBody } from '../../src/feeds/schema.ts'
import { anItem, aWithdrawal, sha, textOf } from '../signals/factory.ts'
import { aNode, aSource, received } from './source.ts'

const apple = aSource('apple')
const node = aNode()
const verifier = createVerifier([apple.info], node.home)
const token = sha('plum')
const key: LookupKey = { type: 'email', profile: 'email/1@spring', key: token }
const email = (change: object = {}): object =>
  anItem({ value: { profile: 'email/1', kid: 'spring', token, ...change } }, 'email')

/** What the node answers of an item, as an event that it may have changed. */
async function answered(item: object, change: Partial<FeedEventBody> = {}, told: Parameters<typeof received>[3] = {}) {
  const [one] = await received(node, apple, [textOf(item)], told)
  if (one?.proof === undefined) throw new Error('no event')
  return { matches: [{ key: token, event: { ...one.event, ...change } }], submissions: [one.proof] }
}

describe('what a node answers to a look-up', () => {
  test('is taken where a source signed it for a key that was asked for', async () => {
    const found = lookedUp(await answered(email()), verifier, [{ ...key, profile: 'email/1@summer' }, key])
    expect(found).toMatchObject([{ authority: 'origin', key, event: { source: 'apple' } }])
  })

  const REFUSED = 'no source signed a live signal of a key that was asked for'
  test.each<[string, () => ReturnType<typeof answered>]>([
    ['of another identifier', () => answered(email({ token: sha('another') }))],
    ['under another key epoch', () => answered(email({ kid: 'summer' }))],
    ['of another type', () => answered(anItem({ value: { profile: 'email/1', kid: 'spring', token } }, 'phone'))],
    ['that its source withdrew', () => answered(aWithdrawal({ revision: 2 }), {}, { typ: 'aldis-withdrawal+jws' })],
    [
      'that nobody signed',
      async () => {
        const { matches, submissions } = await answered(email(), { type: 'signal.expired', reason: 'expired' })
        return { matches: matches.map(({ event: { item: _, ...event }, ...one }) => ({ ...one, event })), submissions }
      },
    ],
  ])('is refused where it is a signal %s', async (_, answer) => {
    const given = await answer()
    expect(() => lookedUp(given, verifier, [key])).toThrow(REFUSED)
  })

  test('is refused where its key was not asked for', async () => {
    const given = await answered(email())
    expect(() => lookedUp(given, verifier, [{ ...key, key: sha('asked') }])).toThrow(REFUSED)
  })
})
