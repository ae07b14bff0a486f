import { randomUUID } from 'node:crypto'
import type { FeedList } from '../../feeds/schema.ts'
import { fromThreat, valueIn } from '../../interop/threatexchange/from-threat.ts'
import { descriptorId, numberOf, signalIn } from '../../interop/threatexchange/numbers.ts'
import { saidBy } from '../../interop/threatexchange/reaction.ts'
import { toThreatKey } from '../../interop/threatexchange/value-key.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Answer, Route } from '../server.ts'
import type { ForeignClient, ForeignClients } from './clients.ts'
import type { Reads } from './reads.ts'
import { descriptorOf, nothingNew, tagId, threatUpdate } from './threat.ts'
import type { Signed } from './writes.ts'
import type { ForeignWriting } from './writing.ts'

export interface ThreatRoutesOptions {
  clients: ForeignClients
  reads: Reads
  writing: ForeignWriting
  /** Our own slug, and the feeds of audiences that are mirrored. */
  own: string
  feeds(): readonly FeedList['feeds'][number][]
  now(): Date
  /** All of the mirror can be answered from; throws `mirror-stale`. */
  ready(): Promise<void>
  /** Something was written: it is fetched soon. */
  wake(): void
}

const AT = /^\/v[0-9]{1,3}\.[0-9]{1,3}(?:\/|$)/
const PAGE_MAX = 1_000
const PAGE = 500

interface Asked {
  client: ForeignClient
  parts: readonly string[]
  given: URLSearchParams
  /** Where and how it was asked, for the page that follows. */
  base: string
}

/** The Graph API of ThreatExchange as far as its clients ask for it, from the mirror. */
export function threatRoutes(options: ThreatRoutesOptions): Route {
  return {
    ...{ method: '*', path: '/v{version}/*', foreign: { at: AT, refuse: graphError } },
    async answer(request, _response, { query, target }) {
      // Parameters stand in the URL; clients repeat them in a body of no type.
      request.resume()
      const path = target.split('?', 1)[0] ?? ''
      const parts = path
        .replace(AT, '')
        .split('/')
        .filter((part) => part !== '')
      const base = `http://${request.headers.host ?? ''}${path}`
      const asked: Asked = { client: clientOf(options, query), parts, given: parametersOf(query), base }
      await options.ready()
      if (request.method === 'GET') return json(read(options, asked))
      if (request.method === 'POST') return json(await posted(options, asked))
      if (request.method === 'DELETE') return json(await removed(options, asked))
      throw new Refusal('method-not-allowed')
    },
  }
}

const json = (value: object): Answer => ({ status: 200, body: JSON.stringify(value) })

const CODES: Readonly<Record<number, number>> = { 401: 190, 403: 200, 429: 4 }

/** Clients read the error's body whatever its status is. */
function graphError({ code, status, detail }: Refusal): NonNullable<Answer> {
  const number = CODES[status] ?? (status >= 500 ? 2 : 100)
  const error = {
    message: detail ?? code,
    type: 'OAuthException',
    code: number,
    error_code: code,
    fbtrace_id: randomUUID(),
  }
  return { status, body: JSON.stringify({ error }) }
}

/** `<number of the participant>|<secret of the client>`. */
function clientOf({ clients, own }: ThreatRoutesOptions, query: URLSearchParams): ForeignClient {
  const [number, secret] = (query.get('access_token') ?? '').split('|')
  const client = clients.of(secret)
  if (client === undefined || number !== numberOf('participant', own))
    throw new Refusal('bridge-secret', { detail: 'access_token is NUMBER|SECRET of a client: aldis bridge client add' })
  return client
}

/** One value each: two readers of a repeated one could take another. */
function parametersOf(query: URLSearchParams): URLSearchParams {
  const names = [...query.keys()]
  if (new Set(names).size !== names.length) throw new Refusal('invalid-query', { detail: 'a parameter is repeated' })
  return query
}

function read(options: ThreatRoutesOptions, asked: Asked): object {
  const [first, second, ...more] = asked.parts
  if (more.length > 0) throw new Refusal('not-found')
  if (first === undefined) return byIds(options, asked)
  if (first === 'threat_tags' && second === undefined) return tagNamed(asked.given.get('text') ?? '')
  if (second === 'threat_updates') return updates(options, asked, feedOf(options, first))
  if (second === 'threat_privacy_groups_member') return { data: options.feeds().map((feed) => groupOf(options, feed)) }
  if (second === 'threat_privacy_groups_owner') return { data: [] }
  if (second !== undefined) throw new Refusal('not-found')
  if ((asked.given.get('fields') ?? '').startsWith('descriptors')) return byIndicator(options, asked, first)
  return groupOf(options, feedOf(options, first))
}

type Feed = FeedList['feeds'][number]

function feedOf({ feeds }: ThreatRoutesOptions, number: string): Feed {
  const feed = feeds().find((one) => numberOf('group', one.feed) === number)
  if (feed === undefined) throw new Refusal('not-found')
  return feed
}

function groupOf({ reads, now }: ThreatRoutesOptions, { feed, label }: Feed): object {
  const at = (seconds: number): string => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}+0000`
  const newest = reads.newest(feed)
  return {
    ...{ id: numberOf('group', feed), name: label, description: label, members_can_see: true, members_can_use: true },
    threat_updates_enabled: true,
    ...{ last_updated: at(newest === 0 ? Math.floor(now().getTime() / 1_000) : newest), added_on: at(0) },
  }
}

/** The tag itself: each has its number, whether a signal bears it or not. */
const tagNamed = (text: string): object => ({ data: text === '' ? [] : [{ id: tagId(text), text }] })

interface Window {
  start: number
  stop: number | undefined
  limit: number
  types: readonly string[] | undefined
  cursor: { pos: number; begun: number } | undefined
}

function windowOf(given: URLSearchParams): Window {
  const limit = whole(given, 'limit') ?? PAGE
  if (limit < 1 || limit > PAGE_MAX) throw new Refusal('invalid-query', { detail: `limit is 1 to ${PAGE_MAX}` })
  const [start = 0, stop] = [whole(given, 'start_time'), whole(given, 'stop_time')]
  return { start, stop, limit, types: given.get('types')?.split(','), cursor: cursorIn(given.get('after')) }
}

function updates(options: ThreatRoutesOptions, { client, given, base }: Asked, { feed }: Feed): object {
  const { reads, now } = options
  const { start, stop, limit, types, cursor } = windowOf(given)
  if (start > 0 && start <= reads.purgedUpto(feed)) throw new Refusal('invalid-cursor', { detail: TOO_OLD })
  // Who begins anew needs no end of what it never had, but of what ended since it began.
  const begun = cursor?.begun ?? reads.lastPos(feed)
  const from = cursor === undefined ? { second: start } : { pos: cursor.pos }
  const endedAfter = start > 0 ? 0 : begun
  const found = reads.records(feed, { from, before: stop, types, endedAfter, limit: limit + 1 })
  if (cursor === undefined && start > 0)
    reads.reach(`te:${client.name}`, feed, reads.posBefore(feed, start), now().getTime())
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const behind = behindPurged(reads, feed, start)
  if (last === undefined) return { data: [nothingNew(Math.max(behind, reads.newest(feed)))] }
  const data = page.map((record) => threatUpdate(record, reads, client.status))
  if (found.length > limit) return { data, paging: pagingOf(given, base, `${last.pos}.${begun}`) }
  return { data: stop === undefined && last.last_updated < behind ? [...data, nothingNew(behind)] : data }
}

/** Where whoever fetched all of it anew goes on: behind what was taken away, though nothing came since. */
function behindPurged(reads: Reads, feed: string, start: number): number {
  const purged = reads.purgedUpto(feed)
  return start > 0 || purged === 0 ? start : purged + 1
}

const TOO_OLD = 'start_time is older than what is kept of ended records: drop everything and fetch anew'

/** The whole address of the next page: clients keep none of what they asked. */
function pagingOf(given: URLSearchParams, base: string, after: string): object {
  const next = new URLSearchParams(given)
  next.set('after', after)
  return { cursors: { after }, next: `${base}?${next}` }
}

function whole(given: URLSearchParams, name: string): number | undefined {
  const text = given.get(name)
  if (text === null || text === '') return undefined
  if (!/^[0-9]{1,12}$/.test(text)) throw new Refusal('invalid-query', { detail: `${name} is no whole number` })
  return Number(text)
}

function cursorIn(text: string | null): { pos: number; begun: number } | undefined {
  if (text === null || text === '') return undefined
  const [, pos, begun] = /^([0-9]{1,15})\.([0-9]{1,15})$/.exec(text) ?? []
  if (pos === undefined) throw new Refusal('invalid-cursor', { detail: 'after is none that was given' })
  return { pos: Number(pos), begun: Number(begun) }
}

const IDS_MAX = 100

/** Descriptors by their ids; those that are not there are left out. */
function byIds({ reads }: ThreatRoutesOptions, { client, given }: Asked): object {
  const ids = (given.get('ids') ?? '').split(',').filter((id) => id !== '')
  if (ids.length > IDS_MAX) throw new Refusal('invalid-query', { detail: `ids are ${IDS_MAX} at most` })
  const found = ids.flatMap((id) => {
    const [sign] = signsOf(reads, id)
    return sign === undefined ? [] : [[id, descriptorOf(sign, reads, client.status)] as const]
  })
  return Object.fromEntries(found)
}

const signsOf = (reads: Reads, descriptor: string): Signed[] => {
  const signal = signalIn(descriptor)
  return signal === undefined ? [] : reads.signsBySignal(signal).filter(({ type }) => type !== null)
}

function byIndicator({ reads }: ThreatRoutesOptions, { client }: Asked, id: string): object {
  const value = reads.valueOf(id)
  if (value === undefined) throw new Refusal('not-found')
  const signs = reads.signsByValue(value.type, value.indicator)
  return { id, descriptors: { data: signs.map((sign) => descriptorOf(sign, reads, client.status)) } }
}

async function posted(options: ThreatRoutesOptions, { client, parts, given }: Asked): Promise<object> {
  const [first, ...more] = parts
  if (first === undefined || more.length > 0) throw new Refusal('not-found')
  const parameter = (name: string): string | undefined => given.get(name) ?? undefined
  if (first === 'threat_descriptors') return submitted(options, client, parameter)
  if (given.has('reactions_to_remove'))
    throw new Refusal('validation-failed', { detail: 'what was said is on record; say another thing instead' })
  const said = saidBy(given.get('reactions') ?? '')
  if (said === undefined) throw new Refusal('validation-failed', { detail: 'reactions is none that is known' })
  await options.writing.feedback(onlyOne(othersOf(options, signsOf(options.reads, first))), said)
  options.wake()
  return { success: true, id: first }
}

async function submitted(
  options: ThreatRoutesOptions,
  client: ForeignClient,
  parameter: (name: string) => string | undefined,
): Promise<object> {
  const { writing, reads, wake } = options
  if (parameter('status') === 'NON_MALICIOUS') {
    const tags = (parameter('tags') ?? '').split(',')
    const { type, indicator } = toThreatKey(valueIn(parameter('type') ?? '', parameter('indicator') ?? '', tags))
    const about = onlyOne(othersOf(options, reads.signsByValue(type, indicator)))
    await writing.feedback(about, { outcome: 'not_violating', reason: 'policy_differs' })
    wake()
    return { success: true, id: descriptorId(about.signal as Parameters<typeof descriptorId>[0]) }
  }
  const [signal] = await writing.submit(client, [fromThreat(parameter)])
  wake()
  return { success: true, id: signal === undefined ? '0' : descriptorId(signal) }
}

const othersOf = ({ own }: ThreatRoutesOptions, signs: readonly Signed[]): Signed[] =>
  signs.filter(({ source }) => source !== own)

/** What is said of a value is said of one signal: which, nobody here decides. */
function onlyOne(signs: readonly Signed[]): Signed {
  const [one, ...more] = signs
  if (one === undefined) throw new Refusal('not-found', { detail: 'no live signal of others is so named' })
  if (more.length > 0)
    throw new Refusal('validation-failed', { detail: 'several signals are so named; react to one by its id' })
  return one
}

async function removed({ reads, writing, own, wake }: ThreatRoutesOptions, { parts }: Asked): Promise<object> {
  const [id = '', ...more] = parts
  const sign = more.length > 0 ? undefined : signsOf(reads, id).find(({ source }) => source === own)
  if (sign === undefined) throw new Refusal('not-found', { detail: 'no live signal of our own has this id' })
  await writing.withdraw(sign.signal as Parameters<typeof descriptorId>[0])
  wake()
  return { success: true, id }
}
