import { randomBytes, randomUUID } from 'node:crypto'
import { askForToken, clientAssertion } from '../../src/client/access.ts'
import { enroll, makeTlsKey, requestOver } from '../../src/client/enroll.ts'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { makeSigningKey, type OwnSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import { ensureEpochKeys } from '../../src/core.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { createEvaluationFlush } from '../../src/matching/flush.ts'
import { CHECKLIST } from '../../src/participants/checklist.ts'
import { signingKeyProof } from '../../src/participants/schema.ts'
import { CONFORMANCE_STEPS, type ConformanceSteps } from '../../src/sandbox/schema.ts'
import { createExpiry } from '../../src/signals/expire.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import { oprfEpoch } from '../matching/world.ts'
import { EPOCH, type Member, type TestNode } from '../support/node.ts'

const DAY_MS = 86_400_000

/** What is over ends, as it would a hundred days from now. */
export async function expiry({ node: { parts } }: TestNode, { home }: Member): Promise<void> {
  const { pools, keys, provenance, authority } = parts
  const now = new Date(Date.now() + 100 * DAY_MS)
  await ensureEpochKeys(keys, now)
  const { categorySlug } = rulesOf(authority)
  const expire = createExpiry({ db: pools.app, clock: () => now, provenance, categorySlug })
  const slug = home.membership().participant
  const mine = authority.participants().find((participant) => participant.slug === slug)
  if (mine === undefined || (await expire(mine.participant_id, slug)) === 0) throw new Error('nothing expired')
  provenance.wake()
}

/** Keys renewed, replaced, revoked; a code that is tried with a wrong proof. */
export async function credentials(n: TestNode, apple: Member): Promise<void> {
  const { participants } = n.node.parts
  const { client, home } = apple
  await client.renew(await requestOver(home.tlsKey()))
  const next = openSigningKey(makeSigningKey())
  await client.registerSigningKey(await registration(apple, next))
  await n.decide('signing-key.confirm', { participant: 'apple', kid: next.kid })
  await participants.endSigningKey(n.ada, { participant: 'apple', kid: next.kid, as: 'retired' })
  const scopes = ['signals:submit'] as const
  const opened = await n.decide('credential.enrol', { participant: 'apple', label: 'main', scopes: [...scopes] })
  const { code } = opened as { code: string }
  const stranger = { ...openSigningKey(makeSigningKey()), sign: async () => new Uint8Array(64) }
  const refused = enroll({ origin: n.enrol, code, tls: await makeTlsKey(), signing: stranger })
  if (
    await refused.then(
      () => true,
      () => false,
    )
  )
    throw new Error('a wrong proof was taken')
  await n.enrolled('apple')
  const { credential, programme } = await client.whoami()
  const of = { credential: credential.id, origin: programme.node_origin, key: home.signingKey(), now: new Date() }
  await askForToken(client.transport, { assertion: await clientAssertion(of) })
  const steps = Object.fromEntries(CONFORMANCE_STEPS.map((step) => [step, 'pass'])) as ConformanceSteps
  await client.conformance.report(newId(new Date()), steps)
  await client.conformance.latest()
  await participants.revokeCredential(n.ada, { credential: credential.id, reason: 'key_theft' })
}

async function registration({ client, home }: Member, next: OwnSigningKey) {
  const { nonce } = await client.signingKeyNonce()
  const data = signingKeyProof(nonce, next.kid)
  const current = home.signingKey()
  return {
    ...{ jwk: next.jwk, nonce, proof: toBase64Url(await next.sign(data)) },
    previous: { kid: current.kid, proof: toBase64Url(await current.sign(data)) },
  }
}

/** An organisation that shows what it has to, is admitted, and whose first key is read back. */
export async function joining(n: TestNode): Promise<void> {
  const { participants } = n.node.parts
  const { person_id: judge } = await participants.addPerson(n.ada, { name: 'Gia', organisation: 'council' })
  await n.decide('role.grant', { person: judge, role: 'governance' })
  const who = { slug: 'elder', name: 'Elder', kind: 'platform' } as const
  await participants.abandonOnboarding(n.ada, (await participants.openOnboarding(n.ada, who)).onboarding)
  const { onboarding } = await participants.openOnboarding(n.ada, who)
  const digest = 'ab'.repeat(32)
  for (const item of CHECKLIST) {
    await participants.provideItem(n.ada, onboarding, item, { digest, version: 'v1', signatory: 'general counsel' })
    await participants.judgeItem(judge, onboarding, { item, digest, verdict: 'accepted' })
  }
  await participants.listOnboardings()
  await participants.endRole(n.ada, { person: judge, role: 'governance' })
  await n.decide('participant.admit', { ...who, onboarding, probation_days: 30 })
  const invitation = { participant: who.slug, label: 'main', scopes: ['feed:read' as const], read_back: true as const }
  const { code } = (await n.decide('credential.enrol', invitation)) as { code: string }
  const [tls, signing] = [await makeTlsKey(), openSigningKey(makeSigningKey())]
  const { credential } = await enroll({ origin: n.enrol, code, tls, signing })
  await participants.presented()
  await participants.readBack(n.ada, { credential: credential as Uuid, fingerprint: tls.spki })
  await participants.directory()
}

/** Acts that are set for a time, taken back and undone; a group that ends. */
export async function scheduled(n: TestNode): Promise<void> {
  const { participants, clock } = n.node.parts
  await n.decide('group.create', { slug: 'hedge', name: 'Hedge', mode: 'full', members: ['apple'] })
  await participants.groupEffect({ group: 'hedge', join: ['elder'], leave: [] })
  const soon = `${new Date(clock().getTime() + 60_000).toISOString().slice(0, 19)}Z`
  const change = { group: 'hedge', join: ['elder'], leave: [], effective_at: soon }
  const asked = await participants.propose('group.change', change, n.ada)
  await participants.differences(asked)
  await participants.executeDue(() => {})
  await participants.overdueActs()
  await participants.overdueReviews()
  await participants.cancel(asked.request_id, n.ada)
  const quota = { participant: 'apple', purpose: 'submit' as const, per_day: 50_000 }
  const raised = await participants.propose('quota.change', quota, n.ada)
  await participants.differences(raised)
  const nia = (await participants.listPeople()).find(({ name }) => name === 'Nia')
  await participants.approve(raised.request_id, nia?.person_id ?? n.ada, clock())
  await participants.execute(raised.request_id, n.ada)
  const back = await participants.undo(raised.request_id, n.ada)
  await participants.cancel(back.request_id, n.ada)
  await n.decide('group.end', { group: 'hedge' })
}

/** An OPRF epoch, elements evaluated under it and told to the log, another quota. */
export async function evaluations(n: TestNode, { client }: Member): Promise<void> {
  const { pools, clock, provenance, authority } = n.node.parts
  await oprfEpoch(n, 'whole-1')
  await n.decide('quota.change', { participant: 'apple', purpose: 'lookup', per_day: 200_000 })
  const elements = [toBase64Url(nobleGroup.elementFrom(randomBytes(64)))]
  const [asked, key] = [{ kid: 'whole-1', purpose: 'lookup' as const, elements }, randomUUID()]
  for (const _ of [1, 2]) await client.evaluate(asked, key)
  const flush = createEvaluationFlush({
    ...{ db: pools.app, ledger: pools.ledger, clock, recorder: provenance },
    ...{ refresh: () => authority.refresh(), slugOf: authority.slugOf },
  })
  await flush.round()
  provenance.wake()
}

/** People, policies; participants suspended, resumed and gone. */
export async function administration(n: TestNode): Promise<void> {
  const { participants, clock } = n.node.parts
  await participants.suspend(n.ada, { participant: 'banana', reason: 'key_theft' })
  await n.decide('participant.resume', { participant: 'banana' })
  await n.decide('participant.offboard', { participant: 'banana', reason: 'left_programme' })
  await n.decide('hash-profile.retire', { kid: EPOCH })
  const collection = { region: 'IE', legal_basis: 'terms_of_service', surface: 'private' } as const
  for (const held of [true, false]) await n.decide('collection.hold', { ...collection, held })
  n.node.parts.handshakes.add({ minute: new Date(), address: '127.0.0.1', reason: 'key-unknown', count: 1 })
  await n.node.parts.handshakes.flush()
  await n.node.parts.handshakes.newest(10)
  await n.decide('policy.publish', { kind: 'taxonomy', version: 2, body: '{"version":2,"categories":[]}' })
  const { person_id: person } = await participants.addPerson(n.ada, { name: 'Cy', organisation: 'office' })
  await participants.grantRole(n.ada, { person, role: 'analyst' })
  await participants.endRole(n.ada, { person, role: 'analyst' })
  await n.decide('role.grant', { person, role: 'node_admin' })
  const { request_id } = await participants.propose('role.grant', { person, role: 'observer' }, n.ada)
  await participants.openRequests()
  await participants.reject(request_id, person, clock())
  await participants.listPeople()
}
