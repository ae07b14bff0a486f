import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isTwin } from '../db/failure.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { forgetRestored, restoredNote } from './notes.ts'

export interface Teller {
  config: { dataDir: string }
  pools: { admin: Db }
  programme: { programme_id: Uuid }
  provenance: ProvenanceService
  clock: Clock
}

/**
 * Records a restore in the log, which could not be written while its database was empty; once, whatever interrupts it. One that
 * was killed before its rows were there is forgotten: no log is as large as those that it was to bring.
 */
export async function tellRestored({ config, pools, programme, provenance, clock }: Teller): Promise<void> {
  const note = restoredNote(config.dataDir)
  if (note === undefined) return
  if (await isFilled(pools.admin, note.sizes)) {
    const { event_id, made_at, sizes } = note
    await atControl(pools.admin, (tx) =>
      provenance.record(tx, {
        ...{ kind: 'restore.performed', event_id, participant_id: programme.programme_id, at: clock() },
        fields: { sizes, note: `backup of ${made_at}` },
      }),
    ).catch((error: unknown) => {
      if (!isTwin(error)) throw error
    })
  }
  forgetRestored(config.dataDir)
  provenance.wake()
}

/** Whether the logs, in their order, have all entries of a backup. */
async function isFilled(db: Db, sizes: readonly string[]): Promise<boolean> {
  const logs = await db.selectFrom('log_head').select('size').orderBy('log_id').execute()
  return sizes.every((size, i) => (logs[i]?.size ?? 0n) >= BigInt(size))
}
