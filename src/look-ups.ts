import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { CarryOutLookUps, LookedUp, LookUpGroup } from './feeds/lookup-transaction.ts'
import { LIMITS } from './http/limits.ts'
import { type ErrorCode, Refusal, type RefusalOptions } from './kernel/errors.ts'
import type { Uuid } from './kernel/ids.ts'
import type { Core } from './parts.ts'

/** The transactions of look-ups, wherever they run. */
export interface LookUps {
  carryOut: CarryOutLookUps
  /** Once nobody waits for an answer any more. */
  stop(): Promise<void>
}

export type StartLookUps = (core: Core) => LookUps

/** What the thread begins with. */
export interface Handed {
  /** Of the database that this process has opened. */
  url: string
  embedded: boolean
  connections: number
  keysDir: string
  logId: number
  origin: string
  timeoutMs: number
}

/** What the thread is told. Slugs come before the first group that may need them, and never change. */
export type Order =
  | { order: 'names'; names: readonly (readonly [Uuid, string])[] }
  | { order: 'look up'; id: number; group: LookUpGroup }
  | { order: 'stop' }

/** An error as another thread can be told of it. */
export interface Failure {
  refusal?: { code: ErrorCode; options: Omit<RefusalOptions, 'cause'> }
  name: string
  code: string | undefined
  stack: string | undefined
  cause: Failure | undefined
}

export type Outcome = { id: number; answers: LookedUp[] } | { id: number; failure: Failure }

const PROGRAM = new URL(`./look-ups-worker${import.meta.url.slice(-3)}`, import.meta.url)
/** A thread that does not end by itself is ended: nobody waits for it any more. */
const STOP_MS = 10_000

/**
 * In a thread of its own, so that a second core carries them: commitments, journal and database take as long as requests do.
 * A thread that fails ends the process like any error that nobody caught.
 */
export const lookUpsThread: StartLookUps = ({ config, database, logId, origin, authority }) => {
  const worker = new Worker(PROGRAM, {
    workerData: {
      ...{ url: database.url, embedded: config.databaseUrl === undefined, logId, origin },
      ...{ keysDir: join(config.dataDir, 'keys'), timeoutMs: LIMITS.sql_lookup_ms },
      // They wait for one another where the machine is full anyway.
      connections: Math.ceil(config.databasePool / 2),
    } satisfies Handed,
  })
  const order = (one: Order): void => worker.postMessage(one)
  const waiting = new Map<number, { resolve(answers: LookedUp[]): void; reject(error: Error): void }>()
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let stopping = false
  let last = 0
  let named = 0
  worker.on('message', (outcome: Outcome) => {
    const { resolve, reject } = waiting.get(outcome.id) ?? {}
    waiting.delete(outcome.id)
    if ('failure' in outcome) reject?.(errorOf(outcome.failure))
    else resolve?.(outcome.answers)
  })
  worker.on('exit', (code) => {
    if (!stopping) throw new Error(`the thread of look-ups ended with ${code}`)
  })
  /** Participants come and never go. */
  const name = (): void => {
    const participants = authority.participants()
    if (participants.length === named) return
    named = participants.length
    order({ order: 'names', names: participants.map(({ participant_id, slug }) => [participant_id, slug]) })
  }
  return {
    carryOut: (group) =>
      new Promise((resolve, reject) => {
        last += 1
        waiting.set(last, { resolve, reject })
        name()
        order({ order: 'look up', id: last, group })
      }),
    async stop() {
      stopping = true
      order({ order: 'stop' })
      await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })])
      await worker.terminate()
    },
  }
}

/** What is left of an error: no message but a refusal's own, since one may hold values. */
export function failureOf(error: unknown): Failure {
  const { name, stack, code, cause } = Object(error) as Partial<Record<string, unknown>>
  return {
    ...(error instanceof Refusal && { refusal: refusalOf(error) }),
    name: String(name),
    code: code === undefined ? undefined : String(code),
    stack: stack === undefined ? undefined : String(stack),
    cause: cause === undefined ? undefined : failureOf(cause),
  }
}

function refusalOf({ code, detail, errors, extra, retryAfter }: Refusal): NonNullable<Failure['refusal']> {
  const told = { ...(detail === undefined ? {} : { detail }), ...(retryAfter === undefined ? {} : { retryAfter }) }
  return { code, options: { ...told, errors, extra } }
}

export function errorOf({ refusal, name, code, stack, cause }: Failure): Error {
  const own = cause === undefined ? {} : { cause: errorOf(cause) }
  if (refusal !== undefined) return new Refusal(refusal.code, { ...refusal.options, ...own })
  return Object.assign(new Error('', own), { name, code, stack })
}
