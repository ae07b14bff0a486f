import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { AcceptedEvent, Audited, StatePart, StateRow } from '../provenance/audited.ts'
import type { SignalChange } from '../provenance/signal-change.ts'
import { standingOf } from './event.ts'
import { SIGNAL_STATE, type SignalItem } from './schema.ts'
import * as store from './store.ts'
import type { ItemStub } from './stub.ts'
import { itemLeaf } from './submission.ts'
import { valuesAfter } from './value-store.ts'

/** Signals of one page of the state. */
const PAGE = 1_000
/** Before every id. */
const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

export interface AuditedSignalsOptions {
  categorySlug(id: number): string
  participants(): readonly { participant_id: Uuid; slug: string }[]
}

/** What auditors see of signals: which, in which state, with which digest; neither value nor match key. */
export const createAuditedSignals = ({
  categorySlug,
  participants,
}: AuditedSignalsOptions): Omit<Audited, 'state'> & {
  state: StatePart
  /** Which values are sealed, with a digest of what nobody can read. */
  values: StatePart
} => ({
  async changes(db, events) {
    const rows = Map.groupBy(await store.acceptedItems(db, events), ({ submission_id }) => submission_id)
    const changed = ({ event_id, withdrawn }: AcceptedEvent): SignalChange[] =>
      (rows.get(event_id) ?? []).map((row) => changeIn(row, withdrawn, categorySlug))
    return new Map(events.map((event) => [event.event_id, changed(event)]))
  },
  async expired(db, { participant, event_id }) {
    const rows = await store.expiredBy(db, participant, event_id)
    return rows.map(({ signal_id: signal, revision }) => ({ signal, revision }))
  },
  async erased(db, { participant, event_id }) {
    const rows = await store.erasedBy(db, participant, event_id)
    return rows.map(({ signal_id: signal, revision }) => ({ signal, revision }))
  },
  state: {
    page: (db, after) =>
      pageOf({
        ...{ participants: participants(), after },
        find: (source, page) => store.signalsAfter(db, source, page),
        rowOf: (source, row) => signalRow(source, row, categorySlug),
      }),
  },
  values: {
    page: (db, after) =>
      pageOf({
        ...{ participants: participants(), after, rowOf: valueRow },
        find: (source, page) => valuesAfter(db, source, page),
      }),
  },
})

function changeIn(
  row: Awaited<ReturnType<typeof store.acceptedItems>>[number],
  withdrawn: boolean,
  categorySlug: AuditedSignalsOptions['categorySlug'],
): SignalChange {
  const { item_index: index, signal_id: signal, revision, salt, item } = row
  const place = { index, signal, revision, leaf: leafOf(salt, item) }
  // Whoever ended a signal changed nothing else of it, and nobody does afterwards.
  if (withdrawn) return { ...place, ...standingOf({ ...row, state: SIGNAL_STATE.withdrawn }, categorySlug) }
  const { audience, type, category, expires_at } = JSON.parse(item) as SignalItem
  return { ...place, state: 'live', audience, type, category, expires_at: new Date(expires_at).toISOString() }
}

/** Of an erased item its stub says it. */
const leafOf = (salt: Buffer | null, item: string): string =>
  salt === null ? (JSON.parse(item) as ItemStub).leaf : toBase64Url(itemLeaf(salt, item))

const signalRow = (
  source: string,
  row: Awaited<ReturnType<typeof store.signalsAfter>>[number],
  categorySlug: AuditedSignalsOptions['categorySlug'],
): StateRow => ({
  of: `signal ${source} ${row.signal_id}`,
  state: { revision: row.revision, ...standingOf(row, categorySlug), leaf: toBase64Url(row.leaf) },
  event: row.last_event,
})

const valueRow = (
  source: string,
  { signal_id, revision, audience_id: audience, digest, last_event }: Awaited<ReturnType<typeof valuesAfter>>[number],
): StateRow => ({
  of: `sealed-value ${source} ${signal_id}`,
  state: { revision, audience, digest: toBase64Url(digest) },
  event: last_event,
})

interface Paged<R> {
  participants: ReturnType<AuditedSignalsOptions['participants']>
  after: string | undefined
  find(source: Uuid, page: { after: Uuid; limit: number }): Promise<R[]>
  rowOf(source: string, row: R): StateRow
}

/** Source by source; a place is `<source>/<signal>`. */
async function pageOf<R extends { signal_id: Uuid }>({
  participants,
  after,
  find,
  rowOf,
}: Paged<R>): ReturnType<StatePart['page']> {
  const sources = participants.toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
  const [slug = sources[0]?.slug, id = FIRST] = after?.split('/') ?? []
  const at = sources.findIndex((one) => one.slug === slug)
  const source = sources[at]
  if (source === undefined) return { rows: [], next: undefined }
  const found = await find(source.participant_id, { after: id as Uuid, limit: PAGE })
  const rows = found.map((row) => rowOf(source.slug, row))
  const last = found.at(-1)
  if (last !== undefined && found.length === PAGE) return { rows, next: `${source.slug}/${last.signal_id}` }
  const following = sources[at + 1]
  return { rows, next: following === undefined ? undefined : `${following.slug}/${FIRST}` }
}
