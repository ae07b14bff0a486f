import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

/** What PostgreSQL says with a COMMIT that no standby has confirmed: durable here, perhaps gone after a failover. */
const FIELDS = { S: 'WARNING', V: 'WARNING', C: '01000', M: 'canceling wait for synchronous replication' }

export interface NoticingProxy {
  url(role: string): string
  /** The n-th COMMIT from now on, counted from 0 over all connections, is answered with the notice. */
  arm(commit: number): void
  /** COMMITs since; whether the notice was given. */
  disarm(): { commits: number; given: boolean }
  close(): Promise<void>
}

/** A loopback proxy in front of a PostgreSQL server that puts a notice before the answer of a COMMIT. */
export async function noticesAt(url: string): Promise<NoticingProxy> {
  const target = new URL(url)
  const host = decodeURIComponent(target.hostname)
  const port = Number(target.port || 5432)
  const sockets = new Set<Socket>()
  let [armed, commits, given] = [-1, 0, false]

  const passed = (message: Buffer): Buffer => {
    if (message.toString('latin1', 0, 1) !== 'C' || message.toString('latin1', 5) !== 'COMMIT\0') return message
    const hit = commits === armed
    commits += 1
    given ||= hit
    return hit ? Buffer.concat([notice(), message]) : message
  }
  const server = createServer((client) => {
    const upstream = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
    let rest = Buffer.alloc(0)
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes])
      for (let length = lengthOf(rest); length !== undefined; length = lengthOf(rest)) {
        client.write(passed(rest.subarray(0, length)))
        rest = rest.subarray(length)
      }
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => one.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url(role) {
      const as = new URL(target)
      as.username = role
      return as.href
    },
    arm(commit) {
      ;[armed, commits, given] = [commit, 0, false]
    },
    disarm() {
      armed = -1
      return { commits, given }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Bytes of the first whole message: its type, and a length that counts itself. */
function lengthOf(bytes: Buffer): number | undefined {
  const length = bytes.length < 5 ? undefined : 1 + bytes.readUInt32BE(1)
  return length !== undefined && length <= bytes.length ? length : undefined
}

function notice(): Buffer {
  const body = Buffer.from(
    `${Object.entries(FIELDS)
      .map(([name, value]) => `${name}${value}\0`)
      .join('')}\0`,
  )
  const head = Buffer.alloc(5)
  head.write('N')
  head.writeUInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}
