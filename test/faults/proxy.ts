import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

/** Where a connection is cut: the n-th burst of the client's bytes from now on, lost on its way or just delivered. */
export interface Cut {
  burst: number
  when: 'before' | 'after'
}

export interface CuttingProxy {
  url: string
  /** Cuts every connection once, there; counts from 0. */
  arm(cut: Cut): void
  /** Whether it came to the cut; cuts nothing any more. */
  disarm(): boolean
  close(): Promise<void>
}

/** A loopback proxy in front of a PostgreSQL server: what a network does to a connection between any two statements. */
export async function proxyTo(url: string): Promise<CuttingProxy> {
  const target = new URL(url)
  const host = decodeURIComponent(target.hostname)
  const port = Number(target.port || 5432)
  const clients = new Set<Socket>()
  let armed: Cut | undefined
  let bursts = 0

  /** Whether this burst is the one, and whether it gets through. */
  const next = (): { cut: boolean; passes: boolean } => {
    const cut = armed !== undefined && bursts === armed.burst
    const passes = !cut || armed?.when === 'after'
    bursts += 1
    if (cut) armed = undefined
    return { cut, passes }
  }
  const server = createServer((client) => {
    const upstream = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
    clients.add(client)
    client.on('data', (bytes) => {
      const { cut, passes } = next()
      if (passes) upstream.write(bytes)
      if (cut) for (const one of clients) one.destroy()
    })
    upstream.on('data', (bytes) => client.write(bytes))
    // The server reads what was delivered to it, and finds out afterwards.
    client.on('close', () => clients.delete(client) && upstream.end())
    upstream.on('close', () => client.destroy())
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: target.href,
    arm: (cut) => {
      bursts = 0
      armed = cut
    },
    disarm: () => {
      const hit = armed === undefined
      armed = undefined
      return hit
    },
    close: async () => {
      for (const client of clients) client.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
