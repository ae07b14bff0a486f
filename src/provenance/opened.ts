import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { cutTo, placedRecord, type Shelf } from './cut.ts'
import { newest } from './ledger.ts'
import { inclusionProof } from './proof.ts'
import { formatReceipt } from './receipt.ts'
import * as store from './sign-store.ts'
import { tilesNow } from './tiles-now.ts'

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
