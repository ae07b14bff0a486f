import { setTimeout as delay } from 'node:timers/promises'
import type { Uuid } from '../../src/kernel/ids.ts'
import { keyOfYear } from '../../src/signals/value-keys.ts'
import { createValueRewrap } from '../../src/signals/value-rewrap.ts'
import type { Member, TestNode } from '../support/node.ts'

/** A link that is sealed, revealed, moved to the next year's key, taken back, sealed again, and withdrawn with its value. */
export async function sealing(n: TestNode, [apple, banana]: readonly [Member, Member], shared: Uuid): Promise<void> {
  const raw = 'https://bad.example/sealed'
  const item = await apple.item({ type: 'url', raw }, shared)
  await apple.client.submit(await apple.sign([item]))
  const given = { v: 1, revision: 1 } as const
  await apple.client.sealValue(item.signal, { ...given, value: raw })
  await revealed(banana, item.signal)
  const { pools, keys, provenance, programme, authority } = n.parts
  const next = new Date().getUTCFullYear() + 1
  await keys.create(keyOfYear(next), 'symmetric')
  const clock = () => new Date(Date.UTC(next, 0, 2))
  const of = { db: pools.app, admin: pools.admin, clock, keys, recorder: quiet(n), programme: programme.programme_id }
  const own = authority.participants().filter(({ slug }) => slug === apple.slug)
  await createValueRewrap({ ...of, participants: () => own }).round()
  provenance.wake()
  await apple.client.sealValue(item.signal, { ...given, value: null })
  await apple.client.sealValue(item.signal, { ...given, value: raw })
  const { leaf: prev } = await apple.client.own(item.signal)
  const withdrawal = { v: 1, signal: item.signal, revision: 2, prev, reason: 'mistaken' }
  await apple.client.submit(await apple.sign([withdrawal], 'aldis-withdrawal+jws'))
}

/** Records as of the time that it is: those of another year would stand behind all that follows. */
const quiet = ({ parts }: TestNode) => ({
  record: (...[tx, event]: Parameters<typeof parts.provenance.record>) =>
    parts.provenance.record(tx, { ...event, at: new Date() }),
})

async function revealed({ client }: Member, signal: Uuid): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const answer = await client.reveal(signal, { purpose: 'investigation' }).catch(() => undefined)
    if (answer !== undefined) return
    await delay(50)
  }
  throw new Error('waited in vain for the reveal')
}
