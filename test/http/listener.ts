import { EventEmitter, once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import type { HandshakeRefusal } from '../../src/http/handshake-refusals.ts'
import { createMtls, type Mtls, type MtlsLimits } from '../../src/http/mtls.ts'
import type { Peer } from '../../src/http/peer.ts'
import type { TlsMaterial } from '../../src/http/tls-context.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { type MemoryDirectory, memoryDirectory } from '../support/peer-directory.ts'
import { type ClientIdentity, TRUST_DOMAIN } from '../support/pki.ts'

export interface TestListener {
  port: number
  mtls: Mtls
  directory: MemoryDirectory
  /** Connections that are open. */
  connections(): Promise<number>
  /** Resolves with the next request of `/slow` that has arrived. */
  slow(): Promise<unknown>
  /** Moves the listener's clock away from the real one. */
  advance(ms: number): void
  /** Closes it; all refused connections that it counted. */
  close(): Promise<HandshakeRefusal[]>
}

const opened: TestListener[] = []

/** An instance with no hook of its own. */
function bareInstance(https: ServerOptions): FastifyInstance {
  const app = Fastify({ https, exposeHeadRoutes: false })
  app.setErrorHandler((error, _request, reply) =>
    error instanceof Refusal ? reply.code(error.status).send({ code: error.code, ...error.extra }) : reply.send(error),
  )
  return app as unknown as FastifyInstance
}

/** A listener on loopback whose routes `/peer` and `/slow` answer with the peer. Its address limit is out of the way. */
export async function listen(
  material: TlsMaterial,
  limits: Partial<MtlsLimits> = {},
  instanceOf: (https: ServerOptions) => FastifyInstance = bareInstance,
): Promise<TestListener> {
  const directory = memoryDirectory()
  const refused: HandshakeRefusal[] = []
  let ahead = 0
  const arrived = new EventEmitter()
  const mtls = await createMtls({
    material,
    trustDomain: TRUST_DOMAIN,
    directory,
    clock: () => new Date(Date.now() + ahead),
    onRefused: (row) => refused.push(row),
    limits: { connectionRate: 1_000, connectionBurst: 1_000, ...limits },
  })
  const app = instanceOf(mtls.https)
  const config = { scope: 'public' } as const
  await app.register(mtls.plugin)
  app.get('/peer', { config }, async ({ peer }) => peer)
  app.get<{ Querystring: { ms: string } }>('/slow', { config }, async ({ peer, query }) => {
    arrived.emit('slow')
    await new Promise((resolve) => setTimeout(resolve, Number(query.ms)))
    return peer
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  let closed: Promise<void> | undefined
  const listener: TestListener = {
    port: (app.server.address() as AddressInfo).port,
    mtls,
    directory,
    connections: () => promisify(app.server.getConnections.bind(app.server))(),
    slow: () => once(arrived, 'slow'),
    advance: (ms) => {
      ahead += ms
    },
    close: async () => {
      closed ??= app.close()
      await closed
      return refused
    },
  }
  opened.push(listener)
  return listener
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((listener) => listener.close()))
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Partial<Peer> & { code?: string; reason?: string }
}

/** One GET; without an agent on a connection of its own. Rejects where the connection is closed instead. */
export async function get(
  { port }: TestListener,
  path: string,
  options: ConnectionOptions & { agent?: Agent; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { agent = new Agent({ keepAlive: false }), ...tls } = options
  const out = request({ host: '127.0.0.1', port, path, agent, ...tls })
  out.end()
  const [message] = await once(out, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return { status: message.statusCode, headers: message.headers, body: JSON.parse(Buffer.concat(chunks).toString()) }
}

/** A bare TLS connection of the identity, its handshake done on the client's side. */
export async function dial({ port }: TestListener, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** Sends one request over an open connection; what comes back until it closes or is quiet. */
export async function exchange(
  socket: TLSSocket,
  path = '/peer',
  headers: readonly string[] = ['host: localhost'],
): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`)
  const [chunk] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])])
  return String(chunk)
}

export const credentialsOf = ({ key, cert, ca }: ClientIdentity): ConnectionOptions => ({ key, cert, ca })
