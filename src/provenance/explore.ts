import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import * as store from './explore-store.ts'
import { type Opened, recordUnlessLost, saidIn } from './record.ts'
import * as recordStore from './record-store.ts'
import type { LoggedEvent, ProvenanceService } from './service.ts'

/** An entry with what its record says of who is concerned. */
export interface DescribedEntry extends LoggedEvent {
  actor: string
  parties: readonly string[]
  /** Who was given something by it, or told of it. */
  recipients: readonly string[]
  /** Where the record names one. */
  signal: string | undefined
  /** How many things it is about: signals, reads, identifiers. */
  items: number
  /** Signals that it shared for the first time. */
  shares: readonly FirstShare[]
  /** What its record says; undefined where the month's key is lost. */
  opened: { fields: ReadonlyMap<string, unknown>; sources: readonly Readonly<Record<string, unknown>>[] } | undefined
}

/** Signals of one submission with the same category and audience. */
export interface FirstShare {
  category: string
  audience: Uuid
  signals: readonly Uuid[]
}

/** What a submission did. */
export interface Submitted {
  /** Short names of those whom it reaches. */
  reached: readonly string[]
  shares: readonly FirstShare[]
}

/** What else is counted of the same entries, in the same transaction: each entry counts once. */
export interface Counted {
  /** Reads what it needs; answers what is to be written. */
  count(entries: readonly DescribedEntry[]): Promise<(tx: Tx<'log'>) => Promise<void>>
}

/** Where entries and what they tell of are read. */
export interface DescribingOptions {
  /** Logs in as `aldis_projector`. */
  projector: Db
  keys: KeyService
  logId: number
  provenance: Pick<ProvenanceService, 'entriesFrom'>
  slugOf(participant: Uuid): string | undefined
  /** Reads who takes part: an entry may tell of what another process has just made. */
  refresh(): Promise<void>
  /** What each submission among them did, by its event. */
  submitted(entries: readonly LoggedEvent[]): Promise<ReadonlyMap<Uuid, Submitted>>
}

export interface ExploringOptions extends DescribingOptions {
  /** Entries of one round at the most. */
  atOnce: number
  counted: Counted
  /** What came later than the rest, and knows how far it is: it is brought level first. */
  late: Counted & { upto(): Promise<bigint> }
}

/** Entries of one round: each statement takes all of them, so that who is behind catches up. */
export const ENTRIES_AT_ONCE = 4_096
/** Signals of the submissions among them, and what the last one goes beyond: their ids are in memory. */
export const SIGNALS_AT_ONCE = 131_072

/** Carries entries of one log to where they are found by; answers how many it took. Done again it changes nothing. */
export function createExploring(options: ExploringOptions): { round(): Promise<number> } {
  const { projector, logId, counted, late, atOnce } = options
  /** The entries from `from` on, read while those before them were written. */
  let ahead: { from: bigint; described: Promise<Described> } | undefined

  const read = async (from: bigint): Promise<Described> => {
    const known = ahead?.from === from ? ahead.described : undefined
    ahead = undefined
    return known ?? describedFrom(options, { from, limit: atOnce })
  }
  const readOn = (from: bigint): void => {
    const described = describedFrom(options, { from, limit: atOnce })
    ahead = { from, described }
    // Whoever takes it hears of a failure.
    described.catch(() => {})
  }

  return {
    async round() {
      const last = await store.lastEntry(projector, logId)
      const from = last === undefined ? 0n : last.idx + 1n
      const caughtUp = await level(options, from)
      if (caughtUp > 0) return caughtUp
      const { entries, full } = await read(from)
      if (entries.length === 0) return 0
      const [count, keep] = [await counted.count(entries), await late.count(entries)]
      if (full) readOn(from + BigInt(entries.length))
      await atLog(projector, logId, async (tx) => {
        // Another process has taken them meanwhile.
        if ((await store.lastEntry(tx, logId))?.idx !== last?.idx) return
        await store.insertEntries(tx, logId, indexed(entries, last?.logged_at ?? new Date(0)))
        await count(tx)
        await keep(tx)
      })
      return entries.length
    },
  }
}

/** Entries that are found already, for what has not all of them; answers how many. Of two processes the rows of one conflict. */
async function level(options: ExploringOptions, from: bigint): Promise<number> {
  const { projector, logId, late, atOnce } = options
  const upto = await late.upto()
  if (upto >= from) return 0
  const limit = Math.min(atOnce, Number(from - upto))
  const { entries } = await describedFrom(options, { from: upto, limit })
  const keep = await late.count(entries)
  await atLog(projector, logId, keep)
  return entries.length
}

/** Entries that follow each other. */
export interface Described {
  entries: DescribedEntry[]
  /** As many as may be had at once: more may be there. */
  full: boolean
}

/** Entries of the log with what their records say: up to `limit`, and fewer where they are about very many signals. */
export async function describedFrom(
  options: DescribingOptions,
  { from, limit }: { from: bigint; limit: number },
): Promise<Described> {
  const { projector, provenance, logId } = options
  const found = await provenance.entriesFrom(projector, { logId, from, limit })
  if (found.length === 0) return { entries: [], full: false }
  await options.refresh()
  const read = portion(await openedOf(options, found))
  return { entries: await describe(options, read), full: read.length < found.length || found.length === limit }
}

type ReadEntry = LoggedEvent & Pick<DescribedEntry, 'opened' | 'items'>

async function openedOf({ projector, keys }: DescribingOptions, entries: readonly LoggedEvent[]): Promise<ReadEntry[]> {
  const records = await recordStore.sealedOf(projector, entries)
  return entries.map((entry) => {
    const row = records.get(entry.event_id)
    // Where the month's key is lost, the entry is found by whose it is alone.
    const record = row && recordUnlessLost(row, entry.event_id, keys)
    const opened = record && openedParts(record)
    return { ...entry, opened, items: itemsIn((opened ?? NOTHING).fields) }
  })
}

/** The first of them, up to the one that brings the signals of submissions to their number. */
function portion(entries: readonly ReadEntry[]): readonly ReadEntry[] {
  let signals = 0
  const last = entries.findIndex(({ kind, items }) => {
    if (SUBMITTED.has(kind)) signals += items
    return signals >= SIGNALS_AT_ONCE
  })
  return last === -1 ? entries : entries.slice(0, last + 1)
}

function indexed(entries: readonly DescribedEntry[], since: Date): store.IndexedEntry[] {
  let logged_at = since
  return entries.map(({ idx, event_id, participant_id, kind, actor, at, ...rest }) => {
    if (at > logged_at) logged_at = at
    const recipients = [...rest.recipients]
    return { idx, event_id, participant_id, kind, actor, at, logged_at, recipients, terms: termsOf(rest) }
  })
}

const termsOf = ({
  parties,
  recipients,
  signal,
}: Pick<DescribedEntry, 'parties' | 'recipients' | 'signal'>): string[] => [
  ...parties.map((slug) => `party:${slug}`),
  ...recipients.map((slug) => `recipient:${slug}`),
  ...(signal === undefined ? [] : [`signal:${signal}`]),
]

async function describe(
  { slugOf, submitted }: DescribingOptions,
  entries: readonly ReadEntry[],
): Promise<DescribedEntry[]> {
  const submissions = await submitted(entries)
  return entries.map((entry): DescribedEntry => {
    const { fields, sources } = entry.opened ?? NOTHING
    const actor = textIn(fields, 'actor') ?? slugOf(entry.participant_id) ?? 'node'
    const subject = textIn(fields, 'subject')
    const others = [...(subject === undefined ? [] : [subject]), ...sources.map(({ party }) => String(party))]
    const { reached = [], shares = [] } = submissions.get(entry.event_id) ?? {}
    const signal = textIn(fields, 'signal')
    return {
      ...entry,
      actor,
      parties: [...new Set([actor, ...others])].sort(),
      recipients: [...new Set(recipientsOf(entry.kind, { actor, others, given: reached }))].sort(),
      signal: signal !== undefined && isUuid(signal) ? signal : undefined,
      shares,
    }
  })
}

const NOTHING: NonNullable<DescribedEntry['opened']> = { fields: new Map(), sources: [] }

/** The fields of a record, and its parts, of which there may be several. */
function openedParts(opened: readonly Opened[]): NonNullable<DescribedEntry['opened']> {
  const fields = new Map<string, unknown>()
  const sources: Record<string, unknown>[] = []
  for (const one of opened) {
    const [name, value] = saidIn(one) ?? []
    if (name === 'source') sources.push(Object(value) as Record<string, unknown>)
    else if (name !== undefined) fields.set(name, value)
  }
  return { fields, sources }
}

const SUBMITTED: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])
const OBTAINED: ReadonlySet<string> = new Set(['read.batch', 'value.revealed', 'audit.read'])

/** Of a read the reader, of a submission its audience, of everything else the others that it is about. */
function recipientsOf(
  kind: string,
  { actor, others, given }: { actor: string; others: readonly string[]; given: readonly string[] },
): readonly string[] {
  if (OBTAINED.has(kind)) return [actor]
  return (SUBMITTED.has(kind) ? given : others).filter((slug) => slug !== actor)
}

/** A number, or a text of one; an entry that tells none is about one thing. */
function itemsIn(fields: ReadonlyMap<string, unknown>): number {
  const n = Number(fields.get('n'))
  return Number.isSafeInteger(n) && n > 0 ? n : 1
}

function textIn(fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name)
  return typeof value === 'string' ? value : undefined
}
