import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

export interface Wire {
  url: string
  /** How often the client had to wait for the server: bursts of its bytes that follow bytes of the server's. */
  turns(): number
  reset(): void
  /** Cuts both sides when this text passes from the client: before the server sees it, or right after. */
  cutAt(text: string, when: 'before' | 'after'): void
  close(): Promise<void>
}

/** A loopback proxy in front of a PostgreSQL URL, which counts round trips and cuts connections. */
export async function wireTo(url: string): Promise<Wire> {
  const target = new URL(url)
  const host = decodeURIComponent(target.hostname)
  const port = Number(target.port || 5432)
  const sockets = new Set<Socket>()
  let turns = 0
  let cut: { text: string; when: 'before' | 'after' } | undefined
  const server = createServer((client) => {
    const upstream = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    let last: 'client' | 'server' = 'server'
    client.on('data', (bytes) => {
      if (last === 'server') turns += 1
      last = 'client'
      const hit = cut !== undefined && bytes.includes(cut.text) ? cut.when : undefined
      if (hit !== 'before') upstream.write(bytes)
      if (hit === 'before') end()
      if (hit === 'after') {
        client.destroy()
        setTimeout(end, 100)
      }
    })
    upstream.on('data', (bytes) => {
      last = 'server'
      client.write(bytes)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        if (socket === client && cut?.when === 'after') return
        end()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  target.host = `127.0.0.1:${own}`
  return {
    url: target.href,
    turns: () => turns,
    reset: () => {
      turns = 0
    },
    cutAt: (text, when) => {
      cut = { text, when }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
