import { atLog } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { AuditLog } from './auditor.ts'
import { checked } from './explore-check.ts'
import { kindsOf, type LogFilter } from './explore-filter.ts'
import * as exploreStore from './explore-store.ts'
import type { Holder, Ledger } from './ledger.ts'
import { metadataOf } from './metadata.ts'
import { recordUnlessLost } from './record.ts'
import * as recordStore from './record-store.ts'
import { ROWS_MAX } from './schema.ts'

/** Who looks at the log, and how much of it is theirs to see. */
export interface Looker {
  /** In whose name a look is recorded. */
  participant: Uuid
  slug: string
  person?: Uuid
  /** `all` opens what auditors may; `metadata` sees index, time, kind, actor and recipients; `own` the entries that concern it. */
  sees: 'all' | 'metadata' | 'own'
}

/**
 * Whether an entry is under the newest checkpoint and its row says what its record says, as this node itself found when it was
 * asked. `unopened`: under it, but its record cannot be opened, so that nothing shows what the row says.
 */
export type EntryState = 'verified' | 'pending' | 'unopened' | 'failed'

export interface LogRow {
  index: bigint
  event: Uuid
  kind: string
  actor: string
  at: Date
  recipients: readonly string[]
  state: EntryState
}

export interface LogEntry extends LogRow {
  /** Fields whose text an erasure took away; their hashes are left. */
  erased: number
}

export interface LogPage {
  rows: readonly LogRow[]
  /** Where the next page begins: entries below it. */
  next: bigint | undefined
  /** Of the entries that were looked at, from this page on: how many fit, and whether there are more than that. */
  found: { n: number; more: boolean }
  facets: { kinds: readonly [name: string, n: number][]; actors: readonly [name: string, n: number][] }
  size: bigint
}

export interface Asked {
  filter: LogFilter
  below?: bigint | undefined
  limit: number
}

export interface Explorer {
  /** A page, the newest first; recorded before it is answered unless all of it is the looker's own. */
  page(by: Looker, asked: Asked): Promise<LogPage>
  /** At most `most` rows for a file; recorded as an export of that form. `filter-range` where they are too few among too many entries. */
  rows(
    by: Looker,
    asked: { filter: LogFilter; form: string; most: number; below?: bigint | undefined },
  ): Promise<readonly LogRow[]>
  /** One entry; undefined where there is none, or none for the looker. Recorded as a look at it. */
  entry(by: Looker, index: bigint): Promise<LogEntry | undefined>
  /** The receipt of an entry that was given out by one of the others, cut to the looker. */
  proof(by: Looker, event: Uuid): Promise<string | 'pending'>
}

export interface ExplorerOptions {
  /** Logs in as `aldis_ledger`. */
  db: Db
  keys: KeyService
  logId: number
  ledger: Pick<Ledger, 'checkpoint' | 'receipt'>
  auditing: AuditLog
  /** Entries that changed a signal, whoever's it is. */
  eventsOf(signal: Uuid): Promise<readonly Uuid[]>
  timeoutMs: number
  /** Pages of one file that are looked at; twice what its rows take, unless given. */
  pagesMax?: number
}

/** Entries that a page looks at. */
export const LOOKED_MAX = 10_000
/** Entries of one signal. */
const OF_SIGNAL_MAX = 1_000
const ROWS_AT_ONCE = 200
const PAGES_MAX = (2 * ROWS_MAX) / ROWS_AT_ONCE

export function createExplorer(options: ExplorerOptions): Explorer {
  const { db, logId, ledger, auditing, timeoutMs, pagesMax = PAGES_MAX } = options
  const inLog = <T>(work: (tx: Db) => Promise<T>): Promise<T> => atLog(db, logId, work, { timeoutMs })

  const told = async (by: Looker, rows: readonly { index: bigint }[], purpose: string): Promise<void> => {
    if (by.sees === 'own') return
    const [first, last] = [rows.at(-1)?.index, rows[0]?.index]
    const range = first === undefined ? 'no entries' : `entries ${first} to ${last}`
    await auditing({ ...by, auditor: true }, range, BigInt(rows.length), purpose)
  }

  return {
    async page(by, { filter, below, limit }) {
      const head = await ledger.checkpoint()
      const wanted = await wantedOf(options, by, { filter, below, limit })
      const page = await inLog((tx) => pageOf(tx, logId, wanted))
      const { facets } = page
      const rows = shownTo(by, await checked(options, page.found, head))
      await told(by, rows, 'explorer')
      const n = facets.reduce((sum, one) => sum + one.n, 0)
      return {
        rows,
        next: page.next,
        found: { n, more: page.full },
        facets: { kinds: counted(facets, 'kind'), actors: counted(facets, 'actor') },
        size: head?.size ?? 0n,
      }
    },
    async rows(by, { filter, form, most, below: start }) {
      const head = await ledger.checkpoint()
      const wanted = await wantedOf(options, by, { filter, below: start, limit: ROWS_AT_ONCE })
      const rows: LogRow[] = []
      let below: bigint | undefined = wanted.below
      for (let pages = 0; below !== undefined && rows.length < most; pages++) {
        if (pages === pagesMax)
          throw new Refusal('filter-range', {
            detail: 'too few of the entries fit, among more than a file looks at: narrow the search',
          })
        const page: Page = await inLog((tx) => pageOf(tx, logId, { ...wanted, below: below ?? 0n }))
        rows.push(...shownTo(by, await checked(options, page.found, head)))
        below = page.next
      }
      const some = rows.slice(0, most)
      await told(by, some, `export ${form}`)
      return some
    },
    async entry(by, index) {
      const row = await inLog((tx) => exploreStore.entryAt(tx, logId, index))
      if (row === undefined) return undefined
      if (by.sees === 'own') {
        const own = await exploreStore.isMentioned(db, logId, { term: `party:${by.slug}`, idx: index })
        if (!own) return undefined
      }
      const [one] = shownTo(by, await checked(options, [row], await ledger.checkpoint()))
      if (one === undefined) return undefined
      await told(by, [one], 'entry')
      return { ...one, erased: await erasedIn(options, row) }
    },
    async proof(by, event) {
      const given = await ledger.receipt(holderOf(by), event)
      if (given.outcome === 'pending') return 'pending'
      return by.sees === 'metadata' ? metadataOf(sha256, given.text) : given.text
    },
  }
}

async function erasedIn({ db, keys }: ExplorerOptions, row: exploreStore.EntryRow): Promise<number> {
  const record = await recordStore.recordOf(db, row.participant_id, row.event_id)
  const opened = record && recordUnlessLost(record, row.event_id, keys)
  return (opened ?? []).filter(([, text]) => text === null).length
}

interface Page {
  found: exploreStore.EntryRow[]
  /** Below which the next page begins; undefined at the end. */
  next: bigint | undefined
  /** Whether as many entries were looked at as may be. */
  full: boolean
  facets: exploreStore.Looked['facets']
}

async function pageOf(tx: Db, logId: number, wanted: exploreStore.Wanted): Promise<Page> {
  const { limit } = wanted
  const looked = await exploreStore.lookedAt(tx, logId, { ...wanted, limit: limit + 1 })
  const found = looked.entries
  const full = looked.n >= wanted.looked
  const rows = found.slice(0, limit)
  const end = full ? looked.last : undefined
  return { found: rows, next: found.length > limit ? rows.at(-1)?.idx : end, full, facets: looked.facets }
}

/** Of entries that others made, who sees its own alone is not told whom else they concern. */
const shownTo = ({ sees, slug }: Looker, rows: readonly LogRow[]): readonly LogRow[] =>
  sees !== 'own'
    ? rows
    : rows.map((row) => {
        if (row.actor === slug) return row
        return { ...row, recipients: row.recipients.filter((one) => one === slug || one === row.actor) }
      })

/** Of the entry that is asked for, the look is recorded. */
const holderOf = ({ participant, slug, sees }: Looker): Holder => ({
  ...{ participant, slug, auditor: sees !== 'own', recorded: true },
})

/** The filter as the store looks for it: whoever sees its own alone is a party to all of it. */
async function wantedOf(
  options: ExplorerOptions,
  by: Looker,
  { filter, below, limit }: Asked,
): Promise<exploreStore.Wanted> {
  const { db, logId } = options
  const { terms, from, to } = filter
  const of = (field: string, not: boolean): string[] =>
    terms.flatMap((term) => (term.field === field && term.not === not ? [term.value] : []))
  const [kind] = of('kind', false)
  const [signal] = of('signal', false)
  const named = (not: boolean): string[] =>
    ['recipient', 'party', ...(not ? ['signal'] : [])].flatMap((field) =>
      of(field, not).map((value) => `${field}:${value}`),
    )
  const [first, end] = [
    from === undefined ? 0n : await exploreStore.firstAt(db, logId, from),
    to === undefined ? undefined : await exploreStore.firstAt(db, logId, to),
  ]
  const most = below ?? END
  return {
    below: end === undefined || most < end ? most : end,
    from: first ?? END,
    kinds: kind === undefined ? undefined : kindsOf(kind),
    notKinds: of('kind', true).flatMap(kindsOf),
    actor: of('actor', false)[0],
    notActors: of('actor', true),
    terms: [...(by.sees === 'own' ? [`party:${by.slug}`] : []), ...named(false)],
    notTerms: named(true),
    seer: by.sees === 'own' ? by.slug : undefined,
    among: signal === undefined ? undefined : await signalEntries(options, signal as Uuid),
    looked: LOOKED_MAX,
    limit,
  }
}

/** Beyond every index. */
const END = 2n ** 62n

async function signalEntries({ db, logId, eventsOf }: ExplorerOptions, signal: Uuid): Promise<bigint[]> {
  const named = await exploreStore.indicesOf(db, logId, `signal:${signal}`, OF_SIGNAL_MAX)
  const events = await eventsOf(signal)
  return [...new Set([...named, ...(await exploreStore.placesOf(db, logId, events.slice(0, OF_SIGNAL_MAX)))])]
}

function counted(
  facets: readonly { kind: string; actor: string; n: number }[],
  by: 'kind' | 'actor',
): [string, number][] {
  const sums = new Map<string, number>()
  for (const one of facets) sums.set(one[by], (sums.get(one[by]) ?? 0) + one.n)
  return [...sums].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}
