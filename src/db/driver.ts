import type { TransactionSettings } from 'kysely'
import {
  AbortedTransactionError,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely'
import { Refusal } from '../kernel/errors.ts'
import type { Sink } from './copy-stream.ts'
import { asRefusal, isConnectionLost, isUnknownAtCommit } from './failure.ts'
import { keptName, type Statement, statementOf, type Write } from './statement.ts'

interface ClientResult {
  command: string
  rowCount: number | null
  rows: unknown[]
}

/** What the driver needs of a pooled client that pipelines: statements go out without waiting for earlier answers. */
export interface DriverClient {
  query(query: { text: string; values?: unknown[]; queryMode?: 'extended'; name?: string }): Promise<ClientResult>
  /** Each message of a COPY .. TO STDOUT, which `take` must not keep: the driver writes on in its memory. */
  copyOut(text: string, take: (message: Buffer) => void): Promise<void>
  /** A COPY .. TO STDOUT, and one .. FROM STDIN, of any size; both answer the number of rows. */
  copyTo(text: string, sink: Sink): Promise<number>
  copyFrom(text: string, source: AsyncIterable<Uint8Array>): Promise<number>
  release(destroy?: boolean): void
  onNotice(listener: (code: string | undefined) => void): () => void
  destroySocket(): void
}

export interface DriverPool {
  connect(): Promise<DriverClient>
  end(): Promise<void>
}

export interface DriverOptions {
  /** Milliseconds that COMMIT may take before the socket is destroyed and the outcome called unknown. */
  commitTimeoutMs: number
  onStatement: (sql: string) => void
  /** Whether a connection is the same server session for as long as it lives. */
  keepsStatements: boolean
}

export interface Guard {
  /** May refuse a statement before it is sent, by throwing. */
  statement(sql: string): void
  /** May refuse the COMMIT, by throwing. */
  commit(writes: readonly Write[]): void
}

/** One checked-out connection, and what its open transaction has done so far. */
export interface Session extends DatabaseConnection {
  /** Adds a setting to what opens the transaction: sent ahead of its first statement, whose failure tells of its own. */
  open(setting: string): void
  /** Milliseconds of each statement of the transaction: a setting, and what COMMIT allows what goes with it. */
  limit(ms: number): void
  /**
   * A statement of unchanging text that changes something and whose answer nobody waits for: sent with what comes next, COMMIT
   * perhaps, which fails by its failure.
   */
  hold(query: CompiledQuery): void
  /** A question of unchanging text that is kept prepared, with the plan that the settings make of it: they hold to the end of the transaction. */
  ask<R>(query: CompiledQuery, settings: readonly string[]): Promise<QueryResult<R>>
  /** From here to the end no transaction control passes, nor what the guard refuses. */
  guard(guard: Guard): void
  /** Each message of a COPY of a query TO STDOUT, not to be kept; it takes no parameters. */
  copyOut(sql: string, take: (message: Buffer) => void): Promise<void>
  /** A COPY TO STDOUT, or FROM STDIN, of any size; the number of rows. Without parameters too. */
  copyTo(sql: string, sink: Sink): Promise<number>
  copyFrom(sql: string, source: AsyncIterable<Uint8Array>): Promise<number>
  /** Whether COMMIT was sent, after which nothing may be repeated. */
  committing(): boolean
  /** Whether the open transaction has changed anything so far. */
  changed(): boolean
}

interface SessionControl extends Session {
  begin(settings: TransactionSettings): void
  commit(): Promise<void>
  rollback(): Promise<void>
  release(): void
}

const sessions = new WeakMap<DatabaseConnection, SessionControl>()

/** The session behind a connection that this driver gave out. */
export const sessionOf = (connection: DatabaseConnection): Session => controlOf(connection)

/**
 * A Kysely driver that sees every statement, raw ones too. BEGIN travels together with the first statement; a COMMIT
 * whose outcome nobody can know ends as `outcome-unknown`; a connection that cannot be had as `busy`.
 */
export function createDriver(pool: DriverPool, options: DriverOptions): Driver {
  return {
    init: async () => {},
    acquireConnection: async () => {
      const client = await pool.connect().catch((error: unknown) => {
        throw asRefusal(error)
      })
      const session = createSession(client, options)
      sessions.set(session, session)
      return session
    },
    beginTransaction: async (connection, settings) => controlOf(connection).begin(settings),
    commitTransaction: (connection) => controlOf(connection).commit(),
    rollbackTransaction: (connection) => controlOf(connection).rollback(),
    releaseConnection: async (connection) => controlOf(connection).release(),
    destroy: () => pool.end(),
  }
}

function controlOf(connection: DatabaseConnection): SessionControl {
  const session = sessions.get(connection)
  if (session === undefined) throw new TypeError('the connection is not of this driver')
  return session
}

/** What goes over one connection, and whether it still can. */
interface Sender {
  /** Holds back what opens a transaction, or what is set within one, until the next statement: all of it is one message. */
  open(text: string): void
  /** The same, unless the open transaction has it already. */
  openOnce(text: string): void
  /** The same of a statement, until the next one. */
  hold(query: Query): void
  /** Whether the transaction is not opened, and no statement of it is held. */
  isEmpty(): boolean
  /** Takes back what is held; false if the transaction was opened already. */
  takeBack(): boolean
  /** Statements of ours have no values. The extended protocol takes one statement a query and refuses more. */
  run(query: Query): Promise<ClientResult>
  copyOut(text: string, take: (message: Buffer) => void): Promise<void>
  copyTo(text: string, sink: Sink): Promise<number>
  copyFrom(text: string, source: AsyncIterable<Uint8Array>): Promise<number>
  /** Why what was sent without waiting failed, once all of it has been answered. */
  failure(): Promise<unknown>
  forget(): void
  broken: boolean
}

interface Query {
  text: string
  values?: readonly unknown[]
  /** Under which the connection keeps it prepared. */
  name?: string | undefined
}

function createSender(client: DriverClient, onStatement: (sql: string) => void): Sender {
  let opening: string[] = []
  let waiting: Query[] = []
  const once = new Set<string>()
  let ahead: Promise<unknown> = Promise.resolve()
  let failed: unknown

  const send = ({ text, values, name }: Query): Promise<ClientResult> => {
    const kept = name === undefined ? {} : { name }
    return client.query(
      values === undefined ? { text } : { text, values: [...values], queryMode: 'extended' as const, ...kept },
    )
  }

  const fail = (error: unknown): never => {
    sender.broken ||= isConnectionLost(error)
    throw failed ?? error
  }

  /** The failure of what nobody waits for explains that of what follows. */
  const sendAhead = (query: Query): Promise<unknown> =>
    send(query).catch((error: unknown) => {
      failed ??= error
      sender.broken ||= isConnectionLost(error)
    })

  const sendHeld = (): void => {
    if (opening.length + waiting.length === 0) return
    for (const text of [...opening, ...waiting.map((query) => query.text)]) onStatement(text)
    const queries = opening.length === 0 ? waiting : [{ text: opening.join('; ') }, ...waiting]
    ahead = Promise.all([ahead, ...queries.map(sendAhead)])
    opening = []
    waiting = []
  }

  const copy = <T>(text: string, start: () => Promise<T>): Promise<T> => {
    sendHeld()
    onStatement(text)
    return start().catch(fail)
  }

  const sender: Sender = {
    broken: false,
    open: (text) => void opening.push(text),
    openOnce(text) {
      if (!once.has(text)) opening.push(text)
      once.add(text)
    },
    hold: (query) => void waiting.push(query),
    isEmpty: () => opening.length > 0 && waiting.length === 0,
    takeBack() {
      const unsent = opening.length > 0
      opening = []
      waiting = []
      return unsent
    },
    run(query) {
      sendHeld()
      onStatement(query.text)
      return send(query).catch(fail)
    },
    copyOut: (text, take) => copy(text, () => client.copyOut(text, take)),
    copyTo: (text, sink) => copy(text, () => client.copyTo(text, sink)),
    copyFrom: (text, source) => copy(text, () => client.copyFrom(text, source)),
    async failure() {
      await ahead
      return failed
    },
    forget() {
      failed = undefined
      once.clear()
    },
  }
  return sender
}

/** Milliseconds of what goes with COMMIT and has no limit of its own: roles have this one of a whole transaction. */
const HELD_MS = 60_000
/** More is none to a timer. */
const TIMER_MAX_MS = 2 ** 31 - 1

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function createSession(client: DriverClient, options: DriverOptions): SessionControl {
  const { commitTimeoutMs, onStatement, keepsStatements } = options
  const sender = createSender(client, onStatement)
  let writes: Write[] = []
  let guard: Guard | undefined
  let state: 'none' | 'open' | 'ending' = 'none'
  let commitSent = false
  let heldMs = HELD_MS

  const admit = (sql: string): Statement => {
    if (state === 'ending') throw new Error('the transaction is over')
    const statement = statementOf(sql)
    if (guard !== undefined && statement.control) throw new Error('a transaction is ended by its opener alone')
    guard?.statement(sql)
    return statement
  }

  const execute = async <R>(
    { sql, parameters }: CompiledQuery,
    { name, settings = [] }: { name?: string; settings?: readonly string[] } = {},
  ): Promise<QueryResult<R>> => {
    const statement = admit(sql)
    for (const setting of settings) sender.openOnce(setting)
    const sent = sender.run({ text: sql, values: parameters, name })
    const { command, rowCount, rows } = await sent.catch((error: unknown) => {
      throw state === 'none' ? asRefusal(error) : error
    })
    if (!statement.plain || rowCount !== 0) writes.push(...statement.writes)
    return { rows: rows as R[], ...(CHANGES.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) }
  }

  return {
    open: (setting) => sender.open(setting),
    limit(ms) {
      heldMs = ms || HELD_MS
      sender.open(`set local statement_timeout = ${ms}`)
    },
    hold({ sql, parameters }) {
      writes.push(...admit(sql).writes)
      sender.hold({ text: sql, values: parameters, name: keepsStatements ? keptName(sql) : undefined })
    },
    guard(next) {
      guard = next
    },
    committing: () => commitSent,
    changed: () => writes.length > 0,
    copyOut: async (sql, take) => admit(sql) && sender.copyOut(sql, take),
    copyTo: async (sql, sink) => admit(sql) && sender.copyTo(sql, sink),
    copyFrom: async (sql, source) => {
      writes.push(...admit(sql).writes)
      return sender.copyFrom(sql, source)
    },
    executeQuery: (query) => execute(query),
    ask: (query, settings) => execute(query, keepsStatements ? { name: keptName(query.sql), settings } : {}),
    streamQuery: noStream,
    begin(settings) {
      // A connection taken for longer sees several transactions.
      state = 'open'
      commitSent = false
      writes = []
      guard = undefined
      heldMs = HELD_MS
      sender.forget()
      sender.open(beginText(settings))
    },
    async commit() {
      const failed = await sender.failure()
      if (failed !== undefined) throw failed
      guard?.commit(writes)
      if (sender.isEmpty()) {
        sender.takeBack()
        state = 'none'
        return
      }
      state = 'ending'
      commitSent = true
      await commitWithin({ ms: commitTimeoutMs, heldMs }, client, sender).catch(async (error: unknown) => {
        // COMMIT did not happen for what failed before it, and so all of it may be done again.
        if (error === (await sender.failure())) commitSent = false
        throw error
      })
      state = 'none'
    },
    async rollback() {
      if (sender.broken || state !== 'open') return
      if (sender.takeBack()) {
        state = 'none'
        return
      }
      state = 'ending'
      // The error that led here matters more than one of ROLLBACK's own; the connection is dropped then.
      await sender.run({ text: 'rollback' }).catch(() => {
        sender.broken = true
      })
      state = 'none'
    },
    release: () => client.release(sender.broken),
  }
}

/** Streaming would hold a portal open, which a pipelined connection cannot. */
function noStream(): never {
  throw new Error('streaming is not offered; page instead')
}

/**
 * COMMIT itself, with what is held. Throws what stopped it; `outcome-unknown` where nobody can tell, or where it is durable here
 * but the wait for the standby was cut short.
 */
async function commitWithin(
  { ms, heldMs }: { ms: number; heldMs: number },
  client: DriverClient,
  sender: Sender,
): Promise<void> {
  let unreplicated = false
  // The server ends what takes too long, but not one that has stopped, or that nothing is heard of.
  const cut = (): void => client.destroySocket()
  let timer = setTimeout(cut, Math.min(ms + heldMs, TIMER_MAX_MS))
  const off = client.onNotice((code) => {
    unreplicated ||= code === '01000'
  })
  try {
    const answer = sender.run({ text: 'commit' })
    // What goes with it has a time of its own.
    await Promise.race([answer, sender.failure()])
    clearTimeout(timer)
    timer = setTimeout(cut, ms)
    const { command } = await answer
    if (command === 'ROLLBACK') throw (await sender.failure()) ?? new AbortedTransactionError()
  } catch (error) {
    if (error instanceof AbortedTransactionError || !isUnknownAtCommit(error)) throw error
    if (error === (await sender.failure()) && !sender.broken) throw error
    sender.broken = true
    throw new Refusal('outcome-unknown', { cause: error, retryAfter: 1 })
  } finally {
    clearTimeout(timer)
    off()
  }
  if (unreplicated) throw new Refusal('outcome-unknown', { retryAfter: 1 })
}

const beginText = ({ isolationLevel, accessMode }: TransactionSettings): string =>
  ['begin', isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean).join(' ')
