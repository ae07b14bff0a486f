import type { Family } from '../../src/db/as-participant.ts'
import { PLACEMENT, type Placement } from '../../src/db/placement.ts'
import { type Access, accessesOf, statementsOf } from './sql-tree.ts'

interface Guest {
  family: Family
  table: string
  verbs: readonly Access['verb'][]
  why: string
}

/** Where each family is at home: what it may read and change. Reference tables are read by all. */
const HOME: Readonly<Record<Family, readonly Placement[]>> = {
  participant: ['participant_id'],
  log: ['log_id'],
  feed: ['feed_id'],
  keys: ['signal_key', 'signal_id'],
  control: ['control', 'reference'],
}

const OWN_FEED = 'row-level security by app.participant, which no other opener sets; nothing is locked or changed there'
const PROGRAMMES = "an administrator's act is recorded under the programme's participant id; rare"

const RETENTION = 'what is over by its time goes, a portion of one participant at a time; no reader waits for it'

const ERASURE = 'what two persons erase goes everywhere at once: in feeds, look-ups and records; rare'

/** Tables of a foreign family that a transaction touches all the same, each with its reason. */
export const GUESTS: readonly Guest[] = [
  ...['feed_head', 'feed_entry', 'feed_submission', 'feed_segment'].map(
    (table): Guest => ({ family: 'participant', table, verbs: ['select'], why: OWN_FEED }),
  ),
  ...['sealed_signal', 'sealed_snapshot', 'sealed_bucket'].map(
    (table): Guest => ({ family: 'participant', table, verbs: ['select'], why: OWN_FEED }),
  ),
  ...['shared_signal', 'shared_relation'].map(
    (table): Guest => ({ family: 'participant', table, verbs: ['select'], why: OWN_FEED }),
  ),
  { family: 'participant', table: 'projector', verbs: ['select'], why: 'how far a look-up looked; one row a log' },
  { family: 'control', table: 'prov_record', verbs: ['insert'], why: PROGRAMMES },
  { family: 'control', table: 'prov_record', verbs: ['select', 'update'], why: ERASURE },
  ...['log_event', 'log_head', 'projector', 'feed_submission', 'feed_ack'].map(
    (table): Guest => ({ family: 'control', table, verbs: ['select'], why: ERASURE }),
  ),
  ...['signal', 'signal_revision', 'feed_head', 'feed_entry', 'read_journal'].map(
    (table): Guest => ({ family: 'control', table, verbs: ['select', 'update'], why: ERASURE }),
  ),
  ...['read_head', 'read_batch'].map(
    (table): Guest => ({ family: 'control', table, verbs: ['select', 'update'], why: RETENTION }),
  ),
  { family: 'control', table: 'read_journal', verbs: ['delete'], why: RETENTION },
  { family: 'control', table: 'upload', verbs: ['delete'], why: RETENTION },
  { family: 'control', table: 'request_log', verbs: ['delete'], why: RETENTION },
  { family: 'control', table: 'idempotency_key', verbs: ['delete'], why: RETENTION },
  ...['erasure', 'erasure_notice'].map(
    (table): Guest => ({ family: 'control', table, verbs: ['select', 'insert'], why: ERASURE }),
  ),
  { family: 'control', table: 'feed_segment', verbs: ['select', 'insert', 'delete'], why: ERASURE },
  { family: 'control', table: 'shared_signal', verbs: ['delete'], why: ERASURE },
  {
    family: 'control',
    table: 'sealed_value',
    verbs: ['delete'],
    why: 'goes with what two persons erase, and with a source that leaves; rare',
  },
  { family: 'control', table: 'shared_relation', verbs: ['delete'], why: ERASURE },
  {
    family: 'control',
    table: 'signal_hold',
    verbs: ['select', 'insert', 'update'],
    why: 'two persons hold what a source shares, or let a held signal go; rare',
  },
  ...['dispute_received', 'dispute_answer'].map(
    (table): Guest => ({
      ...{ family: 'control', table, verbs: ['select'] },
      why: 'what is disputed stays held where two persons let the rest go; rare',
    }),
  ),
  { family: 'control', table: 'prov_outbox', verbs: ['insert'], why: PROGRAMMES },
  { family: 'control', table: 'feed_head', verbs: ['insert'], why: 'an audience or inbox is made with its feed; rare' },
  { family: 'log', table: 'prov_outbox', verbs: ['select', 'delete'], why: 'the sequencer empties it' },
]

const placements = new Map<string, Placement>(Object.entries(PLACEMENT))
const accesses = new Map<string, Access[]>()

/** What a statement touches; read once for each text. */
export function touchedBy(sql: string): Access[] {
  const known = accesses.get(sql) ?? statementsOf(sql).flatMap(accessesOf)
  accesses.set(sql, known)
  return known
}

/** What of a statement is foreign to a transaction of the family, as `verb table`. */
export const foreignTo = (family: Family, sql: string): string[] =>
  touchedBy(sql).flatMap(({ table, verb }) => (isAtHome(family, { table, verb }) ? [] : `${verb} ${table}`))

function isAtHome(family: Family, { table, verb }: Access): boolean {
  const placement = placements.get(table)
  if (placement === undefined) return false
  const home = HOME[family].includes(placement) || (placement === 'reference' && verb === 'select')
  return home || GUESTS.some((guest) => guest.family === family && guest.table === table && guest.verbs.includes(verb))
}
