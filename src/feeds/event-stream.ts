import { Readable } from 'node:stream'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Reader } from './answer.ts'
import { HEARTBEAT_SECONDS, STREAM_SECONDS, STREAMS_MAX } from './schema.ts'
import type { DisclosedPage, FeedService } from './service.ts'

const RETRY_MS = 1_000
/** For a listener that takes nothing, after its time is over. */
const LAST_MS = 10_000

export interface EventStreams {
  /** What follows a cursor, and then what comes; refusals that are known at once are thrown. */
  open(by: Listener, feed: Uuid, cursor: string | undefined): Promise<Readable>
  /** How many a credential has open. */
  openBy(credential: Uuid): number
  /** Ends every stream after its last message: before a listener waits for what is under way. */
  close(): void
}

export interface Listener extends Reader {
  credential: Uuid
  /** Aborted once it has gone: the stream waits within a page, and would learn of it only after that. */
  gone: AbortSignal
  /** A problem document of what went wrong on the way, in one line. */
  problemOf(error: unknown): string
}

export interface EventStreamsOptions {
  events: FeedService['events']
  heartbeatSeconds?: number
  streamSeconds?: number
}

/**
 * Server-sent events (WHATWG HTML, section 9.2) of feeds: each page is one message `events` whose data are the bytes that
 * `GET /v1/feeds/{feed}/events` would give, journaled before it leaves, and whose id is the cursor behind it.
 */
export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { events, heartbeatSeconds = HEARTBEAT_SECONDS, streamSeconds = STREAM_SECONDS } = options
  const open = new Map<Uuid, Set<AbortController>>()

  const take = (credential: Uuid, end: AbortController): (() => void) => {
    const own = open.get(credential) ?? new Set()
    if (own.size >= STREAMS_MAX)
      throw new Refusal('stream-limit', { detail: `a credential has at most ${STREAMS_MAX} streams at a time` })
    open.set(credential, own.add(end))
    return () => {
      own.delete(end)
      if (own.size === 0) open.delete(credential)
    }
  }

  return {
    async open(by, feed, cursor) {
      const end = new AbortController()
      const letGo = take(by.credential, end)
      by.gone.addEventListener('abort', () => end.abort(), { once: true })
      const next: Next = (query) => events(by, feed, query, end.signal)
      try {
        const first = await next(cursor === undefined ? {} : { cursor })
        const following: Next = (query) => next({ ...query, wait: heartbeatSeconds })
        const stream = Readable.from(messages(first, following, { by, ended: end.signal }), { objectMode: false })
        const timer = setTimeout(() => end.abort(), streamSeconds * 1_000)
        end.signal.addEventListener('abort', () => setTimeout(() => stream.destroy(), LAST_MS).unref())
        return stream.once('close', () => {
          clearTimeout(timer)
          end.abort()
          letGo()
        })
      } catch (error) {
        letGo()
        throw error
      }
    },
    openBy: (credential) => open.get(credential)?.size ?? 0,
    close() {
      for (const own of open.values()) for (const end of own) end.abort()
    },
  }
}

type Next = (query: { cursor?: string; wait?: number }) => Promise<DisclosedPage>

async function* messages(
  first: DisclosedPage,
  following: Next,
  { by, ended }: { by: Listener; ended: AbortSignal },
): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`
  try {
    for (let page = first; ; page = await following({ cursor: page.cursor })) {
      yield page.read === '' ? ':\n\n' : messageOf(page)
      if (ended.aborted) return
    }
  } catch (error) {
    // Its time is over: the next one goes on where this one stands.
    if (!ended.aborted) yield `event: problem\ndata: ${by.problemOf(error)}\n\n`
  }
}

/** The name of the read goes before what was read, as a header would. */
function messageOf({ body, cursor, read, signature }: DisclosedPage): string {
  const named = JSON.stringify({ read, signature })
  return `event: read\ndata: ${named}\n\nevent: events\nid: ${cursor}\ndata: ${body.replaceAll('\n', '\ndata: ')}\n\n`
}
