import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

export interface Wire {
  url: string
  /** How often the client had to wait for the server: bursts of its bytes that follow bytes of the server's. */
  turns(): number
  reset(): void
  /** Cuts both sides when this text passes from the client: before the server sees it, or once it has answered to nobody. */
  cutAt(text: string, when: 'before' | 'after'): void
  /** Until no connection is open on either side. */
  over(): Promise<void>
  close(): Promise<void>
}

/** The end of what the server answers a COMMIT: ReadyForQuery, outside a transaction. */
const IDLE = Buffer.from('Z\0\0\0\x05I')

/** A loopback proxy in front of a PostgreSQL URL, which counts round trips and cuts connections. */
export async function wireTo(url: string): Promise<Wire> {
  const target = new URL(url)
  const host = decodeURIComponent(target.hostname)
  const port = Number(target.port || 5432)
  const sockets = new Set<Socket>()
  let turns = 0
  const emptied = Promise.withResolvers<void>()
  let cut: { text: string; when: 'before' | 'after' } | undefined
  const server = createServer((client) => {
    const upstream = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    let last: 'client' | 'server' = 'server'
    let gone = false
    let commits = false
    client.on('data', (bytes) => {
      if (last === 'server') turns += 1
      last = 'client'
      const hit = cut !== undefined && bytes.includes(cut.text) ? cut.when : undefined
      if (hit !== 'before') upstream.write(bytes)
      if (hit === 'before') end()
      if (hit === 'after') {
        gone = true
        commits = bytes.includes('commit')
        client.destroy()
      }
    })
    upstream.on('data', (bytes) => {
      last = 'server'
      if (!gone) client.write(bytes)
      else if (!commits || bytes.subarray(-IDLE.length).equals(IDLE)) end()
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        if (sockets.size === 0) emptied.resolve()
        if (socket !== client || !gone) end()
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
    over: () => (sockets.size === 0 ? Promise.resolve() : emptied.promise),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
