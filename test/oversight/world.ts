import type { Uuid } from '../../src/kernel/ids.ts'
import { registersOf } from '../../src/registering.ts'
import { quiet } from '../security/world.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

export interface OversightWorld {
  n: TestNode
  /** A platform with every scope that its kind may have for reading the log. */
  apple: Member
  /** Observers: of governance, of an auditor, and one that may read what governance does and nothing else. */
  council: Member
  owl: Member
  dove: Member
  /** Somebody of governance. */
  gia: Uuid
  /** What nobody but people in the console is given: ids of persons, and what they wrote. */
  secrets: readonly string[]
  onboarding: Uuid
  erasedSignal: Uuid
}

const NOTE = 'a campaign that the duty desk had told us of'
const REFERENCE = 'court file 7 plum 19'

/** A programme in which something of everything that governance works with has happened. */
export async function anOversightWorld(): Promise<OversightWorld> {
  const n = await aTestNode()
  const { participants, anomalies, clock } = n.parts
  const apple = await n.member('apple', {
    scopes: ['signals:submit', 'feed:read', 'lookup:evaluate', 'provenance:read'],
  })
  const council = await n.member('council', {
    ...{ kind: 'observer', scopes: ['provenance:read', 'provenance:audit', 'governance:read'] },
  })
  const owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  const dove = await n.member('dove', { kind: 'observer', scopes: ['governance:read'] })
  const erasedSignal = await erased(n, apple)
  await n.decide('hold.place', { participant: 'apple', what: 'reads', reason: 'audit' })
  const { person_id: gia } = await participants.addPerson(n.ada, { name: 'Gia Grape', organisation: 'office' })
  await n.decide('role.grant', { person: gia, role: 'governance' })
  const onboarding = await onboardings(n, gia)
  // They wait for somebody of governance.
  for (const slug of ['fig', 'grape', 'lemon'])
    await participants.propose('participant.admit', { slug, name: slug, kind: 'observer' }, n.ada)
  const { government, subjects } = registersOf(n.parts)
  const day = new Date(Math.floor(clock().getTime() / 86_400_000) * 86_400_000)
  for (const country of ['IE', 'DE', 'FR']) {
    const asked = { country, kind: 'provide_data', asked: 3, basis: 'dsa_art_10', reference: REFERENCE } as const
    await government.receive(gia, { ...asked, receivedAt: day })
  }
  for (const kind of ['erasure', 'access', 'objection'] as const) await subjects.receive(gia, { kind, receivedAt: day })
  for (const organisation of ['apple', 'council', 'office']) await anomalies.attempted(organisation)
  const [first] = await anomalies.list()
  if (first !== undefined) await anomalies.close(gia, first.id, { reason: 'explained', note: NOTE })
  return { n, apple, council, owl, dove, gia, onboarding, erasedSignal, secrets: [n.ada, gia, NOTE, REFERENCE, 'Gia'] }
}

async function erased(n: TestNode, apple: Member): Promise<Uuid> {
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/one' }, await apple.everybody())
  await apple.client.submit(await apple.sign([item]))
  await quiet(n.t)
  await n.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'court_order' })
  return item.signal
}

/** Three, of which the first has shown its agreement. */
async function onboardings({ parts: { participants }, ada }: TestNode, gia: Uuid): Promise<Uuid> {
  const opened: Uuid[] = []
  for (const slug of ['pear', 'plum', 'quince']) {
    const { onboarding } = await participants.openOnboarding(ada, { slug, name: `The ${slug}`, kind: 'platform' })
    opened.push(onboarding)
  }
  const [first] = opened
  if (first === undefined) throw new Error('three onboardings')
  const digest = 'ab'.repeat(32)
  await participants.provideItem(ada, first, 'agreement', { digest, version: 'v3', signatory: 'general counsel' })
  await participants.judgeItem(gia, first, { item: 'agreement', digest, verdict: 'accepted' })
  return first
}
