import { randomUUID } from 'node:crypto'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, type AgentOptions, request } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { answerTo } from '../kernel/answer-to.ts'
import { sha256 } from '../kernel/sha256.ts'
import { AldisError, AnswerTooLong, type Problem, VerificationFailed } from './errors.ts'

/** PEM texts: the participant's key and chain, and the roots that the node's certificate is checked against. */
export interface TlsIdentity {
  key: string
  cert: string
  ca: string
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  body?: string | Buffer
  type?: string
  headers?: Readonly<Record<string, string>>
  /** Calls that may be repeated without changing more than once; submissions are, by their signed identifier. */
  idempotent: boolean
  /** Bytes of an answer's body that are taken, `ANSWER_MAX` unless fewer are given; `AnswerTooLong` beyond. */
  most?: number
  signal?: AbortSignal
}

export interface Transport {
  /** The answer from 200 to 299; an `AldisError` otherwise, after the retries that an idempotent call has. */
  call(call: Call): Promise<Answer>
  /** The answer as it comes, for bodies that do not fit in memory; no retry. Ends with `ETIMEDOUT` if the node is silent. */
  open(
    call: Omit<Call, 'idempotent' | 'body' | 'most'> & { write?: (out: ClientRequest) => Promise<void> },
  ): Promise<IncomingMessage>
  /** What is got, as it comes, for bodies that do not fit in memory: the answer with 200, after the retries that `call` has. */
  stream(path: string, headers?: Call['headers']): Promise<IncomingMessage>
  /** Ends what is under way; nothing is tried again. */
  close(): void
}

/** Bytes of an answer that is held in memory as a whole, and characters of a line of one that is not. */
export const ANSWER_MAX = 67_108_864
/** Bytes of a refusal. */
export const REFUSAL_MAX = 65_536
const RETRIES = 5
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000
const TIMEOUT_MS = 45_000
/** Whoever is asked to wait longer is told so instead of waiting. */
const LONGEST_ASKED_S = 60

/**
 * HTTPS to one node with a client certificate: TLS 1.3 only, kept-alive connections (a handshake costs as much as a
 * hundred requests), retries with full jitter on 429, 503 and broken connections. No redirect is ever followed.
 */
export function createTransport(
  origin: string,
  identity: TlsIdentity,
  options: { maxSockets?: number; timeoutMs?: number; pin?: string } = {},
): Transport {
  const base = new URL(origin)
  const timeout = options.timeoutMs ?? TIMEOUT_MS
  const closing = new AbortController()
  const agent = agentFor(options.pin, {
    ...identity,
    keepAlive: true,
    maxSockets: options.maxSockets ?? 8,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
  })

  const open: Transport['open'] = ({ method, path, headers, type, signal, write }) =>
    new Promise((resolve, reject) => {
      const out = request(new URL(path, base), {
        agent,
        method,
        timeout,
        headers: { accept: 'application/json', ...(type === undefined ? {} : { 'content-type': type }), ...headers },
        ...(signal === undefined ? {} : { signal }),
      })
      answerTo(out).then(resolve, reject)
      endIfSilent(out)
      if (write === undefined) out.end()
      else
        write(out).then(
          () => out.end(),
          (error) => out.destroy(error),
        )
    })

  const once = (call: Call): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, path, body, type = 'application/json', headers, most = ANSWER_MAX, signal } = call
      const out = request(new URL(path, base), {
        agent,
        method,
        timeout,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
        ...(signal === undefined ? {} : { signal }),
      })
      out.on('timeout', () => out.destroy(timedOut()))
      // Also in the middle of an answer, which by itself would only be cut off.
      out.on('error', reject)
      answerTo(out)
        .then(async (message) => {
          const received = await collect(message, isGood(message.statusCode ?? 0) ? most : REFUSAL_MAX)
          resolve({ status: message.statusCode ?? 0, headers: message.headers, body: received })
        })
        .catch(reject)
      out.end(body)
    })

  return {
    open,
    close() {
      closing.abort()
      agent.destroy()
    },
    call: (call) =>
      repeated(call, async () => {
        const answer = await once(call)
        if (!isGood(answer.status)) throw problemOf(answer)
        return answer
      }),
    stream: (path, headers = {}) =>
      repeated({ idempotent: true }, async () => {
        const message = await open({ method: 'GET', path, headers })
        if (message.statusCode !== 200) throw await refusalIn(message)
        return message
      }),
  }

  async function repeated<T>(call: Pick<Call, 'idempotent' | 'signal'>, ask: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask()
      } catch (error) {
        const outcome = failureOf(error)
        if (!mayRepeat(call, outcome) || attempt === RETRIES || closing.signal.aborted) throw outcome
        await pauseBefore(attempt, outcome, call)
      }
    }
  }

  async function pauseBefore(attempt: number, outcome: Error, { signal }: Pick<Call, 'signal'>): Promise<void> {
    const signals = signal === undefined ? [closing.signal] : [closing.signal, signal]
    await delay(pause(outcome, attempt), undefined, { signal: AbortSignal.any(signals) }).catch((error: unknown) => {
      throw closing.signal.aborted ? outcome : error
    })
  }
}

/** With a pin: to the very TLS key with that SHA-256 (hex), whoever vouches for its certificate, checked before a byte is sent. */
function agentFor(pin: string | undefined, settings: AgentOptions): Agent {
  const agent = new Agent(settings)
  if (pin === undefined) return agent
  return Object.assign(agent, {
    createConnection(options: ConnectionOptions, done: (error: Error | null, socket?: TLSSocket) => void) {
      const socket = connect({ ...options, rejectUnauthorized: false })
      const failed = (error: Error): void => done(error)
      socket.once('error', failed).once('secureConnect', () => {
        socket.off('error', failed)
        const spki = socket.getPeerX509Certificate()?.publicKey.export({ format: 'der', type: 'spki' })
        if (spki !== undefined && sha256(spki).toString('hex') === pin) return done(null, socket)
        socket.destroy()
        done(new VerificationFailed('TLS', `${placeOf(options)} has another key than the pinned one`))
      })
    },
  })
}

const placeOf = ({ host, port }: ConnectionOptions): string => `${host}:${port}`

/** With the code of a connection that timed out, so that it is repeated like one. */
const timedOut = (): Error => Object.assign(new Error('the node did not answer in time'), { code: 'ETIMEDOUT' })

/** Ends request or answer once nothing moved for the time that the request has, unless its own reader is the slow one. */
function endIfSilent(out: ClientRequest): void {
  let message: IncomingMessage | undefined
  out.once('response', (begun: IncomingMessage) => {
    message = begun
  })
  // The request itself tells of it but once.
  out.once('socket', (socket) => {
    const late = () => {
      if (message === undefined) out.destroy(timedOut())
      else if (message.readableLength === 0) message.destroy(timedOut())
    }
    socket.on('timeout', late)
    out.once('close', () => socket.off('timeout', late))
  })
}

const isGood = (status: number): boolean => status >= 200 && status < 300

const failureOf = (error: unknown): Error =>
  error instanceof Error ? error : new Error('the connection failed', { cause: error })

/** Of a change that nothing in it names: each try of one call bears the same key, and the node carries it out once. */
export const keyed = (): Readonly<Record<string, string>> => ({ 'idempotency-key': randomUUID() })

/** The node's refusal as a typed error. */
export function problemOf({ status, headers, body }: Answer): AldisError {
  const retryAfter = Number(headers['retry-after'])
  const what = status < 400 ? 'with a redirect, and none is followed' : 'without a problem document'
  const fallback: Problem = { code: 'internal', title: `The node answered ${what}`, status }
  return new AldisError({ ...fallback, ...parsed(body), status }, Number.isFinite(retryAfter) ? retryAfter : undefined)
}

/** The refusal that an answer is; `AnswerTooLong` for more than one can have. */
export const refusalIn = async (message: IncomingMessage): Promise<AldisError> =>
  problemOf({ status: message.statusCode ?? 0, headers: message.headers, body: await collect(message, REFUSAL_MAX) })

/** The whole body of an answer; with more than `most` bytes it is cut off, and its connection with it. */
export async function collect(message: IncomingMessage, most = ANSWER_MAX): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length
    if (bytes > most) throw new AnswerTooLong(most)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function parsed(body: Buffer): Partial<Problem> {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? (value as Partial<Problem>) : {}
  } catch {
    return {}
  }
}

const mayRepeat = ({ idempotent, signal }: Pick<Call, 'idempotent' | 'signal'>, error: Error): boolean =>
  idempotent && isRepeatable(error) && signal?.aborted !== true

/** Whether the same may go well a little later. */
export function isRepeatable(error: Error): boolean {
  if (error instanceof AldisError) {
    // The first try of a request under a key may still be at work, whose answer is waited for.
    const passes = error.status === 429 || error.status === 503 || error.code === 'idempotency-in-flight'
    return passes && (error.retryAfter ?? 0) <= LONGEST_ASKED_S
  }
  const { code } = error as { code?: string }
  return code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE' || code === 'ETIMEDOUT'
}

function pause(error: Error, attempt: number): number {
  const asked = error instanceof AldisError && error.retryAfter !== undefined ? error.retryAfter * 1000 : 0
  const most = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
  return Math.max(asked, Math.random() * most)
}
