import { join } from 'node:path'
import { signAct } from '../../../client/acts.ts'
import { type DeriveContext, derive, type LookupKey, lookupKeys, type RawLine } from '../../../client/derive.ts'
import { ENDS } from '../../../client/ends.ts'
import { syncFeeds } from '../../../client/mirror.ts'
import type { DisputeItem, FeedbackItem } from '../../../feedback/schema.ts'
import { toHex } from '../../../kernel/bytes.ts'
import { newId, type Uuid } from '../../../kernel/ids.ts'
import { sha256 } from '../../../kernel/sha256.ts'
import { signalKey } from '../../../signals/lint.ts'
import type { SignalItem, SubmissionResult } from '../../../signals/schema.ts'
import { type SubmissionType, signSubmission } from '../../../signals/submission.ts'
import type { Act, SignalName, Timed } from './act.ts'
import { claimed, corrected, decidedAt, handedOver, parked, proposed } from './desk.ts'
import { type Actor, type Known, nextEpoch, renewKeys, type World } from './world.ts'

type ActOf<K extends Act['kind']> = Extract<Act, { kind: K }>
type Perform = { [K in Act['kind']]: (world: World, act: ActOf<K>) => Promise<unknown> }

const DOES: Perform = {
  share,
  revise,
  withdraw,
  sync,
  ask,
  hits,
  dispute,
  answer,
  say,
  route: ({ actors }, { by, rules }) => actors[by].client.cases.route(rules),
  release: (world, { by, signal }) => world.actors[by].client.release(knownOf(world, signal).signal),
  renew_keys: renewKeys,
  next_epoch: nextEpoch,
  review: decidedAt,
  correct: corrected,
  propose: proposed,
  claim: claimed,
  park: parked,
  hand_over: handedOver,
}

/** One act of the plan through the API, at its time. */
export async function perform(world: World, act: Timed): Promise<void> {
  const does = DOES[act.kind] as (world: World, act: Act) => Promise<unknown>
  await does(world, act).catch((error: unknown) => {
    throw new Error(`${act.kind}${'by' in act ? ` by ${act.by}` : ''} was refused`, { cause: error })
  })
}

function knownOf({ signals }: Pick<World, 'signals'>, name: SignalName): Known {
  const known = signals.get(name)
  if (known === undefined) throw new Error(`${name} was not shared yet`)
  return known
}

/** A signal as it is named to the node by whoever received it. */
const aboutOf = ({ source, signal, key }: Known) => ({ source, signal, key })

async function share(world: World, { by, audience, lines }: ActOf<'share'>): Promise<void> {
  const actor = world.actors[by]
  const raw = lines.map(
    ({ line, relation }): RawLine => (relation === undefined ? line : { ...line, relation: tied(world, relation) }),
  )
  const epoch = await actor.tokens.submit.epochFor(raw)
  const now = world.driven.clock()
  const items = lines.map(({ days = 180 }, i) => {
    const context: DeriveContext = {
      ...{ audience: world.audiences[audience], taxonomy: 1, now, epoch, defaults: DEFAULTS, days: () => days },
    }
    const derived = derive(raw[i] as RawLine, context)
    if (derived.outcome === 'refused') throw new Error(derived.reason)
    return derived.item
  })
  await submitted(world, actor, items)
  for (const [i, { signal }] of lines.entries()) {
    const item = items[i]
    if (item !== undefined)
      world.signals.set(signal, { source: by, signal: item.signal as Uuid, revision: 1, key: keyOf(item) })
  }
}

const DEFAULTS: DeriveContext['defaults'] = {
  ...{
    category: 'grooming',
    severity: 'high',
    confidence: 80,
    basis: 'human_reviewed',
    handling: 'review',
    tlp: 'amber',
  },
  context: { region: 'IE', legal_basis: 'terms_of_service', surface: 'public' },
}

const keyOf = (item: SignalItem): string => toHex(signalKey(sha256, item))

function tied(world: World, { relation, of: [from, to] }: NonNullable<ActOf<'share'>['lines'][number]['relation']>) {
  return { relation, from: knownOf(world, from).signal, to: knownOf(world, to).signal }
}

async function submitted(
  { driven }: World,
  { client, member, home }: Actor,
  items: readonly object[],
  typ: SubmissionType = 'aldis-signal+jws',
): Promise<void> {
  const submission = await signSubmission({
    ...{ typ, iss: member.uri, aud: member.node_origin, prg: member.programme },
    ...{ items: items.map((item) => JSON.stringify(item)), key: home.signingKey(), now: driven.clock() },
  })
  expectAll(await client.submit(submission))
}

function expectAll({ results }: SubmissionResult): void {
  const refused = results.filter(({ code }) => code !== undefined)
  if (refused.length > 0)
    throw new Error(refused.map(({ code, pointer, detail }) => `${code} ${pointer ?? ''} ${detail ?? ''}`).join('; '))
}

async function revise(world: World, { by, signal, change }: ActOf<'revise'>): Promise<void> {
  const actor = world.actors[by]
  const known = knownOf(world, signal)
  const own = await actor.client.own(known.signal)
  known.revision = own.revision + 1
  const item = { ...(JSON.parse(own.item) as object), ...change, revision: known.revision, prev: own.leaf }
  await submitted(world, actor, [item])
}

async function withdraw(world: World, { by, signal, reason }: ActOf<'withdraw'>): Promise<void> {
  const actor = world.actors[by]
  const own = await actor.client.own(knownOf(world, signal).signal)
  const item = { v: 1, signal: own.signal, revision: own.revision + 1, prev: own.leaf, reason }
  await submitted(world, actor, [item], 'aldis-withdrawal+jws')
}

/** Takes and verifies what is new, and tells sources that what has ended is removed. */
async function sync({ actors }: World, { by }: ActOf<'sync'>): Promise<void> {
  const { client, verifier, home } = actors[by]
  const ends = new Map<Uuid, string>()
  await syncFeeds({
    ...{ client, verifier, dir: join(home.dir, 'feeds') },
    onEvents: (feed, events) => {
      const last = events.findLast(({ event }) => ENDS.has(event.type))
      if (last !== undefined) ends.set(feed.feed, last.event.seq)
    },
  })
  for (const [feed, upto] of ends) await client.acknowledge(feed, upto, 'mirror_removed')
}

async function ask(world: World, { by, lines }: ActOf<'ask'>): Promise<void> {
  const { client, tokens } = world.actors[by]
  const epoch = await tokens.lookup.epochFor(lines)
  const keys = lines.flatMap((line) => {
    const found = lookupKeys(line, epoch)
    return found.outcome === 'keys' ? found.keys : []
  })
  const queries = [...Map.groupBy(keys, ({ type, profile }) => `${type} ${profile}`).values()].map((group) => ({
    ...kindOf(group),
    keys: [...new Set(group.map(({ key }) => key))],
  }))
  await client.lookUp({ purpose: 'investigation', queries } as Parameters<typeof client.lookUp>[0])
}

function kindOf([first]: readonly LookupKey[]): Pick<LookupKey, 'type' | 'profile'> {
  if (first === undefined) throw new RangeError('a group of no keys')
  return { type: first.type, profile: first.profile }
}

async function hits(world: World, act: ActOf<'hits'>): Promise<void> {
  const last_at = `${world.driven.clock().toISOString().slice(0, 19)}Z`
  const reported = act.hits.map(({ signal, count }) => ({ ...aboutOf(knownOf(world, signal)), count, last_at }))
  const { results } = await world.actors[act.by].client.reportHits({ hits: reported })
  for (const { index, code, case: id } of results) {
    if (code !== undefined) throw new Error(`hit ${act.hits[index]?.signal}: ${code}`)
    if (id !== undefined) world.cases.set(`${act.by} ${act.hits[index]?.signal}`, id)
  }
}

async function say(world: World, { by, signal, outcome, reason, note, counts }: ActOf<'say'>): Promise<void> {
  const words = { ...(reason && { reason }), ...(note && { note }), ...(counts && { counts }) }
  const known = knownOf(world, signal)
  const item = { v: 1, ...aboutOf(known), revision: known.revision, outcome, ...words } as FeedbackItem
  const { client } = world.actors[by]
  await client.giveFeedback(await signedBy(world, world.actors[by], item))
}

async function dispute(world: World, { by, signal, ground, note }: ActOf<'dispute'>): Promise<void> {
  const known = knownOf(world, signal)
  const id = newId(world.driven.clock())
  const item = {
    v: 1,
    ...aboutOf(known),
    revision: known.revision,
    dispute: id,
    ground,
    ...(note && { note }),
  } as DisputeItem
  const { client } = world.actors[by]
  await client.openDispute(await signedBy(world, world.actors[by], item))
}

const signedBy = ({ driven }: World, { member, home }: Actor, item: FeedbackItem | DisputeItem) =>
  signAct(item, { member, key: home.signingKey(), now: driven.clock() })

async function answer(world: World, { by, signal, result, note }: ActOf<'answer'>): Promise<void> {
  const { client } = world.actors[by]
  const wanted = knownOf(world, signal).signal
  for (let after: Uuid | undefined; ; ) {
    const { disputes, next } = await client.disputes({ side: 'received', ...(after && { after }) })
    const open = disputes.find((one) => one.signal === wanted && one.result === undefined)
    if (open !== undefined) {
      await client.answerDispute(open.dispute, { result, ...(note && { note }) })
      return
    }
    if (next === null) throw new Error(`nobody disputes ${signal}`)
    after = next
  }
}
