import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import * as store from './store.ts'

/** How long it is remembered how far an upload came, after its last line. */
export const UPLOAD_KEPT_DAYS = 30
const DAY_MS = 86_400_000
const UPLOADS_AT_ONCE = 1_000

/** Forgets a participant's uploads that have rested for long, a portion at a time; answers how many. `admin` logs in as `aldis_admin`. */
export const createUploadForgetting =
  ({ admin, clock }: { admin: Db; clock: Clock }) =>
  (participant: Uuid): Promise<number> =>
    atControl(admin, (tx) =>
      store.forgetUploads(tx, participant, {
        before: new Date(clock().getTime() - UPLOAD_KEPT_DAYS * DAY_MS),
        limit: UPLOADS_AT_ONCE,
      }),
    )
