import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Transaction } from 'kysely'
import { isUuid } from '../kernel/ids.ts'
import { type Db, pipelined } from './connect.ts'
import { type Session, sessionOf } from './driver.ts'
import { asRefusal, isRepeatable } from './failure.ts'
import { LOGGED } from './placement.ts'
import type { Write } from './statement.ts'
import type { Database } from './tables.ts'

declare const family: unique symbol

/** Whose rows a transaction is about: what one of these holds can live in one shard. */
export type Family = 'participant' | 'log' | 'feed' | 'keys' | 'control'

/** An open transaction: in a signature it means "part of a larger change". Only the openers here make one. */
export type Tx<F extends Family = Family> = Transaction<Database> & { readonly [family]: F }

export interface OpenOptions {
  /** `statement_timeout` of each statement, milliseconds. */
  timeoutMs?: number
}

const RETRIES = 3
const FIRST_DELAY_MS = 20

let watcher: ((family: Family, sql: string) => void) | undefined

/**
 * From now on `watch`, and nobody else, hears every statement of every opener's transaction before it is sent, and stops
 * it by throwing. For tests, where a table of a foreign family throws.
 */
export function watchFamilies(watch: typeof watcher): void {
  watcher = watch
}

/** What becomes part of each of a participant's transactions that changed something: the last statement before its COMMIT. */
export interface Addition {
  participant: string
  /** May refuse the COMMIT, by throwing. */
  add(tx: Tx<'participant'>): Promise<void>
}

const additions = new AsyncLocalStorage<Addition>()

/** Runs `work`; whatever it changes in the name of that participant, now or later, has the addition. */
export const withAddition = <T>(addition: Addition, work: () => T): T => additions.run(addition, work)

function added<T>(participantId: string, fn: (tx: Tx<'participant'>) => Promise<T>): typeof fn {
  const addition = additions.getStore()
  if (addition?.participant !== participantId) return fn
  return async (tx) => {
    const result = await fn(tx)
    const changed = await tx.getExecutor().provideConnection(async (connection) => sessionOf(connection).changed())
    if (changed) await addition.add(tx)
    return result
  }
}

/**
 * A transaction in the name of one participant, whose rows alone row-level security then shows. Like every opener: a
 * change of a logged table without its record is rolled back; before COMMIT a deadlock, a serialisation failure or a
 * lock timeout runs `fn` again, three times; `outcome-unknown` if nobody can tell whether COMMIT happened.
 */
export function asParticipant<T>(
  db: Db,
  participantId: string,
  fn: (tx: Tx<'participant'>) => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  // Set as a literal, which cannot be bound: nothing but a UUID may come near it.
  return open(
    db,
    'participant',
    [`set local app.participant = '${checkedUuid(participantId)}'`],
    added(participantId, fn),
    options,
  )
}

/** A transaction on the programme's own tables: people, approvals, enrolment, reference data. */
export const atControl = <T>(db: Db, fn: (tx: Tx<'control'>) => Promise<T>, options: OpenOptions = {}): Promise<T> =>
  open(db, 'control', [], fn, options)

/** A transaction on one provenance log. */
export function atLog<T>(
  db: Db,
  logId: number,
  fn: (tx: Tx<'log'>) => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  if (!Number.isInteger(logId)) throw new TypeError('log id')
  return open(db, 'log', [], fn, options)
}

/** A transaction on one feed. */
export function atFeed<T>(
  db: Db,
  feedId: string,
  fn: (tx: Tx<'feed'>) => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  checkedUuid(feedId)
  return open(db, 'feed', [], fn, options)
}

/** A transaction on what is looked up by signal key. */
export const atKeys = <T>(db: Db, fn: (tx: Tx<'keys'>) => Promise<T>, options: OpenOptions = {}): Promise<T> =>
  open(db, 'keys', [], fn, options)

async function open<F extends Family, T>(
  db: Db,
  family: F,
  settings: readonly string[],
  fn: (tx: Tx<F>) => Promise<T>,
  { timeoutMs }: OpenOptions,
): Promise<T> {
  const limit = timeoutMs === undefined ? undefined : ms(timeoutMs)
  for (let attempt = 0; ; attempt++) {
    let session: Session | undefined
    try {
      return await db.transaction().execute(async (tx) => {
        const connection = await tx.getExecutor().provideConnection(async (own) => own)
        session = sessionOf(connection)
        for (const setting of settings) session.open(setting)
        if (limit !== undefined) session.limit(limit)
        session.guard({ commit: refuseUnrecorded, statement: (sql) => watcher?.(family, sql) })
        return fn(pipelined(tx, connection) as unknown as Tx<F>)
      })
    } catch (error) {
      const repeat = isRepeatable(error) && session?.committing() === false
      if (!repeat || attempt === RETRIES) throw asRefusal(error)
      await delay(Math.random() * FIRST_DELAY_MS * 2 ** (attempt + 1))
    }
  }
}

/** Changed without a record means changed without a trace: the log is complete only if this cannot be committed. */
function refuseUnrecorded(writes: readonly Write[]): void {
  const logged = writes.find(({ table }) => LOGGED.has(table))
  if (logged === undefined) return
  if (writes.some(({ verb, table }) => verb === 'insert' && table === 'prov_outbox')) return
  throw new Error(`${logged.verb} of ${logged.table} without a provenance record: rolled back`)
}

function checkedUuid(id: string): string {
  if (!isUuid(id)) throw new TypeError('not a UUID')
  return id
}

function ms(timeout: number): number {
  if (!Number.isInteger(timeout) || timeout < 0) throw new TypeError('timeoutMs')
  return timeout
}
