import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { isUuid } from '../kernel/ids.ts'
import type { FeedPlace } from '../matching/match-file.ts'
import { MatchFileRefused } from '../matching/refused.ts'
import type { Received } from './client.ts'
import { linesOf } from './lines.ts'
import type { MirrorLine } from './mirror-lines.ts'

/** The mirror of one feed: what `bytes` of its file hold was verified when it was written. */
export interface MirroredFeed extends FeedPlace {
  file: string
}

/** The feeds that are mirrored in a folder, by their names. Throws `MatchFileRefused` where a file is shorter than noted. */
export function mirroredFeeds(dir: string): MirroredFeed[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json') && isUuid(name.slice(0, -5)))
    .sort()
    .flatMap((name) => {
      const feed = name.slice(0, -5)
      const file = join(dir, `${feed}.ndjson`)
      const { seq, bytes } = JSON.parse(readFileSync(join(dir, name), 'utf8')) as { seq: string; bytes?: number }
      // Of a sealed feed nothing is known that could be matched.
      if (bytes === undefined) return []
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < bytes)
        throw new MatchFileRefused('mirror-truncated', file)
      return [{ feed, file, seq, bytes }]
    })
}

const NEWLINE = 10

/**
 * Whether a line of a mirror begins behind so many bytes. They are where a mirror was read to: one that was taken anew has other bytes, since
 * what is appended at once is not the same again, and that place is within a line of it.
 */
export function beginsLine(file: string, bytes: number): boolean {
  if (bytes === 0) return true
  const handle = openSync(file, 'r')
  try {
    const before = Buffer.alloc(1)
    return readSync(handle, before, 0, 1, bytes - 1) === 1 && before[0] === NEWLINE
  } finally {
    closeSync(handle)
  }
}

export interface Mirrored {
  event: Received['event']
  /** What a source signed; absent where the node speaks. */
  item: Record<string, unknown> | undefined
  /** Of its line, and of what proves its submission where that comes before it. */
  bytes: number
}

/**
 * The events of a mirror behind a place. Throws `MatchFileRefused` if a line is none, does not follow the place, or was
 * signed for another programme.
 */
export async function* mirroredEvents(
  { file, bytes }: MirroredFeed,
  { after, programme }: { after: FeedPlace | undefined; programme: string },
): AsyncGenerator<Mirrored> {
  const start = after?.bytes ?? 0
  if (start === bytes) return
  const input = createReadStream(file, { start, end: bytes - 1, highWaterMark: 1024 * 1024 })
  const follows = inSequence(after)
  const isOurs = signedFor(programme)
  let bytesBefore = 0
  for await (const line of linesOf(input)) {
    const { event, proof } = parsed(line, file)
    if (proof !== undefined && !isOurs(proof.jws.protected)) throw new MatchFileRefused('mirror-other-programme', file)
    const own = Buffer.byteLength(line) + 1
    if (event === undefined) {
      bytesBefore += own
      continue
    }
    if (!follows(event.seq)) throw new MatchFileRefused('mirror-damaged', file)
    const item = event.item === undefined ? undefined : (JSON.parse(event.item) as Record<string, unknown>)
    yield { event, item, bytes: bytesBefore + own }
    bytesBefore = 0
  }
}

/** Whether each event is the one after the last; the first of a reader who was admitted later is any. */
function inSequence(after: FeedPlace | undefined): (seq: string) => boolean {
  let last = after === undefined || after.bytes === 0 ? undefined : BigInt(after.seq)
  return (seq) => {
    const next = BigInt(seq)
    const follows = last === undefined || next === last + 1n
    last = next
    return follows
  }
}

/** Whether the header of a submission names the programme; the events of one come together. */
function signedFor(programme: string): (encoded: string) => boolean {
  let last = ''
  return (encoded) => {
    if (encoded === last) return true
    last = encoded
    const header = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as { prg?: unknown }
    return header.prg === programme
  }
}

function parsed(line: string, file: string): MirrorLine {
  try {
    const one = JSON.parse(line) as MirrorLine
    if (one.event === undefined ? typeof one.proof?.jws.protected === 'string' : /^[0-9]{1,19}$/.test(one.event.seq))
      return one
  } catch {
    // As a line that is JSON of something else.
  }
  throw new MatchFileRefused('mirror-damaged', file)
}
