import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Counted, DescribedEntry } from '../provenance/explore.ts'
import { type Fact, factOf, packFact, unpackFacts } from '../reports/fact.ts'
import * as store from './facts-store.ts'

/** Characters of the facts of one row, and what its last entry goes beyond them: a report reads row by row, between requests. */
export const FACTS_CHARACTERS = 262_144

/** What reports need of each entry, kept with what it is found by, in the same transaction. */
export interface FactKeeping extends Counted {
  /** Entries whose facts are kept: all below it. */
  upto(): Promise<bigint>
}

export const createFactKeeping = ({ projector, logId }: { projector: Db; logId: number }): FactKeeping => ({
  upto: () => store.factsUpto(projector, logId),
  async count(entries) {
    const rows = factRows(entries)
    return (tx: Tx) => store.insertFacts(tx, logId, rows)
  },
})

/** Rows of entries that follow each other. */
export function factRows(entries: readonly DescribedEntry[]): store.FactsRow[] {
  const rows: store.FactsRow[] = []
  let row = rowAt(entries[0]?.idx ?? 0n)
  for (const entry of entries) {
    if (row.length >= FACTS_CHARACTERS) {
      rows.push(closed(row))
      row = rowAt(entry.idx)
    }
    take(row, entry)
  }
  return row.n === 0 ? rows : [...rows, closed(row)]
}

interface OpenRow {
  first_idx: bigint
  n: number
  sealed: number
  texts: string[]
  length: number
}

const rowAt = (first_idx: bigint): OpenRow => ({ first_idx, n: 0, sealed: 0, texts: [], length: 0 })

function take(row: OpenRow, { opened, shares }: DescribedEntry): void {
  const place = row.n
  row.n += 1
  if (opened === undefined) {
    row.sealed += 1
    return
  }
  // What the record says, as a verifier reads it, and not the row beside it.
  const [kind, time] = [String(opened.fields.get('type')), Date.parse(String(opened.fields.get('time')))]
  const changes = shares.flatMap(({ signals }) => signals.map((signal) => ({ signal, revision: 1 })))
  const fact = factOf({ kind, time, ...opened, changes })
  if (fact === undefined) return
  const text = packFact(place, fact)
  row.texts.push(text)
  row.length += text.length
}

const closed = ({ first_idx, n, sealed, texts }: OpenRow): store.FactsRow => ({
  ...{ first_idx, n, sealed },
  facts: `[${texts.join()}]`,
})

/** Facts of `n` entries that follow each other. */
export interface KeptFacts {
  n: number
  /** Entries of which nothing could be read when they were carried. */
  sealed: number
  facts: readonly { index: bigint; fact: Fact }[]
}

/** The facts that are kept together from the entry at `from` on; undefined as long as they are not. */
export async function keptFacts(db: Db, logId: number, from: bigint): Promise<KeptFacts | undefined> {
  const row = await store.factsFrom(db, logId, from)
  if (row === undefined) return undefined
  const { n, sealed, facts } = row
  return { n, sealed, facts: unpackFacts(facts).map(({ place, fact }) => ({ index: from + BigInt(place), fact })) }
}
