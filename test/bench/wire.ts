import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { TlsIdentity } from '../../src/client/transport.ts'

export interface Reply {
  status: number
  head: string
  /** Empty where the caller did not want it. */
  body: Buffer
  /** Of the body. */
  bytes: number
}

/**
 * One kept-alive connection with one request under way: HTTP/1.1 written out by hand, because a generator that needs more
 * CPU than the node measures itself.
 */
export interface Wire {
  ask(request: string, options?: { discard?: boolean }): Promise<Reply>
  close(): void
}

/** The authority of the node, or a whole identity. */
export type Credentials = Pick<TlsIdentity, 'ca'> & Partial<TlsIdentity>

interface Waiting {
  discard: boolean
  resolve(reply: Reply): void
  reject(error: Error): void
}

const contexts = new WeakMap<object, SecureContext>()

function contextOf(credentials: Credentials): SecureContext {
  const known = contexts.get(credentials)
  if (known !== undefined) return known
  const made = createSecureContext({ ...credentials, minVersion: 'TLSv1.3' })
  contexts.set(credentials, made)
  return made
}

export function openWire(origin: string, credentials: Credentials): Wire {
  const { hostname, port } = new URL(origin)
  let socket: TLSSocket | undefined
  let waiting: Waiting | undefined
  let held: Buffer | undefined
  let reply: { status: number; head: string; length: number; chunks: Buffer[]; bytes: number } | undefined

  const fail = (error: Error): void => {
    socket = undefined
    held = undefined
    reply = undefined
    const failed = waiting
    waiting = undefined
    failed?.reject(error)
  }

  const open = (): TLSSocket => {
    const made = connect({ host: hostname, port: Number(port), secureContext: contextOf(credentials) })
    made.setNoDelay(true)
    made.on('data', (chunk) => take(chunk))
    made.on('error', (error) => made === socket && fail(error))
    made.on('close', () => made === socket && fail(new Error('the connection closed')))
    return made
  }

  function take(chunk: Buffer): void {
    if (reply !== undefined) body(reply, chunk)
    else begin(held === undefined ? chunk : Buffer.concat([held, chunk]))
  }

  function begin(bytes: Buffer): void {
    held = bytes
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = bytes.toString('latin1', 0, end)
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    if (length === undefined) fail(new Error(`an answer without length: ${head.split('\r\n')[0]}`))
    else {
      held = undefined
      reply = { status: Number(head.slice(9, 12)), head, length: Number(length), chunks: [], bytes: 0 }
      body(reply, bytes.subarray(end + 4))
    }
  }

  function body(open: NonNullable<typeof reply>, chunk: Buffer): void {
    open.bytes += chunk.length
    if (waiting?.discard === false) open.chunks.push(chunk)
    if (open.bytes < open.length) return
    const { status, head, bytes, chunks } = open
    const done = waiting
    reply = undefined
    waiting = undefined
    if (/\r\nconnection: close/i.test(head)) close()
    done?.resolve({ status, head, bytes, body: chunks.length === 1 ? (chunks[0] ?? chunk) : Buffer.concat(chunks) })
  }

  function close(): void {
    const closing = socket
    socket = undefined
    closing?.destroy()
  }

  return {
    ask: (request, { discard = false } = {}) =>
      new Promise((resolve, reject) => {
        if (waiting !== undefined) throw new Error('one request at a time')
        waiting = { discard, resolve, reject }
        socket ??= open()
        socket.write(request)
      }),
    close,
  }
}

/** A request's text; a body is JSON. */
export function requestOf(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: string,
  accept = 'application/json',
): string {
  const head = `${method} ${path} HTTP/1.1\r\nhost: node\r\naccept: ${accept}\r\n`
  if (body === undefined) return `${head}\r\n`
  return `${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** A header's value in a reply; the empty text if it has none. */
export const headerOf = ({ head }: Reply, name: string): string =>
  new RegExp(`\r\n${name}: ([^\r]*)`, 'i').exec(head)?.[1] ?? ''

/** Answers 503 since the last look: a node that sheds load takes its time, and is asked again. */
export const shed = { count: 0 }
const AGAIN_MS = 20

/** Asks until the node serves; throws unless the reply has this status then. */
export async function served(
  wire: Wire,
  request: string,
  good: number,
  options?: { discard?: boolean },
): Promise<Reply> {
  for (;;) {
    const reply = await wire.ask(request, options)
    if (reply.status === good) return reply
    if (reply.status !== 503) throw new Error(`${reply.status} ${reply.body.toString().slice(0, 500)}`)
    shed.count += 1
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

/** Every wire asks again as soon as it is answered, until `isOver`; answers how many answers came. */
export async function drive(
  wires: readonly Wire[],
  isOver: () => boolean,
  once: (wire: Wire, client: number) => Promise<void>,
): Promise<number> {
  let n = 0
  const client = async (wire: Wire, i: number): Promise<void> => {
    while (!isOver()) {
      await once(wire, i)
      n += 1
    }
  }
  await Promise.all(wires.map(client))
  return n
}

/** Whether so many seconds have passed since the call. */
export function after(seconds: number): () => boolean {
  const until = performance.now() + seconds * 1_000
  return () => performance.now() >= until
}
