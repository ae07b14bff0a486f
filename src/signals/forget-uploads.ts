import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import * as store from './store.ts'

/** How long it is remembered how far an upload came, after its last line. */
export const UPLOAD_KEPT_DAYS = 30
const DAY_MS = 86_400_000
const UPLOADS_AT_ONCE = 1_000

/** Forgets a participant's uploads that have rested for long, a portion at a time. `admin` logs in as `aldis_admin`. */
export function createUploadForgetting({ admin, clock }: { admin: Db; clock: Clock }) {
  const before = (): Date => new Date(clock().getTime() - UPLOAD_KEPT_DAYS * DAY_MS)
  return {
    /** Answers how many. */
    forget: (participant: Uuid): Promise<number> =>
      atControl(admin, (tx) => store.forgetUploads(tx, participant, { before: before(), limit: UPLOADS_AT_ONCE })),
    /** How many would be. */
    due: (participant: Uuid): Promise<number> => store.restedUploads(admin, participant, before()),
  }
}
