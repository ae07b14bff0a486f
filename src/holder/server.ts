import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { readIdentity } from '../http/peer.ts'
import { PROBLEM_TYPE, problemOf, refusalOf } from '../http/problem.ts'
import { type TlsMaterial, tlsContext } from '../http/tls-context.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Holder } from './holder.ts'

/** Bounds of the listener. */
export const HOLDER_LIMITS = {
  body_bytes: 65_536,
  header_bytes: 8_192,
  header_seconds: 5,
  request_seconds: 30,
  handshake_seconds: 5,
  keep_alive_seconds: 65,
  connections: 256,
} as const

export interface HolderServerOptions {
  holder: Holder
  material: TlsMaterial
  /** Of the programme: its participants alone are served. */
  trustDomain: string
  clock: Clock
  host: string
  port: number
  /** A request that could not be answered. */
  onFault(error: unknown): void
}

export interface HolderServer {
  origin: string
  close(): Promise<void>
}

/** Listens with mutual TLS: whoever has a certificate of the programme is a participant, and nobody else gets an answer. */
export async function startHolder(options: HolderServerOptions): Promise<HolderServer> {
  const { material, host, port } = options
  const server = createServer(
    {
      ...tlsContext(material),
      ...{ requestCert: true, rejectUnauthorized: true },
      handshakeTimeout: HOLDER_LIMITS.handshake_seconds * 1_000,
      headersTimeout: HOLDER_LIMITS.header_seconds * 1_000,
      requestTimeout: HOLDER_LIMITS.request_seconds * 1_000,
      keepAliveTimeout: HOLDER_LIMITS.keep_alive_seconds * 1_000,
      maxHeaderSize: HOLDER_LIMITS.header_bytes,
      connectionsCheckingInterval: 1_000,
    },
    listenerOf(options),
  )
  server.maxConnections = HOLDER_LIMITS.connections
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    origin: `https://${isIP(host) === 6 ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listenerOf({ holder, trustDomain, clock, onFault }: HolderServerOptions): RequestListener {
  const answer = async (request: IncomingMessage): Promise<object> => {
    const participant = participantOf(request.socket as TLSSocket, trustDomain, clock())
    if (request.url !== '/v1/oprf/evaluations') throw new Refusal('not-found')
    if (request.method !== 'POST') throw new Refusal('method-not-allowed', { detail: 'POST is served here' })
    if (request.headers['content-type'] !== 'application/json') throw new Refusal('unsupported-media-type')
    const header = request.headers['idempotency-key']
    const body = await bodyOf(request)
    return holder.evaluate({ participant, key: typeof header === 'string' ? header : undefined, body })
  }
  return (request, response) => {
    answer(request).then(
      (value) => end(response, { status: 200, type: 'application/json; charset=utf-8', value }),
      (error: unknown) => {
        const refusal = refusalOf(error)
        if (refusal.code === 'internal') onFault(refusal.cause)
        if (refusal.retryAfter !== undefined) response.setHeader('retry-after', String(refusal.retryAfter))
        if (!request.complete) response.setHeader('connection', 'close')
        end(response, { status: refusal.status, type: PROBLEM_TYPE, value: problemOf(refusal, randomUUID()) })
      },
    )
  }
}

/** By its certificate, which is read anew for each request: a connection outlives no certificate. */
function participantOf(socket: TLSSocket, trustDomain: string, now: Date): string {
  const leaf = socket.getPeerX509Certificate()
  const identity = leaf === undefined ? 'no-certificate' : readIdentity(leaf, trustDomain)
  if (typeof identity === 'string') throw unenrolled(identity)
  if (now < identity.notBefore) throw unenrolled('certificate-early')
  if (now >= identity.notAfter) throw unenrolled('certificate-expired')
  return identity.slug
}

const unenrolled = (reason: string): Refusal =>
  new Refusal('credential-not-enrolled', { detail: `refused: ${reason}`, extra: { reason } })

function end(response: ServerResponse, { status, type, value }: { status: number; type: string; value: object }): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify(value)
  const head = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' }
  response.writeHead(status, head).end(body)
}

/** The whole body; what is too long is not read on. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  // Left whole where the loop ends early: the refusal goes out over the same socket.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += (part as Buffer).length
    if (length > HOLDER_LIMITS.body_bytes)
      throw new Refusal('too-large', { extra: { limit: HOLDER_LIMITS.body_bytes } })
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}
