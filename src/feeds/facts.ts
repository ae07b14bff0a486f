import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SignalItem } from '../signals/schema.ts'
import type { FeedDirectory } from './directory.ts'
import { lookUp } from './key-store.ts'
import { sealedSignals } from './sealed-store.ts'
import * as store from './store.ts'

/** A signal as somebody names it who has received it. */
export interface SignalName {
  origin: Uuid
  signal: Uuid
  /** Its match key, hex: what has none in look-ups is named by the digest of its type and id. */
  key: string
}

/** What its source says of a live signal in its newest revision. */
export interface SignalFacts {
  origin: Uuid
  signal: Uuid
  revision: number
  item: SignalItem
}

/** Live signals that a participant may see, within its own transaction; whoever gives them out writes that down. */
export type FactsOf = (
  tx: Tx<'participant'>,
  participant: Uuid,
  names: readonly SignalName[],
  now: Date,
) => Promise<SignalFacts[]>

export const createFacts =
  (directory: Pick<FeedDirectory, 'feedsOf' | 'isSealed'>): FactsOf =>
  async (tx, participant, names, now) => {
    const found = await inFull(tx, names, now)
    const known = new Set(found.map(nameOf))
    const sealed = directory.feedsOf(participant).filter(({ feed_id }) => directory.isSealed(feed_id))
    for (const name of names.filter((one) => !known.has(nameOf(one)))) {
      for (const { feed_id } of sealed) {
        const rows = await sealedSignals(tx, feed_id, name.signal, now)
        found.push(...rows.filter(({ origin }) => origin === name.origin).flatMap(factsIn))
      }
    }
    return found
  }

/** Row-level security shows what is the participant's to see, by match key. */
async function inFull(tx: Tx, names: readonly SignalName[], now: Date): Promise<SignalFacts[]> {
  const wanted = new Set(names.map(nameOf))
  const rows = await lookUp(tx, [...new Set(names.map(({ key }) => key))], now)
  const own = rows.filter(({ origin, signal_id }) => wanted.has(`${origin}/${signal_id}`))
  const facts: SignalFacts[] = []
  for (const [feed_id, places] of Map.groupBy(own, (row) => row.feed_id)) {
    const seqs = places.map(({ seq }) => seq)
    facts.push(...(await store.entriesAt(tx, feed_id, seqs)).flatMap(factsIn))
  }
  return facts
}

function factsIn(row: { origin: Uuid; signal_id: Uuid; revision: number; body: string }): SignalFacts[] {
  const { item } = JSON.parse(row.body) as { item?: string }
  if (item === undefined) return []
  const { origin, signal_id: signal, revision } = row
  return [{ origin, signal, revision, item: JSON.parse(item) as SignalItem }]
}

const nameOf = ({ origin, signal }: Pick<SignalName, 'origin' | 'signal'>): string => `${origin}/${signal}`
