import { logIdOf, placeOf } from '../provenance/origin.ts'
import { formerHistories, historyIn } from './former-histories.ts'
import { formerLogs, treeIn } from './former-logs.ts'
import type { Home } from './home.ts'
import type { Promised } from './promises.ts'
import { openVkey } from './verify.ts'

/** What the clocks of the node and of this machine may differ by. */
const APART_MS = 300_000

interface Span {
  from: number
  to: number
}

/**
 * Names of those promises that nobody can hold any more: reads of batches whose time is over by an entry of our own chain, and
 * what was promised before entries were lost and the folder accepted that. Goes by the folder alone.
 */
export async function endedPromises(
  home: Pick<Home, 'dir' | 'membership' | 'pinned'>,
  promises: readonly Promised[],
): Promise<Set<string>> {
  const lost = lossAcceptedAt(home.dir)
  const isLost = ({ since }: Promised): boolean => Date.parse(since) <= lost
  const reads = promises.filter((one) => one.read !== undefined && !isLost(one))
  const spans = reads.length === 0 ? [] : joined(await overSpans(home))
  const isOver = ({ at }: Promised): boolean => isWithin(spans, Date.parse(at))
  return new Set([...promises.filter(isLost), ...reads.filter(isOver)].map(({ name }) => name))
}

/** When the folder last went over from a log of which the node had lost entries, in milliseconds; 0 unless it did. */
const lossAcceptedAt = (dir: string): number =>
  Math.max(
    0,
    ...formerLogs(dir).map(({ at, last, note = '' }) =>
      at !== undefined && last !== undefined && last.size > treeIn(note).size ? at.getTime() : 0,
    ),
  )

/** When the reads of our own batches were made that an entry of our chains names as over. */
async function overSpans(home: Pick<Home, 'dir' | 'membership' | 'pinned'>): Promise<Span[]> {
  const key = openVkey(home.pinned().vkey)
  const batches = new Map<bigint, Span>()
  const over: Span[] = []
  for (const { key: log, kept } of [...formerHistories(home), { key, kept: historyIn(home, key) }])
    for await (const { kind, index, fields } of kept.entries()) {
      const told = new Map(fields.map(({ name, value }) => [name, value]))
      if (kind === 'read.batch' && told.get('reader') === home.membership().participant)
        batches.set(placeOf(logIdOf(log.name), index), spanOf(told))
      if (kind === 'reads.expired') over.push(...namedIn(told, batches))
    }
  return over
}

/** Each longer by what clocks may differ, in their order, and those that meet as one: there are as many as batches. */
function joined(spans: readonly Span[]): Span[] {
  const told = spans.filter(({ from, to }) => from <= to)
  const wider = told.map(({ from, to }) => ({ from: from - APART_MS, to: to + APART_MS }))
  const whole: Span[] = []
  for (const span of wider.sort((a, b) => a.from - b.from)) {
    const last = whole.at(-1)
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else whole.push(span)
  }
  return whole
}

/** By halves: the last that begins by then is the only one that may hold it. */
function isWithin(spans: readonly Span[], at: number): boolean {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((spans[middle]?.from ?? Number.POSITIVE_INFINITY) <= at) low = middle + 1
    else high = middle
  }
  return at <= (spans[low - 1]?.to ?? Number.NEGATIVE_INFINITY)
}

const spanOf = (told: ReadonlyMap<string, unknown>): Span => ({
  from: Date.parse(String(told.get('from'))),
  to: Date.parse(String(told.get('to'))),
})

function namedIn(told: ReadonlyMap<string, unknown>, batches: ReadonlyMap<bigint, Span>): Span[] {
  const named = told.get('batches')
  const places = Array.isArray(named) ? named.filter((place) => /^[0-9]{1,18}$/.test(String(place))) : []
  return places.flatMap((place) => batches.get(BigInt(place)) ?? [])
}
