import type { Uuid } from '../../src/kernel/ids.ts'
import type { Member, TestNode } from '../support/node.ts'

/** Two signals and what ties them, asked for by whom they are shared with, and then the tie erased. */
export async function related(n: TestNode, [apple, banana]: readonly [Member, Member], shared: Uuid): Promise<void> {
  const item = (name: string) => apple.item({ type: 'url', raw: `https://bad.example/${name}` }, shared)
  const [from, to] = [await item('advertised'), await item('advertising')]
  const value = { relation: 'advertises' as const, from: to.signal, to: from.signal }
  const relation = await apple.item({ type: 'relation', relation: value }, shared)
  await apple.client.submit(await apple.sign([from, to, relation]))
  await toldOf(banana, from.signal, to.signal)
  await n.decide('signals.erase', { participant: 'apple', signals: [relation.signal], basis: 'subject_request' })
  const { members } = await banana.client.network(from.signal)
  if (members.length > 0) throw new Error('the relation was erased')
}

async function toldOf({ client }: Member, signal: Uuid, member: Uuid): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const network = await client.network(signal).catch(() => undefined)
    if (network?.members.some((one) => one.signal === member) === true) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('waited in vain for the network')
}
