import { closeSync, openSync, readSync } from 'node:fs'
import type { Received } from './client.ts'
import type { MirrorLine } from './mirror-lines.ts'
import { mirroredFeeds } from './mirror-reader.ts'

const WINDOW = 65_536
const NEWLINE = 10

/**
 * The event of a mirrored feed at a sequence, found by halves: sequences rise line by line. Undefined where the mirror has none such.
 * Throws `MatchFileRefused` where a file is shorter than noted.
 */
export function eventAt(dir: string, place: { feed: string; seq: bigint }): Received['event'] | undefined {
  const feed = mirroredFeeds(dir).find((one) => one.feed === place.feed)
  if (feed === undefined) return undefined
  const handle = openSync(feed.file, 'r')
  try {
    let [low, high] = [0, feed.bytes]
    while (low < high) {
      const start = startBefore(handle, Math.floor((low + high) / 2), low)
      const { event, end } = eventFrom(handle, { from: start, to: high })
      const seq = event === undefined ? undefined : BigInt(event.seq)
      if (seq === place.seq) return event
      if (seq !== undefined && seq < place.seq) low = end
      else high = start
    }
    return undefined
  } finally {
    closeSync(handle)
  }
}

/** The first event from a line on, and where its line ends; what proves a submission stands before its events. */
function eventFrom(
  handle: number,
  { from, to }: { from: number; to: number },
): { event: Received['event'] | undefined; end: number } {
  for (let at = from; at < to; ) {
    const line = lineFrom(handle, { from: at, to })
    const { event } = JSON.parse(line.text) as MirrorLine
    if (event !== undefined) return { event, end: line.end }
    at = line.end
  }
  return { event: undefined, end: to }
}

/** Where the line begins that a byte is in; `least` begins one. */
function startBefore(handle: number, at: number, least: number): number {
  const window = Buffer.alloc(WINDOW)
  for (let end = at; end > least; ) {
    const start = Math.max(least, end - WINDOW)
    const n = readSync(handle, window, 0, end - start, start)
    const newline = window.subarray(0, n).lastIndexOf(NEWLINE)
    if (newline >= 0) return start + newline + 1
    end = start
  }
  return least
}

function lineFrom(handle: number, { from, to }: { from: number; to: number }) {
  const parts: Buffer[] = []
  for (let at = from; at < to; ) {
    const window = Buffer.alloc(Math.min(WINDOW, to - at))
    const n = readSync(handle, window, 0, window.length, at)
    if (n === 0) break
    const newline = window.subarray(0, n).indexOf(NEWLINE)
    parts.push(window.subarray(0, newline >= 0 ? newline : n))
    if (newline >= 0) return { end: at + newline + 1, text: Buffer.concat(parts).toString() }
    at += n
  }
  return { end: to, text: Buffer.concat(parts).toString() }
}
