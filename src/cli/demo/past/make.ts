import type { Config } from '../../../config.ts'
import type { Act, Timed } from './act.ts'
import { driveClock } from './clock.ts'
import { ADMISSION_S, DAWN_S, DAY_S } from './draft.ts'
import { startDriven } from './node.ts'
import { perform } from './perform.ts'
import type { Plan } from './plan.ts'
import { type Summary, summaryOf } from './summary.ts'
import { closeWorld, openWorld, type World } from './world.ts'

export interface MakeOptions {
  /** Settings of a node that has no programme yet. */
  config: Config
  /** Where the platforms have their folders. */
  dir: string
  plan: Plan
  /** The present, with which the past ends. */
  now: Date
  onDay?(day: number): void
  /** While the node still runs, now by the time itself. */
  whileRunning?(): Promise<void>
}

/** Makes a past: a node in this process and its participants go through the plan on one driven clock, by the API alone. */
export async function makePast({ config, dir, plan, now, onDay, whileRunning }: MakeOptions): Promise<Summary> {
  const begin = now.getTime() - plan.days * DAY_S * 1_000
  const after = (seconds: number): Date => new Date(begin + seconds * 1_000)
  const driven = driveClock(after(ADMISSION_S))
  const node = await startDriven(config, driven)
  const opened: { world?: World } = {}
  try {
    const world = await openWorld(node, driven, dir)
    opened.world = world
    for (const { day, acts } of plan.timetable) {
      driven.to(after(day * DAY_S + DAWN_S))
      await node.settle()
      for (const same of together(acts)) {
        driven.to(after(same.at(-1)?.at ?? 0))
        await ended(same.map((act) => perform(world, act)))
      }
      onDay?.(day)
    }
    driven.to(now)
    await node.settle()
    driven.live()
    node.run()
    const summary = await summaryOf(world)
    await whileRunning?.()
    return summary
  } finally {
    if (opened.world !== undefined) await closeWorld(opened.world)
    await node.end()
  }
}

/** What platforms do side by side: each has its own keys, feeds and connection. */
const SIDE_BY_SIDE: ReadonlySet<Act['kind']> = new Set(['sync', 'share', 'say', 'ask', 'hits'])

/** Acts that follow one another, of one kind and each of another platform. */
function together(acts: readonly Timed[]): Timed[][] {
  const groups: Timed[][] = []
  for (const act of acts) {
    const last = groups.at(-1)
    const joins = last?.[0]?.kind === act.kind && SIDE_BY_SIDE.has(act.kind) && !last.some((one) => by(one) === by(act))
    if (joins) last.push(act)
    else groups.push([act])
  }
  return groups
}

const by = (act: Act): string => ('by' in act ? act.by : '')

/** Nothing runs on once one of them has failed. */
async function ended(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
