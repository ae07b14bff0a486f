import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { openHead, openVkey, readName } from '../../src/client/verify.ts'
import { atControl } from '../../src/db/as-participant.ts'
import { createBuckets } from '../../src/feeds/buckets.ts'
import { createGrowth } from '../../src/feeds/growth.ts'
import { createKnownKeys } from '../../src/feeds/known-keys.ts'
import { SEGMENT_SIZE } from '../../src/feeds/schema.ts'
import { createSegmentFiles } from '../../src/feeds/segment-files.ts'
import { createFeedService } from '../../src/feeds/service.ts'
import { toHex, utf8 } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { ENTRY_BYTES } from '../../src/matching/sealed.ts'
import type { Parts } from '../../src/parts.ts'
import { TILE_WIDTH } from '../../src/provenance/tile.ts'
import { createUploadJobs } from '../../src/signals/upload-jobs.ts'
import { createSealedValues } from '../../src/signals/values.ts'
import type { Member, TestNode } from '../support/node.ts'
import { administration, credentials, evaluations, expiry, joining, scheduled } from './whole-administration.ts'
import { consoled } from './whole-console.ts'
import { erased, readsOver } from './whole-erasure.ts'
import { lookedFor } from './whole-log.ts'
import { related } from './whole-network.ts'
import { overseen } from './whole-oversight.ts'
import { reviewed } from './whole-review.ts'
import { sealing } from './whole-values.ts'
import { visited } from './whole-visits.ts'
import { witnessed } from './whole-witnesses.ts'

/**
 * Drives everything that a node does with its database through the real services, over TLS where a participant acts: who
 * takes part, signals in each of their states, feeds, look-ups, receipts, and the administrators' acts.
 */
export async function wholeExchange(n: TestNode): Promise<void> {
  const [apple, banana] = [await n.member('apple'), await n.member('banana')]
  const dove = await n.member('dove', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  await n.decide('group.create', { slug: 'fruit', name: 'Fruit', mode: 'full', members: ['apple', 'banana'] })
  const shared = await apple.audience('apple and banana', 'banana')
  await apple.client.openAudience(shared, { label: 'apple and banana', mode: 'full', members: ['banana'] })
  const event = await lifeOfSignals(n, apple, shared)
  await streamed(apple)
  await left(n, apple)
  await settled(n)
  await grown(n)
  await reading(banana, shared)
  await starting(n.parts, banana.slug)
  await receipts(apple, banana, { shared, event })
  await used(apple)
  await settled(n)
  const [first] = (await pastOurPools(n, SEALED, [apple.slug])) as { signal_id: Uuid }[]
  await erased(n, apple.slug, first?.signal_id as Uuid)
  await settled(n)
  await n.node.parts.erasures.list()
  await witnessed(n)
  await leaving(n, apple, banana)
  await hidden(n, apple, banana)
  await related(n, [apple, banana], shared)
  await sealing(n, [apple, banana], shared)
  await lookedFor(n, apple)
  await expiry(n, apple)
  await reviewed(n, (text) => pastOurPools(n, text))
  await redone(n)
  await evaluations(n, apple)
  await credentials(n, apple)
  await consoled(n, () => settled(n))
  await settled(n)
  await overseen(n, (text) => pastOurPools(n, text))
  await joining(n)
  await scheduled(n)
  await administration(n)
  await visited(n)
  await audited(dove)
  await observed(n)
  await readsOver(n, () => settled(n))
}

/** What its programs asked, by everything that a page may be cut to, and what is used of its limits. */
async function used({ client }: Member): Promise<void> {
  const filter = { status: '2xx', code: 'not-found', route: '/v1/whoami', request_id: 'a'.repeat(16) } as const
  await client.usage.requests({ ...filter, cursor: `1.${'a'.repeat(16)}` })
  await client.usage.requests()
  await client.usage.limits()
}

/** Everything that an auditor may have. */
async function audited({ client, home }: Member): Promise<void> {
  for await (const _ of client.snapshot());
  const { size } = await home.advance(client)
  for (let from = 0n; from < size; from += 4_096n) for await (const _ of client.records({ from, to: from + 4_096n }));
}

/** Created, repeated, revised, moved to another audience, withdrawn; answers the first submission. */
async function lifeOfSignals(n: TestNode, apple: Member, shared: Uuid): Promise<string> {
  const { client } = apple
  const items = [
    await apple.item({ type: 'url', raw: 'https://bad.example/a' }, shared),
    await apple.item({ type: 'email', raw: 'fig@mail.example' }, shared),
    await apple.item({ type: 'domain', raw: 'plum.example' }, shared),
  ]
  const submission = await apple.sign(items)
  const [first, second, third] = items
  if (first === undefined || second === undefined || third === undefined) throw new Error('three items')
  const { submission: event } = await client.submit(submission)
  await client.submit(submission)
  await settled(n)
  const revised = { ...first, revision: 2, prev: (await client.own(first.signal)).leaf, severity: 'low' }
  const moved = {
    ...third,
    revision: 2,
    prev: (await client.own(third.signal)).leaf,
    audience: await apple.everybody(),
  }
  await client.submit(await apple.sign([revised, moved]))
  const { leaf: prev } = await client.own(second.signal)
  const withdrawal = { v: 1, signal: second.signal, revision: 2, prev, reason: 'mistaken' }
  await client.submit(await apple.sign([withdrawal], 'aldis-withdrawal+jws'))
  return event ?? ''
}

/** A stream of several submissions. */
async function streamed(apple: Member): Promise<void> {
  const everybody = await apple.everybody()
  const upload = { id: newId(new Date()), line: 1n }
  const lines = async function* (): AsyncGenerator<string> {
    for (const file of [0, 1, 2]) {
      const item = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: hashOf(file) }, everybody)
      const { jws, items } = await apple.sign([item])
      yield [{ jws }, ...items].map((line) => `${JSON.stringify(line)}\n`).join('')
    }
  }
  const codes = new Set<string | undefined>()
  for await (const { code } of apple.client.upload(upload, lines())) codes.add(code)
  if ((await apple.client.nextLine(upload.id)) === 1n || codes.size > 1) throw new Error(`refused: ${[...codes]}`)
}

/** One that is left with the node, and forgotten when its time is over. */
async function left({ node: { parts } }: TestNode, { client, item, sign, everybody }: Member): Promise<void> {
  const upload = newId(new Date())
  const { jws, items } = await sign([await item({ type: 'domain', raw: 'left.example' }, await everybody())])
  const lines = async function* (): AsyncGenerator<string> {
    for (const line of [{ jws }, ...items]) yield `${JSON.stringify(line)}\n`
  }
  await client.uploads.put(upload, lines())
  while ((await client.uploads.get(upload)).job?.state !== 'done') await delay(20)
  const results = []
  for await (const line of client.uploads.results(upload)) results.push(line)
  const { uploads } = await client.uploads.list()
  if (results.length !== 2 || uploads.length !== 1) throw new Error('the upload was not worked off')
  const { pools } = parts
  const later = createUploadJobs({
    ...{ db: pools.app, projector: pools.projector, clock: () => new Date(Date.now() + 30 * 86_400_000) },
    ...{ signals: { submit: async () => Promise.reject(new Error('nothing waits')) } },
    ...{ submitter: () => undefined, wake: () => {} },
  })
  await later.round()
}

/** The hash of a file that nobody has. */
const hashOf = (file: number): string => toHex(sha256(utf8(`a harmless file ${file}`)))

/** Entries for one full tile, and events for one full segment, of which only the number matters. */
async function grown(n: TestNode): Promise<void> {
  const { pools, provenance, programme, clock, authority } = n.node.parts
  const rows = Array.from({ length: TILE_WIDTH }, () =>
    provenance.prepare({
      ...{ kind: 'node.started', event_id: newId(clock()), participant_id: programme.programme_id, at: clock() },
      fields: { version: '0' },
    }),
  )
  await atControl(pools.admin, (tx) => provenance.insert(tx, rows))
  provenance.wake()
  const [origin] = authority.participants()
  await pastOurPools(n, EVENTS, [SEGMENT_SIZE, origin?.participant_id])
}

/** As the owner, on a connection whose statements are not collected. */
async function pastOurPools({ t }: TestNode, text: string, values: readonly unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: t.url('owner') })
  await client.connect()
  const { rows } = await client.query(text, [...values])
  await client.end()
  return rows as unknown[]
}

/** The first of a participant's live signals in a sealed segment. */
const SEALED = `
  select e.signal_id from feed_entry e join feed_segment s using (feed_id) join signal g using (signal_id)
    join participant p using (participant_id)
  where p.slug = $1 and g.state = 1 order by e.seq limit 1`

const EVENTS = `
  with head as (
    select feed_id, next_seq from feed_head
    where feed_id = (select f.feed_id from feed f join audience a using (audience_id) where a.kind = 1) for update
  ), event as (
    insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
    select feed_id, next_seq + i, (select max(log_idx) from feed_entry e where e.feed_id = head.feed_id), 1, $2, gen_random_uuid(), 1, gen_random_uuid(), '{}'
    from head, generate_series(0, $1::bigint - 1) i
  )
  update feed_head h set next_seq = h.next_seq + $1::bigint from head where h.feed_id = head.feed_id`

/** Pages, a segment, look-ups with and without a match, acknowledgements. */
async function reading({ client }: Member, shared: Uuid): Promise<void> {
  const feedOf = async (kind: string) => {
    const { audiences } = await client.audiences()
    const audience = audiences.find((one) => one.kind === kind)?.audience
    const found = (await client.feeds()).feeds.find((feed) => feed.audience === audience)
    if (found === undefined) throw new Error(`no feed of ${kind}`)
    return found
  }
  const named = await feedOf('named')
  if (named.audience !== shared) throw new Error('the named audience is another one')
  await until(async () => (await feedOf('named')).last_seq === '6', 'the ends')
  await client.events(named.feed, { cursor: named.start, limit: 10 })
  await client.events(named.feed, { wait: 1 })
  await client.acknowledge(named.feed, '6', 'mirror_removed')
  await until(async () => (await feedOf('programme')).sealed_seq === String(SEGMENT_SIZE), 'a sealed segment')
  const everybody = await feedOf('programme')
  await (await client.segment(everybody.feed, 1n)).body()
  const keys = [hashOf(0), hashOf(-1)]
  const profile = 'sha256'
  const { matches } = await client.lookUp({
    queries: [{ type: 'media_hash', profile, keys }],
    purpose: 'investigation',
  })
  if (matches.length === 0) throw new Error('the look-up found nothing')
}

/** A look-up of a node that has not read yet which keys are shared. */
async function starting({ pools, provenance, authority, clock, keys, config }: Parts, slug: string): Promise<void> {
  const participant = authority.participantBySlug(slug)?.participant_id
  if (participant === undefined) throw new Error(`no ${slug}`)
  const feeds = createFeedService({
    ...{
      db: pools.app,
      ledger: pools.ledger,
      clock,
      provenance,
      directory: authority,
      growth: createGrowth(),
      cursorKey: new Uint8Array(32),
      deltaKey: { kid: 'receipt', sign: async () => new Uint8Array(64) },
    },
    values: createSealedValues({ db: pools.app, clock, keys, provenance, timeoutMs: 10_000 }),
    known: createKnownKeys({ db: pools.projector, logId: 1 }),
    segments: createSegmentFiles({ dir: join(config.dataDir, 'other'), maxBytes: 0, onError: () => {} }),
    ...{ onPage: () => {}, onLookUps: () => {}, timeoutMs: 10_000 },
  })
  const queries = [{ type: 'media_hash' as const, profile: 'sha256', keys: [hashOf(0)] }]
  const { body } = await feeds.lookUp({ participant, slug, route: 'test' }, { queries, purpose: 'appeal' })
  if (String(body).includes('"matches":[]')) throw new Error('the look-up found nothing')
  await feeds.patterns({ participant, slug, route: 'test' }, { type: 'tactic', source: slug })
}

async function receipts(apple: Member, banana: Member, about: { shared: Uuid; event: string }): Promise<void> {
  const text = await apple.client.receipt(about.event)
  if (text === undefined) throw new Error('no receipt')
  const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === about.shared)
  const page = await banana.client.events(feed?.feed ?? about.shared, { limit: 1 })
  const read = readName(page.read)
  if ((await banana.client.receipt(read?.id ?? '', { read: read?.place ?? '' })) === undefined)
    throw new Error('no receipt of a read')
  await banana.client.receipt(about.event)
  const { size } = openHead(await apple.client.checkpoint(), openVkey(await apple.client.logKey()))
  await apple.client.consistency(1n, size)
  for (const path of [`/provenance/1/proof/inclusion?index=0&size=${size}`, '/provenance/1/tile/0/000'])
    await apple.client.transport.call({ method: 'GET', path, idempotent: true })
}

/** Who leaves a group still reads what it received by then. */
async function leaving(n: TestNode, apple: Member, banana: Member): Promise<void> {
  const { audiences } = await apple.client.audiences()
  const group = audiences.find(({ kind }) => kind === 'group')?.audience
  if (group === undefined) throw new Error('no audience of the group')
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/b' }, group)
  const { submission } = await apple.client.submit(await apple.sign([item]))
  await settled(n)
  await n.decide('group.change', { group: 'fruit', join: [], leave: ['banana'] })
  const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === group)
  const { events } = await banana.client.events(feed?.feed ?? group, {})
  if (events.length !== 1) throw new Error('what was received is gone')
  await banana.client.receipt(submission ?? '')
  await n.decide('group.change', { group: 'fruit', join: ['banana'], leave: [], history: 'included' })
}

/** A sealed audience: one signal stays, one comes from the open, one ends; buckets, and what is opened. */
async function hidden(n: TestNode, apple: Member, banana: Member): Promise<void> {
  const { client } = banana
  const named = { label: 'hidden', mode: 'sealed' as const, members: ['banana'] }
  const { audience } = await apple.client.openAudience(newId(new Date()), named)
  const link = (name: string, of: Uuid) => apple.item({ type: 'url', raw: `https://bad.example/${name}` }, of)
  const [stays, ends] = [await link('stays', audience), await link('ends', audience)]
  const comes = await link('comes', await apple.everybody())
  await apple.client.submit(await apple.sign([stays, ends, comes]))
  await settled(n)
  const moved = { ...comes, revision: 2, prev: (await apple.client.own(comes.signal)).leaf, audience }
  await apple.client.submit(await apple.sign([moved]))
  const { leaf: prev } = await apple.client.own(ends.signal)
  const withdrawal = { v: 1, signal: ends.signal, revision: 2, prev, reason: 'mistaken' }
  await apple.client.submit(await apple.sign([withdrawal], 'aldis-withdrawal+jws'))
  await settled(n)
  const { pools, clock, authority: directory } = n.node.parts
  await createBuckets({ db: pools.projector, clock, directory, random: (bytes) => randomBytes(bytes) }).round()
  const bucket = await client.bucket(await client.bucketSnapshot(audience), '0', 'appeal')
  if (bucket.body.length !== 2 * ENTRY_BYTES) throw new Error('two entries')
  const { events } = await client.open(audience, stays.signal, 'appeal')
  if (events.length !== 1) throw new Error('the signal is not there')
}

/** A projector that died before it noted how far it had come takes the same entries again. */
async function redone(n: TestNode): Promise<void> {
  await pastOurPools(n, 'update projector set next_idx = 0')
  n.node.parts.provenance.wake()
  await settled(n)
}

/** What an operator's probes ask; and nothing is left under way. */
async function observed(n: TestNode): Promise<void> {
  for (const probe of ['readyz', 'metrics']) {
    if (!(await fetch(`${n.ops}/${probe}`)).ok) throw new Error(probe)
  }
  await settled(n)
}

const FOLLOWED = `
  select coalesce(p.next_idx, 0) >= h.size as done
  from log_head h left join projector p on p.log_id = h.log_id and p.name = 'feedback'
  order by h.log_id desc limit 1`

/** Until every change has its index, has reached the feeds and is followed; what our pools send for it is what the node sends. */
const settled = (n: TestNode): Promise<void> =>
  until(async () => {
    const { provenance, pools } = n.node.parts
    const { outbox, size, projected } = await provenance.state(pools.integrator)
    if (outbox > 0 || projected !== size) return false
    const [followed] = (await pastOurPools(n, FOLLOWED)) as { done: boolean }[]
    return followed?.done === true
  }, 'the projectors')

async function until(done: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await done()) return
    await delay(50)
  }
  throw new Error(`waited in vain for ${what}`)
}
