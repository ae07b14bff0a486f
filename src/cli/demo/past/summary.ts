import type { CasesQuery } from '../../../review/schema.ts'
import { CAST } from './cast.ts'
import type { Actor, World } from './world.ts'

const STATES = ['open', 'held', 'awaiting_second', 'decided', 'closed', 'void'] as const
type State = (typeof STATES)[number]

/** What a past ended with, as the platforms themselves are told it. */
export interface Summary {
  platforms: number
  signals: number
  /** Of all platforms. Of the open ones, those on which somebody works. */
  cases: Record<State, number> & { leased: number }
  /** By the answer of their source; those without one are open, or overdue. */
  disputes: Record<string, number>
}

export async function summaryOf({ actors, signals }: Pick<World, 'actors' | 'signals'>): Promise<Summary> {
  const cases = { ...(Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>), leased: 0 }
  const disputes: Record<string, number> = {}
  for (const actor of Object.values(actors)) {
    for (const state of STATES) {
      const found = await casesIn(actor, state)
      cases[state] += found.length
      cases.leased += found.filter(({ lease }) => lease !== undefined).length
    }
    for (const standing of await disputesOf(actor)) disputes[standing] = (disputes[standing] ?? 0) + 1
  }
  return { platforms: CAST.length, signals: signals.size, cases, disputes }
}

async function casesIn({ client }: Actor, state: State) {
  const all = []
  for (let cursor: string | undefined; ; ) {
    const query: CasesQuery = { state, limit: 100, ...(cursor && { cursor }) }
    const { cases, next } = await client.cases.list(query)
    all.push(...cases)
    if (next === null) return all
    cursor = next
  }
}

async function disputesOf({ client }: Actor): Promise<string[]> {
  const all: string[] = []
  for (let after: Parameters<Actor['client']['disputes']>[0]['after']; ; ) {
    const { disputes, next } = await client.disputes({ side: 'received', ...(after && { after }) })
    all.push(...disputes.map(({ result, overdue }) => result ?? (overdue ? 'overdue' : 'open')))
    if (next === null) return all
    after = next
  }
}

/** In a few lines. */
export const linesOf = ({ platforms, signals, cases, disputes }: Summary, days: number): string[] => [
  `${platforms} platforms, ${signals} signals over ${days} days`,
  `cases: ${counted({ ...cases, leased: undefined })}; of the open ones ${cases.leased} are being worked on`,
  `disputes: ${counted(disputes)}`,
]

const counted = (counts: Readonly<Record<string, number | undefined>>): string =>
  Object.entries(counts)
    .flatMap(([name, n]) => (n === undefined ? [] : [`${n} ${name.replaceAll('_', ' ')}`]))
    .join(', ')
