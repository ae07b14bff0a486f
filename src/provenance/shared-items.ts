import type { Uuid } from '../kernel/ids.ts'
import type { ReadItem } from './readset.ts'

/** What feeds hold of one source, as the source may see it; asked for where it proves who obtained its signals. */
export interface SharedItems {
  /** The submissions in which the source sent revisions of the signal, its withdrawal among them. */
  submissions(source: Uuid, signal: Uuid): Promise<Uuid[]>
  /** Where in a feed events about the signal stand whose entries have these places (`placeOf`). */
  places(
    source: Uuid,
    feed: Uuid,
    of: { signal: Uuid; at: readonly bigint[] },
  ): Promise<{ seq: bigint; revision: number }[]>
  /** The source's events from one sequence of a feed to another, in order. */
  items(source: Uuid, feed: Uuid, range: { from: bigint; to: bigint }): Promise<ReadItem[]>
}
