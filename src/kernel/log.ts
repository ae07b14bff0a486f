import { type DestinationStream, type Logger, pino } from 'pino'
import { Refusal, StartRefused } from './errors.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * All that a line may hold. What is not named here, or does not look like what its name says, is not written; `dropped`
 * counts it. There is no field for free text, a URL, a query, a body or a key.
 */
export interface LogFields {
  request_id?: string | undefined
  method?: string | undefined
  /** The pattern of the route, never the URL. */
  route?: string | undefined
  status?: number | undefined
  /** A code of the catalogue, or of Node, OpenSSL, PostgreSQL. */
  code?: string | undefined
  reason?: string | undefined
  /** A slug. */
  participant?: string | undefined
  /** Ids. */
  credential?: string | undefined
  event_id?: string | undefined
  feed?: string | undefined
  audience?: string | undefined
  submission?: string | undefined
  kid?: string | undefined
  log_id?: number | undefined
  /** A log's `<host>/provenance/<number>`. */
  origin?: string | undefined
  index?: number | bigint | undefined
  size?: number | bigint | undefined
  /** Milliseconds. */
  ms?: number | undefined
  seconds?: number | undefined
  count?: number | undefined
  bytes?: number | undefined
  items?: number | undefined
  accepted?: number | undefined
  refused?: number | undefined
  version?: string | number | undefined
  name?: string | undefined
  names?: readonly string[] | undefined
  signal?: string | undefined
  minute?: Date | undefined
  days?: number | undefined
  /** Who connected, or a network: of connections that were refused. */
  address?: string | undefined
  listener?: string | undefined
  host?: string | undefined
  port?: number | undefined
  dir?: string | undefined
  ok?: boolean | undefined
  /** Reduced to class, codes and places in the code; see `describeError`. */
  error?: unknown
}

/** Structured lines: facts, and the event's name in place of a sentence made from them. */
export interface Log {
  debug(fields: LogFields, event: string): void
  info(fields: LogFields, event: string): void
  warn(fields: LogFields, event: string): void
  error(fields: LogFields, event: string): void
  /** A log whose lines all hold these fields too. */
  child(fields: LogFields): Log
}

export interface LogOptions {
  level: LogLevel
  /** Takes whole lines; standard output unless given. */
  destination?: DestinationStream
}

type Written = string | number | boolean | readonly string[] | ErrorFacts
type Filter = (value: unknown) => Written | undefined

const matching =
  (pattern: RegExp): Filter =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? value : undefined

const id = matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
const number: Filter = (value) => {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

const FILTERS: Readonly<Record<keyof LogFields, Filter>> = {
  request_id: matching(/^[A-Za-z0-9_-]{1,64}$/),
  method: matching(/^[A-Z-]{1,16}$/),
  route: matching(/^(\/[A-Za-z0-9_.:*/-]{0,255}|unknown)$/),
  status: number,
  code: id,
  reason: id,
  participant: id,
  credential: id,
  event_id: id,
  feed: id,
  audience: id,
  submission: id,
  kid: id,
  log_id: number,
  origin: matching(/^[a-z0-9.:[\]-]{1,253}\/provenance\/[0-9]{1,9}$/),
  index: number,
  size: number,
  ms: number,
  seconds: number,
  count: number,
  bytes: number,
  items: number,
  accepted: number,
  refused: number,
  version: (value) => number(value) ?? id(value),
  name: id,
  names: (value) => (Array.isArray(value) ? value.slice(0, 100).filter((name) => id(name) !== undefined) : undefined),
  signal: id,
  minute: (value) => (value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined),
  days: number,
  address: matching(/^([0-9a-fA-F:.]{2,45}(\/[0-9]{1,3})?|\*|unknown)$/),
  listener: id,
  host: matching(/^[A-Za-z0-9._:[\]-]{1,253}$/),
  port: number,
  dir: matching(/^[^\p{Cc}]{1,1024}$/u),
  ok: (value) => (typeof value === 'boolean' ? value : undefined),
  error: (value) => describeError(value),
}

/** Lines of JSON. What a caller may add is settled by `LogFields`, when compiled and again when written. */
export function createLog({ level, destination = pino.destination({ fd: 1, sync: false }) }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return wrap(logger)
}

/** Swallows everything. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
}

const wrap = (logger: Logger): Log => ({
  debug: (fields, event) => logger.debug(clean(fields), event),
  info: (fields, event) => logger.info(clean(fields), event),
  warn: (fields, event) => logger.warn(clean(fields), event),
  error: (fields, event) => logger.error(clean(fields), event),
  child: (fields) => wrap(logger.child(clean(fields))),
})

function clean(fields: LogFields): Record<string, Written> {
  const written: Record<string, Written> = {}
  let dropped = 0
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name as keyof LogFields] : undefined
    const fit = filter?.(value)
    if (fit === undefined) dropped += 1
    else written[name] = fit
  }
  if (dropped > 0) written['dropped'] = dropped
  return written
}

export interface ErrorFacts {
  class: string
  code?: string
  status?: number
  sqlstate?: string
  /** Names of the schema, as PostgreSQL reports them. */
  table?: string
  column?: string
  constraint?: string
  syscall?: string
  /** Of our own refusals to start: written by us, without values. */
  message?: string
  /** Places in the code, innermost first. */
  at?: readonly string[]
  cause?: ErrorFacts
}

const CLASS = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const CODE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const SQL_STATE = /^[0-9A-Z]{5}$/
const SQL_NAME = /^[a-z_][a-z0-9_]{0,62}$/
const FRAME = /^ {4}at (?:[\w.$<>[\] ]{1,200} )?\(?(?:file:\/\/|node:|\/)[^\s()]{1,300}:\d+:\d+\)?$/
const FRAMES_MAX = 12
const CAUSES_MAX = 4

/**
 * Class, codes, places in the code and causes. Never the message: PostgreSQL, JSON.parse and others quote values in it.
 * Our own refusals are known by their code.
 */
export function describeError(error: unknown, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) return { class: error === null ? 'null' : typeof error }
  const facts: ErrorFacts = { class: CLASS.test(error.name) ? error.name : 'Error', ...codesOf(error) }
  if (error instanceof StartRefused) facts.message = error.message
  const at = error instanceof Refusal ? [] : framesOf(error)
  if (at.length > 0) facts.at = at
  if (error.cause !== undefined && depth < CAUSES_MAX) facts.cause = describeError(error.cause, depth + 1)
  return facts
}

function codesOf(error: Error): Partial<ErrorFacts> {
  const { code, severity, table, column, constraint, syscall } = error as Error & Record<string, unknown>
  if (error instanceof Refusal) return { code: error.code, status: error.status }
  // Only what PostgreSQL sent has a severity.
  if (severity !== undefined) {
    return {
      ...named('sqlstate', code, SQL_STATE),
      ...named('table', table, SQL_NAME),
      ...named('column', column, SQL_NAME),
      ...named('constraint', constraint, SQL_NAME),
    }
  }
  return { ...named('code', code, CODE), ...named('syscall', syscall, CODE) }
}

const named = <K extends keyof ErrorFacts>(name: K, value: unknown, pattern: RegExp): Partial<Record<K, string>> =>
  typeof value === 'string' && pattern.test(value) ? ({ [name]: value } as Record<K, string>) : {}

/** The stack begins with the message, of which no line may pass for a frame. */
function framesOf({ stack = '', message }: Error): string[] {
  const at = message === '' ? 0 : stack.indexOf(message)
  if (at === -1) return []
  return stack
    .slice(at + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, FRAMES_MAX)
    .map((line) => line.trim().slice(3))
}
