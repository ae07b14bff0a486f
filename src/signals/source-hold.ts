import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { Refusal } from '../kernel/errors.ts'
import { firstIdOf, type Uuid } from '../kernel/ids.ts'
import type { Recorder } from '../provenance/service.ts'
import { createHolds } from './hold.ts'
import { SIGNAL_TYPE, SOURCE_HOLD_MAX } from './schema.ts'
import * as store from './store.ts'

/** Whose signals two persons hold or let go at once, and by which request. */
export interface DecidedHold {
  participant: Uuid
  slug: string
  request: Uuid
  now: Date
}

export interface SourceHolds {
  /** How many live signals of a source came since a moment: what a hold would hold. */
  pending(db: Db, participant: Uuid, since: Date): Promise<number>
  /** Holds them all; answers how many. `policy-refused` above the limit, and nothing is held. */
  hold(tx: Tx, of: DecidedHold & { since: Date }): Promise<number>
  /** Lets go everything that was held so, and nothing that is disputed or held by recipients; answers how many. */
  release(tx: Tx, of: DecidedHold): Promise<number>
}

export function createSourceHolds(recorder: Recorder): SourceHolds {
  const holds = createHolds(recorder)
  return {
    pending: async (db, participant, since) =>
      (await store.liveSince(db, participant, { since: firstIdOf(since), limit: SOURCE_HOLD_MAX + 1 })).length,
    async hold(tx, { since, ...of }) {
      const { participant } = of
      const ids = await store.liveSince(tx, participant, { since: firstIdOf(since), limit: SOURCE_HOLD_MAX + 1 })
      if (ids.length > SOURCE_HOLD_MAX)
        throw new Refusal('policy-refused', {
          detail: 'there are more signals than are held at once: begin later',
          extra: { limit: SOURCE_HOLD_MAX },
        })
      let n = 0
      for (const signal of ids) if (await holds.hold(tx, { ...of, signal, dispute: undefined })) n += 1
      return n
    },
    async release(tx, of) {
      const ids = await store.heldByRequest(tx, of.participant)
      for (const signal of ids) await holds.release(tx, { ...of, signal })
      return ids.length
    },
  }
}

const TYPE_NAMES = new Map(Object.entries(SIGNAL_TYPE).map(([name, n]) => [n as number, name]))

/** Signals of a source that expire before a moment, by type. */
export const dueByType = async (db: Db, participant: Uuid, before: Date): Promise<{ type: string; n: number }[]> =>
  (await store.dueByType(db, participant, before)).map(({ type, n }) => ({ type: TYPE_NAMES.get(type) ?? '', n }))
