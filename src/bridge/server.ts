import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PROBLEM_TYPE, problemOf, refusalOf } from '../http/problem.ts'
import { Refusal } from '../kernel/errors.ts'
import { admit, type Place } from './guard.ts'
import { BRIDGE_LIMITS } from './limits.ts'

/** What a route answers; `undefined` where it has written by itself. */
export type Answer =
  | { status: number; type?: string; headers?: Readonly<Record<string, string>>; body: string | Buffer }
  | undefined

export interface Route {
  /** `*`: the route answers for every method. */
  method: 'GET' | 'POST' | 'DELETE' | '*'
  /** `/v1/outbox/:id`; at most one parameter, at the end. */
  path: string
  /** Of another protocol: what is below its paths, who may ask and how it is refused are its own. */
  foreign?: { at: RegExp; refuse(refusal: Refusal, requestId: string): NonNullable<Answer> }
  /** A probe needs no secret. */
  probe?: true
  /** Takes a query; others refuse one: what is in a URL may be kept by whoever stands between. */
  query?: true
  /** Takes and gives as much as it likes, in its own time. */
  stream?: true
  answer(
    request: IncomingMessage,
    response: ServerResponse,
    about: { id: string; query: URLSearchParams; target: string; requestId: string },
  ): Promise<Answer>
}

export interface ServerOptions {
  routes: readonly Route[]
  place: Place
  hasSecret(authorization: string | undefined): boolean
  /** For a body to arrive; as the limits have it unless given. */
  requestMs?: number
  /** A request that was answered, by the pattern of its route. */
  onAnswered(route: string, status: number, tookMs: number): void
  /** One that could not be. */
  onFault(route: string, error: unknown): void
}

export interface BridgeServer {
  origin: string
  close(): Promise<void>
}

/** Listens on loopback, in plain HTTP: see `admit` for who gets an answer. Nothing of a request is ever logged but its route. */
export async function startServer(options: ServerOptions): Promise<BridgeServer> {
  const { host, port } = options.place
  const server = createServer({
    maxHeaderSize: BRIDGE_LIMITS.header_bytes,
    headersTimeout: BRIDGE_LIMITS.header_seconds * 1_000,
    // Streams have their own; other bodies are bounded where they are read.
    requestTimeout: BRIDGE_LIMITS.stream_seconds * 1_000,
    keepAliveTimeout: BRIDGE_LIMITS.keep_alive_seconds * 1_000,
    connectionsCheckingInterval: 1_000,
  })
  server.maxConnections = BRIDGE_LIMITS.connections
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const { port: bound } = server.address() as AddressInfo
  const place = { host, port: bound }
  server.on('request', handlerOf({ ...options, place }))
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function handlerOf(options: ServerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { requestMs = BRIDGE_LIMITS.request_seconds * 1_000 } = options
  let [bodies, streams] = [0, 0]

  /** With a place for its body; who comes without one is told to come again. */
  const posted = async (route: Route, request: IncomingMessage, work: () => Promise<Answer>): Promise<Answer> => {
    const full = route.stream ? streams >= BRIDGE_LIMITS.streams_at_once : bodies >= BRIDGE_LIMITS.bodies_at_once
    if (full) throw new Refusal('busy', { retryAfter: 1 })
    const take = (n: number): void => {
      if (route.stream) streams += n
      else bodies += n
    }
    take(1)
    if (route.stream) return work().finally(() => take(-1))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Refusal('request-timeout')), requestMs)
    })
    request.once('end', () => clearTimeout(timer))
    return Promise.race([work(), late]).finally(() => {
      clearTimeout(timer)
      take(-1)
    })
  }

  const answer = async (request: IncomingMessage, response: ServerResponse, found: Found): Promise<Answer> => {
    admit(request.headers, options, found.route?.probe === true || found.route?.foreign !== undefined)
    const { route, id, query } = routed(found, request.method)
    if (route.foreign === undefined && route.query !== true && query.size > 0)
      throw new Refusal('invalid-query', { detail: 'what is asked stands in the body, never in the URL' })
    const about = { id, query, target: request.url ?? '', requestId: found.requestId }
    const work = () => route.answer(request, response, about)
    return request.method === 'POST' ? posted(route, request, work) : work()
  }

  return (request, response) => {
    const begun = performance.now()
    const found = find(options.routes, request.url ?? '')
    const name = found.route?.path ?? 'unknown'
    response.once('close', () => options.onAnswered(name, response.statusCode, performance.now() - begun))
    answer(request, response, found).then(
      (given) => given !== undefined && end(response, given),
      (error: unknown) => {
        // Whoever asked has gone.
        if (response.destroyed || (!(error instanceof Refusal) && request.destroyed)) return void response.destroy()
        const refusal = refusalOf(error)
        if (refusal.code === 'internal') options.onFault(name, refusal.cause)
        refuse(request, response, { refusal, found })
      },
    )
  }
}

interface Found {
  requestId: string
  /** Of this path, whatever the method. */
  routes: readonly Route[]
  route: Route | undefined
  id: string
  query: URLSearchParams
}

function find(routes: readonly Route[], target: string): Found {
  const [path = '', query = ''] = target.split('?', 2)
  const cut = path.lastIndexOf('/')
  const [folder, id] = [path.slice(0, cut), path.slice(cut + 1)]
  const isAt = (route: Route): boolean =>
    route.foreign?.at.test(path) ?? (route.path === path || (route.path === `${folder}/:id` && id !== ''))
  const same = routes.filter(isAt)
  return { requestId: randomUUID(), routes: same, route: same[0], id, query: new URLSearchParams(query) }
}

function routed(
  { routes, id, query }: Found,
  method: string | undefined,
): { route: Route; id: string; query: URLSearchParams } {
  const route = routes.find((one) => one.method === method || one.method === '*')
  if (route !== undefined) return { route, id, query }
  if (routes.length === 0) throw new Refusal('not-found')
  throw new Refusal('method-not-allowed', { detail: `${routes.map((one) => one.method).join(', ')} is served here` })
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { refusal, found: { route, requestId } }: { refusal: Refusal; found: Found },
): void {
  // A stream that has begun can only be cut off: its reader misses the last line.
  if (response.headersSent) return void response.destroy()
  if (refusal.retryAfter !== undefined) response.setHeader('retry-after', String(refusal.retryAfter))
  if (refusal.status === 401) response.setHeader('www-authenticate', 'Bearer')
  if (!request.complete) response.setHeader('connection', 'close')
  const problem = () => ({
    ...{ status: refusal.status, type: PROBLEM_TYPE, body: JSON.stringify(problemOf(refusal, requestId)) },
  })
  end(response, route?.foreign?.refuse(refusal, requestId) ?? problem())
}

function end(response: ServerResponse, { status, type, headers, body }: NonNullable<Answer>): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': type ?? 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...SAFE,
    ...headers,
  })
  response.end(body)
}

/** For a browser that came here all the same. */
export const SAFE = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const
