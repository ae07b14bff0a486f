import type { Uuid } from '../kernel/ids.ts'
import type { StatePart, StateRow } from '../provenance/audited.ts'
import { inboxName } from '../provenance/schema.ts'
import { SIGNAL_STATE } from '../signals/schema.ts'
import { acksOf } from './ack-store.ts'
import * as audited from './audited-store.ts'
import { ENDS, EVENT_KIND, type EventType } from './entry.ts'
import { ACK_STAGE } from './schema.ts'

const STAGE_NAME = new Map<number, string>(Object.entries(ACK_STAGE).map(([name, id]) => [id, name]))

/** Which ends each participant has acknowledged; one participant a page. */
export const auditedAcks = (participants: () => readonly { participant_id: Uuid; slug: string }[]): StatePart => ({
  async page(db, after = '') {
    const next = participants()
      .filter(({ slug }) => slug > after)
      .toSorted((a, b) => (a.slug < b.slug ? -1 : 1))[0]
    if (next === undefined) return { rows: [], next: undefined }
    const rows = (await acksOf(db, next.participant_id)).map(
      ({ feed_id, stage, seq, last_event }): StateRow => ({
        of: `acknowledgement ${next.slug} ${feed_id} ${STAGE_NAME.get(stage) ?? stage}`,
        state: { upto: String(seq) },
        event: last_event,
      }),
    )
    return { rows, next: next.slug }
  },
})

/** Rows of one page. */
const PAGE = 1_000
/** Before every id. */
const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

const END_KINDS: ReadonlySet<number> = new Set(
  Object.entries(EVENT_KIND).flatMap(([name, kind]) => (ENDS.has(name as EventType) ? [kind] : [])),
)
const STATE_NAME = new Map<number, string>(Object.entries(SIGNAL_STATE).map(([name, id]) => [id, name]))

type Slugs = () => readonly { participant_id: Uuid; slug: string }[]

/** Each event of each feed: whose signal, or who says something of one, in which revision, and whether it ends there. A place is `<feed>/<sequence>`. */
export const auditedFeeds = (participants: Slugs): StatePart => ({
  follows: true,
  async page(db, after) {
    const feeds = await audited.feeds(db)
    const [id = feeds[0]?.feed_id, seq = '0'] = after?.split('/') ?? []
    const at = feeds.findIndex(({ feed_id }) => feed_id === id)
    const feed = feeds[at]
    if (feed === undefined) return { rows: [], next: undefined }
    const slugs = new Map<Uuid | null, string>(participants().map(({ participant_id, slug }) => [participant_id, slug]))
    const found = await audited.entriesAfter(db, feed.feed_id, { after: BigInt(seq), limit: PAGE })
    const rows = found.map(
      ({ seq, kind, origin, signal_id: signal, revision }): StateRow => ({
        of: `feed-entry ${feed.audience_id ?? inboxName(slugs.get(feed.participant_id) ?? '')} ${seq}`,
        state: { source: slugs.get(origin) ?? origin, signal, revision, end: END_KINDS.has(kind) },
      }),
    )
    const last = found.at(-1)
    if (last !== undefined && found.length === PAGE) return { rows, next: `${feed.feed_id}/${last.seq}` }
    const following = feeds[at + 1]
    return { rows, next: following === undefined ? undefined : `${following.feed_id}/0` }
  },
})

/** What look-ups find, source by source. A place is `<source>/<signal>`. */
export const auditedLookups = (participants: Slugs): StatePart => ({
  follows: true,
  async page(db, after) {
    const sources = participants().toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
    const [slug = sources[0]?.slug, id = FIRST] = after?.split('/') ?? []
    const at = sources.findIndex((one) => one.slug === slug)
    const source = sources[at]
    if (source === undefined) return { rows: [], next: undefined }
    const found = await audited.sharedAfter(db, source.participant_id, { after: id as Uuid, limit: PAGE })
    const rows = found.map(
      ({ signal_id, audience_id: audience, revision, state, expires_at }): StateRow => ({
        of: `look-up ${source.slug} ${signal_id}`,
        state: { audience, revision, state: STATE_NAME.get(state) ?? state, expires_at: expires_at.toISOString() },
      }),
    )
    const last = found.at(-1)
    if (last !== undefined && found.length === PAGE) return { rows, next: `${source.slug}/${last.signal_id}` }
    const following = sources[at + 1]
    return { rows, next: following === undefined ? undefined : `${following.slug}/${FIRST}` }
  },
})
