import { setTimeout as delay } from 'node:timers/promises'
import { signAct } from '../../src/client/acts.ts'
import type { Scope } from '../../src/participants/schema.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { aConsoleNode, type ConsoleNode } from '../support/browser.ts'
import type { Member } from '../support/node.ts'

const SCOPES: readonly Scope[] = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'feedback:write'] as const),
  'provenance:read',
]

export interface LogWorld {
  node: ConsoleNode
  source: Member
  auditor: Member
  signals: readonly SignalItem[]
}

/** A node with a source, two recipients that read and answered, an auditor, and a persona of each role over the log. */
export async function aLogWorld(): Promise<LogWorld> {
  const node = await aConsoleNode({ env: { OPERATOR_CONTACT: 'the duty desk on +353 1 555 0100' } })
  const source = await node.member('aster', { scopes: SCOPES })
  const birch = await node.member('birch', { scopes: SCOPES })
  const cedar = await node.member('cedar', { scopes: SCOPES })
  const auditor = await node.member('council', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  await node.persona({ name: 'Gil', organisation: 'office', roles: ['governance'] })
  await node.persona({ name: 'Otto', organisation: 'council', roles: ['observer'] })
  await node.persona({ name: 'Lea', organisation: 'birch', roles: ['lead'] })
  await node.persona({ name: 'Pat', organisation: 'aster', roles: ['partner_admin'] })
  await node.persona({ name: 'Ana', organisation: 'birch', roles: ['analyst'] })
  const audience = await source.audience('trees', 'birch', 'cedar')
  const signals = await Promise.all(
    ['one', 'two', 'three'].map((name) => source.item({ type: 'url', raw: `https://bad.example/${name}` }, audience)),
  )
  await source.client.submit(await source.sign(signals))
  const [first, second] = signals
  if (first === undefined || second === undefined) throw new Error('three signals')
  await explored(node)
  for (const { feed } of (await birch.client.feeds()).feeds) await birch.client.events(feed as never, {})
  await say(birch, { source, item: first, outcome: 'confirmed_no_presence', reason: 'no_account' })
  await say(cedar, { source, item: first, outcome: 'not_violating', reason: 'policy_differs' })
  const { leaf } = await source.client.own(second.signal)
  const end = { v: 1, signal: second.signal, revision: 2, prev: leaf, reason: 'mistaken' }
  await source.client.submit(await source.sign([end], 'aldis-withdrawal+jws'))
  await explored(node)
  return { node, source, auditor, signals }
}

async function say(
  by: Member,
  { source, item, outcome, reason }: { source: Member; item: SignalItem; outcome: string; reason: string },
): Promise<void> {
  const about = { v: 1 as const, source: source.slug, signal: item.signal, revision: item.revision }
  const key = item.type === 'url' ? item.value.sha256 : ''
  const actor = { member: by.home.membership(), key: by.home.signingKey(), now: new Date() }
  await by.client.giveFeedback(await signAct({ ...about, key, outcome, reason } as never, actor))
}

/** Until everything that was done can be found, and is under a checkpoint. */
export async function explored({ t: { owner } }: Pick<ConsoleNode, 't'>): Promise<void> {
  for (let quiet = 0; quiet < 2; await delay(150)) {
    const waiting = await owner.selectFrom('prov_outbox').select('event_id').limit(1).execute()
    const pending = await owner.selectFrom('read_pending').select('journal_id').limit(1).execute()
    const { size } = await owner.selectFrom('log_head').select('size').executeTakeFirstOrThrow()
    const published = await owner.selectFrom('log_published').select('size').executeTakeFirst()
    const found = await owner.selectFrom('log_entry').select('idx').orderBy('idx', 'desc').limit(1).executeTakeFirst()
    const all = found !== undefined && found.idx + 1n === size && published?.size === size
    quiet = waiting.length === 0 && pending.length === 0 && all ? quiet + 1 : 0
  }
}
