import { Compile } from 'typebox/compile'
import type { Hash } from '../kernel/bytes.ts'
import { SnapshotEnd, SnapshotPage, SnapshotRow } from '../provenance/schema.ts'
import type { Entry } from './entry.ts'
import { gatherFaults } from './faults.ts'
import type { FeedTable } from './feeds.ts'
import { type Finding, numbered } from './finding.ts'
import { jsonIn, LineMalformed } from './lines.ts'
import type { Names } from './names.ts'
import type { Row } from './programme.ts'
import { createSharedRows } from './shared.ts'
import { compareState } from './state.ts'

/** Check 13: what entries make, held against the rows of the database. */
export interface StateCheck {
  /** Audiences by their feeds. */
  feeds: ReadonlyMap<string, string>
  /** Rows that an entry sets; `fits`: whether the signals among them are those that it committed to. */
  fold(entry: Entry, rows: readonly Row[], fits: boolean): void
  /** What an entry made of a signal, for those who look it up; without a state where they no longer find it. */
  share(entry: Entry, row: { of: string; state: Row['state'] | undefined | 'hidden' }): void
  end(size: bigint, feeds: FeedTable): Finding
  /** In the place of `end`, where not every entry was seen. */
  cut(why: string): Finding
}

/** Which audience a feed is of: the log does not say, and the snapshot does. */
const FEED = 'feed '

/** Reads the snapshot into memory. Throws `LineMalformed` where it is none, or not whole. */
export async function openState(
  on: { hash: Hash; names: Names; before: bigint },
  texts: AsyncIterable<string>,
): Promise<StateCheck> {
  const check = numbered(13, 'state')
  const faults = gatherFaults(check)
  const comparison = compareState(on, check, faults)
  const shared = createSharedRows(on, faults)
  const feeds = new Map<string, string>()
  const pages = createPages()
  for await (const line of snapshotLines(texts)) {
    if ('page' in line) {
      const { size, upto, waiting } = line.page
      pages.take(line.page)
      if (upto === undefined) comparison.moment({ size: BigInt(size), waiting })
      else shared.moment({ size: BigInt(size), upto: BigInt(upto) })
    } else if (shared.row(line)) continue
    else if (line.of.startsWith(FEED)) feeds.set(String(line.state['feed']), line.of.slice(FEED.length))
    else comparison.row(line)
  }
  return {
    feeds,
    fold(entry, rows, fits) {
      pages.entry(entry)
      if (!fits) faults.add('it changed other signals than it committed to', entry.index)
      comparison.set(entry, rows)
    },
    share: (entry, row) => shared.set(entry.index, row.of, row.state),
    cut: faults.cut,
    end(size, table) {
      const held = comparison.end(size, shared.end(table, size))
      if (held.result !== 'PASS') return held
      const stale = pages.stale()
      return stale === undefined ? check.pass(`${held.says}, ${pages.says()}`) : check.unknown(stale)
    },
  }
}

/** As the node's entry names it by which an auditor fetches the state. */
const ASKED = 'snapshot'
/** Feeds and look-ups follow the log within seconds. */
const LAG_MS = 60_000

/**
 * When the pages were read. That a snapshot is asked for stands in the log before its first line: one that was read before the
 * newest such entry is another one, and what was done since to its rows it cannot tell.
 */
function createPages() {
  const first: { rows?: Page; feeds?: Page } = {}
  let last = { size: 0n, upto: 0n }
  let asked: Pick<Entry, 'index' | 'event' | 'time'> | undefined
  let newest: Pick<Entry, 'index' | 'time'> | undefined
  /** When the first entry was made that had not reached the feeds; undefined where all had. */
  let unreached: number | undefined
  return {
    /** Throws `LineMalformed` where a page is older than the one before it. */
    take(page: Page): void {
      const at = { size: BigInt(page.size), upto: BigInt(page.upto ?? last.upto) }
      if (at.size < last.size || at.upto < last.upto || at.upto > at.size) throw new LineMalformed('the snapshot')
      last = at
      if (page.upto === undefined) first.rows ??= page
      else first.feeds ??= page
    },
    entry({ index, kind, event, time, fields }: Entry): void {
      if (index < 0n) return
      newest = { index, time }
      if (String(index) === first.feeds?.upto) unreached = time
      if (kind === 'audit.read' && fields.get('range') === ASKED) asked = { index, event, time }
    },
    /** Why it does not tell how the rows are, if it does not. */
    stale(): string | undefined {
      const { rows, feeds } = first
      if (rows === undefined || feeds === undefined) return 'the snapshot lacks rows or feeds: fetch it again'
      return otherThanAsked(rows) ?? laggingBehind(feeds)
    },
    says: (): string => `read from ${first.rows?.size} entries on, of which ${first.feeds?.upto} had reached the feeds`,
  }

  function otherThanAsked(rows: Page): string | undefined {
    const seen = newest === undefined ? 0n : newest.index + 1n
    // One that was read when all that is audited was there needs no entry that tells of it.
    if (asked === undefined)
      return BigInt(rows.size) < seen
        ? `the snapshot was read at ${rows.size} of ${seen} entries, none of which tells that one was asked for`
        : undefined
    return asked.index < BigInt(rows.size) || rows.waiting.includes(asked.event)
      ? undefined
      : `entry ${asked.index} tells of a later snapshot than this one, of ${rows.size} entries: fetch it again`
  }

  function laggingBehind(feeds: Page): string | undefined {
    const behind = (asked ?? newest)?.time ?? Number.NaN
    return unreached !== undefined && behind - unreached > LAG_MS
      ? `only ${feeds.upto} entries had reached the feeds, which were more than a minute behind: fetch it again`
      : undefined
  }
}

interface Page {
  size: string
  upto?: string
  waiting: string[]
}

type SnapshotLine = { page: Page } | { of: string; state: Record<string, unknown>; event?: string }

const [isPage, isRow, isEnd] = [Compile(SnapshotPage), Compile(SnapshotRow), Compile(SnapshotEnd)]

/** Pages and rows, if all of them are there. */
async function* snapshotLines(texts: AsyncIterable<string>): AsyncGenerator<SnapshotLine> {
  let [rows, end] = [0, -1]
  for await (const text of texts) {
    const value = jsonIn(text)
    if (end >= 0) throw new LineMalformed('the snapshot')
    if (isEnd.Check(value)) {
      end = value.end
      continue
    }
    const isOne = isRow.Check(value)
    if (!isOne && !isPage.Check(value)) throw new LineMalformed('the snapshot')
    rows += isOne ? 1 : 0
    yield value
  }
  if (rows !== end) throw new LineMalformed('the snapshot')
}
