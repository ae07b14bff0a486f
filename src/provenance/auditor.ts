import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { AcceptedEvent, Audited, StatePart, StateRow } from './audited.ts'
import { chainDisclosure } from './chain.ts'
import { type Holder, type Placed, placedAt, type Shelf } from './cut.ts'
import { readsOf, rowsOf } from './item-proof.ts'
import * as journalStore from './journal-store.ts'
import { disclosedBy } from './kept-read.ts'
import * as outboxStore from './outbox-store.ts'
import { type Opened, openedFields } from './record.ts'
import type { ProvenanceService } from './service.ts'
import type { SignalChange } from './signal-change.ts'
import * as store from './store.ts'

/** What an auditor is given, line by line; that it was asked for is an entry of the log before the first line. */
export interface Auditor {
  /** The records of entries from `from` up to and without `to`, as far as they are published. */
  export(by: Holder, range: { from: bigint; to: bigint }): Promise<AsyncGenerator<string>>
  /** The state that all entries must fold to. */
  snapshot(by: Holder): Promise<AsyncGenerator<string>>
}

export interface AuditLogOptions {
  /** Logs in as `aldis_app`. */
  app: Db
  clock: Clock
  provenance: Pick<ProvenanceService, 'admit' | 'record' | 'wake'>
}

/** Writes down what an auditor asks for, before the first line of the answer. */
export type AuditLog = (by: Holder & { person?: Uuid }, range: string, n: bigint, purpose?: string) => Promise<void>

export interface AuditorOptions extends Shelf, AuditLogOptions {
  /** Whether it is the log that is written now, whose entries make the state. */
  present: boolean
  /** Entries that the newest checkpoint covers. */
  published(): Promise<bigint>
  audited: Audited
  participants(): readonly { participant_id: Holder['participant']; slug: string }[]
}

/** Records in memory at once: one of a batch of reads has up to 100 kB. */
const AT_ONCE = 32
/** Items of submissions that are read at once; one may have as many alone. */
const ITEMS_AT_ONCE = 1_000
/** Rows of the journal that are opened at once, each of up to 512 reads. */
const ROWS_AT_ONCE = 4
/** Batches of reads of one page of the state. */
const PAGE = 1_000
/** Changes that may wait for their index while the state is read; with more, it could not be said what it is of. */
const WAITING_MOST = 10_000

export const createAuditLog =
  ({ app, clock, provenance }: AuditLogOptions): AuditLog =>
  async (by, range, n, purpose = 'audit') => {
    provenance.admit()
    const at = clock()
    await asParticipant(app, by.participant, (tx) =>
      provenance.record(tx, {
        ...{ kind: 'audit.read', event_id: newId(at), participant_id: by.participant, at, actor: by.slug },
        fields: { range, n: String(n), purpose, person: by.person },
      }),
    )
    provenance.wake()
  }

export function createAuditor(options: AuditorOptions): Auditor {
  const { logId, present } = options
  const logged = createAuditLog(options)
  return {
    async export(by, { from, to }) {
      const end = earlier(to, await options.published())
      if (from > end) throw new Refusal('not-found')
      await logged(by, `export ${from} ${end}${present ? '' : ` of log ${logId}`}`, end - from)
      return exportLines(options, { from, to: end })
    },
    async snapshot(by) {
      if (!present)
        throw new Refusal('state-conflict', {
          detail: 'the state is what the entries of all logs make: ask the present one',
        })
      await logged(by, 'snapshot', 0n)
      return snapshotLines(options)
    },
  }
}

function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

async function* exportLines(
  options: AuditorOptions,
  { from, to }: { from: bigint; to: bigint },
): AsyncGenerator<string> {
  for (let at = from; at < to; at += BigInt(AT_ONCE)) {
    const n = to - at < AT_ONCE ? Number(to - at) : AT_ONCE
    const placed = await placedAt(
      options,
      Array.from({ length: n }, (_, i) => at + BigInt(i)),
    )
    for (const some of withFewItems(placed.map(toldBy))) {
      const changes = await options.audited.changes(options.db, some.flatMap(acceptedIn))
      for (const one of some) {
        yield `${JSON.stringify(await entryLine(options, one, changes.get(one.entry.event_id)))}\n`
        yield* readLines(options, one)
      }
    }
  }
}

/** A record with its kind, and the items that it counts. */
interface Told extends Placed {
  kind: unknown
  items: number
}

function toldBy(placed: Placed): Told {
  const fields = openedFields(placed.opened)
  return { ...placed, kind: fields.get('type'), items: Number(fields.get('n') ?? 0) }
}

const ACCEPTED: ReadonlySet<unknown> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])

/** The accepted submission that a record tells of. */
const acceptedIn = ({ kind, entry: { event_id, participant_id } }: Told): AcceptedEvent[] =>
  ACCEPTED.has(kind) ? [{ participant_id, event_id, withdrawn: kind === 'signal.withdrawn' }] : []

/** The entries in their order, a few at a time: one of which many items are read stands alone. */
function* withFewItems(told: readonly Told[]): Generator<Told[]> {
  let [some, items]: [Told[], number] = [[], 0]
  for (const one of told) {
    if (some.length > 0 && items + one.items > ITEMS_AT_ONCE) {
      yield some
      some = []
      items = 0
    }
    some.push(one)
    items += one.items
  }
  yield some
}

async function entryLine(
  { db, audited }: AuditorOptions,
  { index, entry, payload, opened, kind }: Told,
  changes: readonly SignalChange[] | undefined,
) {
  const { event_id, participant_id: participant, chains, decoys } = entry
  const line = {
    ...{ index: String(index), event: event_id, payload, disclosures: present(opened) },
    ...{ chains: chains.map(chainDisclosure), decoys: decoys.map((salt) => toBase64Url(salt)) },
  }
  if (kind === 'signal.expired') return { ...line, expired: await audited.expired(db, { participant, event_id }) }
  if (kind === 'erasure') return { ...line, erased: await audited.erased(db, { participant, event_id }) }
  return changes === undefined ? line : { ...line, changes }
}

/** What stands inside a batch of reads: a line for each. */
async function* readLines(options: AuditorOptions, placed: Placed): AsyncGenerator<string> {
  const rows = await rowsOf(options, placed)
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
    for await (const { read, kept } of readsOf(options, placed, rows.slice(i, i + ROWS_AT_ONCE))) {
      // Of a month whose key is lost: the audit names what is missing.
      if (kept === undefined) continue
      const { payload, opened } = disclosedBy(kept)
      const line = { index: String(placed.index), read, payload, disclosures: present(opened), items: kept.items }
      yield `${JSON.stringify(line)}\n`
    }
  }
}

const present = (opened: readonly Opened[]): string[] => opened.flatMap(([, text]) => text ?? [])

async function* snapshotLines(options: AuditorOptions): AsyncGenerator<string> {
  let rows = 0
  for (const part of [...options.audited.state, readBatches(options)]) {
    let after: string | undefined
    do {
      const page = await statePage(options, part, after)
      yield `${JSON.stringify({ page: page.moment })}\n`
      for (const row of page.rows) yield `${JSON.stringify(row)}\n`
      rows += page.rows.length
      after = page.next
    } while (after !== undefined)
  }
  // Whoever does not find it was told but a part.
  yield `${JSON.stringify({ end: rows })}\n`
}

/** A page with what was in the log at that very moment, and what was committed and not in it yet. */
const statePage = ({ db, logId }: AuditorOptions, part: StatePart, after: string | undefined) =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const { size } = (await store.head(tx, logId)) ?? { size: 0n }
      if (part.follows === true) return { moment: await followed(tx, logId, size), ...(await part.page(tx, after)) }
      const waiting = await outboxStore.waitingEvents(tx, logId, WAITING_MOST + 1)
      if (waiting.length > WAITING_MOST) throw new Refusal('log-behind', { retryAfter: 5 })
      return { moment: { size: String(size), waiting }, ...(await part.page(tx, after)) }
    })

/** How far the rows that follow the log have come for sure. */
async function followed(tx: Db, logId: number, size: bigint) {
  const { next_idx: upto } = (await store.projected(tx, logId)) ?? { next_idx: 0n }
  // Until the first entry is carried on, entries of the log before may be on their way.
  if (upto === 0n && size > 0n) throw new Refusal('log-behind', { retryAfter: 5 })
  return { size: String(size), upto: String(upto), waiting: [] }
}

/** Participant by participant; a place is `<participant>/<number>`. */
const readBatches = ({ participants }: AuditorOptions): StatePart => ({
  async page(db, after) {
    const readers = participants().toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
    const [slug = readers[0]?.slug, no = '0'] = after?.split('/') ?? []
    const at = readers.findIndex((one) => one.slug === slug)
    const reader = readers[at]
    if (reader === undefined) return { rows: [], next: undefined }
    const found = await journalStore.readBatchesAfter(db, reader.participant_id, { after: BigInt(no), limit: PAGE })
    const rows = found.map(
      ({ event_id, n, root }): StateRow => ({
        of: `read-batch ${event_id}`,
        state: { reader: reader.slug, n, root: toBase64Url(root) },
        event: event_id,
      }),
    )
    const last = found.at(-1)
    if (last !== undefined && found.length === PAGE) return { rows, next: `${reader.slug}/${last.batch_no}` }
    const following = readers[at + 1]
    return { rows, next: following === undefined ? undefined : `${following.slug}/0` }
  },
})
