import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import * as store from './explore-store.ts'
import { openedFields } from './kept-read.ts'
import { epochKey, openRecord } from './record.ts'
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
}

/** What else is counted of the same entries, in the same transaction: each entry counts once. */
export interface Counted {
  /** Reads what it needs; answers what is to be written. */
  count(entries: readonly DescribedEntry[]): Promise<(tx: Tx<'log'>) => Promise<void>>
}

export interface ExploringOptions {
  /** Logs in as `aldis_projector`. */
  projector: Db
  keys: KeyService
  logId: number
  provenance: Pick<ProvenanceService, 'entriesFrom'>
  slugOf(participant: Uuid): string | undefined
  /** Reads who takes part: an entry may tell of what another process has just made. */
  refresh(): Promise<void>
  /** Whom each submission among them reaches, by its event. */
  reached(entries: readonly LoggedEvent[]): Promise<ReadonlyMap<Uuid, readonly string[]>>
  counted: Counted
}

/** Entries of one round: each statement takes all of them, so that who is behind catches up. */
export const ENTRIES_AT_ONCE = 1_024

/** Carries entries of one log to where they are found by; answers how many it took. Done again it changes nothing. */
export function createExploring(options: ExploringOptions): { round(): Promise<number> } {
  const { projector, provenance, logId, counted } = options
  return {
    async round() {
      const last = await store.lastEntry(projector, logId)
      const from = last === undefined ? 0n : last.idx + 1n
      const entries = await provenance.entriesFrom(projector, { logId, from, limit: ENTRIES_AT_ONCE })
      if (entries.length === 0) return 0
      await options.refresh()
      const described = await describe(options, entries)
      const write = await counted.count(described)
      await atLog(projector, logId, async (tx) => {
        // Another process has taken them meanwhile.
        if ((await store.lastEntry(tx, logId))?.idx !== last?.idx) return
        await store.insertEntries(tx, logId, indexed(described, last?.logged_at ?? new Date(0)))
        await write(tx)
      })
      return entries.length
    },
  }
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
  { projector, keys, slugOf, reached }: ExploringOptions,
  entries: readonly LoggedEvent[],
): Promise<DescribedEntry[]> {
  const [records, reaches] = await Promise.all([recordStore.sealedOf(projector, entries), reached(entries)])
  return entries.map((entry): DescribedEntry => {
    const row = records.get(entry.event_id)
    // Where the month's key was destroyed, the entry is found by whose it is alone.
    const readable = row !== undefined && keys.has(epochKey(row.epoch))
    const opened = readable ? openRecord(row, entry.event_id, keys) : []
    const fields = openedFields(opened)
    const actor = textIn(fields, 'actor') ?? slugOf(entry.participant_id) ?? 'node'
    const subject = textIn(fields, 'subject')
    const sources = opened.flatMap(([audience, text]) =>
      text !== null && audience.startsWith('S:') ? [audience.slice(2)] : [],
    )
    const others = [...(subject === undefined ? [] : [subject]), ...sources]
    const given = reaches.get(entry.event_id) ?? []
    const signal = textIn(fields, 'signal')
    return {
      ...entry,
      actor,
      parties: [...new Set([actor, ...others])].sort(),
      recipients: [...new Set(recipientsOf(entry.kind, { actor, others, given }))].sort(),
      signal: signal !== undefined && isUuid(signal) ? signal : undefined,
      items: itemsIn(fields),
    }
  })
}

const SUBMITTED: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])
const OBTAINED: ReadonlySet<string> = new Set(['read.batch', 'value.revealed', 'audit.read', 'export.begin'])

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
