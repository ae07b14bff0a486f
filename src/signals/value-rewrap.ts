import { asParticipant, atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { rewrapKey } from '../keys/envelope.ts'
import type { KeyService } from '../keys/service.ts'
import type { Recorder } from '../provenance/service.ts'
import { endOfYear, keyOfYear, valueKey } from './value-keys.ts'
import * as store from './value-store.ts'

export interface ValueRewrapOptions {
  /** Logs in as `aldis_app`. */
  db: Db
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  keys: KeyService
  recorder: Recorder
  programme: Uuid
  participants(): readonly { participant_id: Uuid; slug: string }[]
}

const DAY_MS = 86_400_000
/** As long as backups are kept: until then one of them can be restored, and what it holds is opened. */
const VALUE_KEY_KEPT_DAYS = 35
/** A node that was off for longer finds what is left. */
const YEARS_BACK = 10
const ROWS_AT_ONCE = 256

/** The keys of this year, and of the next one soon enough. */
export async function ensureValueKeys(keys: Pick<KeyService, 'create'>, now: Date): Promise<void> {
  for (const at of [now, new Date(now.getTime() + VALUE_KEY_KEPT_DAYS * DAY_MS)])
    await keys.create(valueKey(at), 'symmetric')
}

/**
 * Moves data keys of sealed values to the key of the year, with an entry for each source, and destroys the keys of earlier
 * years once nothing is under them and backups that need them are gone. Safe to repeat after any failure.
 */
export const createValueRewrap = (options: ValueRewrapOptions): { round(): Promise<number> } => ({
  /** Answers how many data keys moved, and how many keys were destroyed. */
  async round() {
    let steps = 0
    for (const { participant_id, slug } of options.participants()) {
      let moved: number
      do {
        moved = await moveSome(options, { participant: participant_id, slug })
        steps += moved
      } while (moved > 0)
    }
    return steps + (await destroyFormer(options))
  },
})

const moveSome = (options: ValueRewrapOptions, of: { participant: Uuid; slug: string }): Promise<number> =>
  asParticipant(options.db, of.participant, (tx) => move(options, tx, of))

async function move(
  { clock, keys, recorder }: ValueRewrapOptions,
  tx: Tx,
  { participant, slug }: { participant: Uuid; slug: string },
): Promise<number> {
  const now = clock()
  const to = valueKey(now)
  const rows = await store.valuesUnderOther(tx, participant, { kek: to, limit: ROWS_AT_ONCE })
  for (const [from, own] of Map.groupBy(rows, ({ kek_id }) => kek_id)) {
    await recorder.record(tx, {
      ...{ kind: 'value.rewrapped', event_id: newId(now), participant_id: participant, at: now, subject: slug },
      fields: { from, to, n: own.length },
    })
  }
  for (const row of rows) {
    const place = store.placeOf({ participant_id: participant, ...row })
    const wrapped_dek = rewrapKey(keys, { ...row, to }, place)
    await store.setKey(tx, { participant_id: participant, signal_id: row.signal_id }, { kek_id: to, wrapped_dek })
  }
  return rows.length
}

/** Nothing is under them: each round before this one has moved what it found. */
async function destroyFormer({ admin, clock, keys, recorder, programme }: ValueRewrapOptions): Promise<number> {
  const now = clock()
  let destroyed = 0
  for (let back = 1; back <= YEARS_BACK; back++) {
    const year = now.getUTCFullYear() - back
    const kid = keyOfYear(year)
    const due = now.getTime() >= endOfYear(year).getTime() + VALUE_KEY_KEPT_DAYS * DAY_MS
    if (!due || !keys.has(kid)) continue
    await atControl(admin, (tx) =>
      recorder.record(tx, {
        ...{ kind: 'salts.destroyed', event_id: newId(now), participant_id: programme, at: now },
        fields: { epoch: kid },
      }),
    )
    await keys.destroy(kid)
    destroyed += 1
  }
  return destroyed
}
