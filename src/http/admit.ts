import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Connection, Connections } from './connections.ts'
import {
  type EnrolledCredential,
  faultOf,
  type Peer,
  type PeerDirectory,
  type PeerFault,
  type PeerIdentity,
} from './peer.ts'

export interface Authority {
  connections: Connections
  directory: PeerDirectory
  clock: Clock
  /** Whether the list of credentials is too old to let anybody in. */
  isStale(): boolean
}

/** Whom a request comes from, from memory alone. Throws the refusal; where the connection has no right, it also ends. */
export function admit({ raw, headers }: FastifyRequest, reply: FastifyReply, authority: Authority): Peer {
  const connection = authority.connections.of(raw.socket)
  if (connection === undefined) throw unenrolled(reply, 'no-certificate')
  connection.underWay.add(raw)
  const identity = settledIdentity(connection, reply)
  // Only a proxy in front may vouch for a certificate in a header (RFC 9440), and none stands before this listener.
  if (headers['client-cert'] !== undefined || headers['client-cert-chain'] !== undefined) {
    throw new Refusal('invalid-header', { detail: 'Client-Cert is not taken here' })
  }
  if (authority.isStale()) throw new Refusal('authority-stale', { retryAfter: 5 })
  const credential = authority.directory.find(identity.spki)
  const fault = faultOf(identity, credential, authority.clock())
  if (credential === undefined || fault !== undefined) throw unenrolled(reply, fault ?? 'key-unknown')
  if (credential.participant_status === 'suspended') throw new Refusal('participant-suspended')
  return peerOf(identity, credential)
}

/** What was settled when the connection was made. */
function settledIdentity({ identity, fault }: Connection, reply: FastifyReply): PeerIdentity {
  if (fault === 'too-many-connections') {
    throw closing(reply, new Refusal('busy', { detail: 'the credential has too many connections', retryAfter: 1 }))
  }
  if (identity === undefined || fault !== undefined) throw unenrolled(reply, fault ?? 'no-certificate')
  return identity
}

const peerOf = (
  { uri, spki, leafSha256, notAfter }: PeerIdentity,
  { participant, slug, credential, scopes }: EnrolledCredential,
): Peer => ({ participant, slug, credential, uri, spki, leafSha256, notAfter, scopes })

const unenrolled = (reply: FastifyReply, reason: PeerFault): Refusal =>
  closing(reply, new Refusal('credential-not-enrolled', { detail: `refused: ${reason}`, extra: { reason } }))

/** The answer goes out, then the connection closes. */
function closing(reply: FastifyReply, refusal: Refusal): Refusal {
  reply.header('connection', 'close')
  return refusal
}
