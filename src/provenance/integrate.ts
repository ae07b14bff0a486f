import { setImmediate } from 'node:timers/promises'
import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { concat, u64 } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { LogHalted } from './anchor.ts'
import { type BatchEntry, type ChainLink, encodeBatch } from './batch.ts'
import { chainDigest, chainsHash, decoyCount, decoyDigest, entryOf, genesisLink, nextLink } from './chain.ts'
import * as outboxStore from './outbox-store.ts'
import * as store from './store.ts'
import { decodeEdges, encodeEdges, growTiles, rootOfEdges } from './tile.ts'

/** Outbox rows of one round. */
export const ENTRIES_AT_ONCE = 4_096

export interface IntegratorOptions {
  db: Db
  logId: number
  salt: () => Uint8Array
}

export interface Integrator {
  /** One round: index (A), clear the outbox (B), move the fence (C), each its own commit; answers the entries indexed. */
  round(): Promise<number>
}

/** Gives outbox rows their index. Any number may run: the head's lock lets one through, and an event is indexed once. */
export function createIntegrator({ db, logId, salt }: IntegratorOptions): Integrator {
  /** Set after a crash or a rival left rows in the outbox that are in the log already. */
  let suspicious = true

  const index = () =>
    atLog(db, logId, async (tx) => {
      const head = await store.lockHead(tx, logId)
      if (head === undefined) return undefined
      if (head.closed_size !== null) throw new LogHalted('closed', `the log ended at ${head.closed_size}`)
      // What opens a log is its first entry.
      const rows = await outboxStore.outbox(tx, logId, { limit: ENTRIES_AT_ONCE, own: head.size === 0n })
      const known = await placedBefore(tx, logId, rows, suspicious)
      const fresh = await ready(
        tx,
        logId,
        rows.filter((row) => !known.has(row.event_id)),
      )
      if (fresh.length === 0) return { size: head.size, root: head.root, clear: [...known], n: 0 }
      const chains = await openChains(tx, { logId, head, rows: fresh })
      const ids = fresh.map(({ event_id }) => event_id)
      const [batch] = await Promise.all([
        later(() => build({ logId, head, rows: fresh, salt, chains })),
        store.insertEvents(tx, { log_id: logId, first_idx: head.size, ids }),
      ])
      await store.insertBatch(tx, batch)
      const clear = [...known, ...ids]
      return { size: batch.head.size, root: batch.head.root, clear, n: ids.length }
    })

  return {
    async round() {
      try {
        const done = await index()
        if (done === undefined) return 0
        if (done.clear.length > 0)
          await atLog(db, logId, (tx) => outboxStore.clearOutbox(tx, logId, { ...done, ids: done.clear }))
        await atLog(db, logId, (tx) => store.moveFence(tx, logId, done.size, done.root))
        suspicious = false
        return done.n
      } catch (error) {
        suspicious = true
        throw error
      }
    },
  }
}

/** Which rows have their place already: after a crash or a rival, and of what an earlier log left waiting. */
async function placedBefore(
  tx: Tx,
  logId: number,
  rows: readonly outboxStore.OutboxRow[],
  suspicious: boolean,
): Promise<Set<Uuid>> {
  const inherited = rows.some(({ log_id }) => log_id < logId)
  if (!suspicious && !inherited) return new Set()
  return outboxStore.knownEvents(
    tx,
    logId,
    rows.map(({ event_id }) => event_id),
  )
}

/** In the order (time, event id); an entry waits until what it comes after is in the log or before it in this batch. */
async function ready(tx: Tx, logId: number, rows: readonly outboxStore.OutboxRow[]): Promise<outboxStore.OutboxRow[]> {
  const sorted = [...rows].sort((a, b) => a.at.getTime() - b.at.getTime() || (a.event_id < b.event_id ? -1 : 1))
  const awaited = sorted.flatMap(({ after }) => after ?? [])
  if (awaited.length === 0) return sorted
  const placed = await outboxStore.knownEvents(tx, logId, awaited)
  const taken: outboxStore.OutboxRow[] = []
  const waiting = new Map<Uuid, outboxStore.OutboxRow[]>()
  // Whoever does not wait keeps its place: what others did because of it comes later by its time alone.
  const take = (first: outboxStore.OutboxRow): void => {
    for (const next = [first]; next.length > 0; ) {
      const row = next.shift()
      if (row === undefined) return
      placed.add(row.event_id)
      taken.push(row)
      next.push(...(waiting.get(row.event_id) ?? []))
    }
  }
  for (const row of sorted) {
    const { after } = row
    if (after === null || placed.has(after)) take(row)
    else waiting.set(after, [...(waiting.get(after) ?? []), row])
  }
  return taken
}

interface Chain {
  seq: bigint
  link: Uint8Array
  first_seq: bigint
  segment: Uint8Array[]
}

/** Hashing, once the statements before it are on their way: the database works meanwhile. */
async function later<T>(work: () => T): Promise<T> {
  await setImmediate()
  return work()
}

function build({
  logId,
  head,
  rows,
  salt,
  chains,
}: {
  logId: number
  head: store.LogHead
  rows: readonly outboxStore.OutboxRow[]
  salt: () => Uint8Array
  chains: Map<string, Chain>
}): store.Integrated {
  const entries = rows.map((row, i) => chained(row, { chains, salt, idx: head.size + BigInt(i) }))
  const grown = growTiles(
    sha256,
    { size: head.size, edges: decodeEdges(head.edges) },
    entries.map(({ entry }) => entry),
  )
  return {
    log_id: logId,
    first_idx: head.size,
    n: entries.length,
    data: encodeBatch(entries),
    tiles: grown.tiles,
    chains: [...chains]
      .filter(([, chain]) => chain.segment.length > 0)
      .map(([party, { seq, link, first_seq, segment }]) => ({
        party,
        seq,
        link,
        first_seq,
        n: segment.length,
        segment: concat(...segment),
      })),
    head: { size: grown.size, root: rootOfEdges(sha256, grown), edges: encodeEdges(grown.edges) },
  }
}

async function openChains(
  tx: Tx,
  { logId, head, rows }: { logId: number; head: store.LogHead; rows: readonly outboxStore.OutboxRow[] },
): Promise<Map<string, Chain>> {
  const parties = [...new Set(rows.flatMap((row) => partiesIn(row)))]
  const heads = new Map((await store.chainHeads(tx, logId, parties)).map((row) => [row.party, row]))
  return new Map(
    parties.map((party) => {
      const known = heads.get(party)
      const seq = known?.seq ?? 0n
      const link = known?.link ?? genesisLink(sha256, head.origin, party)
      return [party, { seq, link, first_seq: seq + 1n, segment: [] }]
    }),
  )
}

/** The entry of a record: its chains moved on by one, blinded, padded with decoys. */
function chained(
  row: outboxStore.OutboxRow,
  { chains, salt, idx }: { chains: Map<string, Chain>; salt: () => Uint8Array; idx: bigint },
): BatchEntry {
  const links = partiesIn(row).map((party): ChainLink => {
    const chain = chains.get(party)
    if (chain === undefined) throw new Error('a party without chain')
    chain.seq += 1n
    chain.link = nextLink(sha256, chain.link, chain.seq, row.c)
    chain.segment.push(concat(u64(idx), chain.link))
    return { party, seq: chain.seq, salt: salt(), link: chain.link }
  })
  const decoys = Array.from({ length: decoyCount(links.length) }, salt)
  const digests = [...links.map((link) => chainDigest(sha256, link)), ...decoys.map((one) => decoyDigest(sha256, one))]
  const entry = entryOf(sha256, row.c, chainsHash(sha256, digests))
  return { event_id: row.event_id, participant_id: row.participant_id, c: row.c, entry, chains: links, decoys }
}

const partiesIn = ({ parties }: outboxStore.OutboxRow): string[] => (parties === '' ? [] : parties.split(' '))
