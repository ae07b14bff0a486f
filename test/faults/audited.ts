import { auditedAcks, auditedFeeds, auditedLookups } from '../../src/feeds/audited.ts'
import { linkHash } from '../../src/identifiers/token.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { auditedPeople, auditedProgramme } from '../../src/participants/audited.ts'
import { pinOfRequest } from '../../src/participants/certificate-request.ts'
import { CHECKLIST } from '../../src/participants/checklist.ts'
import { createAuditor } from '../../src/provenance/auditor.ts'
import { decodeBatch } from '../../src/provenance/batch.ts'
import { createAuditedSignals } from '../../src/signals/audited.ts'
import { aWorld, type Party, type World } from '../feeds/world.ts'
import { anEnrolment, aSigner } from '../participants/keys.ts'
import { DAY } from '../signals/factory.ts'

/** What an auditor has of a log: its entries as the tree has them, the lines of records and of the state. */
export interface Given {
  entries: readonly Uint8Array[]
  records: readonly string[]
  snapshot: readonly string[]
}

/** A node in which everything has happened that can be recorded, and what it gives its auditor. */
export const anAuditedWorld = () => auditedWorld(tellStory)

/** A node in which something has happened, and what it gives its auditor. */
export const auditedWorld = async <T>(tell: (w: World) => Promise<T>) => auditedIn(await aWorld(), tell)

/** The same of a node that is there. */
export async function auditedIn<W extends World, T>(w: W, tell: (w: W) => Promise<T>) {
  await w.decide('participant.admit', { slug: 'owl', name: 'owl', kind: 'observer' })
  await w.authority.refresh()
  const ids = await tell(w)
  const participants = () => w.authority.participants()
  const { state, values, ...changes } = createAuditedSignals({ categorySlug: w.rules.categorySlug, participants })
  const owl = { participant: w.authority.participantBySlug('owl')?.participant_id as Uuid, slug: 'owl', auditor: true }
  const size = async (): Promise<bigint> => BigInt((await entriesOf(w)).length)
  const auditor = createAuditor({
    ...{ db: w.t.ledger, app: w.t.app, keys: w.keys, clock: w.clock, logId: 1, present: true },
    ...{ provenance: w.provenance, participants, published: size },
    audited: {
      ...changes,
      state: [
        auditedFeeds(participants),
        auditedLookups(participants),
        ...auditedProgramme,
        ...auditedPeople,
        state,
        values,
        auditedAcks(participants),
      ],
    },
  })
  return {
    ...{ w, ids, owl, auditor },
    /** As the node gives it now, its own reads among them. */
    given: async (): Promise<Given> => {
      const snapshot = await Array.fromAsync(await auditor.snapshot(owl))
      while ((await w.integrate()) > 0);
      const entries = await entriesOf(w)
      const records = await Array.fromAsync(await auditor.export(owl, { from: 0n, to: BigInt(entries.length) }))
      const trim = (line: string): string => line.trimEnd()
      return { entries, records: records.map(trim), snapshot: snapshot.map(trim) }
    },
  }
}

async function entriesOf({ t }: World): Promise<Uint8Array[]> {
  const batches = await t.owner.selectFrom('log_batch').selectAll().orderBy('first_idx').execute()
  return batches.flatMap(({ n, data }) => decodeBatch(data, n).map(({ entry }) => new Uint8Array(entry)))
}

async function tellStory(w: World) {
  const [apple, banana, cherry] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
  const everybody = w.authority.audiencesOf(apple.participant).find(({ kind }) => kind === 'programme')?.audience_id
  const berries = await w.group('berries', [apple, banana])
  await w.regroup('berries', { join: [cherry] })
  const pair = newId(w.now())
  await w.participants.openAudience(apple.participant, pair, { label: 'pair', mode: 'full', members: ['banana'] })
  const signals = await shareAndEnd(w, { apple, cherry, everybody: everybody as Uuid, berries: berries.audience })
  await readAll(w, { apple, banana, cherry })
  await sealAndReveal(w, { apple, banana, cherry, everybody: everybody as Uuid, berries: berries.audience })
  await w.regroup('berries', { leave: [cherry] })
  await changeKeys(w, banana)
  await govern(w)
  await joinAndSchedule(w)
  await endAndLeave(w, { apple, banana, cherry })
  await eraseAndTell(w, { readers: [apple, banana], signals: [signals.signals.kept, signals.signals.moved] })
  for (const by of [apple, banana, cherry]) await w.provenance.journal.flush(by.participant, by.slug)
  await w.project()
  const late = await shareLate(w, apple, everybody as Uuid)
  return { apple, banana, cherry, everybody: everybody as Uuid, berries, signals: { ...signals.signals, late } }
}

interface Sharing {
  apple: Party
  cherry: Party
  everybody: Uuid
  berries: Uuid
}

async function shareAndEnd(w: World, { apple, cherry, everybody, berries }: Sharing) {
  const items = Array.from({ length: 4 }, () => w.item({ audience: everybody }))
  const [kept, moved, taken, old] = items.map(({ signal }) => signal) as [Uuid, Uuid, Uuid, Uuid]
  await w.submit(apple, [...items, w.item({ audience: everybody, tlp: 'clear', category: 'weather' })])
  await w.submit(cherry, [w.item({ audience: everybody }), w.item({ audience: berries })])
  await w.project()
  w.pass(60_000)
  const [, second, , last] = items
  if (second === undefined || last === undefined) throw new Error('four items')
  await w.revise(apple, second, { audience: berries })
  await w.withdraw(apple, taken)
  await w.project()
  return { signals: { kept, moved, taken, old } }
}

async function readAll(w: World, parties: { apple: Party; banana: Party; cherry: Party }): Promise<void> {
  for (const by of Object.values(parties)) {
    for (const { feed_id, kind } of w.authority.feedsOf(by.participant))
      if (kind === 'audience') await w.page(by, feed_id, { limit: 3 })
  }
  const { t } = w
  const rows = await t.owner.selectFrom('shared_signal').select(['signal_key', 'profile']).execute()
  const keys = rows.map(({ signal_key }) => signal_key.toString('hex'))
  await w.find(parties.banana, [{ type: 'url', profile: 'url/1', keys }])
  await w.find(parties.cherry, [{ type: 'url', profile: 'url/1', keys: keys.slice(0, 2) }])
  const feed = w.authority.feedsOf(parties.banana.participant)[0]?.feed_id as Uuid
  const head = await t.owner.selectFrom('feed_head').select('next_seq').where('feed_id', '=', feed).executeTakeFirst()
  const upto = String((head?.next_seq ?? 1n) - 1n)
  const { banana } = parties
  await w.feeds.acknowledge({ ...banana, route: '' }, feed, { upto, stage: 'mirror_removed' })
  await w.provenance.journal.flush(banana.participant, banana.slug)
  await w.project()
}

/** Links that are sealed: one is revealed and stays, one is for a group alone, one is taken back, one goes with its signal, one with its source. */
async function sealAndReveal(
  w: World,
  { apple, banana, cherry, everybody, berries }: Sharing & { banana: Party },
): Promise<void> {
  const linked = (name: string, audience: Uuid) => {
    const sha = linkHash(sha256, `bad.example/${name}`)
    return w.item({
      audience,
      value: { profile: 'url/1', sha256: sha, scope: { host: 'exact', path: 'exact' } },
    })
  }
  const seal = async (by: Party, name: string, audience = everybody): Promise<Uuid> => {
    const item = linked(name, audience)
    await w.submit(by, [item])
    w.pass(1_000)
    await w.signals.values.give(by, item.signal, { v: 1, revision: 1, value: `https://bad.example/${name}` })
    return item.signal
  }
  const [stays, taken, ends] = [await seal(apple, 'stays'), await seal(apple, 'taken'), await seal(apple, 'ends')]
  const left = await seal(cherry, 'left')
  const few = await seal(apple, 'few', berries)
  await w.project()
  for (const signal of [stays, ends, left, few])
    await w.feeds.reveal(
      { ...w.reader(banana, '/v1/signals/:signal/reveal'), credential: banana.credential },
      { signal, purpose: 'investigation' },
    )
  w.pass(1_000)
  await w.signals.values.give(apple, taken, { v: 1, revision: 1, value: null })
  await w.withdraw(apple, ends)
  await w.project()
}

/** A second pin beside the first, a second signing key in the place of the first, a try that fails, a revocation. */
async function changeKeys(w: World, { slug, scopes }: Party): Promise<void> {
  w.pass(DAY)
  const scope = [...scopes] as ('feed:read' | 'signals:submit')[]
  const { code } = (await w.decide('credential.enrol', { participant: slug, label: 'main', scopes: scope })) as {
    code: string
  }
  const wrong = { ...(await anEnrolment(code)), proof: aSigner().sign(new Uint8Array(1)) }
  await w.participants.enrol(wrong).catch(() => {})
  const signer = aSigner()
  const { credential, kid } = await w.participants.enrol(await anEnrolment(code, signer))
  w.pass(1_000)
  await w.decide('signing-key.confirm', { participant: slug, kid })
  w.pass(1_000)
  await w.participants.endSigningKey(w.ada, { participant: slug, kid, as: 'compromised' })
  await w.participants.revokeCredential(w.ada, { credential: credential as Uuid, reason: 'key_theft' })
}

async function govern(w: World): Promise<void> {
  const { person_id } = await w.participants.addPerson(w.ada, { name: 'Cleo', organisation: 'apple' })
  await w.participants.grantRole(w.ada, { person: person_id, role: 'analyst' })
  w.pass(1_000)
  await w.participants.endRole(w.ada, { person: person_id, role: 'analyst' })
  await w.participants.grantRole(w.ada, { person: person_id, role: 'analyst' })
  const { person_id: dora } = await w.participants.addPerson(w.ada, { name: 'Dora', organisation: 'orchard-office' })
  await w.decide('role.grant', { person: dora, role: 'node_admin' })
  const issuer = 'https://id.apple.example'
  const { login_id } = await w.participants.giveLogin(w.ada, { person: person_id, issuer, subject: 'cleo' })
  await w.participants.giveLogin(w.ada, { person: person_id, issuer, subject: 'cleo-2' })
  const { person_id: ed } = await w.participants.addPerson(w.ada, { name: 'Ed', organisation: 'apple' })
  await w.participants.grantRole(w.ada, { person: ed, role: 'partner_admin' })
  await w.participants.giveLogin(w.ada, { person: ed, issuer, subject: 'ed' })
  w.pass(1_000)
  await w.participants.endLogin(w.ada, login_id)
  await w.participants.endPerson(w.ada, ed)
  const refused = await w.participants.propose('hash-profile.retire', { kid: 'spring' }, w.ada)
  await w.participants.reject(refused.request_id, w.ben, w.now())
  await w.decide('policy.publish', { kind: 'taxonomy', version: 7, body: '{"version":7,"categories":[]}' })
  const span = { not_before: '2026-01-01T00:00:00Z', not_after: '2027-01-01T00:00:00Z' }
  await w.decide('hash-profile.publish', { kid: 'year-1', suite: 'oprf-ristretto255-sha512', ...span })
  await w.decide('quota.change', { participant: 'apple', purpose: 'lookup', per_day: 200_000 })
  await w.decide('quota.change', { participant: 'apple', purpose: 'lookup', per_day: 300_000 })
  const collection = { region: 'FR', legal_basis: 'terms_of_service', surface: 'public' } as const
  await w.decide('collection.hold', { ...collection, held: true })
  await w.decide('collection.hold', { ...collection, held: false })
  const [everybody] = await w.participants.pausableFeeds()
  if (everybody === undefined) throw new Error('no feed')
  await w.decide('feed.pause', { feed: everybody.feed, reason: 'investigation' })
  await w.decide('feed.resume', { feed: everybody.feed })
  await w.decide('hash-profile.retire', { kid: 'spring' })
}

/** An organisation that joins by its checklist, with a key that is read back; a group that ends; what is set for a time, and taken back. */
async function joinAndSchedule(w: World): Promise<void> {
  w.pass(1_000)
  const { participants: p } = w
  const { person_id: judge } = await p.addPerson(w.ada, { name: 'Gia', organisation: 'council' })
  await w.decide('role.grant', { person: judge, role: 'governance' })
  const who = { slug: 'elder', name: 'elder', kind: 'platform' } as const
  await p.abandonOnboarding(w.ada, (await p.openOnboarding(w.ada, who)).onboarding)
  const { onboarding } = await p.openOnboarding(w.ada, who)
  const digest = 'ab'.repeat(32)
  await p.provideItem(w.ada, onboarding, 'appeals', { digest })
  await p.judgeItem(judge, onboarding, { item: 'appeals', digest, verdict: 'returned' })
  for (const item of CHECKLIST) {
    await p.provideItem(w.ada, onboarding, item, { digest, version: 'v1', signatory: 'general counsel' })
    await p.judgeItem(judge, onboarding, { item, digest, verdict: 'accepted' })
  }
  await w.decide('participant.admit', { ...who, onboarding, probation_days: 30 })
  await w.decide('participant.admit', { slug: 'fig', name: 'fig', kind: 'platform', probation_days: 7 })
  const invitation = { participant: 'elder', label: 'main', scopes: ['feed:read' as const], read_back: true as const }
  const { code } = (await w.decide('credential.enrol', invitation)) as { code: string }
  const request = await anEnrolment(code)
  const { credential } = await p.enrol(request)
  w.pass(1_000)
  const fingerprint = (await pinOfRequest(request.csr_pem)).toString('hex')
  await p.readBack(w.ada, { credential: credential as Uuid, fingerprint })
  await w.decide('participant.confirm', { participant: 'elder' })
  await w.decide('group.create', { slug: 'hedge', name: 'Hedge', mode: 'full', members: ['elder', 'fig'] })
  const effective_at = `${new Date(w.now().getTime() + 60_000).toISOString().slice(0, 19)}Z`
  const leave = { group: 'hedge', join: [], leave: ['fig'], effective_at }
  const [asked, other] = [await p.propose('group.change', leave, w.ada), await p.propose('group.change', leave, w.ada)]
  await p.approve(asked.request_id, judge, w.now())
  await p.cancel(other.request_id, w.ada)
  w.pass(10 * 60_000)
  await p.executeDue(() => {})
  w.pass(1_000)
  await w.decide('group.end', { group: 'hedge' })
  const reviews = (await p.requestsFor(w.ben)).filter(({ action }) => action === 'emergency.review')
  for (const { request_id } of reviews) await p.approve(request_id, w.ben, w.now())
}

/** Erased for good, read by everybody who still takes part, acknowledged by one of them. */
async function eraseAndTell(w: World, { readers, signals }: { readers: readonly Party[]; signals: readonly Uuid[] }) {
  w.pass(DAY)
  await w.decide('signals.erase', { participant: 'apple', signals: [...signals], basis: 'subject_request' })
  await w.project()
  for (const by of readers) {
    for (const { feed_id, kind } of w.authority.feedsOf(by.participant)) {
      if (kind !== 'audience') continue
      const { events } = await w.page(by, feed_id)
      const upto = events.at(-1)?.seq
      if (upto !== undefined && by.slug === 'banana')
        await w.feeds.acknowledge({ ...by, route: '' }, feed_id, { upto, stage: 'mirror_removed' })
    }
  }
}

/** Shared and withdrawn, and read by nobody. */
async function shareLate(w: World, apple: Party, audience: Uuid): Promise<Uuid> {
  const item = w.item({ audience })
  await w.submit(apple, [item])
  w.pass(1_000)
  await w.withdraw(apple, item.signal)
  await w.project()
  return item.signal
}

/** What is over by its own date, and who goes. */
async function endAndLeave(w: World, { apple, banana, cherry }: Record<'apple' | 'banana' | 'cherry', Party>) {
  await w.participants.suspend(w.ada, { participant: 'banana', reason: 'key_theft' })
  await w.decide('participant.resume', { participant: banana.slug })
  w.pass(31 * DAY)
  for (const by of [apple, cherry]) await w.expire(by.participant, by.slug)
  await w.project()
  await w.decide('participant.offboard', { participant: cherry.slug, reason: 'contract_ended' })
}
