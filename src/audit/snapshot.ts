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
  for await (const line of snapshotLines(texts)) {
    if ('page' in line) {
      const { size, upto, waiting } = line.page
      if (upto === undefined) comparison.moment({ size: BigInt(size), waiting })
      else shared.moment({ size: BigInt(size), upto: BigInt(upto) })
    } else if (shared.row(line)) continue
    else if (line.of.startsWith(FEED)) feeds.set(String(line.state['feed']), line.of.slice(FEED.length))
    else comparison.row(line)
  }
  return {
    feeds,
    fold(entry, rows, fits) {
      if (!fits) faults.add('it changed other signals than it committed to', entry.index)
      comparison.set(entry, rows)
    },
    share: (entry, row) => shared.set(entry.index, row.of, row.state),
    end: (size, table) => comparison.end(size, shared.end(table, size)),
  }
}

type SnapshotLine =
  | { page: { size: string; upto?: string; waiting: string[] } }
  | { of: string; state: Record<string, unknown>; event?: string }

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
