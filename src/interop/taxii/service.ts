import { EVENT_KIND, type EventType, toldIn } from '../../feeds/entry.ts'
import type { AskedObjects, ObjectEntry, ObjectFeed, ObjectReads } from '../../feeds/object-read.ts'
import type { Reader } from '../../feeds/service.ts'
import { stampOf } from '../../feeds/stamp.ts'
import { SLUG, type Uuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { keyOfObject } from '../stix/ids.ts'
import type { SuiteOf } from '../stix/pattern.ts'
import { type SignalVersion, toStix, type Withheld } from '../stix/to-stix.ts'
import { collectionId } from './collection-id.ts'
import { type AskedPage, type TaxiiCollection, type TaxiiRecord, type TaxiiStore, taxiiRecord } from './port.ts'
import { standingAfter, withStanding } from './standing.ts'

export interface TaxiiFeedsOptions {
  feeds: ObjectReads
  programme: string
  suiteOf: SuiteOf
  /** A signal that has no object. */
  onWithheld(why: Withheld): void
}

/** The full feeds of a participant as collections. None is written: what comes by TAXII bears no signature of its source. */
export function createTaxiiFeeds({ feeds, programme, suiteOf, onWithheld }: TaxiiFeedsOptions): TaxiiStore<Reader> {
  const recordOf = (entry: ObjectEntry): TaxiiRecord | undefined => {
    const mapped = toStix(versionOf(entry), { suiteOf })
    if ('withheld' in mapped) return void onWithheld(mapped.withheld)
    return taxiiRecord({ at: entry.seq, added: stampOf(entry) }, mapped.object)
  }
  return {
    programme,
    collections: async (by) =>
      feeds
        .objectFeeds(by)
        .map(collectionOf)
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    async read(by, collection, asked, render) {
      const feed = feeds.objectFeeds(by).find(({ feed_id }) => collectionId(feed_id) === collection)
      const standing = standingAfter(programme, asked)
      const entryOf = new Map<TaxiiRecord, ObjectEntry>()
      const pick = (entry: ObjectEntry): TaxiiRecord | undefined => {
        const record = recordOf(entry)
        if (record === undefined || !asked.wants(record)) return undefined
        entryOf.set(record, entry)
        return record
      }
      // A feed that is not there answers as any other that may not be read.
      const wanted = { ...rangeOf(asked), limit: standing.room, pick }
      return feeds.objects(by, feed?.feed_id ?? NO_FEED, wanted, ({ picked, more, to }) => {
        const { answer, given } = render(withStanding(standing, { records: picked, more, to }))
        return { answer, body: answer.body, given: given.flatMap((record) => entryOf.get(record) ?? []) }
      })
    },
  }
}

const NO_FEED = '00000000-0000-0000-0000-000000000000' as Uuid

const collectionOf = ({ feed_id, label }: ObjectFeed): TaxiiCollection => ({
  ...{ id: collectionId(feed_id), ...(SLUG.test(label) ? { alias: label } : {}) },
  ...{ title: label, can_read: true, can_write: false },
})

function rangeOf({ after, ids, types }: AskedPage): Pick<AskedObjects<never>, 'after' | 'keys'> {
  const from = 'at' in after ? { seq: after.at > 0n ? after.at : 0n } : { addedUs: after.added }
  // Of all that feeds hold indicators alone are made.
  const none = types !== undefined && !types.includes('indicator')
  return { after: from, keys: none ? [] : ids?.flatMap((id) => keyOfObject(id) ?? []) }
}

const TYPE_OF: ReadonlyMap<number, EventType> = new Map(
  Object.entries(EVENT_KIND).map(([name, kind]) => [kind, name as EventType]),
)

/** What a feed has of a signal, as it is mapped. */
function versionOf(entry: ObjectEntry): SignalVersion {
  const { kind, signal_id, revision, submission_id, first_us, first_body } = entry
  const type = TYPE_OF.get(kind)
  if (type === undefined) throw new Error(`a feed has an event of kind ${kind}`)
  const { source, reason, item } = toldIn(entry.body)
  const added = stampOf(entry)
  return {
    type,
    source,
    signal: signal_id,
    revision,
    event: submission_id,
    reason,
    item: item === undefined || type === 'signal.withdrawn' ? undefined : (JSON.parse(item) as SignalItem),
    firstType: first_body === null ? undefined : typeIn(first_body),
    created: millisecond(first_us === null ? added : stampOf({ added_us: first_us, seq: 0n })),
    modified: millisecond(added),
  }
}

const millisecond = (us: bigint): number => Number(us / 1_000n)

/** Undefined where the item was erased. */
function typeIn(body: string): SignalItem['type'] | undefined {
  const { item } = toldIn(body)
  return item === undefined ? undefined : (JSON.parse(item) as SignalItem).type
}
