import type { ReadItem } from '../provenance/readset.ts'
import { type Programme, stayOf } from './programme.ts'
import type { SignalTable, SignalVersion } from './signals.ts'

/** What a look-up gave out, to whom, and how far it had looked. */
export interface LookedUp {
  /** By source. */
  items: ReadonlyMap<string, readonly ReadItem[]>
  /** Entries of the log that the answer was made of. */
  log: number
  reader: string
  route: string
  /** Of the batch. */
  index: bigint
}

interface Known {
  signals: SignalTable
  programme: Programme
}

/** What gives out cases, which tell how a signal was when they arose, whatever has become of it. */
const CASES = [
  ...['/v1/cases', '/v1/bulk-jobs', '/v1/review/samples'],
  ...['cases', 'queue', 'bulk', 'second-reviews', 'samples'].map((page) => `console /${page}`),
]

/**
 * Of a look-up: each item was there, live, in that very revision when the log had so many entries, and the reader's to have.
 * What entries between the look-up and its batch made of the signal changes nothing of that.
 */
export function* itemFaults(known: Known, looked: LookedUp): Generator<string> {
  const isCase = CASES.some((one) => looked.route === one || looked.route.startsWith(`${one}/`))
  for (const [source, own] of looked.items) {
    for (const item of own) {
      const why = (isCase ? caseFault : itemFault)(known, looked, { source, item })
      if (why !== undefined) yield `the signal ${item.signal} of ${source} ${why}`
    }
  }
}

interface Given {
  source: string
  item: ReadItem
}

function itemFault({ signals, programme }: Known, looked: LookedUp, { source, item }: Given): string | undefined {
  const there = asOf(signals.versions(source, item.signal), looked.log)
  if (there === undefined || there.revision !== item.revision) return `was not there in revision ${item.revision}`
  if (there.state !== 'live') return `was ${there.state} by then`
  return source === looked.reader ? undefined : audienceFault(programme, looked, there.audience)
}

/** Its newest version among the first `log` entries. */
function asOf(versions: Iterable<SignalVersion>, log: number): SignalVersion | undefined {
  for (const version of versions) if (version.at < log) return version
  return undefined
}

function caseFault({ signals, programme }: Known, looked: LookedUp, { source, item }: Given): string | undefined {
  const versions = [...signals.versions(source, item.signal)]
  const there = versions.find(({ at, revision }) => at < looked.log && revision === item.revision)
  if (there === undefined) return `was not there in revision ${item.revision}`
  const replaced = versions.some(({ revision, state }) => revision > item.revision && state === 'live')
  if (source === looked.reader || replaced) return undefined
  const stays = programme.stays.get(`${there.audience} ${looked.reader}`) ?? []
  const made = versions.at(-1)?.at ?? looked.log
  // A case outlasts that its reader is there.
  const was = stays.some(({ joined, left }) => joined < looked.index && (left === undefined || Number(left) > made))
  return was ? undefined : `is for the audience ${there.audience}, and the reader was never in it beside the signal`
}

function audienceFault(programme: Programme, looked: LookedUp, audience: string): string | undefined {
  const stay = stayOf(programme, { ...looked, audience })
  const may = stay !== undefined && (stay.left === undefined || looked.log <= Number(stay.left))
  return may ? undefined : `is for the audience ${audience}, and the reader is not in it`
}
