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

/** Records a restore in the log, which could not be written while its database was empty; once, whatever interrupts it. */
export async function tellRestored({ config, pools, programme, provenance, clock }: Teller): Promise<void> {
  const note = restoredNote(config.dataDir)
  if (note === undefined) return
  const { event_id, made_at, sizes } = note
  await atControl(pools.admin, (tx) =>
    provenance.record(tx, {
      ...{ kind: 'restore.performed', event_id, participant_id: programme.programme_id, at: clock() },
      fields: { sizes, note: `backup of ${made_at}` },
    }),
  ).catch((error: unknown) => {
    if (!isTwin(error)) throw error
  })
  forgetRestored(config.dataDir)
  provenance.wake()
}
