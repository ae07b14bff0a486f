import { setTimeout as delay } from 'node:timers/promises'
import type { Static } from 'typebox'
import { signAct } from '../../src/client/acts.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { Scope } from '../../src/participants/schema.ts'
import type { PatternValue, SignalItem } from '../../src/signals/schema.ts'
import { aConsoleNode, type ConsoleNode } from '../support/browser.ts'
import type { Member } from '../support/node.ts'

const SCOPES: readonly Scope[] = [
  'signals:submit',
  'signals:withdraw',
  'feed:read',
  'lookup:evaluate',
  'feedback:write',
]
/** What nobody may make a page run. */
export const EVIL = '<img src=x onerror=alert(1)>" onfocus="alert(2)'

export interface SendingWorld {
  node: ConsoleNode
  source: Member
  /** Links of the source: asked and confirmed, disputed, withdrawn, quiet, disputed too. */
  signals: readonly SignalItem[]
  /** A pattern in two revisions. */
  pattern: SignalItem
}

const samples = (word: string): Static<typeof PatternValue> => ({
  ...{ kind: 'literal', text: word, language: 'en', case_sensitive: false, whole_word: true },
  must_match: [`a ${word}`, `${word} here`, `one ${word} more`],
  must_not_match: ['a blue sky', 'a red kite', 'nothing of it'],
})

/** A node with a source, what it sent, and what two recipients said of it; a persona of each kind. */
export async function aSendingWorld(): Promise<SendingWorld> {
  const node = await aConsoleNode()
  const source = await node.member('aster', { scopes: SCOPES })
  const [birch, cedar] = [
    await node.member('birch', { scopes: SCOPES }),
    await node.member('cedar', { scopes: SCOPES }),
  ]
  await node.persona({ name: 'Ana', organisation: 'aster', roles: ['analyst'] })
  await node.persona({ name: 'Lea', organisation: 'aster', roles: ['lead'] })
  await node.persona({ name: 'Bo', organisation: 'birch', roles: ['analyst'] })
  const audience = await source.audience('trees', 'birch', 'cedar')
  const names = ['asked', 'disputed', 'gone', 'quiet', 'answered']
  const signals = await Promise.all(
    names.map((name) => source.item({ type: 'url', raw: `https://bad.example/${name}` }, audience)),
  )
  const pattern = await source.item({ type: 'keyword_pattern', pattern: samples('blue kite') }, audience)
  await source.client.submit(await source.sign([...signals, { ...pattern, note: EVIL }]))
  await followed(node)
  await spoken({ source, birch, cedar, signals })
  const { leaf: prev } = await source.client.own(pattern.signal)
  await source.client.submit(await source.sign([{ ...pattern, revision: 2, prev, value: samples('blue kites') }]))
  await followed(node)
  for (const { feed, kind, last_seq } of (await cedar.client.feeds()).feeds)
    if (kind === 'audience') await cedar.client.acknowledge(feed as Uuid, last_seq, 'mirror_removed')
  return { node, source, signals, pattern }
}

async function spoken(of: {
  source: Member
  birch: Member
  cedar: Member
  signals: readonly SignalItem[]
}): Promise<void> {
  const { source, birch, cedar, signals } = of
  const [asked, disputed, gone, , answered] = signals
  if (!asked || !disputed || !gone || !answered) throw new Error('five signals')
  const about = (item: SignalItem) => ({
    ...{ v: 1 as const, source: source.slug, signal: item.signal, revision: item.revision },
    key: item.type === 'url' ? item.value.sha256 : '',
  })
  const question = { ...about(asked), outcome: 'needs_information' as const, reason: 'context', note: EVIL }
  await birch.client.giveFeedback(await signAct(question, actor(birch)))
  const agreed = { ...about(asked), outcome: 'confirmed_no_presence' as const, reason: 'no_account' }
  await cedar.client.giveFeedback(await signAct(agreed, actor(cedar)))
  for (const item of [disputed, answered]) {
    const claim = { ...about(item), dispute: newId(new Date()), ground: 'false_match', note: 'a bakery' }
    await birch.client.openDispute(await signAct(claim, actor(birch)))
  }
  const { leaf } = await source.client.own(gone.signal)
  const end = { v: 1, signal: gone.signal, revision: 2, prev: leaf, reason: 'mistaken' }
  await source.client.submit(await source.sign([end], 'aldis-withdrawal+jws'))
}

const actor = ({ home }: Member) => ({ member: home.membership(), key: home.signingKey(), now: new Date() })

/** Until what was told has come to everybody's rows. */
async function followed({ t: { owner } }: ConsoleNode): Promise<void> {
  for (let quiet = 0; quiet < 2; await delay(100)) {
    const waiting = await owner.selectFrom('prov_outbox').select('event_id').limit(1).execute()
    const heads = await owner.selectFrom('log_head').select(['size']).execute()
    const followers = await owner.selectFrom('projector').select(['next_idx']).execute()
    const isBehind = followers.some(({ next_idx }) => heads.some(({ size }) => next_idx < size))
    quiet = waiting.length === 0 && followers.length === 2 && !isBehind ? quiet + 1 : 0
  }
}
