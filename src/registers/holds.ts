import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Oversight } from '../participants/oversight.ts'
import * as store from './hold-store.ts'
import { REGISTER_LISTED_MAX } from './schema.ts'

export interface LegalHold {
  id: Uuid
  participant: Uuid
  what: string
  reason: string
  placedAt: Date
  liftedAt: Date | undefined
}

export interface LegalHolds {
  /** Placed ones first, then the newest. */
  list(): Promise<LegalHold[]>
  /** Whose reads may not be removed now. */
  keptReads(): Promise<ReadonlySet<Uuid>>
}

/** `admin` logs in as `aldis_admin`. */
export const createLegalHolds = (admin: Db): LegalHolds => ({
  list: async () =>
    (await store.holds(admin, REGISTER_LISTED_MAX)).map((row) => ({
      ...{ id: row.hold_id, participant: row.participant_id, what: row.what, reason: row.reason },
      ...{ placedAt: row.placed_at, liftedAt: row.lifted_at ?? undefined },
    })),
  keptReads: () => store.keptOf(admin, 'reads'),
})

/** Whether what the participant read may not be removed now, as the transaction finds it. */
export const keepsReads = async (tx: Tx, participant: Uuid): Promise<boolean> =>
  (await store.keptOf(tx, 'reads')).has(participant)

/** What two persons decide of holds, in the transaction of their act. */
export const holdActs: Pick<Oversight, 'placeHold' | 'placedHold' | 'liftHold' | 'keepsSignals'> = {
  placeHold: (tx, { hold, participant, what, reason, at, event }) =>
    store.insertHold(tx, {
      ...{ hold_id: hold, participant_id: participant, what, reason, placed_at: at, lifted_at: null },
      last_event: event,
    }),
  async placedHold(tx, hold) {
    const row = await store.placedHold(tx, hold)
    if (row === undefined) return undefined
    const { hold_id, participant_id, what, reason, placed_at, last_event } = row
    return { hold: hold_id, participant: participant_id, what, reason, at: placed_at, event: last_event }
  },
  liftHold: (tx, hold, { at, event }) => store.liftHold(tx, hold, { lifted_at: at, last_event: event }),
  keepsSignals: async (tx, participant) => (await store.keptOf(tx, 'signals')).has(participant),
}
