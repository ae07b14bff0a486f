import type { TLSSocket } from 'node:tls'
import type { Clock } from '../kernel/clock.ts'
import type { PeerFault, PeerIdentity } from './peer.ts'

/** A connection whose handshake is done, read once: reading the certificate anew for each request halves the rate. */
export interface Connection {
  socket: TLSSocket
  identity: PeerIdentity | undefined
  /** Settled with the connection; its first request is told, and then it is closed. */
  fault: PeerFault | 'too-many-connections' | undefined
  since: Date
  /** Requests that were admitted and are not answered. One that was refused before that is not among them. */
  underWay: Set<object>
  /** Closes after the answers that are under way. */
  retiring: boolean
}

export interface ConnectionsOptions {
  clock: Clock
  /** Whether the identity has lost its rights, by its certificate or by the list of credentials. */
  isOver(identity: PeerIdentity): boolean
  perCredential: number
  /** Milliseconds after which a connection is retired. */
  maxAge: number
  /** Milliseconds that a connection without a right to anything may stay. */
  grace: number
}

export interface Connections {
  /** Keeps it until it closes. Beyond the limit of its credential it gets the fault `too-many-connections`. */
  add(socket: TLSSocket, read: PeerIdentity | PeerFault): Connection
  of(socket: object): Connection | undefined
  /** Open connections under a pin. */
  under(spki: string): readonly Connection[]
  /** Cuts what is over, and retires what is old; to be called every second. */
  tick(): void
  /** Lets every connection end after the answers that are under way, so that all are judged anew. */
  retireAll(): void
}

/** The open connections of one listener. */
export function createConnections({ clock, isOver, perCredential, maxAge, grace }: ConnectionsOptions): Connections {
  const bySocket = new WeakMap<object, Connection>()
  const open = new Set<Connection>()
  const byPin = new Map<string, Set<Connection>>()

  const under = (spki: string): Connection[] => [...(byPin.get(spki) ?? [])]

  const drop = (connection: Connection): void => {
    open.delete(connection)
    const spki = connection.identity?.spki ?? ''
    const same = byPin.get(spki)
    same?.delete(connection)
    if (same?.size === 0) byPin.delete(spki)
  }

  /** Whether its credential has room for one more; if so it is counted. */
  const enter = (connection: Connection, { spki }: PeerIdentity): boolean => {
    const same = byPin.get(spki) ?? new Set()
    if (same.size >= perCredential) return false
    byPin.set(spki, same.add(connection))
    return true
  }

  const add: Connections['add'] = (socket, read) => {
    const [identity, fault] = typeof read === 'string' ? [undefined, read] : [read, undefined]
    const since = clock()
    const connection: Connection = { socket, identity, fault, since, underWay: new Set(), retiring: false }
    bySocket.set(socket, connection)
    open.add(connection)
    if (identity !== undefined && !enter(connection, identity)) connection.fault = 'too-many-connections'
    socket.once('close', () => drop(connection))
    return connection
  }

  const judge = (connection: Connection, now: number): void => {
    const age = now - connection.since.getTime()
    const { identity, fault, socket } = connection
    // What was refused gets a moment to ask why.
    const over = fault === undefined ? identity !== undefined && isOver(identity) : age >= grace
    if (over) socket.destroy()
    else if (age >= maxAge) retire(connection)
  }

  return {
    add,
    under,
    of: (socket) => bySocket.get(socket),
    tick: () => {
      const now = clock().getTime()
      for (const connection of open) judge(connection, now)
    },
    retireAll: () => {
      for (const connection of open) retire(connection)
    },
  }
}

function retire(connection: Connection): void {
  connection.retiring = true
  if (connection.underWay.size === 0) connection.socket.destroySoon()
}
