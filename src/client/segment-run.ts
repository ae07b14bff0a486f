import type { IncomingMessage } from 'node:http'
import { SEGMENTS_TYPE } from '../feeds/schema.ts'
import { VerificationFailed } from './errors.ts'
import { neededHeader, readIn } from './headers.ts'
import { SEGMENT_TEXT_MAX, unpacked } from './segment-body.ts'
import { collect, type Transport } from './transport.ts'
import { readNamed } from './verify.ts'

export interface Segment {
  cursor: string
  read: string
  /** Its lines, unpacked; `receivedIn` reads them. */
  body(): Promise<Buffer>
  /** For a segment whose events are not read: ends its connection. */
  cancel(): void
}

/** The segments of one answer, in their order. */
export interface SegmentRun {
  /** The next one, once the one before was read; undefined behind the last. */
  next(): Promise<Segment | undefined>
  /** Whatever else there is is not read: ends its connection. */
  cancel(): void
}

/** One segment by itself. */
export async function segmentAt(transport: Transport, path: string): Promise<Segment> {
  const message = await opened(transport, path)
  return wholeOf(message, () => void message.destroy())
}

/** The answer to a path of segments: several, each behind its head, or one as a whole, which is all that older nodes give. */
export async function segmentRun(transport: Transport, path: string): Promise<SegmentRun> {
  const message = await opened(transport, path)
  const cancel = (): void => void message.destroy()
  if (message.headers['content-type'] !== SEGMENTS_TYPE) return runOfOne(wholeOf(message, cancel), cancel)
  const bytes = createByteReader(message)
  let before: Promise<unknown> = Promise.resolve()
  return {
    cancel,
    async next() {
      await before
      const line = await bytes.line()
      if (line === undefined) return undefined
      const { size, cursor, read } = headIn(line)
      readNamed(read)
      const body = bytes.take(size).then(unpacked)
      before = body
      // Whoever reads it hears of a failure.
      body.catch(() => {})
      return { cursor, read, body: () => body, cancel }
    },
  }
}

const opened = (transport: Transport, path: string): Promise<IncomingMessage> =>
  transport.stream(path, { 'accept-encoding': 'br' })

function runOfOne(segment: Segment, cancel: () => void): SegmentRun {
  const left = [segment]
  return { cancel, next: async () => left.shift() }
}

function wholeOf(message: IncomingMessage, cancel: () => void): Segment {
  try {
    const cursor = neededHeader('feed', message.headers, 'feed-cursor')
    const read = readNamed(readIn(message.headers))
    return { cursor, read, body: async () => unpacked(await collect(message, SEGMENT_TEXT_MAX)), cancel }
  } catch (error) {
    cancel()
    throw error
  }
}

interface Head {
  /** Bytes that follow. */
  size: number
  cursor: string
  read: string
}

function headIn(line: string): Head {
  try {
    const { size, cursor, read } = JSON.parse(line) as Partial<Head>
    const fits = Number.isSafeInteger(size) && Number(size) >= 0 && Number(size) <= SEGMENT_TEXT_MAX
    if (fits && typeof cursor === 'string' && typeof read === 'string') return { size: Number(size), cursor, read }
  } catch {
    // Refused below.
  }
  throw new VerificationFailed('feed', 'an answer of segments has a head that cannot be read')
}

/** Longest head of a segment. */
const HEAD_MAX = 4_096
const LINE_END = 10

function createByteReader(message: IncomingMessage) {
  const chunks: AsyncIterator<Buffer> = message[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  const more = async (): Promise<Buffer | undefined> => {
    const { done, value } = await chunks.next()
    return done === true ? undefined : value
  }
  const cut = (): VerificationFailed => new VerificationFailed('feed', 'an answer of segments ends before its end')
  return {
    /** Up to the end of a line; undefined at the end of all. */
    async line(): Promise<string | undefined> {
      let end = rest.indexOf(LINE_END)
      while (end < 0 && rest.length <= HEAD_MAX) {
        const chunk = await more()
        if (chunk === undefined) break
        rest = Buffer.concat([rest, chunk])
        end = rest.indexOf(LINE_END)
      }
      if (end < 0 && rest.length > 0) throw cut()
      if (end < 0) return undefined
      const text = rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
      return text
    },
    async take(size: number): Promise<Buffer> {
      const parts = [rest]
      for (let length = rest.length; length < size; ) {
        const chunk = await more()
        if (chunk === undefined) throw cut()
        parts.push(chunk)
        length += chunk.length
      }
      const whole = Buffer.concat(parts)
      // A copy, which does not keep the whole.
      rest = Buffer.from(whole.subarray(size))
      return whole.subarray(0, size)
    },
  }
}
