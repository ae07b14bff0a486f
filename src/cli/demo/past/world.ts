import { join } from 'node:path'
import type { Client } from '../../../client/client.ts'
import type { Home, Membership } from '../../../client/home.ts'
import { pinnedOprfKey } from '../../../client/oprf-key.ts'
import { hmacTokens, oprfTokens, type TokenMaker } from '../../../client/tokens.ts'
import { createVerifier, type Verifier } from '../../../client/verify.ts'
import { newId, type Uuid } from '../../../kernel/ids.ts'
import { type EvaluationPurpose, OPRF_SUITE, type Scope } from '../../../participants/schema.ts'
import type { SignalName } from './act.ts'
import {
  AUDIENCE_NAMES,
  type AudienceName,
  audienceOf,
  CAST,
  groupSlug,
  nameOf,
  OBSERVER,
  type Party,
  PEOPLE,
} from './cast.ts'
import type { DrivenClock } from './clock.ts'
import type { DrivenNode } from './node.ts'

const SCOPES: readonly Scope[] = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'lookup:open'] as const),
  ...(['feedback:write', 'review:work', 'provenance:read'] as const),
]
const OBSERVING: readonly Scope[] = ['provenance:read', 'provenance:audit']
/** At first members had the key; then the node alone, which evaluates for them. */
const EPOCHS = [
  { kid: 'epoch-1', suite: 'hmac-sha256', days: 120 },
  { kid: 'epoch-2', suite: OPRF_SUITE, days: 365 },
] as const
const DAY_MS = 86_400_000
/** Between two acts of the administrators. */
const BREATH_MS = 60_000

/** A platform as its own machine would hold it. */
export interface Actor {
  slug: Party
  home: Home
  member: Membership
  client: Client
  verifier: Verifier
  tokens: Readonly<Record<EvaluationPurpose, TokenMaker>>
}

/** A signal that was shared, as whoever received it knows it. */
export interface Known {
  source: Party
  signal: Uuid
  revision: number
  /** Its match key, hex. */
  key: string
}

/** The programme with its platforms, and what they have done so far. */
export interface World {
  readonly driven: DrivenClock
  readonly node: DrivenNode
  readonly dir: string
  readonly actors: Record<Party, Actor>
  readonly audiences: Readonly<Record<AudienceName, Uuid>>
  readonly signals: Map<SignalName, Known>
  /** Of a platform's own cases, by platform and signal. */
  readonly cases: Map<string, Uuid>
}

/** Admits everybody, gives them keys and audiences to share with, and people to work. */
export async function openWorld(node: DrivenNode, driven: DrivenClock, dir: string): Promise<World> {
  const breathe = (): void => driven.pass(BREATH_MS)
  await publishEpoch(node, driven, EPOCHS[0])
  for (const slug of CAST) {
    breathe()
    await node.decide('participant.admit', { slug, name: nameOf(slug), kind: 'platform' })
    await addPeople(node, slug)
  }
  breathe()
  await node.decide('participant.admit', { slug: OBSERVER, name: 'Owl Council', kind: 'observer' })
  await node.enrol(OBSERVER, join(dir, OBSERVER), OBSERVING)
  await node.decide('role.grant', { person: await node.addPerson(`Oli@${OBSERVER}`), role: 'observer' })
  const homes = new Map<Party, Home>()
  for (const slug of CAST) homes.set(slug, await node.enrol(slug, join(dir, slug), SCOPES))
  await node.settle()
  breathe()
  await makeGroups(node)
  const actors = Object.fromEntries(
    await Promise.all([...homes].map(async ([slug, home]) => [slug, await openActor(slug, home)] as const)),
  ) as Record<Party, Actor>
  const audiences = await audiencesOf(actors, driven)
  await node.settle()
  return { ...{ driven, node, dir, actors, audiences }, signals: new Map(), cases: new Map() }
}

async function publishEpoch(node: DrivenNode, { clock }: DrivenClock, epoch: (typeof EPOCHS)[number]): Promise<void> {
  const { kid, suite, days } = epoch
  const from = clock().getTime()
  const [not_before = '', not_after = ''] = [from, from + days * DAY_MS].map(
    (at) => `${new Date(at).toISOString().slice(0, 19)}Z`,
  )
  await node.decide('hash-profile.publish', { kid, suite, not_before, not_after })
}

async function addPeople(node: DrivenNode, slug: Party): Promise<void> {
  for (const { name, role } of PEOPLE) await node.grant(await node.addPerson(`${name}@${slug}`), role)
}

async function makeGroups(node: DrivenNode): Promise<void> {
  for (const name of AUDIENCE_NAMES) {
    const { kind, label, members } = audienceOf(name)
    if (kind === 'group')
      await node.decide('group.create', { slug: groupSlug(name), name: label, mode: 'full', members: [...members] })
  }
}

async function openActor(slug: Party, home: Home): Promise<Actor> {
  const client = home.connect()
  const member = home.membership()
  const { participants } = await client.participants()
  const { node_origin, programme } = member
  const verifier = createVerifier(participants, { node_origin, programme, receipt_keys: home.receiptKeys() })
  const { kid } = EPOCHS[0]
  const maker = hmacTokens(kid, await home.hashKey(client, kid))
  return { slug, home, member, client, verifier, tokens: { submit: maker, lookup: maker } }
}

/** From now on tokens are made under a key that nobody but the node has. */
export async function nextEpoch({ node, driven, actors }: World): Promise<void> {
  await publishEpoch(node, driven, EPOCHS[1])
  // The log must say so before anybody makes a token.
  await node.settle()
  for (const actor of Object.values(actors)) {
    const said = (await actor.client.oprfKeys()).keys.find(({ kid }) => kid === EPOCHS[1].kid)
    if (said === undefined) throw new Error('the node names no key of the epoch')
    const pinned = await pinnedOprfKey(actor.home, actor.client, said)
    const maker = (purpose: EvaluationPurpose): TokenMaker =>
      // By the connection of the moment: keys are renewed.
      oprfTokens({ pinned, purpose, evaluators: [(asked, key) => actor.client.evaluate(asked, key)] })
    actor.tokens = { submit: maker('submit'), lookup: maker('lookup') }
  }
}

async function audiencesOf(actors: World['actors'], { clock }: DrivenClock): Promise<World['audiences']> {
  const found = AUDIENCE_NAMES.map(async (name): Promise<[AudienceName, Uuid]> => {
    const { kind, label, members, owner = members[0] ?? 'apple' } = audienceOf(name)
    const { client } = actors[owner]
    if (kind === 'named') {
      const others = members.filter((one) => one !== owner)
      const { audience } = await client.openAudience(newId(clock()), { label, mode: 'full', members: others })
      return [name, audience]
    }
    const { audiences } = await client.audiences()
    const one = audiences.find((its) => its.kind === kind && (kind === 'programme' || its.label === label))
    if (one === undefined) throw new Error(`there is no audience ${name}`)
    return [name, one.audience]
  })
  return Object.fromEntries(await Promise.all(found)) as Record<AudienceName, Uuid>
}

/** Every platform enrols its next key beside the present one, which ends two weeks later. */
export async function renewKeys({ node, driven, dir, actors }: World): Promise<void> {
  for (const actor of Object.values(actors)) {
    driven.pass(BREATH_MS)
    actor.home = await node.enrol(actor.slug, join(dir, actor.slug), SCOPES)
    actor.client.close()
    actor.client = actor.home.connect()
  }
}

export async function closeWorld({ actors }: Pick<World, 'actors'>): Promise<void> {
  for (const { client, tokens } of Object.values(actors)) {
    await tokens.submit.close()
    await tokens.lookup.close()
    client.close()
  }
}
