import type { IncomingMessage } from 'node:http'
import { Compile } from 'typebox/compile'
import type { FeedList } from '../../feeds/schema.ts'
import { HashRecord, SubmitFeedback, SubmitHashes } from '../../interop/stopncii/schema.ts'
import { algorithmOf, SIGNAL_TYPE_OF, saidBy, VALUE_OF } from '../../interop/stopncii/words.ts'
import { entryOf } from '../../kernel/entry-of.ts'
import { Refusal } from '../../kernel/errors.ts'
import { bodyOf, bytesOf } from '../body.ts'
import type { Answer, Route } from '../server.ts'
import type { ForeignClient, ForeignClients } from './clients.ts'
import type { Reads, ValueRecord } from './reads.ts'
import type { Signed } from './writes.ts'
import type { ForeignWriting } from './writing.ts'

export interface StopNciiRoutesOptions {
  clients: ForeignClients
  reads: Reads
  writing: ForeignWriting
  own: string
  feeds(): readonly FeedList['feeds'][number][]
  now(): Date
  ready(): Promise<void>
  wake(): void
  /** A record that clients could not read. */
  onWithheld(why: string): void
}

const PREFIX = '/stopncii/v1/'
const PAGE_MAX = 1_000
const TYPES = Object.keys(SIGNAL_TYPE_OF)
/** What a client asks for that never asked before. */
const BEGINNING = 10

/** The exchange of hashes as StopNCII's clients ask for it, over all audiences of the mirror. */
export function stopNciiRoutes(options: StopNciiRoutesOptions): Route {
  const [hashesIn, feedbackIn] = [bodyOf(SubmitHashes), bodyOf(SubmitFeedback)]
  return {
    ...{ method: '*', path: `${PREFIX}*`, foreign: { at: /^\/stopncii\/v1\//, refuse: plainError } },
    async answer(request, _response, { query, target }) {
      const client = clientOf(options, request)
      await options.ready()
      const call = `${request.method} ${(target.split('?', 1)[0] ?? '').slice(PREFIX.length)}`
      if (call === 'GET FetchHashes') return json(fetchHashes(options, client, query))
      if (call === 'POST SubmitHashes')
        return json(await submitHashes(options, client, hashesIn(await bytesOf(request))))
      if (call === 'POST SubmitFeedback') return json(await submitFeedback(options, feedbackIn(await bytesOf(request))))
      throw new Refusal('not-found')
    },
  }
}

const json = (value: object): Answer => ({ status: 200, body: JSON.stringify(value) })

const plainError = ({ code, status, detail }: Refusal): NonNullable<Answer> => ({
  status,
  body: JSON.stringify({ statusCode: status, message: detail ?? code, code }),
})

function clientOf({ clients }: StopNciiRoutesOptions, { headers }: IncomingMessage): ForeignClient {
  const shown = headers['ocp-apim-subscription-key']
  const client = clients.of(typeof shown === 'string' ? shown : undefined)
  if (client !== undefined && headers['x-functions-key'] !== undefined) return client
  throw new Refusal('bridge-secret', {
    detail: 'the subscription key is the secret of a client: aldis bridge client add',
  })
}

interface Window {
  start: number
  size: number
  /** Of each feed the place reached, and where it was begun. */
  places: ReadonlyMap<string, Place>
}

function windowOf(query: URLSearchParams): Window {
  const whole = (name: string, otherwise: number): number => {
    const text = query.get(name) ?? String(otherwise)
    if (!/^[0-9]{1,12}$/.test(text)) throw new Refusal('invalid-query', { detail: `${name} is no whole number` })
    return Number(text)
  }
  const size = whole('pageSize', PAGE_MAX)
  if (size < 1) throw new Refusal('invalid-query', { detail: 'pageSize is 1 at least' })
  return { start: whole('startTimestamp', BEGINNING), size: Math.min(size, PAGE_MAX), places: placesIn(query) }
}

/** One feed after the other: `<feed>:<place>:<begun>` of each that was begun. */
function placesIn(query: URLSearchParams): Window['places'] {
  const text = query.get('nextPageToken') ?? ''
  if (text === '') return new Map()
  const parts = text.split(',').map((part) => /^([0-9a-f-]{36}):([0-9]{1,15}):([0-9]{1,15})$/.exec(part))
  if (parts.some((part) => part === null))
    throw new Refusal('invalid-cursor', { detail: 'nextPageToken is none of ours' })
  return new Map(parts.map((part) => [part?.[1] ?? '', { pos: Number(part?.[2]), begun: Number(part?.[3]) }]))
}

interface Place {
  pos: number
  begun: number
}

function fetchHashes(options: StopNciiRoutesOptions, client: ForeignClient, query: URLSearchParams): object {
  const { reads, feeds } = options
  const { start, size, places } = windowOf(query)
  const isFirst = start <= BEGINNING
  const purged = Math.max(0, ...feeds().map(({ feed }) => reads.purgedUpto(feed)))
  if (!isFirst && start <= purged) throw new Refusal('invalid-cursor', { detail: TOO_OLD })
  const began = new Map<string, Place>(
    feeds().map(({ feed }) => [feed, places.get(feed) ?? { pos: -1, begun: reads.lastPos(feed) }]),
  )
  const found = recordsFrom(options, client, { start, limit: size + 1, began })
  const page = found.slice(0, size)
  for (const { feed, pos } of page) began.set(feed, { pos, begun: began.get(feed)?.begun ?? 0 })
  const more = found.length > size
  const records = page.flatMap((record) => recordOf(options, record))
  const token = [...began].flatMap(([feed, { pos, begun }]) => (pos < 0 ? [] : [`${feed}:${pos}:${begun}`])).join(',')
  const last = page.at(-1)?.last_updated ?? start
  return {
    ...{ count: records.length, nextPageToken: more ? token : null },
    // Whoever has all of it anew goes on behind what was taken away.
    ...{ nextSetTimestamp: isFirst && !more ? Math.max(last, purged + 1) : last },
    ...{ hasMoreRecords: more, hashRecords: records },
  }
}

const TOO_OLD = 'startTimestamp is older than what is kept of ended records: drop everything and fetch anew'

/** Of every feed, in the order of time over all of them: every page is a place to go on from. */
function recordsFrom(
  { reads, now }: StopNciiRoutesOptions,
  client: ForeignClient,
  { start, limit, began }: { start: number; limit: number; began: ReadonlyMap<string, Place> },
): ValueRecord[] {
  const found: ValueRecord[] = []
  for (const [feed, { pos, begun }] of began) {
    const from = pos < 0 ? { second: start } : { pos }
    const resumes = start > BEGINNING
    found.push(...reads.records(feed, { from, types: TYPES, endedAfter: resumes ? 0 : begun, limit }))
    if (pos < 0 && resumes) reads.reach(`nc:${client.name}`, feed, reads.posBefore(feed, start), now().getTime())
  }
  return found.sort((a, b) => a.last_updated - b.last_updated || a.pos - b.pos)
}

const SHAPE = Compile(HashRecord)

/** A record that is not to the letter would stop its readers: it stays here, and is counted. */
function recordOf({ reads, onWithheld }: StopNciiRoutesOptions, record: ValueRecord): HashRecord[] {
  const signs = reads.signsOf(record)
  const said = signs.flatMap(({ source, signal }) => reads.reactions(source, signal))
  const ended = { source: 'aldis', feedbackValue: 'NotBlocked', tags: [] }
  const told = {
    ...{ lastModtimestamp: record.last_updated, signalType: SIGNAL_TYPE_OF[record.type], hashValue: record.indicator },
    hashStatus: statusOf(record, signs),
    caseNumbers: Object.fromEntries(
      signs.map(({ signal, state }) => [`sig_${signal}`, state === 'held' ? 'Received' : 'Active']),
    ),
    // Clients look at no status: what ended is at least disputed.
    CSPFeedbacks: record.live === 0 ? [ended] : said.flatMap(feedbackOf),
  }
  if (SHAPE.Check(told)) return [told as HashRecord]
  onWithheld('record-shape')
  return []
}

function statusOf({ live, erased }: ValueRecord, signs: readonly Signed[]): HashRecord['hashStatus'] {
  if (live === 0) return erased === 1 ? 'Deleted' : 'Withdrawn'
  return signs.every(({ state }) => state === 'held') ? 'Received' : 'Active'
}

function feedbackOf({ giver, outcome }: { giver: string; outcome: string }): HashRecord['CSPFeedbacks'] {
  const feedbackValue = entryOf(VALUE_OF, outcome)
  return feedbackValue === undefined ? [] : [{ source: giver, feedbackValue, tags: [] }]
}

async function submitHashes(
  { writing, wake }: StopNciiRoutesOptions,
  client: ForeignClient,
  { hashRecords }: SubmitHashes,
): Promise<object> {
  const all = hashRecords.map(({ signalType, hashValue }) => {
    const algorithm = algorithmOf(signalType)
    if (algorithm === undefined) throw new Refusal('validation-failed', { detail: 'signalType has no form here' })
    return {
      value: { type: 'media_hash', algorithm, hash: hashValue.toLowerCase() } as const,
      ...({ tlp: 'amber', basis: 'automated', to: { kind: 'programme' } } as const),
      ...{ severity: undefined, category: undefined, context: undefined, expires_at: undefined },
    }
  })
  const signals = await writing.submit(client, all)
  wake()
  return { count: signals.length }
}

async function submitFeedback(
  { reads, writing, own, wake }: StopNciiRoutesOptions,
  { hashFeedbacks }: SubmitFeedback,
): Promise<object> {
  // All are resolved before any is said.
  const resolved = hashFeedbacks.map(({ feedbackValue, hashValue }) => {
    const said = saidBy(feedbackValue)
    if (said === undefined) throw new Refusal('validation-failed', { detail: 'feedbackValue is none that is taken' })
    const value = hashValue.toLowerCase()
    const signs = TYPES.flatMap((type) => reads.signsByValue(type, value)).filter(({ source }) => source !== own)
    const [about, ...more] = signs
    if (about === undefined || more.length > 0)
      throw new Refusal('invalid-query', { detail: 'a hash is of no live signal of others, or of several' })
    return { about, said }
  })
  for (const { about, said } of resolved) await writing.feedback(about, said)
  wake()
  return { count: resolved.length }
}
