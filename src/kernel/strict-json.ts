import { type ErrorCode, Refusal } from './errors.ts'

/** What a document may hold at most; strings in UTF-16 code units. */
export interface JsonLimits {
  depth: number
  members: number
  string: number
  array: number
}

export const JSON_LIMITS: JsonLimits = { depth: 8, members: 64, string: 4_096, array: 1_000 }

/**
 * JSON (RFC 8259) in which two readers cannot see different things: refuses duplicate keys, lone surrogates, integers
 * beyond 2^53, invalid UTF-8, and whatever is beyond the limits. Throws `invalid-json`, `json-strict` or
 * `json-limit` with the RFC 6901 pointer of the fault, never the value.
 */
export function parseStrict(input: string | Uint8Array, limits: JsonLimits = JSON_LIMITS): unknown {
  const text = typeof input === 'string' ? input : decode(input)
  const plain = plainly(text, limits)
  if (plain !== undefined) return plain.value
  const scan: Scan = { text, limits, at: 0, path: [] }
  const value = valueAt(scan, 0)
  skip(scan)
  if (scan.at !== scan.text.length) throw invalid(scan)
  return value
}

/**
 * What is written as programs write it, in a fraction of the time: without escapes, and within the limits, a text that has as many colons
 * as its value has members has no name twice. Undefined for any other, which is then scanned.
 */
function plainly(text: string, limits: JsonLimits): { value: unknown } | undefined {
  const colons = text.includes('\\') || !text.isWellFormed() ? undefined : colonsIn(text, limits.depth)
  if (colons === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return membersWithin(value, limits) === colons ? { value } : undefined
  } catch {
    // What is wrong is said by the scan.
    return undefined
  }
}

/**
 * Of a text without escapes, so that every quote begins or ends a string: the colons between strings. Undefined where it is deeper than it
 * may be, since JSON.parse builds whatever depth it is sent.
 */
function colonsIn(text: string, most: number): number | undefined {
  let [depth, colons] = [0, 0]
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === COLON) colons += 1
    else depth += stepOf(code)
    if (depth > most) return undefined
  }
  return colons
}

function endOfString(text: string, at: number): number {
  const end = text.indexOf('"', at + 1)
  return end < 0 ? text.length : end
}

function stepOf(code: number): number {
  if (code === OPEN_OBJECT || code === OPEN_ARRAY) return 1
  return code === CLOSE_OBJECT || code === CLOSE_ARRAY ? -1 : 0
}

/** Members of a value and of all in it; not a number where something is beyond the limits. */
function membersWithin(value: unknown, limits: JsonLimits): number {
  if (typeof value === 'string') return value.length <= limits.string ? 0 : Number.NaN
  if (typeof value === 'number') return isExact(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.length <= limits.array ? sumWithin(value, limits) : Number.NaN
  return objectWithin(value, limits)
}

function objectWithin(value: object, limits: JsonLimits): number {
  const names = Object.keys(value)
  const fit = names.length <= limits.members && names.every((name) => name.length <= limits.string)
  return fit ? names.length + sumWithin(Object.values(value), limits) : Number.NaN
}

function sumWithin(values: readonly unknown[], limits: JsonLimits): number {
  let sum = 0
  for (const one of values) sum += membersWithin(one, limits)
  return sum
}

/** Whether a number is the one that was written, as far as integers go. */
const isExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))

/** Where a scan stands. */
interface Scan {
  readonly text: string
  readonly limits: JsonLimits
  at: number
  /** Names and indices from the root to here; a pointer is made of them only where something is wrong. */
  readonly path: (string | number)[]
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Refusal('json-strict', { detail: 'the body is not UTF-8' })
  }
}

function valueAt(scan: Scan, depth: number): unknown {
  skip(scan)
  switch (scan.text.charCodeAt(scan.at)) {
    case OPEN_OBJECT:
      return objectAt(scan, depth + 1)
    case OPEN_ARRAY:
      return arrayAt(scan, depth + 1)
    case QUOTE:
      return stringAt(scan)
    case 0x74:
      return wordAt(scan, 'true', true)
    case 0x66:
      return wordAt(scan, 'false', false)
    case 0x6e:
      return wordAt(scan, 'null', null)
    default:
      return numberAt(scan)
  }
}

function objectAt(scan: Scan, depth: number): Record<string, unknown> {
  deeper(scan, depth)
  const members: Record<string, unknown> = {}
  scan.at += 1
  if (closes(scan, CLOSE_OBJECT)) return members
  for (let count = 0; ; count++) {
    skip(scan)
    if (scan.text.charCodeAt(scan.at) !== QUOTE) throw invalid(scan)
    const name = stringAt(scan)
    if (Object.hasOwn(members, name)) throw within(scan, name, 'json-strict', 'a duplicate key')
    if (count === scan.limits.members) throw fail(scan, 'json-limit', `more than ${scan.limits.members} members`)
    scan.path.push(name)
    skip(scan)
    if (scan.text.charCodeAt(scan.at) !== COLON) throw invalid(scan)
    scan.at += 1
    put(members, name, valueAt(scan, depth))
    scan.path.pop()
    if (ends(scan, CLOSE_OBJECT)) return members
  }
}

function arrayAt(scan: Scan, depth: number): unknown[] {
  deeper(scan, depth)
  const items: unknown[] = []
  scan.at += 1
  if (closes(scan, CLOSE_ARRAY)) return items
  for (;;) {
    if (items.length === scan.limits.array) throw fail(scan, 'json-limit', `more than ${scan.limits.array} items`)
    scan.path.push(items.length)
    items.push(valueAt(scan, depth))
    scan.path.pop()
    if (ends(scan, CLOSE_ARRAY)) return items
  }
}

/** Runs to the closing quote; only what holds an escape goes through JSON.parse. */
function stringAt(scan: Scan): string {
  const { text, limits } = scan
  const start = scan.at
  const end = closingQuote(scan)
  scan.at = end + 1
  const inner = text.slice(start + 1, end)
  const found = inner.includes('\\') ? unquoted(scan, text.slice(start, end + 1)) : inner
  if (found.length > limits.string) throw fail(scan, 'json-limit', `a string of more than ${limits.string} characters`)
  if (!found.isWellFormed()) throw fail(scan, 'json-strict', 'a lone surrogate')
  return found
}

function closingQuote(scan: Scan): number {
  const { text } = scan
  for (let at = scan.at + 1; ; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at += 1
    // Beyond the end it is NaN, which is no control character either.
    else if (!(code >= 0x20)) throw invalid(scan)
  }
}

function unquoted(scan: Scan, quoted: string): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    throw invalid(scan)
  }
}

function numberAt(scan: Scan): number {
  NUMBER.lastIndex = scan.at
  const found = NUMBER.exec(scan.text)?.[0]
  if (found === undefined) throw invalid(scan)
  scan.at += found.length
  const parsed = Number(found)
  if (!isExact(parsed)) throw fail(scan, 'json-strict', 'a number beyond 2^53')
  return parsed
}

function wordAt<T>(scan: Scan, name: string, meaning: T): T {
  if (!scan.text.startsWith(name, scan.at)) throw invalid(scan)
  scan.at += name.length
  return meaning
}

function skip(scan: Scan): void {
  for (;;) {
    const code = scan.text.charCodeAt(scan.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    scan.at += 1
  }
}

/** Whether the closing character comes at once. */
function closes(scan: Scan, close: number): boolean {
  skip(scan)
  if (scan.text.charCodeAt(scan.at) !== close) return false
  scan.at += 1
  return true
}

/** Whether the closing character comes after a value, where nothing but a comma may come instead. */
function ends(scan: Scan, close: number): boolean {
  skip(scan)
  const code = scan.text.charCodeAt(scan.at)
  scan.at += 1
  if (code !== close && code !== COMMA) throw invalid(scan)
  return code === close
}

function deeper(scan: Scan, depth: number): void {
  if (depth > scan.limits.depth) throw fail(scan, 'json-limit', `deeper than ${scan.limits.depth} levels`)
}

/** `__proto__` is a name like any other. */
function put(members: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') members[name] = value
  else Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true })
}

const invalid = (scan: Scan): Refusal => fail(scan, 'invalid-json', 'the text is not JSON')

function within(scan: Scan, name: string, code: ErrorCode, detail: string): Refusal {
  scan.path.push(name)
  return fail(scan, code, detail)
}

function fail({ path }: Scan, code: ErrorCode, detail: string): Refusal {
  const pointer = path.map((step) => `/${typeof step === 'number' ? step : escaped(step)}`).join('')
  return new Refusal(code, { detail, errors: [{ pointer, code, detail }] })
}

/** A name is the sender's word too: what could be an address, a link or a number is not repeated. */
const TELLING = /[@.:+\s]|(?:\p{Nd}\P{Nd}*){6}/u
const NAME_MAX = 41

const escaped = (name: string): string =>
  name.length > NAME_MAX || TELLING.test(name) ? '?' : name.replaceAll('~', '~0').replaceAll('/', '~1')
