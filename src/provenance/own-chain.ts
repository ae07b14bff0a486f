import { cutTo, type Holder, placedAt, type Shelf, viewerOf } from './cut.ts'
import * as store from './store.ts'

/** Which part of a party's chain: links after `after`, at most `limit`, of entries below the index `below`. */
export interface ChainPart {
  party: string
  after: bigint
  limit: number
  below: bigint
}

/** Records that are in memory at once, however long the answer is: one of a batch of reads has up to 100 kB. */
const AT_ONCE = 32
/** `u64 index || link`. */
const LINK = 40

/** A party's chain as lines of JSON, each with its newline: record by record in the order of the links, cut to the holder. */
export async function* chainLines(shelf: Shelf, holder: Holder, part: ChainPart): AsyncGenerator<string> {
  let { after, limit } = part
  while (limit > 0) {
    const links = await linksAfter(shelf, { ...part, after, limit: Math.min(limit, AT_ONCE) })
    const last = links.at(-1)
    if (last === undefined) return
    const placed = await placedAt(
      shelf,
      links.map(({ index }) => index),
    )
    for (const [i, one] of placed.entries()) {
      const record = cutTo(viewerOf(holder, one), one)
      const { index, entry } = one
      const line = { seq: String(links[i]?.seq), event: entry.event_id, index: String(index), record }
      yield `${JSON.stringify(line)}\n`
    }
    after = last.seq
    limit -= links.length
  }
}

async function linksAfter(
  { db, logId }: Shelf,
  { party, after, limit, below }: ChainPart,
): Promise<{ seq: bigint; index: bigint }[]> {
  // The first segment may end with the link that is known, so one more.
  const segments = await store.chainSegments(db, { logId, party, after, limit: limit + 1 })
  const links = segments.flatMap(({ first_seq, n, data }) =>
    Array.from({ length: n }, (_, i) => ({ seq: first_seq + BigInt(i), index: data.readBigUInt64BE(LINK * i) })),
  )
  return links.filter(({ seq, index }) => seq > after && index < below).slice(0, limit)
}
