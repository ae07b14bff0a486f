import { once } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { tlsContext } from '../../src/http/tls-context.ts'
import type { ClientIdentity, TestPki } from '../support/pki.ts'

/** One request as it arrived. */
export interface Seen {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** The common name of the client's certificate. */
  client: string
  socket: TLSSocket
}

export type Answerer = (request: Seen, response: ServerResponse) => unknown

export interface TestServer {
  origin: string
  requests: Seen[]
  /** TCP connections so far, those included whose handshake failed. */
  connections(): number
  /** Connections that are open now. */
  open(): number
}

const servers: { close(): Promise<void> }[] = []

/** An HTTPS server on loopback that asks for client certificates of the test CA and answers as the test says. */
export async function serve(pki: TestPki, answer: Answerer, tls: TlsOptions = {}): Promise<TestServer> {
  const requests: Seen[] = []
  const sockets = new Set<Duplex>()
  let connections = 0
  const server = createServer(
    { ...tlsContext(pki.material), requestCert: true, rejectUnauthorized: true, ...tls },
    async (message, response) => {
      const socket = message.socket as TLSSocket
      const { subject } = socket.getPeerCertificate()
      const chunks: Buffer[] = []
      try {
        for await (const chunk of message) chunks.push(chunk)
      } catch {
        // The client went away in the middle of its request.
      }
      const seen: Seen = {
        method: message.method ?? '',
        path: message.url ?? '',
        headers: message.headers,
        body: Buffer.concat(chunks).toString(),
        client: String(subject.CN),
        socket,
      }
      requests.push(seen)
      answer(seen, response)
    },
  )
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push({
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
  const { port } = server.address() as AddressInfo
  return { origin: `https://127.0.0.1:${port}`, requests, connections: () => connections, open: () => sockets.size }
}

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close()))
}

export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

export const identityOf = ({ key, cert, ca }: ClientIdentity): TlsIdentity => ({ key, cert, ca })
