import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../client/client.ts'
import { ENDS } from '../client/ends.ts'
import { readIfThere } from '../client/files.ts'
import { beginsLine } from '../client/mirror-reader.ts'
import { writeDurably } from '../kernel/durable.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'

/** Ends of a feed that are mirrored and not acknowledged: the last one's sequence, and how far the file was read for them. */
export interface Unacknowledged {
  feed: Uuid
  upto: string | undefined
  bytes: number
}

/** By feed, the bytes of its file that were read for ends, each acknowledged. */
type Places = Record<string, number>

const fileOf = (home: string): string => join(home, 'bridge', 'acknowledged.json')
const placesOf = (home: string): Places => JSON.parse(readIfThere(fileOf(home)) ?? '{}') as Places

/** Reads what came since; a crash between mirror and acknowledgement leaves it to be found again. */
export function unacknowledged(home: string): Unacknowledged[] {
  const places = placesOf(home)
  const dir = join(home, 'feeds')
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json') && isUuid(name.slice(0, -5)))
    .flatMap((name) => {
      const feed = name.slice(0, -5) as Uuid
      const { bytes, ends } = JSON.parse(readFileSync(join(dir, name), 'utf8')) as { bytes?: number; ends?: number }
      const [path, size, read] = [join(dir, `${feed}.ndjson`), bytes ?? ends ?? 0, places[feed] ?? 0]
      // A mirror that was taken anew is shorter than what was read of the former one, or has other bytes.
      const from = read <= size && beginsLine(path, read) ? read : 0
      return from === size ? [] : [{ feed, upto: lastEnd(path, { from, to: size }), bytes: size }]
    })
}

/** Tells the sources that what ended is matched here no longer; notes each as it was told. */
export async function acknowledge(client: Client, home: string, found: readonly Unacknowledged[]): Promise<void> {
  for (const { feed, upto, bytes } of found) {
    if (upto !== undefined) await client.acknowledge(feed, upto, 'mirror_removed')
    writeDurably(fileOf(home), JSON.stringify({ ...placesOf(home), [feed]: bytes }), 0o600)
  }
}

const PIECE = 1_048_576

/** The sequence of the last end in a part of a mirror. */
function lastEnd(path: string, { from, to }: { from: number; to: number }): string | undefined {
  const handle = openSync(path, 'r')
  const piece = Buffer.alloc(PIECE)
  let rest = Buffer.alloc(0)
  let last: string | undefined
  try {
    for (let at = from; at < to; ) {
      const n = readSync(handle, piece, 0, Math.min(PIECE, to - at), at)
      if (n === 0) break
      at += n
      rest = Buffer.concat([rest, piece.subarray(0, n)])
      let start = 0
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
        last = endIn(rest.toString('utf8', start, end)) ?? last
        start = end + 1
      }
      rest = rest.subarray(start)
    }
  } finally {
    closeSync(handle)
  }
  return last
}

/** Few lines are ends: the others are not read. In what a source signed each quote is escaped. */
const END = new RegExp(`"type":"(?:${[...ENDS].join('|').replaceAll('.', '\\.')})"`)

function endIn(line: string): string | undefined {
  if (!END.test(line)) return undefined
  const { event } = JSON.parse(line) as { event?: { type: string; seq: string } }
  return event !== undefined && ENDS.has(event.type) ? event.seq : undefined
}
