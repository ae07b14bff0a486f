import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { StartRefused } from '../kernel/errors.ts'
import { EXCHANGE_MAX, formatSize, SIZE_TYPE } from '../provenance/add-checkpoint.ts'
import type { Contradiction, Verdict, Witness } from './witness.ts'

/** Bounds of the listener: nobody is asked who they are. */
export const WITNESS_LIMITS = {
  body_bytes: EXCHANGE_MAX,
  header_bytes: 8_192,
  header_seconds: 5,
  request_seconds: 5,
  keep_alive_seconds: 65,
  connections: 256,
} as const

export interface WitnessServerOptions {
  witness: Witness
  host: string
  port: number
  /** PEM; without it the listener is on loopback alone. */
  tls?: { key: string; cert: string }
  /** The log signed two trees of a size: both notes are to be kept. */
  onContradiction(contradiction: Contradiction): void
  /** A request that could not be judged. */
  onFault(error: unknown): void
}

export interface WitnessServer {
  /** Where it listens, without a slash at the end: submission and monitoring prefix in one. */
  url: string
  close(): Promise<void>
}

/** Listens; `StartRefused` for plain HTTP beyond loopback. */
export async function startWitness(options: WitnessServerOptions): Promise<WitnessServer> {
  const { host, port, tls } = options
  if (tls === undefined && !isLoopback(host))
    throw new StartRefused('--host: plain HTTP is for loopback alone; give --tls-key and --tls-cert')
  const server = tls === undefined ? createServer(settings(), handler(options)) : secure(tls, handler(options))
  server.maxConnections = WITNESS_LIMITS.connections
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${isIP(host) === 6 ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const settings = () => ({
  headersTimeout: WITNESS_LIMITS.header_seconds * 1_000,
  requestTimeout: WITNESS_LIMITS.request_seconds * 1_000,
  keepAliveTimeout: WITNESS_LIMITS.keep_alive_seconds * 1_000,
  maxHeaderSize: WITNESS_LIMITS.header_bytes,
  connectionsCheckingInterval: 1_000,
})

const secure = (tls: { key: string; cert: string }, listener: RequestListener): Server =>
  createSecureServer({ ...settings(), ...tls, minVersion: 'TLSv1.2' }, listener)

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

const LATEST = /^\/([0-9a-f]{64})\/checkpoint$/

function handler({ witness, onContradiction, onFault }: WitnessServerOptions): RequestListener {
  const add = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    if (body === 'too-long') return end(response.setHeader('connection', 'close'), 413)
    if (body === 'malformed') return end(response, 400)
    const verdict = await witness.add(body)
    if (verdict.outcome === 'conflict' && verdict.contradicts !== undefined) onContradiction(verdict.contradicts)
    answer(response, verdict)
  }
  const show = async (path: string, method: string, response: ServerResponse): Promise<void> => {
    const note = await witness.latest(LATEST.exec(path)?.[1] ?? '')
    if (note === undefined) return end(response, 404)
    if (method !== 'GET') return end(response.setHeader('allow', 'GET'), 405)
    end(response.setHeader('cache-control', 'no-cache'), 200, note)
  }
  return (request, response) => {
    const path = request.url ?? ''
    const method = request.method ?? ''
    if (path === '/add-checkpoint' && method !== 'POST') return end(response.setHeader('allow', 'POST'), 405)
    const answered = path === '/add-checkpoint' ? add(request, response) : show(path, method, response)
    answered.catch((error: unknown) => {
      onFault(error)
      end(response, 500)
    })
  }
}

const STATUS = { malformed: 400, unsigned: 403, 'unknown-log': 404, 'bad-proof': 422 } as const

function answer(response: ServerResponse, verdict: Verdict): void {
  if (verdict.outcome === 'cosigned') end(response, 200, verdict.line)
  else if (verdict.outcome === 'conflict') end(response, 409, formatSize(verdict.size), SIZE_TYPE)
  else end(response, STATUS[verdict.outcome])
}

function end(response: ServerResponse, status: number, body = '', type = 'text/plain; charset=utf-8'): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}

/** The whole body as text, as soon as it is there; what is too long is not read on. */
function bodyOf(request: IncomingMessage): Promise<string | 'too-long' | 'malformed'> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let length = 0
    request.on('data', (part: Buffer) => {
      length += part.length
      if (length > WITNESS_LIMITS.body_bytes) {
        request.pause()
        resolve('too-long')
      } else parts.push(part)
    })
    request.on('end', () => resolve(textOf(Buffer.concat(parts)) ?? 'malformed'))
    // Whoever has gone away gets no answer.
    request.on('error', () => resolve('malformed'))
  })
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
