import { isUtf8 } from 'node:buffer'
import { Refusal } from '../kernel/errors.ts'
import { JSON_LIMITS, type JsonLimits, parseStrict } from '../kernel/strict-json.ts'
import { type FlatJws, ITEM_BYTES_MAX, ITEMS_MAX, type SaltedItem, SUBMISSION_BYTES_MAX } from './submission.ts'

/** Bytes of one line, its newline not counted. */
export const LINE_MAX = 65_536

/** One line of a stream, or the place of one that was too long. `broken`: its bytes are no UTF-8, and its text is a guess. */
export type Line = { line: bigint; text: string; broken?: true } | { line: bigint; tooLong: true }

/** What a stream holds: whole submissions (`at`: the line of each item, `bytes`: of its lines), and lines that are part of none. */
export type Framed =
  | {
      outcome: 'submission'
      first: bigint
      last: bigint
      bytes: number
      jws: FlatJws
      items: SaltedItem[]
      at: bigint[]
    }
  | { outcome: 'refused'; first: bigint; last: bigint; refusal: Refusal }

/** Cuts bytes into lines with the memory of one line; a longer one is passed over to its end. Lines count from `from`. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, from = 1n): AsyncGenerator<Line> {
  let held: Buffer[] = []
  let size = 0
  let line = from
  const take = (rest: Buffer): Line => {
    const whole = held.length === 0 ? rest : Buffer.concat([...held, rest])
    const tooLong = size + rest.length > LINE_MAX
    held = []
    size = 0
    line += 1n
    if (tooLong) return { line: line - 1n, tooLong }
    return { line: line - 1n, text: whole.toString(), ...(!isUtf8(whole) && { broken: true }) }
  }
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = 0
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, at)) {
      yield take(bytes.subarray(at, end))
      at = end + 1
    }
    const rest = bytes.subarray(at)
    size += rest.length
    if (size > LINE_MAX) held = []
    // A chunk's memory is shared: what is kept over must be copied.
    else if (rest.length > 0) held.push(Buffer.from(rest))
  }
  if (size > 0) {
    const rest = Buffer.alloc(0)
    const tooLong = size > LINE_MAX
    yield tooLong ? { line, tooLong } : take(rest)
  }
}

/**
 * Groups lines into submissions: `{"jws":..}` and then `count` lines `{"salt":..,"item":".."}`. What does not fit is named
 * by its lines, and reading goes on at the next `jws` line. Empty lines are none. Of one beyond `SUBMISSION_BYTES_MAX`
 * nothing is kept.
 */
export async function* submissionsOf(lines: AsyncIterable<Line>): AsyncGenerator<Framed> {
  const framer = createFramer()
  for await (const one of lines) {
    if ('text' in one && one.text === '') continue
    yield* framer.take(one, parseLine(one))
  }
  yield* framer.end()
}

/** A submission whose items are still to come. */
interface Open {
  first: bigint
  last: bigint
  bytes: number
  jws: FlatJws
  count: number
  items: SaltedItem[]
  at: bigint[]
}

function createFramer(): { take(line: Line, parsed: Parsed): Framed[]; end(): Framed[] } {
  let open: Open | undefined
  let stray: { first: bigint; last: bigint; refusal: Refusal } | undefined

  /** What was begun and is not finished: either a submission or lines that are part of none. */
  const end = (): Framed[] => {
    const left =
      open === undefined
        ? stray
        : {
            ...{ first: open.first, last: open.last },
            refusal: broken('the submission has fewer items than it signed'),
          }
    open = undefined
    stray = undefined
    return left === undefined ? [] : [{ outcome: 'refused', ...left }]
  }

  const begin = (one: Line, { jws, count }: Begun): Framed[] => {
    const left = end()
    const { line } = one
    open = { first: line, last: line, bytes: bytesOf(one), jws, count, items: [], at: [] }
    return left
  }

  const add = (to: Open, one: Line, item: SaltedItem): Framed[] => {
    to.bytes += bytesOf(one)
    if (to.bytes > SUBMISSION_BYTES_MAX) return pass(one.line, tooLarge())
    to.items.push(item)
    to.at.push(one.line)
    to.last = one.line
    if (to.items.length < to.count) return []
    const { first, last, bytes, jws, items, at } = to
    open = undefined
    return [{ outcome: 'submission', first, last, bytes, jws, items, at }]
  }

  /** One refusal for all lines up to the next submission, by the fault that came first. */
  const pass = (line: bigint, refusal: Refusal): Framed[] => {
    const first = open?.first ?? stray?.first ?? line
    stray = { first, last: line, refusal: stray?.refusal ?? refusal }
    open = undefined
    return []
  }

  return {
    take(one, parsed) {
      if ('jws' in parsed) return begin(one, parsed)
      if ('refusal' in parsed) return pass(one.line, parsed.refusal)
      return open === undefined
        ? pass(one.line, broken('an item without its submission line before it'))
        : add(open, one, parsed)
    },
    end,
  }
}

/** Of a line that could be read, with its newline. */
const bytesOf = (line: Line): number => ('text' in line ? Buffer.byteLength(line.text) + 1 : 0)

interface Begun {
  jws: FlatJws
  count: number
}

/** The usual writing of an item, in which no member stands twice: the strict parser takes several times as long. */
const PLAIN = /^\{"salt":"[\w-]*","item":"[^"\\]*(?:\\.[^"\\]*)*"\}$/
const LINE_LIMITS: JsonLimits = { ...JSON_LIMITS, string: LINE_MAX }
const SALT_MAX = 64

type Parsed = Begun | SaltedItem | { refusal: Refusal }

function parseLine(line: Line): Parsed {
  if ('tooLong' in line) return { refusal: new Refusal('item-limit', { detail: 'a line is longer than 64 KiB' }) }
  if (line.broken) return { refusal: notUtf8() }
  const value = jsonOf(line.text)
  if (value instanceof Refusal) return { refusal: value }
  if (typeof value !== 'object' || value === null) return { refusal: broken('the line is not an object') }
  const names = Object.keys(value)
  const { jws, salt, item } = value as { jws?: unknown; salt?: unknown; item?: unknown }
  if (names.length === 2 && typeof salt === 'string' && typeof item === 'string') return itemOf({ salt, item })
  if (names.length === 1 && isJws(jws)) {
    const count = countOf(jws)
    return count === undefined ? { refusal: broken('the payload names no count from 1 to 1,000') } : { jws, count }
  }
  return { refusal: broken('the line is neither {"jws":..} nor {"salt":..,"item":..}') }
}

function jsonOf(text: string): unknown {
  try {
    return PLAIN.test(text) ? JSON.parse(text) : parseStrict(text, LINE_LIMITS)
  } catch (error) {
    return error instanceof Refusal ? error : new Refusal('invalid-json', { detail: 'the line is not JSON' })
  }
}

/** What is too large anyway is refused before a thousand of it are held. */
const itemOf = (one: SaltedItem): Parsed =>
  one.item.length > ITEM_BYTES_MAX || one.salt.length > SALT_MAX
    ? { refusal: new Refusal('item-limit', { extra: { limit: ITEM_BYTES_MAX } }) }
    : one

function isJws(value: unknown): value is FlatJws {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) return false
  const { protected: head, payload, signature } = value as Record<string, unknown>
  return [head, payload, signature].every((part) => typeof part === 'string' && part.length <= 1_024)
}

/** Only to know how many lines follow; the signature says whether it is true. */
function countOf({ payload }: FlatJws): number | undefined {
  const found = /^\{"v":1,"count":([1-9][0-9]{0,3}),/.exec(Buffer.from(payload, 'base64url').toString())?.[1]
  const count = Number(found)
  return count >= 1 && count <= ITEMS_MAX ? count : undefined
}

/** As `parseStrict` says it of a body. */
export const notUtf8 = (): Refusal => new Refusal('json-strict', { detail: 'the line is not UTF-8' })

const tooLarge = (): Refusal =>
  new Refusal('too-large', {
    detail: 'the lines of the submission take more than 4 MiB: sign fewer items at once',
    extra: { limit: SUBMISSION_BYTES_MAX },
  })

const broken = (detail: string): Refusal => new Refusal('validation-failed', { detail })
