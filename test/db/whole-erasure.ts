import { ensureEpochKeys } from '../../src/core.ts'
import { atControl } from '../../src/db/as-participant.ts'
import { sweepSegments } from '../../src/feeds/erase.ts'
import { createSegmentFiles } from '../../src/feeds/segment-files.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { createRecordEraser } from '../../src/provenance/erase.ts'
import { createReadExpiry } from '../../src/provenance/expire-reads.ts'
import { createKeyRetirement } from '../../src/provenance/retire-keys.ts'
import { createRetention } from '../../src/retention.ts'
import type { TestNode } from '../support/node.ts'

const DAY_MS = 86_400_000
/** A month of which nothing is left. */
const LONG_AGO = 1999 * 12

/**
 * A signal that stands in a sealed segment is erased, with what was given out of it; what it is asked of whom; the keys of
 * months; the list beside the anchor.
 */
export async function erased(n: TestNode, source: string, signal: Uuid): Promise<void> {
  const { erasures, pools, keys, provenance, programme, authority, config } = n.node.parts
  await n.decide('signals.erase', { participant: source, signals: [signal], basis: 'subject_request' })
  const [listed] = await erasures.list()
  if (listed?.signals !== 1) throw new Error('nothing was erased')
  if ((await erasures.replay()) !== 0) throw new Error('what was erased is not known')
  const files = createSegmentFiles({ dir: `${config.dataDir}/swept`, maxBytes: 0, onError: () => {} })
  await sweepSegments(pools.projector, files)
  await keys.create('epoch-199901', 'symmetric')
  const then = new Date(0)
  await atControl(pools.admin, (tx) =>
    tx
      .insertInto('epoch_key')
      .values({ epoch: LONG_AGO, stale_at: then, rewrapped_at: then, destroyed_at: null })
      .execute(),
  )
  const later = new Date(Date.now() + 40 * DAY_MS)
  await ensureEpochKeys(keys, later)
  const retirement = createKeyRetirement({
    ...{ admin: pools.admin, clock: () => later, keys, recorder: provenance, programme: programme.programme_id },
    participants: () => authority.participants(),
  })
  if ((await retirement.round()) < 2) throw new Error('no key moved on')
}

/** All that was read is over, named by entries, and gone a day after these are in the log. */
export async function readsOver(n: TestNode, settled: () => Promise<void>): Promise<void> {
  const { pools, keys, provenance, authority, logId } = n.node.parts
  let later = new Date(Date.now() + 500 * DAY_MS)
  await ensureEpochKeys(keys, later)
  const expiry = createReadExpiry({
    ...{ admin: pools.admin, clock: () => later, recorder: provenance, records: createRecordEraser({ keys, logId }) },
    policy: () => authority.policy('retention')?.body ?? '',
    isKept: async () => false,
  })
  const sum = async (work: (participant: Uuid, slug: string) => Promise<number>): Promise<number> => {
    let total = 0
    for (const { participant_id, slug } of authority.participants()) total += await work(participant_id, slug)
    return total
  }
  await settled()
  if ((await sum(expiry.name)) === 0) throw new Error('no reads are over')
  await settled()
  later = new Date(later.getTime() + DAY_MS)
  if ((await sum(expiry.remove)) === 0) throw new Error('no reads are gone')
  await createRetention(n.node.parts).round()
}
