import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/** What a server does in place of an answer, once asked. Of the first two Node tells a client without a listener nothing but that it is over. */
export const BROKEN = {
  'switches protocols': (socket) => socket.write(SWITCHED),
  'switches protocols and ends': (socket) => socket.end(SWITCHED),
  'closes the connection': (socket) => socket.destroy(),
  'closes it in the middle of a head': (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-', () => void socket.destroy()),
} satisfies Record<string, (socket: Socket) => void>

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: fig\r\n\r\n'

/** A head, and nothing of the body that it announces. */
export const headAlone = (socket: Socket): void =>
  void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', () => void socket.destroy())

export interface BrokenServer {
  port: number
  /** Requests that began. */
  asked(): number
  close(): Promise<void>
}

/** Over TLS with a key and a certificate, else in the clear. */
export async function brokenServer(
  act: (socket: Socket) => void,
  tls?: { key: string; cert: string },
): Promise<BrokenServer> {
  const sockets = new Set<Socket>()
  let asked = 0
  const taken = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      asked += 1
      act(socket)
    })
  }
  const server: Server = tls === undefined ? createServer(taken) : createTlsServer(tls, taken)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
