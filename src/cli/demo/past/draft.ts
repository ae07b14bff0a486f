import type { Act, Day, Planned, SignalName, Timed } from './act.ts'
import { CAST, HABITS, OPERATORS, type Operator, type Party } from './cast.ts'
import type { Random } from './random.ts'

/** In which order the acts of one day are done; what is shared is in the feeds of the day after. */
const PHASES = ['begin', 'sync', 'hits', 'review', 'source', 'say', 'share', 'ask', 'end'] as const
export type Phase = (typeof PHASES)[number]

export const DAY_S = 86_400
/** The acts of the end stand within the last part of the last day. */
const END_S = 2_400
/** On each day what is due is done first. */
export const DAWN_S = 2 * 3_600
const MORNING_S = 3 * 3_600
/** On the first day everybody is admitted before; and a key that was enrolled ninety whole days ago has ended. */
export const ADMISSION_S = 5 * 3_600
const LATE_S = 7 * 3_600

/** A past while it is planned. */
export interface Draft {
  readonly random: Random
  readonly last: number
  add(day: number, phase: Phase, act: Act): void
  /** A report of hits is one for all that a platform found that day. */
  hit(day: number, by: Party, signal: SignalName, count: number): void
  /** The first day from one on at which the platform takes its feeds; the last day is one. */
  nextSync(by: Party, from: number): number
  /** Up to so many signals that fit and have no story yet; they have one from now on. */
  take(most: number, fits: (one: Planned) => boolean): Planned[]
  /** Two of those who work at a platform. */
  pair(): [Operator, Operator]
  days(): Day[]
}

export function createDraft(random: Random, signals: readonly Planned[], days: number): Draft {
  const last = days - 1
  const acts: { day: number; phase: number; act: Act }[] = []
  const hits = new Map<string, { day: number; by: Party; hits: { signal: SignalName; count: number }[] }>()
  const free = new Set(random.named('order').shuffled(signals))
  const isSync = (by: Party, day: number): boolean =>
    day === last || (day > 0 && (day + CAST.indexOf(by)) % HABITS[by].syncs === 0)

  const add: Draft['add'] = (day, phase, act) => {
    if (day < 0 || day > last) throw new RangeError(`${act.kind} on day ${day} of ${days}`)
    acts.push({ day, phase: PHASES.indexOf(phase), act })
  }
  for (let day = 1; day <= last; day++)
    for (const by of CAST) if (isSync(by, day)) add(day, 'sync', { kind: 'sync', by })

  return {
    ...{ random, last, add },
    hit(day, by, signal, count) {
      const key = `${day} ${by}`
      const known = hits.get(key) ?? { day, by, hits: [] }
      known.hits.push({ signal, count })
      hits.set(key, known)
    },
    nextSync(by, from) {
      for (let day = from; day < last; day++) if (isSync(by, day)) return day
      return last
    },
    take(most, fits) {
      const taken: Planned[] = []
      for (const one of free) {
        if (taken.length >= most) break
        if (fits(one)) taken.push(one)
      }
      for (const one of taken) free.delete(one)
      return taken
    },
    pair() {
      const [a = 'ann', b = 'bo'] = random.shuffled(OPERATORS)
      return [a, b]
    },
    days() {
      for (const { day, by, hits: found } of hits.values()) add(day, 'hits', { kind: 'hits', by, hits: found })
      hits.clear()
      return Array.from({ length: days }, (_, day) => {
        const own = acts.filter((one) => one.day === day).sort((a, b) => a.phase - b.phase)
        return { day, acts: timed(own, { day, last }) }
      })
    },
  }
}

/** The acts of a day, one after the other, evenly over it. */
function timed(own: readonly { phase: number; act: Act }[], { day, last }: { day: number; last: number }): Timed[] {
  const end = PHASES.indexOf('end')
  const daily = own.filter(({ phase }) => phase < end)
  const closing = own.filter(({ phase }) => phase === end)
  const from = day * DAY_S + (day === 0 ? LATE_S : MORNING_S)
  const until = (day + 1) * DAY_S - (day === last ? END_S : 0)
  const over = (acts: typeof daily, begin: number, finish: number): Timed[] =>
    acts.map(({ act }, i) => ({ ...act, at: Math.floor(begin + ((finish - begin) * (i + 1)) / (acts.length + 1)) }))
  return [...over(daily, from, until), ...over(closing, until, until + END_S)]
}
