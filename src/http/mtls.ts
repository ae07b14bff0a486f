import type { Server as HttpsServer, ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { FastifyPluginCallback } from 'fastify'
import type { Clock } from '../kernel/clock.ts'
import { networkOf, plainAddress } from './address.ts'
import { admit } from './admit.ts'
import { type Connection, createConnections } from './connections.ts'
import { guardHandshakes, keepTime, secureServerOf } from './handshake-guard.ts'
import { createHandshakeRefusals, type HandshakeRefusalSink } from './handshake-refusals.ts'
import { LIMITS } from './limits.ts'
import {
  type EnrolledCredential,
  faultOf,
  type Peer,
  type PeerDirectory,
  type PeerFault,
  type PeerIdentity,
  readIdentity,
} from './peer.ts'
import { type TlsMaterial, tlsContext } from './tls-context.ts'
import { checkMaterial, type RootCheck, rootCheck } from './tls-material.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on listeners that ask for client certificates, behind the hooks of `createInstance` and before any other. */
    peer: Peer
  }
}

export interface MtlsLimits {
  /** Milliseconds for a handshake, and for a refused connection to send its one request. */
  handshakeTimeout: number
  connections: number
  connectionsPerCredential: number
  /** New connections per address: the rate per second, and how many at once. */
  connectionRate: number
  connectionBurst: number
  /** Milliseconds. */
  connectionAge: number
  /** Milliseconds since the last refresh of the credentials beyond which nobody is let in. */
  authorityAge: number
  /** Milliseconds between two looks at the open connections. */
  tick: number
}

const MTLS_LIMITS: MtlsLimits = {
  handshakeTimeout: LIMITS.handshake_seconds * 1_000,
  connections: LIMITS.connections,
  connectionsPerCredential: LIMITS.connections_per_credential,
  connectionRate: LIMITS.new_connections_per_address_per_second,
  connectionBurst: LIMITS.new_connections_per_address_burst,
  connectionAge: LIMITS.connection_age_seconds * 1_000,
  authorityAge: LIMITS.authority_age_seconds * 1_000,
  tick: 1_000,
}

export interface MtlsOptions {
  material: TlsMaterial
  trustDomain: string
  directory: PeerDirectory
  /** The real time, by which certificates end; never a driven clock. */
  clock: Clock
  /** Takes the counts of refused connections, a minute at a time. */
  onRefused: HandshakeRefusalSink
  /** Told of each connection that a key opened, with the network that it came from. */
  onAccepted?(of: EnrolledCredential, network: string): void
  limits?: Partial<MtlsLimits>
}

export interface Mtls {
  /** For `Fastify({ https })`. */
  https: ServerOptions
  /** To be registered once, on that instance and before any hook that asks who it is; decorates the instance itself. */
  plugin: FastifyPluginCallback
  /**
   * Puts other keys, roots or CRLs in place without closing the listener; connections are judged by them anew. Throws
   * `StartRefused` and changes nothing if the material would not do.
   */
  reload(material: TlsMaterial): Promise<void>
  /** How many connections are open under a pin. */
  openUnder(spki: string): number
}

/** Mutual TLS of one listener: who may connect, who a request comes from, and when a connection ends. */
export async function createMtls(options: MtlsOptions): Promise<Mtls> {
  const { material, trustDomain, directory, clock, onRefused, onAccepted } = options
  const limits = { ...MTLS_LIMITS, ...options.limits }
  await checkMaterial(material, clock())
  let mayCertify = rootCheck(material)
  let server: HttpsServer | undefined
  const refusals = createHandshakeRefusals(clock, onRefused)
  const connections = createConnections({
    clock,
    isOver: (identity) => isOver(identity, directory, clock()),
    perCredential: limits.connectionsPerCredential,
    maxAge: limits.connectionAge,
    grace: limits.handshakeTimeout,
  })
  const isStale = (): boolean => directory.age() > limits.authorityAge

  const accept = (socket: TLSSocket): void => {
    const read = identityOf(socket, trustDomain, mayCertify)
    const connection = connections.add(socket, read)
    const { identity } = connection
    // Without a fresh list nothing can be said here; each request is told so.
    if (identity !== undefined && connection.fault === undefined && !isStale()) {
      const credential = directory.find(identity.spki)
      connection.fault = faultOf(identity, credential, clock())
      const address = plainAddress(socket.remoteAddress)
      // The socket of a connection that has ended already has no address.
      if (credential !== undefined && connection.fault === undefined && address !== 'unknown')
        onAccepted?.(credential, networkOf(address))
    }
    if (connection.fault !== undefined) refusals.add(socket.remoteAddress, connection.fault)
  }

  directory.onChange((spki) => {
    for (const { socket, identity } of connections.under(spki)) {
      if (identity !== undefined && isOver(identity, directory, clock())) socket.destroy()
    }
  })

  const plugin: FastifyPluginCallback = (app, _options, done) => {
    const listening = secureServerOf(app)
    server = listening
    listening.maxConnections = limits.connections
    guardHandshakes(listening, {
      clock,
      rate: { perSecond: limits.connectionRate, burst: limits.connectionBurst },
      refusals,
    })
    listening.prependListener('secureConnection', accept)
    keepTime(app, limits.tick, () => {
      connections.tick()
      refusals.tick()
    })
    app.addHook('onClose', async () => refusals.flush())
    app.decorateRequest('peer')
    app.addHook('onRequest', async (request, reply) => {
      request.peer = admit(request, reply, { connections, directory, clock, isStale })
    })
    app.addHook('onResponse', async ({ raw }) => settle(connections.of(raw.socket), raw))
    done()
  }

  return {
    https: {
      ...tlsContext(material),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: limits.handshakeTimeout,
    },
    plugin: Object.assign(plugin, { [Symbol.for('skip-override')]: true }),
    reload: async (next) => {
      await checkMaterial(next, clock())
      mayCertify = rootCheck(next)
      server?.setSecureContext(tlsContext(next))
      connections.retireAll()
    },
    openUnder: (spki) => connections.under(spki).length,
  }
}

function identityOf(socket: TLSSocket, trustDomain: string, mayCertify: RootCheck): PeerIdentity | PeerFault {
  // `authorized` alone proves nothing: it is also true of a session without a certificate.
  const leaf = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (leaf === undefined) return 'no-certificate'
  const identity = readIdentity(leaf, trustDomain)
  if (typeof identity !== 'string' && !mayCertify(leaf, identity.slug)) return 'root-not-bound'
  return identity
}

/** A suspended participant is cut too: an answer that streams for minutes would outlive its rights. */
function isOver(identity: PeerIdentity, directory: PeerDirectory, now: Date): boolean {
  const credential = directory.find(identity.spki)
  return faultOf(identity, credential, now) !== undefined || credential?.participant_status === 'suspended'
}

/** Also called for a request that another hook refused before it was admitted. */
function settle(connection: Connection | undefined, request: object): void {
  if (connection === undefined) return
  connection.underWay.delete(request)
  if (connection.retiring && connection.underWay.size === 0) connection.socket.destroySoon()
}
