import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Lookup, type LookupResult } from '../../feeds/schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { type Found, SearchPage, type SearchView } from '../pages/search.tsx'
import { parseText } from '../queue-filter.ts'
import { sendPage } from '../render.tsx'
import { ANALYSTS, readerOf } from '../reviewing.ts'
import type { Searching } from '../searching.ts'

const AS_ANALYST = { config: { roles: ANALYSTS } } as const
/** A link has at most five hosts by six paths. */
const KEYS_MAX = 64

const readSearch = formReader(
  Type.Object(
    {
      type: Type.Enum(['url', 'domain', 'media_hash']),
      profile: Type.String({ maxLength: 40, pattern: '^[a-z0-9][a-z0-9._/:@-]*$' }),
      keys: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { minItems: 1, maxItems: KEYS_MAX }),
      purpose: Lookup.properties.purpose,
    },
    { additionalProperties: false },
  ),
)

/** Whether others know something, asked by keys that the browser made: no value comes here. */
export const searchRoutes: FastifyPluginAsync<{ searching: Searching }> = async (app, { searching }) => {
  app.get('/search', AS_ANALYST, async (request, reply) => show(searching, request, reply, {}))

  app.get('/search/go', AS_ANALYST, async (request, reply) => {
    const { text = '' } = request.query as { text?: unknown }
    const wanted = typeof text === 'string' ? text.trim() : ''
    if (isUuid(wanted) && (await isOwn(searching, request, wanted)))
      return reply.redirect(links.submission(wanted), 303)
    const filter = wanted === '' ? undefined : parseText(wanted)
    if (filter !== undefined) return reply.redirect(links.queue(filter), 303)
    return show(searching, request, reply.code(422), { unread: wanted })
  })

  app.post('/search', AS_ANALYST, async (request, reply) => {
    try {
      const { type, profile, keys, purpose } = readSearch(request.body)
      const reader = readerOf(request.viewer, request.routeOptions.url)
      const { body, read } = await searching.lookUp(reader, { queries: [{ type, profile, keys }], purpose })
      const found = foundIn(JSON.parse(body) as LookupResult)
      return await show(searching, request, reply, {
        result: { asked: keys.length, found, purpose, read: nameOf(read) },
      })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return show(searching, request, reply.code(error.status), { refusal: error })
    }
  })
}

/** The name of the read, without its commitment. */
const nameOf = (read: string): string => read.split(' ', 1)[0] ?? ''

async function isOwn(
  { sentSignal }: Searching,
  { viewer, routeOptions }: FastifyRequest,
  signal: Parameters<Searching['sentSignal']>[1],
) {
  try {
    await sentSignal(readerOf(viewer, routeOptions.url).participant, signal)
    return true
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not-found') return false
    throw error
  }
}

/** Two keys of one link may lead to one signal. */
function foundIn({ matches }: LookupResult): Found[] {
  const found = new Map<string, Found>()
  for (const { key, event } of matches) {
    const { source, signal, revision, item } = event
    if (item === undefined) continue
    found.set(`${source}/${signal}`, { key, source, signal, revision, item: JSON.parse(item) as SignalItem })
  }
  return [...found.values()]
}

function show(
  { groupsOf, suites, clock }: Searching,
  { viewer, routeOptions }: FastifyRequest,
  reply: FastifyReply,
  shown: Pick<SearchView, 'result' | 'refusal' | 'unread'>,
): FastifyReply {
  const { participant } = readerOf(viewer, routeOptions.url)
  const page = {
    viewer,
    title: 'Search',
    current: 'search',
    styles: ['review.css', 'sent.css'],
    scripts: ['search.js', 'reveal.js'],
  } as const
  const view = { viewer, groups: groupsOf(participant), suites: suites(), now: clock(), ...shown }
  return sendPage(reply, page, <SearchPage {...view} />)
}
