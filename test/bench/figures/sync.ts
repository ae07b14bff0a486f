import { SEGMENT_SIZE, SEGMENTS_MAX } from '../../../src/feeds/schema.ts'
import type { Spec } from '../measure.ts'
import { headerOf, openWire, requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'

const SEGMENT = BigInt(SEGMENT_SIZE)

interface Feed {
  feed: string
  from_seq: string
  last_seq: string
  sealed_seq: string
  start: string
}

/** Answers under way: while one is awaited, the other is taken. */
const UNDER_WAY = 2

/**
 * A new participant's first sync: runs of sealed segments in their order, as the SDK asks for them, then pages. The bytes are counted
 * and thrown away: opening and verifying them is the reader's work.
 */
export function fullSync(world: World): Spec {
  const wires = Array.from({ length: UNDER_WAY }, () =>
    openWire(world.node().addresses.partner, world.members.at(-1)?.tls ?? { ca: '' }),
  )
  const [wire] = wires
  if (wire === undefined) throw new Error('no wire')
  const last = { bytes: 0, signals: 0 }
  return {
    name: 'feed.full-sync',
    what: `every signal to one participant over mTLS: sealed segments in runs of ${SEGMENTS_MAX}, ${UNDER_WAY} under way, then pages; each read journaled`,
    unit: 'signals/s',
    target: 0.5,
    rounds: 5,
    // Hot code is compiled only after some hundred requests.
    warmups: 3,
    measured: async (timed) => {
      await sealed(world)
      const { result, seconds } = await timed(() => syncAll(wires, world.feed))
      Object.assign(last, result)
      return result.signals / seconds
    },
    reference: {
      what: 'as many bytes of sealed segments, streamed from memory on the same listener in one answer',
      run: async (timed) => {
        const { seconds } = await timed(() =>
          served(wire, requestOf('GET', `/bench/memory?bytes=${last.bytes}`), 200, { discard: true }),
        )
        return last.signals / seconds
      },
    },
  }
}

/** The same from the first on, on a node that holds nothing for a comparison. */
export function syncMemory(world: World): Spec {
  const { reference: _, ...syncs } = fullSync(world)
  return { ...syncs, rounds: syncs.warmups + syncs.rounds, warmups: 0 }
}

async function syncAll(wires: readonly Wire[], feed: string): Promise<{ bytes: number; signals: number }> {
  const [wire] = wires
  if (wire === undefined) throw new Error('no wire')
  const { from_seq, last_seq, sealed_seq, start } = await feedOf(wire, feed)
  const [first, end, sealedTo] = [BigInt(from_seq), BigInt(last_seq), BigInt(sealed_seq)]
  let cursor = start
  let bytes = 0
  let next = first
  const take = async (own: Wire): Promise<void> => {
    while (next <= sealedTo) {
      const path = `/v1/feeds/${feed}/segments/${next}?count=${SEGMENTS_MAX}`
      next += SEGMENT * BigInt(SEGMENTS_MAX)
      const last = next > sealedTo
      const answer = await served(own, requestOf('GET', path), 200, { discard: !last })
      bytes += answer.bytes
      if (last) cursor = lastCursorIn(answer.body)
    }
  }
  await Promise.all(wires.map(take))
  for (let more = sealedTo < end; more; ) {
    const page = await pageAt(wire, feed, cursor)
    bytes += page.bytes
    cursor = page.next_cursor
    more = page.more
  }
  return { bytes, signals: Number(end - first + 1n) }
}

/** Of the last segment of a run. */
function lastCursorIn(run: Buffer): string {
  let cursor = ''
  for (let at = 0; at < run.length; ) {
    const end = run.indexOf('\n', at)
    const head = JSON.parse(run.toString('utf8', at, end)) as { size: number; cursor: string }
    cursor = head.cursor
    at = end + 1 + head.size
  }
  return cursor
}

async function feedOf(wire: Wire, feed: string): Promise<Feed> {
  const { body } = await served(wire, requestOf('GET', '/v1/feeds'), 200)
  const { feeds } = JSON.parse(body.toString()) as { feeds: Feed[] }
  const found = feeds.find((one) => one.feed === feed)
  if (found === undefined) throw new Error('the reader does not see the feed')
  return found
}

/** The cursor that stands behind everything there is. */
export async function endOf(wire: Wire, feed: string): Promise<string> {
  const { sealed_seq, start } = await feedOf(wire, feed)
  const sealedTo = BigInt(sealed_seq)
  let cursor = start
  if (sealedTo > 0n) {
    const path = `/v1/feeds/${feed}/segments/${sealedTo - SEGMENT + 1n}`
    cursor = headerOf(await served(wire, requestOf('GET', path), 200, { discard: true }), 'feed-cursor')
  }
  for (;;) {
    const page = await pageAt(wire, feed, cursor)
    cursor = page.next_cursor
    if (!page.more) return cursor
  }
}

/** Where a feed begins. */
export const startOf = async (wire: Wire, feed: string): Promise<string> => (await feedOf(wire, feed)).start

/** Only the end of a page is read: the rest is the reader's work. */
export async function pageAt(wire: Wire, feed: string, cursor: string) {
  const path = `/v1/feeds/${feed}/events?limit=1000&cursor=${encodeURIComponent(cursor)}`
  const { body, bytes } = await served(wire, requestOf('GET', path), 200)
  const end = /"next_cursor":"([^"]+)","more":(true|false)\}$/.exec(body.subarray(-300).toString())
  if (end === null) throw new Error('a page without an end')
  return { bytes, next_cursor: end[1] ?? '', more: end[2] === 'true' }
}

/** Waits until every full segment is sealed. */
async function sealed({ db, feed }: World): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ due: boolean }>(
      `select next_seq - 1 - sealed_seq >= ${SEGMENT} as due from feed_head where feed_id = $1`,
      [feed],
    )
    if (rows[0]?.due !== true) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
