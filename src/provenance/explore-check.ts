import type { Db } from '../db/connect.ts'
import { equal } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import { entriesAt } from './batch-store.ts'
import { chainDigest, chainsHash, decoyDigest, entryOf } from './chain.ts'
import { commitment, openPayload } from './commitment.ts'
import type { EntryRow } from './explore-store.ts'
import type { EntryState, LogRow } from './explorer.ts'
import type { Published } from './ledger.ts'
import { LogFault } from './log-source.ts'
import { leafHash } from './merkle.ts'
import { recordUnlessLost, saidIn } from './record.ts'
import * as recordStore from './record-store.ts'
import { hashesOf, parseTilePath, TILE_WIDTH, tileWidth } from './tile.ts'
import { tilesNow } from './tiles-now.ts'
import { openVerified, type VerifiedLog } from './verified-log.ts'

/** Where rows are held against the tree. */
export interface Checking {
  /** Logs in as `aldis_ledger`. */
  db: Db
  keys: KeyService
  logId: number
}

/**
 * Each row held against the signed tree: kind, actor and time are what its record says, the record makes its entry, its entry the
 * leaf, and the leaf is under the root. Recipients are looked up beside the log, and held against nothing.
 */
export async function checked(
  checking: Checking,
  rows: readonly EntryRow[],
  head: Published | undefined,
): Promise<LogRow[]> {
  const size = head?.size ?? 0n
  const covered = rows.filter(({ idx }) => idx < size)
  const { leaves, unopened } = await leavesOf(checking, covered)
  const under = head === undefined ? new Set<bigint>() : await underRoot(checking, head, leaves)
  return rows.map(({ idx: index, event_id: event, kind, actor, at, recipients }) => ({
    ...{ index, event, kind, actor, at, recipients },
    state: stateOf({ covered: index < size, under: under.has(index), opened: !unopened.has(index) }),
  }))
}

function stateOf({ covered, under, opened }: { covered: boolean; under: boolean; opened: boolean }): EntryState {
  if (!covered) return 'pending'
  if (!under) return 'failed'
  return opened ? 'verified' : 'unopened'
}

const WIDTH = BigInt(TILE_WIDTH)

/** Which of the leaves are under the signed root: each tile is read and verified once, however many of them it holds. */
async function underRoot(
  checking: Checking,
  head: Published,
  leaves: ReadonlyMap<bigint, Uint8Array>,
): Promise<Set<bigint>> {
  const under = new Set<bigint>()
  const tiles = Map.groupBy(leaves.keys(), (idx) => idx / WIDTH)
  const log = await verified(checking, head, [...tiles.keys()])
  if (log === undefined) return under
  for (const [n, indices] of tiles) {
    const hashes = hashesOf(await verifiedTile(log, n, head.size))
    for (const idx of indices) {
      const [stands, leaf] = [hashes[Number(idx % WIDTH)], leaves.get(idx)]
      if (stands !== undefined && leaf !== undefined && equal(stands, leaf)) under.add(idx)
    }
  }
  return under
}

/** Empty where it does not lead up to the root. */
const verifiedTile = (log: VerifiedLog, n: bigint, size: bigint): Promise<Uint8Array> =>
  unlessFault(log.tile(0, n, tileWidth(size, 0, n)), new Uint8Array(0))

async function verified(
  checking: Checking,
  head: Published,
  leafTiles: readonly bigint[],
): Promise<VerifiedLog | undefined> {
  if (leafTiles.length === 0) return undefined
  const read = await tilesNow(checking, pathsUp(leafTiles))
  const source = {
    async read(path: string) {
      const { level, n, width } = parseTilePath(path) ?? { level: 0, n: 0n, width: 0 }
      return read(level, n, width)
    },
  }
  return unlessFault(openVerified(sha256, source, head), undefined)
}

/** The tiles of level 0, and all above them. */
function pathsUp(leafTiles: readonly bigint[]): { level: number; n: bigint }[] {
  const up: { level: number; n: bigint }[] = []
  let own = [...new Set(leafTiles)]
  for (let level = 0; ; level++) {
    up.push(...own.map((n) => ({ level, n })))
    if (own.every((n) => n === 0n)) return up
    own = [...new Set(own.map((n) => n / WIDTH))]
  }
}

async function unlessFault<T>(work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof LogFault) return otherwise
    throw error
  }
}

interface Leaves {
  leaves: Map<bigint, Uint8Array>
  /** Of these, those whose record cannot be opened: nothing shows what their rows say. */
  unopened: Set<bigint>
}

/** The leaf that each record makes; none where the record or its chains do not make the entry that was indexed, or the row says something else. */
async function leavesOf({ db, keys, logId }: Checking, rows: readonly EntryRow[]): Promise<Leaves> {
  const [records, entries] = [
    await recordStore.recordsOf(db, rows),
    await entriesAt(
      db,
      logId,
      rows.map(({ idx }) => idx),
    ),
  ]
  const made: Leaves = { leaves: new Map(), unopened: new Set() }
  for (const row of rows) {
    const { idx, event_id } = row
    const [record, placed] = [records.get(event_id), entries.get(idx)]
    if (placed === undefined || record === undefined) continue
    const c = commitment(sha256, record.payload)
    const digests = [
      ...placed.chains.map((link) => chainDigest(sha256, link)),
      ...placed.decoys.map((salt) => decoyDigest(sha256, salt)),
    ]
    const entry = entryOf(sha256, c, chainsHash(sha256, digests))
    const said = saidOf(record, event_id, keys)
    if (said === undefined) made.unopened.add(idx)
    const fits = said === undefined || isSaid(row, said)
    if (fits && placed.event_id === event_id && equal(entry, placed.entry))
      made.leaves.set(idx, leafHash(sha256, entry))
  }
  return made
}

const SHOWN: ReadonlySet<string> = new Set(['type', 'actor', 'time'])

/** What the record says of what a row shows, as it was committed; undefined where it cannot be opened. */
function saidOf(
  record: Pick<recordStore.RecordRow, 'payload' | 'body' | 'epoch' | 'c'>,
  event_id: EntryRow['event_id'],
  keys: KeyService,
): ReadonlyMap<string, unknown> | undefined {
  const opened = recordUnlessLost(record, event_id, keys)
  if (opened === undefined) return undefined
  const shown = opened.flatMap((one) => (one[1] !== null && SHOWN.has(saidIn(one)?.[0] ?? '') ? [one[1]] : []))
  const held = openPayload(sha256, record.payload, shown)
  return new Map(held.outcome === 'opened' ? held.fields.map(({ name, value }) => [name, value]) : [])
}

const isSaid = ({ kind, actor, at }: EntryRow, said: ReadonlyMap<string, unknown>): boolean =>
  said.get('type') === kind && said.get('actor') === actor && said.get('time') === at.toISOString()
