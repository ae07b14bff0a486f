import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { tlsContext } from '../../src/http/tls-context.ts'
import type { TestPki } from './pki.ts'

/** What one connection carried, in the clear. */
export interface Recorded {
  sent: Buffer[]
  received: Buffer[]
}

/** Stands between a participant and its node: a TLS connection to each, and a copy of every byte between. */
export interface Recorder {
  origin: string
  /** Trusts the recorder. */
  ca: string
  connections: Recorded[]
  close(): Promise<void>
}

/** `loses`: after which bytes of the client the node's answers on that connection no longer arrive. */
export async function record(
  pki: TestPki,
  node: { origin: string; identity: TlsIdentity; loses?: (sent: Buffer) => boolean },
): Promise<Recorder> {
  const { hostname, port } = new URL(node.origin)
  const connections: Recorded[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer({ ...tlsContext(pki.material), requestCert: false }, (client) => {
    const recorded: Recorded = { sent: [], received: [] }
    connections.push(recorded)
    let lost = false
    const upstream = connect({ host: hostname, port: Number(port), minVersion: 'TLSv1.3', ...node.identity })
    for (const [from, to, kept] of [
      [client, upstream, recorded.sent],
      [upstream, client, recorded.received],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes: Buffer) => {
        kept.push(bytes)
        if (from === client && node.loses?.(bytes) === true) lost = true
        if (from === client || !lost) to.write(bytes)
      })
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: pki.ca.root,
    connections,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
