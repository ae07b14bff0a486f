import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { cutTo, placedAt, placedRecord, type Shelf } from './cut.ts'
import { newest } from './ledger.ts'
import { inclusionProof } from './proof.ts'
import { formatReceipt } from './receipt.ts'
import { saidIn } from './record.ts'
import * as store from './sign-store.ts'
import { tilesNow } from './tiles-now.ts'

/** An entry with everything that its record says and no erasure took. */
export interface OpenedEntry {
  index: bigint
  event: Uuid
  participant: Uuid
  kind: string
  /** Milliseconds. */
  time: number
  fields: ReadonlyMap<string, unknown>
  /** The values of its fields `source`, of which there may be several. */
  sources: readonly Readonly<Record<string, unknown>>[]
}

/** The entries from `from` up to and without `to`, for whoever counts; nothing of it leaves the node as it is. */
export async function openedEntries(
  shelf: Shelf,
  { from, to }: { from: bigint; to: bigint },
): Promise<readonly OpenedEntry[]> {
  const indices = Array.from({ length: Number(to - from) }, (_, i) => from + BigInt(i))
  const placed = await placedAt(shelf, indices)
  return placed.map(({ index, entry, opened }) => {
    const fields = new Map<string, unknown>()
    const sources: Record<string, unknown>[] = []
    for (const one of opened) {
      const [name, value] = saidIn(one) ?? []
      if (name === 'source') sources.push(Object(value) as Record<string, unknown>)
      else if (name !== undefined) fields.set(name, value)
    }
    const { event_id: event, participant_id: participant } = entry
    return {
      ...{ index, event, participant, fields, sources, kind: String(fields.get('type') ?? '') },
      time: Date.parse(String(fields.get('time'))),
    }
  })
}

/** The longest time between two checkpoints that were signed in a period, milliseconds; 0 with fewer than two. */
export const longestGap = (
  { db, logId }: Pick<Shelf, 'db' | 'logId'>,
  range: { from: Date; to: Date },
): Promise<number> => store.longestGap(db, logId, range)

/** The receipt of an entry of the present log with all that it says; undefined until a checkpoint covers it. */
export async function wholeReceipt(shelf: Shelf, event: Uuid): Promise<string | undefined> {
  const [latest, placed] = [await newest({ ...shelf, closed: false }), await placedRecord(shelf, event)]
  if (latest === undefined || placed === undefined || placed.index >= latest.size) return undefined
  const path = await inclusionProof(sha256, await tilesNow(shelf), placed.index, latest.size)
  const viewer = { slug: '', auditor: true, actor: false, party: false, recipient: false }
  return formatReceipt({ extra: cutTo(viewer, placed), index: placed.index, path, checkpoint: latest.note })
}
