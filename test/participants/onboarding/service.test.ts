import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { pinOfRequest } from '../../../src/participants/certificate-request.ts'
import { CHECKLIST, type ChecklistItem } from '../../../src/participants/checklist.ts'
import type { Evidence } from '../../../src/participants/onboarding.ts'
import { anEnrolment } from '../keys.ts'
import { aWorld, type World } from '../world.ts'

const DAY = 86_400_000
const refused = (code: string) => ({ code })
const DIGEST = 'ab'.repeat(32)

let w: World
let gov: Uuid
beforeAll(async () => {
  w = await aWorld()
  gov = (await w.service.addPerson(w.ada, { name: 'Gia', organisation: 'council' })).person_id
  await w.decide('role.grant', { person: gov, role: 'governance' })
})
afterAll(() => w.end())

/** Proposed by an administrator, approved by governance, carried out. */
const decide = async (action: 'participant.admit' | 'participant.confirm', payload: unknown): Promise<unknown> => {
  const { request_id } = await w.service.propose(action, payload, w.ada)
  await w.service.approve(request_id, gov, w.now())
  return (await w.service.execute(request_id, w.ada)).result
}
const evidenceOf = (item: ChecklistItem): Evidence =>
  item === 'agreement' ? { digest: DIGEST, version: 'v3', signatory: 'general counsel' } : { digest: DIGEST }

let made = 0
const opened = async () => {
  made += 1
  const who = { slug: `pear-${made}`, name: `Pear ${made}`, kind: 'platform' as const }
  return { who, onboarding: (await w.service.openOnboarding(w.ada, who)).onboarding }
}
const stateOf = async (onboarding: Uuid, item: ChecklistItem) =>
  (await w.service.listOnboardings())
    .find((one) => one.onboarding === onboarding)
    ?.items.find((one) => one.item === item)?.state
const complete = async (onboarding: Uuid) => {
  for (const item of CHECKLIST) {
    await w.service.provideItem(w.ada, onboarding, item, evidenceOf(item))
    await w.service.judgeItem(gov, onboarding, { item, digest: DIGEST, verdict: 'accepted' })
  }
}

describe('an onboarding', () => {
  test('is of a name that nobody has, once', async () => {
    const { who } = await opened()
    await expect(w.service.openOnboarding(w.ben, who)).rejects.toMatchObject(refused('state-conflict'))
    await expect(w.service.openOnboarding(w.ada, { ...who, slug: 'node' })).rejects.toMatchObject(
      refused('state-conflict'),
    )
    await expect(w.service.openOnboarding(gov, { ...who, slug: 'other' })).rejects.toMatchObject(
      refused('person-unknown'),
    )
  })
  test('has its items provided by an administrator and judged by governance, each an entry', async () => {
    const { onboarding } = await opened()
    const judge = (verdict: 'accepted' | 'returned', by = gov, digest = DIGEST) =>
      w.service.judgeItem(by, onboarding, { item: 'appeals', digest, verdict })
    await expect(judge('accepted')).rejects.toMatchObject(refused('state-conflict'))
    expect(await w.recorded(() => w.service.provideItem(w.ada, onboarding, 'appeals', { digest: DIGEST }))).toEqual([
      'onboarding.moved',
    ])
    await expect(judge('accepted', w.ben)).rejects.toMatchObject(refused('person-unknown'))
    await judge('returned')
    await expect(judge('accepted')).rejects.toMatchObject(refused('state-conflict'))
    const other = 'cd'.repeat(32)
    await w.service.provideItem(w.ben, onboarding, 'appeals', { digest: other })
    // The page of before still shows the first one.
    await expect(judge('accepted')).rejects.toMatchObject(refused('state-conflict'))
    expect(await stateOf(onboarding, 'appeals')).toBe('provided')
    await judge('accepted', gov, other)
    expect(await stateOf(onboarding, 'appeals')).toBe('accepted')
    await expect(w.service.provideItem(w.ada, onboarding, 'appeals', { digest: DIGEST })).rejects.toMatchObject(
      refused('state-conflict'),
    )
  })
  test.for([
    ['a digest that is none', 'appeals', { digest: 'zz' }],
    ['an agreement without its version', 'agreement', { digest: DIGEST, signatory: 'counsel' }],
    ['an agreement that nobody signed', 'agreement', { digest: DIGEST, version: 'v3' }],
    ['a signatory that is an address', 'agreement', { digest: DIGEST, version: 'v3', signatory: 'ann@example.org' }],
  ] as const)('does not take %s', async ([, item, evidence]) => {
    const { onboarding } = await opened()
    await expect(w.service.provideItem(w.ada, onboarding, item, evidence)).rejects.toMatchObject({ status: 422 })
    expect(await stateOf(onboarding, item)).toBeUndefined()
  })
  test('takes an agreement that was published, once any was, by version and digest', async () => {
    const fresh = await aWorld()
    const who = { slug: 'quince', name: 'Quince', kind: 'platform' as const }
    const { onboarding } = await fresh.service.openOnboarding(fresh.ada, who)
    const published = { v: 1, label: 'v4', sha256: 'cd'.repeat(32), effective_from: '2026-03-01T12:00:00Z' }
    await fresh.decide('policy.publish', { kind: 'agreement', version: 1, body: JSON.stringify(published) })
    const provide = (version: string, digest: string) =>
      fresh.service.provideItem(fresh.ada, onboarding, 'agreement', { version, digest, signatory: 'general counsel' })
    for (const [version, digest] of [
      ['v4', DIGEST],
      ['v3', published.sha256],
    ] as const)
      await expect(provide(version, digest)).rejects.toMatchObject({ errors: [{ pointer: '/digest' }] })
    await provide('v4', published.sha256)
    await fresh.end()
  })
  test('keeps its organisation out while anything is missing, by name, and nothing is changed', async () => {
    const { who, onboarding } = await opened()
    await w.service.provideItem(w.ada, onboarding, 'agreement', evidenceOf('agreement'))
    await w.service.judgeItem(gov, onboarding, { item: 'agreement', digest: DIGEST, verdict: 'accepted' })
    await expect(decide('participant.admit', { ...who, onboarding })).rejects.toMatchObject({
      ...refused('onboarding-incomplete'),
      detail: 'not accepted yet: appeals, human_review, retention',
    })
    expect(w.authority.participantBySlug(who.slug)).toBeUndefined()
  })
  test('ends with the admission, which takes the agreement along', async () => {
    const { who, onboarding } = await opened()
    await complete(onboarding)
    expect(await w.recorded(() => decide('participant.admit', { ...who, onboarding, probation_days: 30 }))).toEqual([
      ...['agreement.accepted', 'approval.executed', 'approval.given', 'approval.requested'],
      ...['onboarding.closed', 'participant.admitted'],
    ])
    const listed = (await w.service.directory()).find(({ slug }) => slug === who.slug)
    expect(listed).toMatchObject({
      agreement: { version: 'v3' },
      probation_until: new Date(w.now().getTime() + 30 * DAY),
    })
    await expect(w.service.abandonOnboarding(w.ada, onboarding)).rejects.toMatchObject(refused('state-conflict'))
  })
  test('of another organisation admits nobody', async () => {
    const { who, onboarding } = await opened()
    await complete(onboarding)
    await expect(decide('participant.admit', { ...who, slug: `${who.slug}-x`, onboarding })).rejects.toMatchObject(
      refused('state-conflict'),
    )
  })
  test('that is abandoned leaves its name to be begun with again', async () => {
    const { who, onboarding } = await opened()
    await w.service.abandonOnboarding(w.ada, onboarding)
    expect((await w.service.openOnboarding(w.ada, who)).onboarding).not.toBe(onboarding)
  })
})

const invited = async (participant: string): Promise<string> => {
  const payload = { participant, label: 'main', scopes: ['signals:submit'], read_back: true }
  const { request_id } = await w.service.propose('credential.enrol', payload, w.ada)
  await w.service.approve(request_id, w.ben, w.now())
  return ((await w.service.execute(request_id, w.ada)).result as { code: string }).code
}
const admitted = async (change: object = {}): Promise<string> => {
  made += 1
  const slug = `pear-${made}`
  await decide('participant.admit', { slug, name: slug, kind: 'platform', ...change })
  return slug
}

describe('a key that is to be read back', () => {
  const present = async () => {
    const slug = await admitted()
    const request = await anEnrolment(await invited(slug))
    const pin = (await pinOfRequest(request.csr_pem)).toString('hex')
    return { slug, request, pin, result: await w.service.enrol(request) }
  }
  test('is presented, and opens nothing before its fingerprint was typed', async () => {
    const { pin, result, request } = await present()
    expect(result.awaits_read_back).toBe(true)
    expect(w.authority.find(pin)).toBeUndefined()
    await expect(w.service.enrol(request)).rejects.toMatchObject(refused('enrolment-refused'))
    const credential = result.credential as Uuid
    await expect(w.service.readBack(w.ada, { credential, fingerprint: 'ab'.repeat(32) })).rejects.toMatchObject(
      refused('fingerprint-mismatch'),
    )
    await expect(w.service.readBack(gov, { credential, fingerprint: pin })).rejects.toMatchObject(
      refused('person-unknown'),
    )
    expect(w.authority.find(pin)).toBeUndefined()
    const spoken = pin.toUpperCase().match(/../g)?.join(':') ?? ''
    expect(await w.recorded(() => w.service.readBack(w.ada, { credential, fingerprint: spoken }))).toEqual([
      ...['credential.enrolled', 'credential.enrolled'],
    ])
    expect(w.authority.find(pin)).toMatchObject({ credential, status: 'active' })
    await expect(w.service.readBack(w.ada, { credential, fingerprint: pin })).rejects.toMatchObject(
      refused('state-conflict'),
    )
  })
  test('is listed while it waits, without its fingerprint, and gone after a day', async () => {
    const { pin, result } = await present()
    const waits = async () => (await w.service.presented()).find(({ credential }) => credential === result.credential)
    expect(await waits()).toMatchObject({ label: 'main' })
    expect(JSON.stringify(await waits())).not.toContain(pin)
    w.pass(DAY)
    expect(await waits()).toBeUndefined()
    await expect(
      w.service.readBack(w.ada, { credential: result.credential as Uuid, fingerprint: pin }),
    ).rejects.toMatchObject(refused('state-conflict'))
  })
})

describe('a probation', () => {
  test('ends by two, once a key works and a conformance run has passed', async () => {
    const slug = await admitted({ probation_days: 30 })
    const until = () => w.authority.participantBySlug(slug)?.probation_until
    expect(until()).toBeInstanceOf(Date)
    w.conformance.passed = false
    await expect(decide('participant.confirm', { participant: slug })).rejects.toMatchObject({
      ...refused('onboarding-incomplete'),
      detail: 'missing: a TLS key that works, a conformance run that passed',
    })
    await w.service.enrol(await anEnrolment(await w.code(slug)))
    w.conformance.passed = true
    await decide('participant.confirm', { participant: slug })
    expect(until()).toBeNull()
    await expect(decide('participant.confirm', { participant: slug })).rejects.toMatchObject(refused('state-conflict'))
  })
})
