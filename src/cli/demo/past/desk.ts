import { newId, type Uuid } from '../../../kernel/ids.ts'
import type { CasesQuery } from '../../../review/schema.ts'
import type { Act, SignalName, Verdict } from './act.ts'
import type { Operator, Party } from './cast.ts'
import type { World } from './world.ts'

type ActOf<K extends Act['kind']> = Extract<Act, { kind: K }>

/** Looking, and thinking. */
const LOOK_MS = 20_000
const HOLD_HOURS = 24

/** The open case that a platform has of a signal: as its hit opened it, or as it stands in its queue. */
async function caseOf(world: World, by: Party, name: SignalName): Promise<Uuid> {
  const key = `${by} ${name}`
  const known = world.cases.get(key)
  if (known !== undefined) return known
  const wanted = world.signals.get(name)?.signal
  for (let cursor: string | undefined; ; ) {
    const query: CasesQuery = { state: 'open', limit: 100, ...(cursor && { cursor }) }
    const { cases, next } = await world.actors[by].client.cases.list(query)
    const found = cases.find(({ signal }) => signal === wanted)
    if (found !== undefined) {
      world.cases.set(key, found.case)
      return found.case
    }
    if (next === null) throw new Error(`${by} has no open case of ${name}`)
    cursor = next
  }
}

interface Working {
  by: Party
  signal: SignalName
  operator: Operator
}

async function grip(world: World, { by, signal, operator }: Working) {
  const id = await caseOf(world, by, signal)
  const { token, version } = await world.actors[by].client.cases.claim(id, { operator })
  world.driven.pass(LOOK_MS)
  return { id, token, version }
}

async function decide(world: World, working: Working, said: Verdict & { escalate?: boolean }) {
  const { id, token, version } = await grip(world, working)
  const decision = newId(world.driven.clock())
  const { cases } = world.actors[working.by].client
  await cases.decide(id, { operator: working.operator, decision, token, version, ...said })
  return { id, decision }
}

async function approved(
  world: World,
  by: Party,
  of: { id: Uuid; decision: Uuid; second: Operator | undefined },
): Promise<void> {
  if (of.second === undefined) return
  world.driven.pass(LOOK_MS)
  await world.actors[by].client.cases.second(of.id, of.decision, { operator: of.second, answer: 'approve' })
}

export async function decidedAt(world: World, { said, second, undone, ...working }: ActOf<'review'>): Promise<void> {
  if (undone !== undefined) {
    const first = await decide(world, working, undone)
    await world.actors[working.by].client.cases.undo(first.id, first.decision, working.operator)
  }
  await approved(world, working.by, { ...(await decide(world, working, said)), second })
}

/** Of a case that is closed; a correction needs no lease. */
export async function corrected(world: World, { by, signal, operator, said, second }: ActOf<'correct'>): Promise<void> {
  const id = await caseOf(world, by, signal)
  const { cases } = world.actors[by].client
  const { version } = await cases.one(id)
  const decision = newId(world.driven.clock())
  await cases.decide(id, { operator, decision, version, ...said })
  await approved(world, by, { id, decision, second })
}

export async function proposed(world: World, { said, ...working }: ActOf<'propose'>): Promise<void> {
  await decide(world, working, { ...said, escalate: true })
}

export const claimed = (world: World, act: ActOf<'claim'>) => grip(world, act)

export async function parked(world: World, act: ActOf<'park'>): Promise<void> {
  const { id, token, version } = await grip(world, act)
  const { operator, reason } = act
  await world.actors[act.by].client.cases.hold(id, { operator, token, version, reason, hours: HOLD_HOURS })
}

export async function handedOver(world: World, act: ActOf<'hand_over'>): Promise<void> {
  const { id, token, version } = await grip(world, act)
  const { operator, to } = act
  await world.actors[act.by].client.cases.handOver(id, { operator, token, version, to })
}
