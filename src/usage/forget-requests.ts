import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { REQUESTS_KEPT_DAYS } from './schema.ts'
import { forgetRequests, requestsBefore } from './store.ts'

const DAY_MS = 86_400_000
/** Of one organisation and round: a quarter of what it may have listed in an hour. A purge goes on while its rounds find something. */
const REQUESTS_AT_ONCE = 5_000

/** From when on requests are listed. */
export const keptFrom = (now: Date): Date => new Date(now.getTime() - REQUESTS_KEPT_DAYS * DAY_MS)

/** Forgets an organisation's requests beyond their time, a portion at a time. `admin` logs in as `aldis_admin`. */
export function createRequestForgetting({ admin, clock }: { admin: Db; clock: Clock }) {
  return {
    /** Answers how many. */
    forget: (participant: Uuid): Promise<number> =>
      atControl(admin, (tx) => forgetRequests(tx, participant, { before: keptFrom(clock()), limit: REQUESTS_AT_ONCE })),
    /** How many would be. */
    due: (participant: Uuid): Promise<number> => requestsBefore(admin, participant, keptFrom(clock())),
  }
}
