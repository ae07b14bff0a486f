import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { Recorder } from '../provenance/service.ts'
import { FREE_AGAIN_MS } from './service.ts'
import * as store from './store.ts'

export interface EvaluationFlushOptions {
  db: Db
  /** Reads whose batches wait. */
  ledger: Db
  clock: Clock
  recorder: Recorder
  /** Reads who takes part, so that everybody has a name. */
  refresh(): Promise<void>
  slugOf(participant: Uuid): string
}

/** Batches of one participant in one round. */
const AT_ONCE = 4_096

/** Evaluated batches to entries: one for each participant, epoch and purpose, with the number of elements. */
export function createEvaluationFlush(options: EvaluationFlushOptions): { round(): Promise<number> } {
  const { ledger, refresh } = options
  return {
    /** Answers how many batches have an entry now. */
    async round() {
      const waiting = await store.participantsWithBatches(ledger)
      if (waiting.length > 0) await refresh()
      let n = 0
      for (const { participant_id } of waiting) n += await flush(options, participant_id)
      return n
    },
  }
}

async function flush(options: EvaluationFlushOptions, participant_id: Uuid): Promise<number> {
  const { db, clock, recorder, slugOf } = options
  const at = clock()
  return asParticipant(db, participant_id, async (tx) => {
    const pending = await store.pendingBatches(tx, participant_id, AT_ONCE)
    for (const group of Map.groupBy(pending, ({ kid, purpose }) => `${kid} ${purpose}`).values()) {
      const [first] = group
      if (first === undefined) continue
      const { kid, purpose } = first
      const event_id = newId(at)
      const fields = { kid, purpose, n: group.reduce((sum, { n }) => sum + n, 0) }
      const event = { kind: 'lookup.evaluated', event_id, participant_id, at, actor: slugOf(participant_id) } as const
      await recorder.record(tx, { ...event, fields })
      const keys = group.map(({ batch_key }) => batch_key)
      await store.setEvent(tx, participant_id, keys, event_id)
    }
    await store.forget(tx, participant_id, new Date(at.getTime() - FREE_AGAIN_MS))
    return pending.length
  })
}
