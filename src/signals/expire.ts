import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import type { Recorder } from '../provenance/service.ts'
import { expiryEvent } from './event.ts'
import { SIGNAL_STATE } from './schema.ts'
import * as store from './store.ts'
import { destroyValues } from './value-store.ts'

export interface ExpiryOptions {
  db: Db
  clock: Clock
  provenance: Recorder
  /** The name of a category's number, for the log. */
  categorySlug(id: number): string
}

const EXPIRE_AT_ONCE = 1_000

/** Ends what is over for one participant, a part of it at a time; answers how many. */
export const createExpiry =
  ({ db, clock, provenance, categorySlug }: ExpiryOptions) =>
  (participant: Uuid, slug: string): Promise<number> =>
    asParticipant(db, participant, async (tx) => {
      const due = await store.dueForUpdate(tx, participant, clock(), EXPIRE_AT_ONCE)
      if (due.length === 0) return 0
      const now = timeAfter(
        due.flatMap(({ value_event }) => value_event ?? []),
        clock(),
      )
      const event = newId(now)
      const ids = due.map(({ signal_id }) => signal_id)
      await store.expireSignals(tx, { participant_id: participant, ids, event, state: SIGNAL_STATE.expired })
      await destroyValues(tx, participant, store.valued(due))
      await provenance.record(tx, expiryEvent({ event, participant, slug, now, categorySlug }, due))
      return due.length
    })
