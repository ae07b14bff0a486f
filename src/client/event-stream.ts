import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { EventsPage } from '../feeds/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import { AldisError, AnswerTooLong, type Problem, VerificationFailed } from './errors.ts'
import { answerDigest, type Recorded } from './recorded.ts'
import { isRepeatable, refusalIn, type Transport } from './transport.ts'
import { readNamed } from './verify.ts'

export interface StreamQuery {
  /** Where to begin: the `next_cursor` of a page; the start of the feed without it. */
  cursor?: string
  signal?: AbortSignal
}

/** UTF-16 code units of a message: more than a page of events that are as long as may be. */
const LONGEST = 67_108_864
const LONGEST_PAUSE_MS = 10_000
const FIRST_PAUSE_MS = 250

/**
 * What follows a cursor and then what comes, page by page, as server-sent events (WHATWG HTML, section 9.2). It goes on by
 * itself where a connection broke or the node ended it, and throws what the node refuses for good. A sealed feed is taken by
 * `sealedPage`, which verifies what the node signed of it.
 */
export async function* streamEvents(
  transport: Transport,
  feed: Uuid,
  { cursor, signal }: StreamQuery = {},
): AsyncGenerator<EventsPage & Recorded> {
  let seen = cursor
  for (let failures = 0; ; failures++) {
    try {
      for await (const page of oneStream(transport, feed, { cursor: seen, signal })) {
        failures = 0
        seen = page.next_cursor
        yield page
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof Error && isRepeatable(error))) throw error
    }
    const pause = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
    await delay(pause, undefined, signal === undefined ? {} : { signal })
  }
}

async function* oneStream(
  transport: Transport,
  feed: Uuid,
  { cursor, signal }: { cursor: string | undefined; signal: AbortSignal | undefined },
): AsyncGenerator<EventsPage & Recorded> {
  const headers = { accept: 'text/event-stream', ...(cursor === undefined ? {} : { 'last-event-id': cursor }) }
  const path = `/v1/feeds/${feed}/stream`
  const message = await transport.open({ method: 'GET', path, headers, ...(signal === undefined ? {} : { signal }) })
  if (message.statusCode !== 200) throw await refusalIn(message)
  let read = ''
  for await (const { event, data } of messagesOf(message)) {
    if (event === 'problem') throw new AldisError(JSON.parse(data) as Problem)
    if (event === 'read') read = readIn(data)
    if (event !== 'events') continue
    const page = JSON.parse(data) as EventsPage
    yield { ...page, read: readNamed(read, page.events.length > 0), digest: answerDigest(data) }
    // It is of that page alone.
    read = ''
  }
}

function readIn(data: string): string {
  const { read, signature } = JSON.parse(data) as { read: string; signature?: string }
  if (signature !== undefined) throw new VerificationFailed('feed', 'it is sealed: take it page by page')
  return read
}

async function* messagesOf(message: IncomingMessage): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = []
  const parser = createParser({
    onEvent: (one) => ready.push(one),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw new AnswerTooLong(LONGEST)
    },
    maxBufferSize: LONGEST,
  })
  message.setEncoding('utf8')
  try {
    for await (const text of message) {
      parser.feed(String(text))
      yield* ready.splice(0)
    }
  } finally {
    message.destroy()
  }
}
