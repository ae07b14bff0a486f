import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { latestConformance } from './store.ts'

/** Whether the newest conformance run of a participant passed every step; without one it did not. */
export const passedLast =
  (app: Db) =>
  async (participant: Uuid): Promise<boolean> =>
    (await latestConformance(app, participant))?.passed === true
