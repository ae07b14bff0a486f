import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net'

/** In front of a server, at one port for good: shut, it is as if the server were not running. */
export interface Gate {
  origin: string
  shut(): Promise<void>
  open(): Promise<void>
}

export async function gateTo(origin: string): Promise<Gate> {
  const { hostname, port } = new URL(origin)
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let own = 0
  const open = async (): Promise<void> => {
    server = createServer((client) => {
      const upstream = dial(Number(port), hostname)
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from)
        from.pipe(to)
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
        from.on('error', () => to.destroy())
      }
    }).listen(own, '127.0.0.1')
    await once(server, 'listening')
    own = (server.address() as AddressInfo).port
  }
  await open()
  return {
    origin: `https://127.0.0.1:${own}`,
    open,
    async shut() {
      for (const socket of sockets) socket.destroy()
      const closing = server
      server = undefined
      if (closing !== undefined) await new Promise((resolve) => closing.close(resolve))
    },
  }
}
