import { signAct } from '../../src/client/acts.ts'
import { createPersonal } from '../../src/console/personal.ts'
import { createSavedViews } from '../../src/console/saved-views.ts'
import type { Viewer } from '../../src/console/viewer.ts'
import { createRelatedCounts } from '../../src/feeds/network-read.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { createNotifying } from '../../src/notifying.ts'
import type { Scope } from '../../src/participants/schema.ts'
import type { Reviewer } from '../../src/review/service.ts'
import { createReviewing } from '../../src/reviewing.ts'
import { createAttested } from '../../src/signals/attested.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import type { TestNode } from '../support/node.ts'

const SCOPES: readonly Scope[] = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate'] as const),
  ...(['feedback:write', 'review:work'] as const),
]

/** What people do in the console and nowhere else: their own settings, views, webhooks, and what they decide without a key. */
export async function consoled(n: TestNode, settled: () => Promise<void>): Promise<void> {
  const { parts, t, ada } = n
  const { clock, authority, provenance, pools } = parts
  const [source, reader] = [await n.member('juniper', { scopes: SCOPES }), await n.member('kale', { scopes: SCOPES })]
  const audience = await source.audience('greens', 'kale')
  const item = await source.item({ type: 'url', raw: 'https://bad.example/juniper' }, audience)
  await source.client.submit(await source.sign([item]))
  await settled()
  const key = item.type === 'url' ? item.value.sha256 : ''
  const about = { v: 1 as const, source: source.slug, signal: item.signal, revision: 1, key }
  const question = { ...about, outcome: 'needs_information' as const, reason: 'context' }
  const by = { member: reader.home.membership(), key: reader.home.signingKey(), now: new Date() }
  await reader.client.giveFeedback(await signAct(question, by))
  await settled()
  const { feedback, review } = createReviewing(parts, parts.receiptKid)
  const idOf = (slug: string) => {
    const found = authority.participantBySlug(slug)
    if (found === undefined) throw new Error(`no participant ${slug}`)
    return found.participant_id
  }
  const [us, them] = [idOf('juniper'), idOf('kale')]
  const speaker = { participant: us, slug: 'juniper', person: ada }
  await feedback.attention(us)
  await feedback.answerQuestion(speaker, { signal: item.signal, asker: 'kale' }, { note: 'seen by two of us' })
  await feedback.sentSignal(us, item.signal)
  await settled()

  const last_at = `${new Date().toISOString().slice(0, 19)}Z`
  const { results } = await reader.client.reportHits({
    hits: [{ source: 'juniper', signal: item.signal, key, count: 3, last_at }],
  })
  const id = results[0]?.case
  if (id === undefined) throw new Error('no case')
  const who = (name: string, lead: boolean): Reviewer => ({
    ...{ participant: them, slug: 'kale', who: name, authority: 'reviewed_here', lead },
  })
  await review.claim(who('4F2Q', false), id)
  await review.claim(who('7K3M', true), id)
  await review.severity(them, id)
  await review.notices(them)

  const own = createPersonal({ db: t.admin, clock })
  const { preferences } = await own.settings(ada)
  await own.save(ada, preferences)
  await own.seeNotices(ada, clock())
  await own.seeSevere(ada)
  await own.exposures(ada)
  const views = createSavedViews({ db: t.app, clock })
  const viewer = { person: ada, participant: us, organisation: 'juniper', roles: ['lead'] } as unknown as Viewer
  await views.save(viewer, { screen: 'queue', name: 'Links', filter: 'type:url', shared: false })
  for (const { view } of await views.of(viewer, 'queue')) await views.forget(viewer, view)
  const directory = authority as unknown as Parameters<typeof createRelatedCounts>[0]['directory']
  await createRelatedCounts({ db: t.app, clock, provenance, directory, timeoutMs: 2_000 })(us, [item.signal])

  const hosts = new Map([['juniper', new Set(['localhost'])]])
  const config = { ...parts.config, webhookHosts: hosts, webhookInside: 'allow' as const }
  const { webhooks, loops } = createNotifying(
    { ...parts, config },
    { review, feedback, feeds: { feeds: () => source.client.feeds() } },
    silentLog,
  )
  // Nobody listens there: what is posted waits to be tried again.
  const { endpoint } = await webhooks.add(speaker, {
    url: 'https://localhost:1/',
    kinds: ['signal.held', 'dispute.opened'],
  })
  const program = { participant: us, slug: 'juniper', credential: ada }
  const { feeds } = await source.client.feeds()
  const told = newId(clock())
  await webhooks.addForFeeds(program, told, { url: 'https://localhost:1/', feeds: feeds.map(({ feed }) => feed) })
  await webhooks.rotate(program, told, 2)
  await webhooks.redeliver(program, told, await webhooks.test(program, told, newId(clock())))
  await reader.client.openDispute(
    await signAct({ ...about, dispute: item.signal, ground: 'false_match' }, { ...by, now: new Date() }),
  )
  // What is told to people of a dispute follows the log.
  for (let tries = 0; tries < 50 && (await webhooks.deliveries(us, endpoint)).length === 0; tries++) {
    await settled()
    for (const loop of loops) await loop.turn()
  }
  if ((await webhooks.deliveries(us, endpoint)).length === 0) throw new Error('nobody was told of the dispute')
  await webhooks.end(speaker, endpoint)
  const { categorySlug } = rulesOf(authority)
  const attested = createAttested({ db: pools.app, clock, provenance, categorySlug, timeoutMs: 2_000 })
  await attested.withdraw(speaker, { signal: item.signal, revision: 1, reason: 'mistaken' })
  await settled()
}
