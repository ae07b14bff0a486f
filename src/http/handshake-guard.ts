import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { type TLSSocket, Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../kernel/clock.ts'
import { createConnectionRate } from './connection-rate.ts'
import type { HandshakeRefusals } from './handshake-refusals.ts'
import type { Rate } from './token-bucket.ts'

export interface Guard {
  clock: Clock
  /** New connections of one address. */
  rate: Rate
  refusals: HandshakeRefusals
}

/** What happens before a handshake is done: the rate of an address, the number of connections, and failures. */
export function guardHandshakes(server: HttpsServer, { clock, rate, refusals }: Guard): void {
  const isAdmitted = createConnectionRate(clock, rate)
  server.prependListener('connection', (raw: Socket) => {
    // Reading the address makes Node remember it; after a failed handshake it could not be read any more.
    const { remoteAddress } = raw
    if (isAdmitted(remoteAddress)) return
    refusals.add(remoteAddress, 'connection-rate')
    raw.destroy()
  })
  server.on('drop', (data) => refusals.add(data?.remoteAddress, 'too-many-connections'))
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    // Of a chain that does not verify, the error itself says no more than ECONNRESET.
    refusals.add(addressOf(socket), String(socket.authorizationError ?? error.code ?? 'unknown'))
  })
}

/** The TLS server behind an instance that was made with https options. */
export function secureServerOf({ server }: FastifyInstance): HttpsServer {
  if (!(server instanceof TlsServer)) throw new TypeError('a TLS listener needs an instance made with https options')
  return server as HttpsServer
}

/** Calls `tick` now and then while the instance is open. */
export function keepTime(app: FastifyInstance, ms: number, tick: () => void): void {
  const timer = setInterval(tick, ms).unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

/** `_parent`, the wrapped socket, is undocumented; a test notices should it go. */
const addressOf = (socket: TLSSocket & { _parent?: Socket }): string | undefined =>
  socket.remoteAddress ?? socket._parent?.remoteAddress
