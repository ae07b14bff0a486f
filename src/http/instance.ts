import type { ServerOptions } from 'node:https'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  type RouteOptions,
} from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { type ErrorCode, type FieldError, Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { randomSource } from '../kernel/random.ts'
import { firstFault } from '../kernel/schema.ts'
import { JSON_LIMITS, parseStrict } from '../kernel/strict-json.ts'
import type { Scope } from '../participants/schema.ts'
import { LIMITS } from './limits.ts'
import { refusalOf, refuseUnread, sendProblem } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The code under which it was refused, whatever form the answer has. */
    refused: ErrorCode | undefined
  }
  interface FastifyContextConfig {
    /** What the credential must hold; `public` for everyone whom the listener lets in. Every route says it. */
    scope?: Scope | 'public'
    /** The body is a stream of lines that its handler reads. */
    stream?: boolean
    /** Shed first under load: a reader that comes again loses nothing. */
    bulk?: boolean
    /** Longest string in a JSON body, UTF-16 code units, where it is not the general limit. */
    jsonString?: number
    /** Shapes of answers that leave as ready bytes; for the API's description alone. */
    raw?: Readonly<Record<number, TSchema>>
    /** Of a protocol that others describe: not in the API's description. */
    foreign?: boolean
  }
}

/** What became of one request, for logs and metrics. Holds no value that came with it. */
export interface Finished {
  id: string
  method: string
  /** The route's pattern, never the URL. */
  route: string
  status: number
  /** Milliseconds. */
  took: number
  participant: string | undefined
  /** Whose credential it was, once that is known. */
  by: { participant: Uuid; credential: Uuid } | undefined
  /** Of the answer's body, where it was known before it left. */
  bytes: number | undefined
  code: ErrorCode | undefined
}

export interface InstanceOptions {
  https: ServerOptions
  /** How a refusal is answered; RFC 9457 unless said otherwise. */
  refuse?: (request: FastifyRequest, reply: FastifyReply, refusal: Refusal) => FastifyReply | Promise<FastifyReply>
  /** What every route has to declare, since a route without it is a programming error: its scope unless said otherwise. */
  declares?: 'scope' | 'roles'
  /** Of the URL at most; the general limit unless said otherwise. */
  urlBytes?: number
  onFinished(finished: Finished): void
  /** Told of what leaves as `internal`. */
  onFault(error: unknown, requestId: string): void
}

const PART_CODE: Readonly<Record<string, ErrorCode>> = {
  body: 'validation-failed',
  querystring: 'invalid-query',
  params: 'not-found',
  headers: 'invalid-header',
}

/** A listener's Fastify: strict JSON, TypeBox schemas, RFC 9457 refusals, every limit set, scopes declared per route. */
export function createInstance(options: InstanceOptions): FastifyInstance {
  const { https, onFinished, onFault, refuse = sendProblem, declares = 'scope', urlBytes = LIMITS.url_bytes } = options
  const settings: FastifyServerOptions = {
    bodyLimit: LIMITS.json_bytes,
    requestTimeout: LIMITS.stream_seconds * 1_000,
    connectionTimeout: 0,
    keepAliveTimeout: LIMITS.keep_alive_seconds * 1_000,
    maxRequestsPerSocket: LIMITS.requests_per_connection,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: LIMITS.parameter_characters },
    genReqId: newRequestId,
    logger: false,
    return503OnClosing: true,
    // A refusal before any route and any hook: the URL itself cannot be read. Nobody was asked who they are, and nothing
    // limits how often they come, so it is the last request of its connection.
    frameworkErrors: (error, request, reply) => {
      const { code, status } = refusalOf(error)
      const { id, method } = request
      const nobody = { participant: undefined, by: undefined, bytes: undefined }
      onFinished({ id, method, route: 'unknown', took: 0, status, ...nobody, code })
      void refuse(request, reply.header('connection', 'close'), new Refusal(code))
    },
    clientErrorHandler: (error, socket) => refuseUnread(error, socket, newRequestId()),
  }
  // Plugins are written for either kind of server; the types of Fastify would tell them apart.
  // Node looks at the times that requests take once in so many milliseconds; by default that is half a minute.
  const times = { connectionsCheckingInterval: 1_000 }
  // Node's own answer to a request without Host is no problem document: see `refuseHeads`.
  const server = { maxHeaderSize: LIMITS.header_bytes, requireHostHeader: false, ...times, ...https }
  const app = Fastify({ ...settings, https: server } as FastifyServerOptions)
  app.server.headersTimeout = LIMITS.header_seconds * 1_000
  app.server.maxHeadersCount = LIMITS.headers
  app.setValidatorCompiler(validatorCompiler)
  acceptStrictJson(app)
  app.decorateRequest('refused')
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal' && !hasLeft(request, refusal.cause)) onFault(refusal.cause, request.id)
    request.refused = refusal.code
    return refuse(request, reply, refusal)
  })
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', (route) => remember(methods, route, declares))
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedOn(methods, request.url)
    if (allowed.size === 0 || allowed.has(request.method)) throw new Refusal('not-found')
    reply.header('allow', [...allowed].join(', '))
    throw new Refusal('method-not-allowed', { detail: `${[...allowed].join(', ')} is served here` })
  })
  // By it the node's log knows the request.
  app.addHook('onRequest', async ({ id }, reply) => {
    reply.header('request-id', id)
  })
  refuseHeads(app, urlBytes)
  guardSlowBodies(app)
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, id } = request
    const route = routeOptions.url ?? 'unknown'
    // Listeners without client certificates have no peer.
    const peer = request.peer as FastifyRequest['peer'] | undefined
    const took = Math.round(reply.elapsedTime)
    const by = peer && { participant: peer.participant, credential: peer.credential }
    const [status, bytes, code] = [reply.statusCode, lengthOf(reply), request.refused]
    onFinished({ id, method, route, took, status, participant: peer?.slug, by, bytes, code })
  })
  return app
}

function lengthOf(reply: FastifyReply): number | undefined {
  const length = reply.getHeader('content-length')
  return length === undefined ? undefined : Number(length)
}

/** Who asked is gone, and the error says no more than that: nothing is wrong with the node. */
const hasLeft = ({ raw }: FastifyRequest, cause: unknown): boolean =>
  raw.socket.destroyed &&
  cause instanceof Error &&
  (cause.name === 'AbortError' || (cause as NodeJS.ErrnoException).code === 'ECONNRESET')

/** What no request may have, whatever it asks for, answered like everything else. */
function refuseHeads(app: Pick<FastifyInstance, 'addHook' | 'addHttpMethod' | 'server'>, urlBytes: number): void {
  // Nothing is served under it: without this the framework asks for a body before it looks for a route.
  app.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true })
  // What nobody here knows may be passed over (RFC 9110 section 10.1.1); Node's own answer is empty.
  app.server.on('checkExpectation', (request, response) => void app.server.emit('request', request, response))
  app.addHook('onRequest', async ({ raw, headers }) => {
    if (headers.host === undefined) throw new Refusal('invalid-header', { detail: 'Host is missing' })
    if ((raw.url?.length ?? 0) > urlBytes) throw new Refusal('uri-too-long', { extra: { limit: urlBytes } })
    if (headers['content-encoding'] !== undefined) {
      throw new Refusal('unsupported-media-type', { detail: 'send the body as it is, without Content-Encoding' })
    }
  })
}

const draw = randomSource(12)
const newRequestId = (): string => draw().toString('base64url')

/** Refuses whatever the credential's scopes do not cover; a route without a scope is a programming error at start. */
export function requireScopes(app: Pick<FastifyInstance, 'addHook'>): void {
  app.addHook('onRequest', async ({ peer, routeOptions }, reply) => {
    const { scope } = routeOptions.config
    if (scope === undefined || scope === 'public' || peer.scopes.includes(scope)) return
    // RFC 6750 section 3.1.
    if (peer.token !== undefined)
      reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`)
    throw new Refusal('scope-missing', { detail: `this route asks for ${scope}` })
  })
}

function remember(
  methods: Map<string, Set<string>>,
  { url, method, config }: RouteOptions,
  declares: 'scope' | 'roles',
): void {
  if (config?.[declares] === undefined) throw new TypeError(`the route ${url} declares no ${declares}`)
  const known = methods.get(url) ?? new Set()
  for (const one of [method].flat()) known.add(one)
  methods.set(url, known)
}

/** The methods of the routes whose pattern fits the path. */
function allowedOn(methods: ReadonlyMap<string, Set<string>>, url: string): Set<string> {
  const path = url.split('?')[0] ?? ''
  const fitting = [...methods].filter(([pattern]) => patternOf(pattern).test(path))
  return new Set(fitting.flatMap(([, names]) => [...names]))
}

const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replaceAll('.', '\\.')
      .replaceAll('*', '.*')
      .replaceAll(/:[a-z_]+/g, '[^/]+')}$`,
  )

function acceptStrictJson(app: Pick<FastifyInstance, 'removeAllContentTypeParsers' | 'addContentTypeParser'>): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const string = request.routeOptions.config.jsonString ?? JSON_LIMITS.string
      done(null, parseStrict(body as Buffer, { ...JSON_LIMITS, string }))
    } catch (error) {
      done(error as Error)
    }
  })
}

/** One fault of each refused part: enough to mend it, and it names a member, never a value. */
function validatorCompiler({ schema, httpPart = 'body' }: { schema: TSchema; httpPart?: string }) {
  const validator = Compile(schema)
  const code = PART_CODE[httpPart] ?? 'validation-failed'
  return (data: unknown) => {
    const value = httpPart === 'querystring' ? withNumbers(schema, data as object) : data
    if (validator.Check(value)) return { value }
    if (httpPart === 'params') return { error: new Refusal('not-found') }
    const { pointer, detail } = firstFault(validator, value)
    const error: FieldError = { pointer, code, detail }
    return {
      error: new Refusal(code, { detail: `${pointer === '' ? 'the whole' : pointer}: ${detail}`, errors: [error] }),
    }
  }
}

/** A query is text: whole numbers where the schema has them, nothing rounded and nothing guessed. */
function withNumbers(schema: TSchema, query: object): object {
  const { properties = {} } = schema as { properties?: Readonly<Record<string, { type?: unknown }>> }
  const members = Object.entries(query).map(([name, text]: [string, unknown]) => {
    const whole =
      properties[name]?.type === 'integer' && typeof text === 'string' && /^(0|[1-9][0-9]{0,14})$/.test(text)
    return [name, whole ? Number(text) : text]
  })
  return Object.fromEntries(members)
}

/** Milliseconds between two looks at what is still arriving. */
const LOOK_MS = 1_000

/**
 * Node's own limit is as long as the longest stream; a body that is no stream has less. All of them are looked at together:
 * to set a timer for each takes longer than to read a small one.
 */
function guardSlowBodies(app: Pick<FastifyInstance, 'addHook'>): void {
  /** The oldest first. */
  const arriving = new Map<FastifyRequest, { reply: FastifyReply; until: number }>()
  const look = (): void => {
    const now = performance.now()
    for (const [request, { reply, until }] of arriving) {
      if (until > now) return
      arriving.delete(request)
      reply.header('connection', 'close')
      void reply.send(new Refusal('request-timeout'))
    }
  }
  const timer = setInterval(look, LOOK_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))
  app.addHook('onRequest', (request, reply, done) => {
    const whole = request.method === 'GET' || request.routeOptions.config.stream === true
    if (!whole) arriving.set(request, { reply, until: performance.now() + LIMITS.request_seconds * 1_000 })
    done()
  })
  const arrived = (request: FastifyRequest, _reply: unknown, done: () => void): void => {
    arriving.delete(request)
    done()
  }
  app.addHook('preValidation', arrived)
  app.addHook('onResponse', arrived)
  app.addHook('onRequestAbort', (request, done) => arrived(request, undefined, done))
}
