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
  const scanner = createScanner(text, limits)
  const value = scanner.value('', 0)
  scanner.end()
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Refusal('json-strict', { detail: 'the body is not UTF-8' })
  }
}

const fail = (code: ErrorCode, pointer: string, detail: string): Refusal =>
  new Refusal(code, { detail, errors: [{ pointer, code, detail }] })

/** A name is the sender's word too: what could be an address, a link or a number is not repeated. */
const TELLING = /[@.:+\s]|(?:\p{Nd}\P{Nd}*){6}/u
const NAME_MAX = 41

const escaped = (name: string): string =>
  name.length > NAME_MAX || TELLING.test(name) ? '?' : name.replaceAll('~', '~0').replaceAll('/', '~1')

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const QUOTE = 0x22
const BACKSLASH = 0x5c

function createScanner(text: string, limits: JsonLimits) {
  let at = 0

  const invalid = (pointer: string): Refusal => fail('invalid-json', pointer, 'the text is not JSON')

  const skip = (): void => {
    for (;;) {
      const code = text.charCodeAt(at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      at += 1
    }
  }

  const value = (pointer: string, depth: number): unknown => {
    skip()
    switch (text.charCodeAt(at)) {
      case 0x7b:
        return object(pointer, depth + 1)
      case 0x5b:
        return array(pointer, depth + 1)
      case QUOTE:
        return string(pointer)
      case 0x74:
        return word('true', true, pointer)
      case 0x66:
        return word('false', false, pointer)
      case 0x6e:
        return word('null', null, pointer)
      default:
        return number(pointer)
    }
  }

  const word = <T>(name: string, meaning: T, pointer: string): T => {
    if (!text.startsWith(name, at)) throw invalid(pointer)
    at += name.length
    return meaning
  }

  const number = (pointer: string): number => {
    NUMBER.lastIndex = at
    const found = NUMBER.exec(text)?.[0]
    if (found === undefined) throw invalid(pointer)
    at += found.length
    const parsed = Number(found)
    if (!Number.isFinite(parsed) || (Number.isInteger(parsed) && !Number.isSafeInteger(parsed))) {
      throw fail('json-strict', pointer, 'a number beyond 2^53')
    }
    return parsed
  }

  /** Runs to the closing quote; only what holds an escape goes through JSON.parse. */
  const string = (pointer: string): string => {
    const start = at
    let plain = true
    for (at += 1; ; at += 1) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) break
      if (code === BACKSLASH) {
        plain = false
        at += 1
      } else if (code < 0x20 || Number.isNaN(code)) throw invalid(pointer)
    }
    at += 1
    const found = plain ? text.slice(start + 1, at - 1) : unescape(text.slice(start, at), pointer)
    if (found.length > limits.string)
      throw fail('json-limit', pointer, `a string of more than ${limits.string} characters`)
    if (!found.isWellFormed()) throw fail('json-strict', pointer, 'a lone surrogate')
    return found
  }

  const unescape = (quoted: string, pointer: string): string => {
    try {
      return JSON.parse(quoted) as string
    } catch {
      throw invalid(pointer)
    }
  }

  const deeper = (pointer: string, depth: number): void => {
    if (depth > limits.depth) throw fail('json-limit', pointer, `deeper than ${limits.depth} levels`)
  }

  const array = (pointer: string, depth: number): unknown[] => {
    deeper(pointer, depth)
    const items: unknown[] = []
    at += 1
    skip()
    if (text.charCodeAt(at) === 0x5d) {
      at += 1
      return items
    }
    for (;;) {
      if (items.length === limits.array) throw fail('json-limit', pointer, `more than ${limits.array} items`)
      items.push(value(`${pointer}/${items.length}`, depth))
      skip()
      const code = text.charCodeAt(at)
      at += 1
      if (code === 0x5d) return items
      if (code !== 0x2c) throw invalid(pointer)
    }
  }

  const object = (pointer: string, depth: number): Record<string, unknown> => {
    deeper(pointer, depth)
    const members: Record<string, unknown> = {}
    let count = 0
    at += 1
    skip()
    if (text.charCodeAt(at) === 0x7d) {
      at += 1
      return members
    }
    for (;;) {
      skip()
      if (text.charCodeAt(at) !== QUOTE) throw invalid(pointer)
      const name = string(pointer)
      const place = `${pointer}/${escaped(name)}`
      if (Object.hasOwn(members, name)) throw fail('json-strict', place, 'a duplicate key')
      if (count === limits.members) throw fail('json-limit', pointer, `more than ${limits.members} members`)
      count += 1
      skip()
      if (text.charCodeAt(at) !== 0x3a) throw invalid(place)
      at += 1
      put(members, name, value(place, depth))
      skip()
      const code = text.charCodeAt(at)
      at += 1
      if (code === 0x7d) return members
      if (code !== 0x2c) throw invalid(pointer)
    }
  }

  const end = (): void => {
    skip()
    if (at !== text.length) throw invalid('')
  }

  return { value, end }
}

/** `__proto__` is a name like any other. */
function put(members: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') members[name] = value
  else Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true })
}
