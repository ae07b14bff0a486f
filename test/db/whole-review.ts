import { setTimeout as delay } from 'node:timers/promises'
import { signAct } from '../../src/client/acts.ts'
import { createTelling } from '../../src/feedback/tell.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { Scope } from '../../src/participants/schema.ts'
import { createRelease } from '../../src/review/release.ts'
import { hitsOf } from '../../src/review/seen.ts'
import { activeIn, bulkOf } from '../../src/review-loops.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Member, TestNode } from '../support/node.ts'

const SCOPES: readonly Scope[] = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'provenance:read'] as const),
  ...(['feedback:write', 'review:work'] as const),
]
const HOUR_MS = 3_600_000

/** What recipients do with signals: hits, cases in each of their states, feedback, disputes, a hold and its end. */
export async function reviewed(n: TestNode, past: Past): Promise<void> {
  const source = await n.member('fennel', { scopes: SCOPES })
  const others: Member[] = []
  for (const slug of ['ginger', 'hazel', 'indigo']) others.push(await n.member(slug, { scopes: SCOPES }))
  const [first] = others
  if (first === undefined) throw new Error('three recipients')
  const audience = await source.audience('herbs', ...others.map(({ slug }) => slug))
  const rules = {
    keyword_patterns: false,
    critical: false,
    not_reviewed: true,
    new_sources: true,
    categories: ['grooming'],
  }
  await first.client.cases.route(rules, await first.client.cases.routing())
  await first.client.cases.route(rules, await first.client.cases.routing())
  await first.client.cases.route(rules)
  await first.client.cases.set(await first.client.cases.setting(), await first.client.cases.setting())
  const items: SignalItem[] = []
  for (const name of ['held', 'asked', 'gone'] as const)
    items.push(await source.item({ type: 'url', raw: `https://bad.example/${name}` }, audience))
  await source.client.submit(await source.sign(items))
  await followed(past)
  const [held, asked, gone] = items
  if (held === undefined || asked === undefined || gone === undefined) throw new Error('three signals')
  for (const one of others) await disagree(n, one, { source, item: held })
  await say(first, { source, item: asked })
  await worked(n, first, { source, items: [asked, gone] })
  await followed(past)
  await source.client.opinions('fennel', held.signal)
  await source.client.sent({ said: 'disputed', state: 'held' })
  await source.client.sent({ category: 'grooming', type: 'url', said: 'nothing', cursor: held.signal })
  await source.client.sentFigures()
  await first.client.opinions('fennel', held.signal)
  for (const { dispute } of (await source.client.disputes({ side: 'received' })).disputes)
    await source.client.answerDispute(dispute, { result: 'rejected', note: 'seen by two of us' })
  await n.decide('signal.release', { participant: source.slug, signal: held.signal })
  await followed(past)
  const dispute = await object(first, { source, item: held })
  await followed(past)
  await source.client.answerDispute(dispute, { result: 'confirmed' })
  await source.client.release(held.signal)
  await changed(source, asked, gone)
  await followed(past)
  await first.client.disputes({ side: 'opened' })
  await repeated(first)
}

/** What keeps its answer, what is carried out again, and what is refused: each twice under a key. */
async function repeated({ client: { transport } }: Member): Promise<void> {
  const [operator, nobody] = ['ivy', newId(new Date())]
  for (const [path, body] of [
    ['/v1/cases/next', { operator }],
    ['/v1/hits', { hits: [] }],
    [`/v1/cases/${nobody}/lease`, { operator }],
  ] as const) {
    const headers = { 'idempotency-key': newId(new Date()) }
    const call = { method: 'POST', path, body: JSON.stringify(body), headers, idempotent: true } as const
    for (const _ of [1, 2]) await transport.call(call).catch(() => {})
  }
}

const about = (source: Member, item: SignalItem) => ({
  ...{ v: 1 as const, source: source.slug, signal: item.signal, revision: item.revision },
  key: item.type === 'url' ? item.value.sha256 : '',
})

const hit = ({ client }: Member, source: Member, item: SignalItem, count = 1) => {
  const { source: slug, signal, key } = about(source, item)
  const last_at = `${new Date().toISOString().slice(0, 19)}Z`
  return client.reportHits({ hits: [{ source: slug, signal, key, count, last_at }] })
}

/** A verdict over an own hit, whose reason disputes the signal; released at once. */
async function disagree(
  n: TestNode,
  by: Member,
  { source, item }: { source: Member; item: SignalItem },
): Promise<void> {
  const { results } = await hit(by, source, item)
  const id = results[0]?.case ?? ('' as Uuid)
  const { token, version } = await by.client.cases.claim(id, { operator: 'ann' })
  await by.client.cases.decide(id, {
    ...{ operator: 'ann', decision: newId(new Date()), token, version, counts: { accounts_actioned: 0 } },
    ...{ verdict: 'not_violating', reason: 'false_match' },
  })
  await released(n, HOUR_MS)
  await hit(by, source, item, 2)
}

/** Signed words, one of them twice. */
async function say({ client, home }: Member, { source, item }: { source: Member; item: SignalItem }): Promise<void> {
  const by = { member: home.membership(), key: home.signingKey(), now: new Date() }
  const act = await signAct({ ...about(source, item), outcome: 'needs_information', reason: 'context' }, by)
  await client.giveFeedback(act)
  await client.giveFeedback(act)
}

/** A dispute on a serious ground. */
async function object({ client, home }: Member, { source, item }: { source: Member; item: SignalItem }): Promise<Uuid> {
  const by = { member: home.membership(), key: home.signingKey(), now: new Date() }
  const dispute = newId(new Date())
  await client.openDispute(await signAct({ ...about(source, item), dispute, ground: 'unlawful' }, by))
  return dispute
}

/** Everything else that is done to a case. */
async function worked(
  n: TestNode,
  by: Member,
  { source, items }: { source: Member; items: readonly SignalItem[] },
): Promise<void> {
  const { cases } = by.client
  for (const item of items) await hit(by, source, item)
  const { cases: queue } = await cases.list({})
  await cases.list({ state: 'closed' })
  await cases.list({ limit: 1, cursor: (await cases.list({ limit: 1 })).next ?? '' })
  const id = queue[0]?.case ?? ('' as Uuid)
  await cases.one(id)
  const { claimed } = await cases.next('ann')
  const [named, other] = [claimed?.case ?? id, 'bob']
  const { token, version } = claimed ?? { token: id, version: 1 }
  await cases.renew(named, { operator: 'ann', token })
  await cases.hold(named, { operator: 'ann', token, version, reason: 'waiting', hours: 1 })
  await released(n, 2 * HOUR_MS)
  const again = await cases.claim(named, { operator: 'ann' })
  await cases.handOver(named, { operator: 'ann', token: again.token, version: again.version, to: other })
  const theirs = await cases.claim(named, { operator: other })
  const proposal = newId(new Date())
  const decision = { operator: other, decision: proposal, token: theirs.token, version: theirs.version }
  await cases.decide(named, { ...decision, verdict: 'disagree_category', reason: 'severity' })
  await cases.second(named, proposal, { operator: 'ann', answer: 'approve' })
  await cases.undo(named, proposal, 'ann')
  await cases.set({ hours: { days: ['monday', 'friday'], from: '09:00', to: '17:00' }, sample_percent: 100 })
  await cases.setting()
  const last = await cases.claim(named, { operator: other, lead: true })
  const act = { operator: other, decision: newId(new Date()), token: last.token, version: last.version }
  await cases.decide(named, { ...act, verdict: 'confirmed_action_taken', reason: 'law' })
  await released(n, HOUR_MS)
  await alike(n, by)
  await cases.figures()
}

/** Jobs of few and of many cases, as far as there are any: approved, taken back, cancelled and undone; and a blind second look. */
async function alike(n: TestNode, by: Member): Promise<void> {
  const { cases } = by.client
  const { cases: queue } = await cases.list({})
  const ids = queue.map((one) => one.case)
  const as = { operator: 'ann' }
  const verdict = { verdict: 'outdated', reason: 'inactive' } as const
  const plan = await cases.planBulk({ ...as, filter: { severity: 'low' } })
  const named = plan.cases.map((one) => ({ case: one.case, version: one.version }))
  const absent = Array.from({ length: 26 }, () => ({ case: newId(new Date()), version: 1 }))
  const begin = (of: typeof named) => cases.beginBulk({ ...as, job: newId(new Date()), ...verdict, cases: of })
  const few = await begin(named.length === 0 ? absent.slice(0, 1) : named)
  await cases.bulkItems(few.job)
  if (ids.length > 0) await cases.undoBulk(few.job, 'ann')
  const many = await begin(absent)
  await cases.answerBulk(many.job, { operator: 'lea', lead: true, answer: 'approve', n: many.n, digest: many.digest })
  await worked26(n)
  const back = await begin(absent)
  await cases.answerBulk(back.job, { ...as, answer: 'retract' })
  const first = await cases.bulkJobs()
  await cases.bulkJobs({ after: first.jobs.at(-1)?.job ?? few.job })
  await cases.bulkJob(many.job)
  await begin(named.length === 0 ? absent.slice(0, 1) : named)
  await released(n, HOUR_MS)
  const { samples } = await cases.samples('cora')
  for (const { sample } of samples) await cases.answerSample(sample, { operator: 'cora', ...verdict })
}

/** What the loop does. */
async function worked26({ node: { parts } }: TestNode): Promise<void> {
  const work = bulkOf(parts)
  for (let n = 1; n > 0; ) n = await work.round()
}

/** A signal that was acted on is revised, another is withdrawn. */
async function changed({ client, sign }: Member, ...items: readonly SignalItem[]): Promise<void> {
  for (const item of items) {
    const { leaf: prev, state } = await client.own(item.signal)
    if (state === 'held') await client.release(item.signal)
    const revised = { ...item, revision: 2, prev: (await client.own(item.signal)).leaf, confidence: 10 }
    await client.submit(await sign([prev === undefined ? item : revised]))
    const { leaf } = await client.own(item.signal)
    const end = { v: 1, signal: item.signal, revision: 3, prev: leaf, reason: 'mistaken' }
    await client.submit(await sign([end], 'aldis-withdrawal+jws'))
  }
}

/** As if so much time had passed since. */
async function released({ node: { parts } }: TestNode, ms: number): Promise<void> {
  const { pools, provenance, authority } = parts
  const clock = () => new Date(Date.now() + ms)
  const feedback = createTelling({ clock, provenance, hits: hitsOf, directory: authority })
  const slugOf = (participant: Uuid): string => authority.slugOf(participant)
  const { app, projector } = pools
  const active = activeIn(authority)
  await createRelease({ app, projector, clock, provenance, feedback, slugOf, active }).round()
}

/** Until everything that is committed has come to its rows: the loops of the node do it. */
async function followed(past: Past): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const [row] = await past(BEHIND)
    quiet = (row as { behind?: boolean } | undefined)?.behind === false ? quiet + 1 : 0
    await delay(100)
  }
}

const BEHIND = `select exists (select from prov_outbox) or (select count(*) from projector) < 2
  or exists (select from projector p join log_head h on h.log_id = p.log_id where p.next_idx < h.size) as behind`

/** Asks the database without any statement of the node's being counted. */
type Past = (text: string) => Promise<unknown[]>
