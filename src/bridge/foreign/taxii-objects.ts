import type { FeedList } from '../../feeds/schema.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { PostedObjects } from './posted.ts'
import type { Reads } from './reads.ts'
import type { Signed } from './writes.ts'
import type { ForeignWriting } from './writing.ts'

export interface TaxiiWritesOptions {
  posted: PostedObjects
  reads: Reads
  writing: ForeignWriting
  own: string
  feeds(): readonly FeedList['feeds'][number][]
  suiteOf(kid: string): string | undefined
  /** Of digests of what clients wrote. */
  digestKey: Uint8Array
  now(): Date
  wake(): void
}

/** The newest that a feed has of an object. */
export const served = ({ reads }: TaxiiWritesOptions, feed: string, object: string): Signed | undefined =>
  reads.objects(feed, { after: 0 }, 1, [object.split('--')[1] ?? ''])[0]

/** Our signal behind an id: one that a client chose, or the one under which it is served. What was written elsewhere is another's here. */
export function ownSignal(options: TaxiiWritesOptions, feed: string, object: string): Uuid | 'of others' | undefined {
  const known = options.posted.of(object)
  if (known?.signal !== undefined) return known.feed === feed ? known.signal : 'of others'
  const sign = served(options, feed, object)
  if (sign === undefined) return undefined
  return sign.source === options.own ? (sign.signal as Uuid) : 'of others'
}
