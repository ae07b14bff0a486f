import { brotliCompressSync } from 'node:zlib'
import type { Received } from '../../src/client/client.ts'
import type { OwnSigningKey } from '../../src/client/signing-key.ts'
import { deltaText } from '../../src/feeds/delta.ts'
import type { FeedList, SealedEventBody } from '../../src/feeds/schema.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sealedKey, sealKid } from '../../src/matching/sealed.ts'
import { AUDIENCE, idOf, NOON } from '../signals/factory.ts'
import type { TestPki } from '../support/pki.ts'
import { json, serve, type TestServer } from './server.ts'
import { aRead, FEED } from './source.ts'

export type SealedOrEnd = SealedEventBody | Received

/** A sealed feed as a node gives it out; a test changes it between two synchronisations. */
export interface TestSealedFeed {
  events: SealedOrEnd[]
  /** Whether the first events are a segment, and how many. */
  segment: number
  page: number
  /** What the node signs instead of what it gives. */
  signs?: (text: string) => string
  /** A header that its segments do not have. */
  without?: string
}

export const eventOf = (one: SealedOrEnd) => ('event' in one ? one.event : one)

export interface AnEntry {
  seq: number
  key: string
  signal: Uuid
  profile?: string
  audience?: Uuid
  replaces?: number
  expires_at?: Date
}

/** A sealed event as the node would make it. */
export function aSealedEvent(entry: AnEntry): SealedEventBody {
  const { seq, key, signal, profile = 'email/1@spring', audience = AUDIENCE, replaces } = entry
  const { expires_at = new Date('2027-01-01T00:00:00Z') } = entry
  const nonce = new Uint8Array(12).fill(seq)
  const sealed = sealedKey(Buffer.from(key, 'hex'), audience).seal(
    sealKid(profile),
    { signal, category: 3, handling: 1, expires_at },
    nonce,
  )
  return {
    ...{ seq: String(seq), type: 'signal.sealed', at: NOON.toISOString(), feed: FEED, sealed: toBase64Url(sealed) },
    ...(replaces === undefined ? {} : { replaces: String(replaces) }),
  }
}

/** Where a node says that a signal has ended. */
export const anExpiry = (seq: number, ends: number, signal: Uuid): Received => ({
  event: {
    ...{ seq: String(seq), type: 'signal.expired', at: NOON.toISOString(), feed: FEED, source: 'apple', signal },
    ...{ revision: 1, event: idOf(800), reason: 'expired', ends: String(ends) },
  },
  proof: undefined,
})

/** A server with the routes that a sealed mirror asks, over real TLS, which signs with the node's receipt key. */
export function serveSealed(pki: TestPki, feed: TestSealedFeed, receiptKey: OwnSigningKey): Promise<TestServer> {
  const signed = async (text: string, events: readonly SealedOrEnd[]): Promise<Record<string, string>> => {
    const [from = '', to = ''] = [events[0], events.at(-1)].map((one) => one && eventOf(one).seq)
    const delta = deltaText({ feed: FEED, from, to, digest: sha256(text).toString('base64url') })
    const signature = toBase64Url(await receiptKey.sign(Buffer.from(feed.signs?.(delta) ?? delta)))
    return { 'feed-signature': `${receiptKey.kid} ${signature}`, 'provenance-read': aRead(Number(from)) }
  }
  return serve(pki, async (request, response) => {
    const url = new URL(request.path, 'https://node')
    const [, , , id, what] = url.pathname.split('/')
    if (id === undefined) return json(response, { feeds: [listed(feed)] })
    if (what === 'segments') {
      if (url.pathname.split('/')[5] !== '1' || feed.segment === 0)
        return json(response, { code: 'not-found', title: 'There is no such object', status: 404 }, 404)
      const own = feed.events.slice(0, feed.segment)
      const text = [...proofsOf(own).map((submission) => ({ submission })), ...own.map(eventOf)]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join('')
      const headers = { 'feed-cursor': String(feed.segment), ...(await signed(text, own)) }
      response.writeHead(200, Object.fromEntries(Object.entries(headers).filter(([name]) => name !== feed.without)))
      response.end(brotliCompressSync(text))
      return
    }
    const rest = feed.events.filter((one) => Number(eventOf(one).seq) > Number(url.searchParams.get('cursor')))
    const own = rest.slice(0, feed.page)
    const body = {
      events: own.map(eventOf),
      submissions: proofsOf(own),
      next_cursor: own.length === 0 ? url.searchParams.get('cursor') : eventOf(own.at(-1) as SealedOrEnd).seq,
      more: rest.length > own.length,
    }
    json(response, body, 200, own.length === 0 ? {} : await signed(JSON.stringify(body), own))
  })
}

const proofsOf = (events: readonly SealedOrEnd[]) =>
  events.flatMap((one) => ('event' in one && one.proof !== undefined ? [one.proof] : []))

const listed = ({ events, segment }: TestSealedFeed): FeedList['feeds'][number] => ({
  ...{ feed: FEED, kind: 'audience', mode: 'sealed', audience: AUDIENCE, label: 'hidden' },
  ...{ from_seq: '1', last_seq: String(events.length), sealed_seq: String(segment), start: '0' },
})
