import { setImmediate } from 'node:timers/promises'
import type { Tx } from '../db/as-participant.ts'
import { sha256 } from '../kernel/sha256.ts'
import { sha256Rows } from '../kernel/sha256-rows.ts'
import { type ChainLink, encodeBatch, type PackedEntry } from './batch.ts'
import { decoyCount, ENTRY_LENGTH, genesisLink, nextLink } from './chain.ts'
import { entriesOf, type Parts } from './entries.ts'
import * as store from './store.ts'
import { decodeEdges, encodeEdges, growTiles, rootOfEdges } from './tile.ts'

// What one batch adds to a log: its entries and their chains, then its tiles and the head.

/** A row of the outbox as an entry is made of it: `PACKED` bytes, and its parties. */
export interface Row {
  packed: Uint8Array
  parties: string
}

const commitmentOf = ({ packed }: Row): Uint8Array => packed.subarray(32)

/** A party's chain while a batch moves it on. */
interface Chain {
  party: string
  seq: bigint
  link: Uint8Array
  first_seq: bigint
  /** `u64 idx || link` of each link, in memory that holds all of them. */
  segment: Uint8Array
  view: DataView
  n: number
}

/** By what the outbox calls the parties of a row. */
type Chains = ReadonlyMap<string, readonly Chain[]>

const LINKED = 8 + 32

/** Hashing, once the statements before it are on their way: the database works meanwhile. */
async function later<T>(work: () => T): Promise<T> {
  await setImmediate()
  return work()
}

/** Appends the rows to the log of the head, which the transaction holds; answers the new one. The tree grows while the database takes the entries. */
export async function append(
  tx: Tx,
  batch: { logId: number; head: store.LogHead; rows: readonly Row[]; chains: Chains; salt: () => Uint8Array },
): Promise<{ size: bigint; root: Uint8Array }> {
  const { logId: log_id, head, rows, chains, salt } = batch
  const entries = await later(() =>
    blinded(rows.map((row, i) => linked(row, { chains, salt, idx: head.size + BigInt(i) }))),
  )
  const written = { log_id, first_idx: head.size, n: entries.length, data: encodeBatch(entries) }
  const [grown] = await Promise.all([
    later(() => {
      const edges = decodeEdges(head.edges)
      const { tiles, ...tree } = growTiles(
        sha256Rows,
        { size: head.size, edges },
        entries.map(({ entry }) => entry),
      )
      return { tiles, size: tree.size, root: rootOfEdges(sha256, tree), edges: encodeEdges(tree.edges) }
    }).then(async (tree) => {
      await store.insertTree(tx, { log_id, ...tree })
      return tree
    }),
    store.insertEntries(tx, { ...written, chains: [...new Set([...chains.values()].flat())] }),
  ])
  return grown
}

/** The chains of rows, each with room for the links that they will be. */
export async function openChains(
  tx: Tx,
  { logId, head, rows }: { logId: number; head: store.LogHead; rows: readonly Row[] },
): Promise<Chains> {
  const counts = new Map<string, number>()
  for (const { parties } of rows) counts.set(parties, (counts.get(parties) ?? 0) + 1)
  const links = new Map<string, number>()
  for (const [some, n] of counts) for (const party of named(some)) links.set(party, (links.get(party) ?? 0) + n)
  const heads = new Map((await store.chainHeads(tx, logId, [...links.keys()])).map((row) => [row.party, row]))
  const chains = new Map(
    [...links].map(([party, n]): [string, Chain] => {
      const known = heads.get(party)
      const seq = known?.seq ?? 0n
      const link = known?.link ?? genesisLink(sha256, head.origin, party)
      const segment = new Uint8Array(n * LINKED)
      return [party, { party, seq, link, first_seq: seq + 1n, segment, view: new DataView(segment.buffer), n: 0 }]
    }),
  )
  return new Map([...counts.keys()].map((some) => [some, named(some).flatMap((party) => chains.get(party) ?? [])]))
}

/** A record with its chains moved on by one, padded with decoys. */
function linked(row: Row, { chains, salt, idx }: { chains: Chains; salt: () => Uint8Array; idx: bigint }) {
  const own = chains.get(row.parties)
  if (own === undefined) throw new Error('parties without chains')
  const c = commitmentOf(row)
  const links = own.map((chain): ChainLink => {
    chain.seq += 1n
    chain.link = nextLink(sha256, chain.link, chain.seq, c)
    chain.view.setBigUint64(chain.n * LINKED, idx)
    chain.segment.set(chain.link, chain.n * LINKED + 8)
    chain.n += 1
    return { party: chain.party, seq: chain.seq, salt: salt(), link: chain.link }
  })
  return { packed: row.packed, c, chains: links, decoys: Array.from({ length: decoyCount(links.length) }, salt) }
}

/** The same as entries. */
function blinded(records: readonly Omit<PackedEntry & Parts, 'entry'>[]): PackedEntry[] {
  const entries = entriesOf(sha256Rows, records)
  return records.map((record, i) => ({
    ...record,
    entry: entries.subarray(ENTRY_LENGTH * i, ENTRY_LENGTH * (i + 1)),
  }))
}

const named = (parties: string): string[] => (parties === '' ? [] : parties.split(' '))
