import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { connect, type Db } from '../../src/db/connect.ts'
import type { Random } from '../faults/random.ts'

/** Of the time, so that one in ten of the short transactions that write changes falls into it. */
const HELD_MS = 40
const EVERY_MS = 400
const FOLLOWED_MS = 600
/** Of the rounds, how many make a deadlock. */
const DEADLOCKS = 0.15

export interface Spoilt {
  rollbacks: number
  deadlocks: number
}

/** Rolls other transactions back and makes deadlocks with the integrators, through a superuser's connection, until it is stopped. */
export function aSaboteur(url: string, random: Random): { spoilt: Spoilt; stop(): Promise<void> } {
  const db = connect({ url, max: 1 })
  const spoilt = { rollbacks: 0, deadlocks: 0 }
  let stopped = false
  const run = async (): Promise<void> => {
    while (!stopped) {
      const work = random.chance(DEADLOCKS) ? deadlock : rollBack
      // The database may be gone at any moment, or it is this transaction that the deadlock ends.
      await work(db, spoilt).catch(() => {})
      await delay(random.below(2 * (EVERY_MS - HELD_MS)))
    }
    await db.destroy()
  }
  const running = run()
  return {
    spoilt,
    stop: () => {
      stopped = true
      return running
    },
  }
}

/** Whoever of the node waits for the outbox when it is given back is cancelled: everything of that transaction is undone. Who only looks is spared. */
const rollBack = (db: Db, spoilt: Spoilt): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await sql`set local lock_timeout = '500ms'`.execute(tx)
    await sql`lock table prov_outbox in access exclusive mode`.execute(tx)
    await delay(HELD_MS)
    const { rows } = await sql`
      select pg_cancel_backend(pid) from pg_stat_activity
      where usename like 'aldis_%' and pg_backend_pid() = any(pg_blocking_pids(pid))`.execute(tx)
    spoilt.rollbacks += rows.length
  })

/** The chain before the head: integrators lock them in the other order. */
const deadlock = (db: Db, spoilt: Spoilt): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await sql`select 1 from log_chain where party = 'apple' for update`.execute(tx)
    const until = performance.now() + FOLLOWED_MS
    while (!(await isWaitedFor(tx))) {
      if (performance.now() > until) return
      await delay(10)
    }
    spoilt.deadlocks += 1
    await sql`select 1 from log_head for update`.execute(tx)
  })

async function isWaitedFor(tx: Db): Promise<boolean> {
  await sql`select pg_stat_clear_snapshot()`.execute(tx)
  const { rows } = await sql`
    select 1 from pg_stat_activity
    where usename = 'aldis_integrator' and pg_backend_pid() = any(pg_blocking_pids(pid))`.execute(tx)
  return rows.length > 0
}
