import type { HitsOf } from '../feedback/tell.ts'
import * as hitStore from './hit-store.ts'

/** How often a participant saw a signal, and how often since it took action. */
export const hitsOf: HitsOf = async (tx, { participant, origin, signal }) => {
  const row = await hitStore.hitForUpdate(tx, participant, { origin, signal_id: signal })
  const { count = 0, acted_count = null } = row ?? {}
  return { count, recurrences: acted_count === null ? 0 : count - acted_count }
}
