import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { toBase64Url } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { commitment } from '../provenance/commitment.ts'
import type { VerifierKey } from '../provenance/note.ts'
import { parseReceipt } from '../provenance/receipt.ts'
import { VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import type { HistoryEntry } from './history.ts'
import type { KeptHistory } from './kept-history.ts'
import { answerIn, checkReceipt, isOf, readName } from './verify.ts'

/** What the node promised and the folder noted: the entry of a submission, or the read behind an answer. */
export interface Promised {
  /** Name of its receipt in the folder. */
  name: string
  event: string
  /** Place of a read in its journal row, whose id is then `event`. */
  read?: string
  /** The commitment that the node promised, base64url. */
  c: string
  /** The digest of the answer that came with a read, base64url; notes of before have none. */
  body?: string
  /** When it was noted. */
  at: string
  /** When it can first have been promised. */
  since: string
}

/** How long an entry may wait for its checkpoint: as long as the node goes on taking writes without one. */
const PUBLISHED_WITHIN_MS = 900_000

/** Name in the folder of the receipt of a read, from its `Provenance-Read`; throws `VerificationFailed` where that names none. */
export function receiptOfRead(read: string): string {
  const named = readName(read)
  if (named === undefined) throw new VerificationFailed('read', 'the node answered without naming what it recorded')
  return nameOf(named)
}

const nameOf = ({ id, place }: { id: string; place: string }): string => `read-${id}-${place}`

/**
 * Every promise that the folder notes, each once: an answer that was given again promises nothing new. `onTorn` is told of
 * lines that cannot be read, as `<file>:<line>`.
 */
export function promisesIn(dir: string, onTorn: (place: string) => void): Promised[] {
  const lines = (file: string, promisedIn: (noted: Noted) => Promised | undefined): Promised[] =>
    (readIfThere(join(dir, file)) ?? '').split('\n').flatMap((line, n): Promised[] => {
      if (line === '') return []
      const noted = notedIn(line)
      const promised = noted === undefined ? undefined : promisedIn(noted)
      if (promised === undefined) onTorn(`${file}:${n + 1}`)
      return promised === undefined ? [] : [promised]
    })
  const events = lines('events.ndjson', ({ event = '', rec = '', at = '', signed_at: since = at }) => ({
    ...{ name: event, event, c: rec, at, since },
  }))
  const reads = lines('reads.ndjson', ({ read = '', at = '', body }) => {
    const named = readName(read)
    if (named === undefined) return undefined
    const of = { name: nameOf(named), event: named.id, read: named.place, c: named.c, at, since: at }
    return body === undefined ? of : { ...of, body }
  })
  const first = new Map<string, Promised>()
  for (const one of [...events, ...reads]) {
    const key = `${one.name} ${one.c} ${one.body}`
    const before = first.get(key)
    if (before === undefined) first.set(key, one)
    else if (Date.parse(one.since) < Date.parse(before.since)) first.set(key, { ...before, since: one.since })
  }
  return [...first.values()]
}

type Noted = Record<string, string>

function notedIn(line: string): Noted | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Noted) : undefined
  } catch {
    return undefined
  }
}

/** The receipt as it is kept; undefined before it is. */
export const keptReceipt = (dir: string, name: string): string | undefined =>
  readIfThere(join(dir, 'receipts', `${name}.tlog-proof`))

/** What was held against the chain; `waiting` are promises that may still be without a receipt. */
export interface KeptPromises {
  /** Those with their receipt. */
  submissions: number
  reads: number
  /** Receipts of entries of the chain. */
  receipts: number
  /** Receipts of entries of our chains in other logs that the folder followed. */
  former: number
  /** Receipts of other logs behind what the folder has of our chain there, and of entries that only others are parties to: verified alone. */
  alone: number
  others: number
  waiting: string[]
  /** Promises that cannot be held any more. */
  ended: string[]
  /** Receipts of entries that the chain was not asked about yet. */
  later: number
  /** Notes that cannot be read, as `<file>:<line>`: what they promised is not held against anything. */
  torn: string[]
}

export interface PromiseCheck extends Keys {
  entries: AsyncIterable<HistoryEntry>
  /** Our chain in another log, as far as the folder has it; without, its receipts are verified alone. */
  chainIn?(key: VerifierKey): Pick<KeptHistory, 'place' | 'entries'>
  now: Date
  /** The chain is known below that index of the log alone. */
  below?: bigint
  /** The node was not asked for what the folder lacks: then what is overdue waits. */
  unasked?: boolean
  /** Names of those that nobody can hold any more, as `endedPromises` finds them. */
  endedOf?(overdue: readonly Promised[]): Promise<ReadonlySet<string>>
}

/**
 * Holds what the folder has against the chain: each promise has a receipt of just what was promised, and each receipt with
 * our own link is of the entry that the chain has at its index. A receipt of a log that ended is verified by that log's key, and held
 * against our chain in it. Throws `VerificationFailed` for the first that does not hold.
 */
export async function checkPromises(dir: string, check: PromiseCheck): Promise<KeptPromises> {
  const { entries, below } = check
  const torn: string[] = []
  const promises = promisesIn(dir, (place) => torn.push(place))
  const { kept, waiting, ended } = await standings(dir, promises, check)
  const promised = new Map(promises.map(({ name, since }) => [name, since]))
  const { logs, others } = wantedIn(dir, { ...check, promised })
  const { held: receipts, behind: later } = await checkMet(logs.get(check.key.name)?.wanted, { entries, below })
  logs.delete(check.key.name)
  let [former, alone] = [0, 0]
  for (const { key, wanted } of logs.values()) {
    const chain = check.chainIn?.(key)
    const met = await checkMet(wanted, { entries: chain?.entries(), below: chain?.place.size ?? 0n })
    former += met.held
    alone += met.behind
  }
  const reads = kept.filter(({ read }) => read !== undefined).length
  const counts = { submissions: kept.length - reads, reads, receipts, later, former, alone, others }
  return { ...counts, waiting, ended, torn }
}

/** Which promises have their receipt, and why others may be without. Throws for one that may not. */
async function standings(
  dir: string,
  promises: readonly Promised[],
  { now, unasked = false, endedOf }: PromiseCheck,
): Promise<{ kept: Promised[]; waiting: string[]; ended: string[] }> {
  const { kept = [], waits = [], overdue = [] } = Object.groupBy(promises, (one) => standingOf(dir, one, now))
  const ended = overdue.length === 0 ? new Set() : ((await endedOf?.(overdue)) ?? new Set())
  const rest = overdue.filter(({ name }) => !ended.has(name))
  const [first] = rest
  if (first !== undefined && !unasked)
    throw new VerificationFailed('chain promise', `${first.name} was promised at ${first.at} and is not in the log`)
  return {
    kept,
    waiting: [...waits, ...rest].map(({ name }) => name),
    ended: overdue.flatMap(({ name }) => (ended.has(name) ? [name] : [])),
  }
}

/** The key of the log whose chain it is, and that of the log which a receipt is of. */
interface Keys {
  key: VerifierKey
  keyOf(receipt: string): VerifierKey
  /** When a log ended; nothing that was promised later is in it. */
  endedAt(key: VerifierKey): Date | undefined
}

/** Throws where the receipt is of something else. */
function standingOf(dir: string, { name, c, body, at }: Promised, now: Date): 'kept' | 'waits' | 'overdue' {
  const text = keptReceipt(dir, name)
  if (text !== undefined && !isOf(text, c))
    throw new VerificationFailed('chain promise', `${name} is of another entry than was promised`)
  if (text !== undefined && body !== undefined && answerIn(text) !== body)
    throw new VerificationFailed('chain promise', `${name} is of another answer than the one that named it`)
  if (text !== undefined) return 'kept'
  return now.getTime() - Date.parse(at) <= PUBLISHED_WITHIN_MS ? 'waits' : 'overdue'
}

/** What a receipt says of the chain: an entry with this commitment. */
interface Wanted {
  name: string
  c: string
}

/** What our chain in one log must have, by index. */
interface WantedIn {
  key: VerifierKey
  wanted: Map<bigint, Wanted[]>
}

/** What our chains must have, by log, and how many receipts say nothing of them. Throws where one does not verify. */
function wantedIn(
  dir: string,
  { key, keyOf, endedAt, promised }: Keys & { promised: ReadonlyMap<string, string> },
): { logs: Map<string, WantedIn>; others: number } {
  const logs = new Map<string, WantedIn>()
  let others = 0
  for (const name of receiptNames(dir)) {
    const text = keptReceipt(dir, name) ?? ''
    const own = keyOf(text)
    const { passed, index, steps } = checkReceipt(text, own)
    if (!passed) throw new VerificationFailed('receipt', `${name}: ${steps.find(({ why }) => why !== undefined)?.why}`)
    const { payload = '', chains = [] } = parseReceipt(text)?.extra ?? {}
    if (own.name !== key.name) expectBefore(endedAt(own), { name, since: promised.get(name), log: own.name })
    // What was not promised to us and has no link of ours is of an event that only others are parties to.
    if (chains.length === 0 && !promised.has(name)) {
      others += 1
      continue
    }
    const of: WantedIn = logs.get(own.name) ?? { key: own, wanted: new Map() }
    logs.set(own.name, of)
    of.wanted.set(index, [...(of.wanted.get(index) ?? []), { name, c: toBase64Url(commitment(sha256, payload)) }])
  }
  return { logs, others }
}

function expectBefore(
  ended: Date | undefined,
  { name, since, log }: { name: string; since: string | undefined; log: string },
) {
  if (ended !== undefined && since !== undefined && Date.parse(since) > ended.getTime())
    throw new VerificationFailed(
      'chain promise',
      `${name} was promised after ${log} had ended, and its receipt is of that`,
    )
}

/** Holds them against a chain that is known below that index alone; counts those that it says nothing of apart. */
async function checkMet(
  ours: Map<bigint, Wanted[]> = new Map(),
  { entries, below }: { entries: AsyncIterable<HistoryEntry> | undefined; below: bigint | undefined },
): Promise<{ held: number; behind: number }> {
  const receipts = [...ours.values()].flat().length
  for (const index of ours.keys()) if (below !== undefined && index >= below) ours.delete(index)
  const held = [...ours.values()].flat().length
  for await (const { index, c, seq } of entries ?? []) {
    const other = ours.get(index)?.find((one) => one.c !== c)
    if (other !== undefined)
      throw new VerificationFailed('chain promise', `link ${seq} is of another entry than ${other.name}`)
    ours.delete(index)
  }
  const [missing] = [...ours.values()].flat()
  if (missing !== undefined) throw new VerificationFailed('chain promise', `the chain leaves ${missing.name} out`)
  return { held, behind: receipts - held }
}

function receiptNames(dir: string): string[] {
  const folder = join(dir, 'receipts')
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return []
  return readdirSync(folder).flatMap((name) => /^(.+)\.tlog-proof$/.exec(name)?.[1] ?? [])
}
