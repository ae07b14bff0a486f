import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { sql } from 'kysely'
import { expect } from 'vitest'
import { utf8 } from '../../src/kernel/bytes.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { CATALOGUE } from '../../src/kernel/errors.ts'
import { type SignedSubmission, type SubmissionHeader, signSubmission } from '../../src/signals/submission.ts'
import { decoded, encoded } from '../signals/factory.ts'
import type { TestDatabase } from '../support/database.ts'
import type { Member, TestNode } from '../support/node.ts'

/** Stands for whatever a caller sends; no answer repeats it. */
export const CANARY = 'plover-canary-quince'
export const JSON_TYPE = { 'content-type': 'application/json' } as const
export const NEVER = '01890000-0000-7000-8000-000000000000'

export interface Call {
  method?: string
  path: string
  headers?: Readonly<Record<string, string | string[]>>
  body?: string | Buffer
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** PEM texts; without key and certificate nobody in particular. */
export interface Identity {
  ca: string
  key?: string
  cert?: string
}

export interface Caller {
  ask(call: Call): Promise<Answer>
  /** Bytes as they are on a connection of their own; what comes back until it closes, or until `enough`. */
  raw(bytes: string | Buffer, enough?: (text: string) => boolean): Promise<string>
  dial(): Promise<TLSSocket>
  close(): void
}

/**
 * Sends what no client of ours would, over few connections. A node takes only so many of them from one address, and
 * sheds load on a slow machine, which is hardly ever what is asked about: then the call is made again, so many times.
 */
export function caller(origin: string, identity: Identity, tries = 50): Caller {
  const { hostname: host, port } = new URL(origin)
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ...identity })
  const dial = async (): Promise<TLSSocket> => {
    const socket = connect({ host, port: Number(port), ...identity })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    return socket
  }
  const send = async ({ method = 'GET', path, headers = {}, body }: Call): Promise<Answer> => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const out = request({ host, port, path, method, agent, headers: { ...length, ...headers } })
    out.end(body)
    const [message] = await once(out, 'response')
    // Who refuses a body early does not read it to its end.
    out.on('error', () => {})
    let text = ''
    for await (const chunk of message) text += chunk
    return { status: message.statusCode, headers: message.headers, text }
  }
  return {
    dial,
    close: () => agent.destroy(),
    async ask(call) {
      for (let left = tries; ; left--) {
        const answer = await send(call).catch(unlessDropped)
        if (answer !== undefined && (answer.status !== 503 || left <= 1)) return answer
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    async raw(bytes, enough = () => false) {
      const socket = await dial()
      socket.write(bytes)
      const text = await received(socket, enough)
      socket.destroy()
      return text
    },
  }
}

/** A connection that was not taken at all. */
function unlessDropped(error: Error): undefined {
  if (!error.message.includes('before secure TLS connection')) throw error
}

/** What comes over a connection until it closes, for whatever reason, or until `enough`. */
export function received(socket: TLSSocket, enough: (text: string) => boolean = () => false): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
    if (enough(text)) resolve(text)
  })
  socket.on('close', () => resolve(text))
  if (socket.closed) resolve(text)
  return promise
}

/** The caller that a member's own keys make. */
export function callerOf(n: TestNode, { home }: Member, tries?: number): Caller {
  return caller(n.partner, { key: home.tlsKey(), cert: home.certificate(), ca: n.parts.rootCertificate }, tries)
}

/** Items as any text, under a member's signature, whatever its header says of them. */
export function signTexts(
  { home }: Member,
  items: readonly string[],
  change: Partial<Pick<SubmissionHeader, 'typ' | 'iss' | 'aud' | 'prg'>> & { now?: Date } = {},
): Promise<SignedSubmission> {
  const { uri: iss, node_origin: aud, programme: prg } = home.membership()
  const preset = { typ: 'aldis-signal+jws', iss, aud, prg, now: new Date() } as const
  return signSubmission({ ...preset, ...change, items, key: home.signingKey() })
}

/** The same submission with another protected header or payload, signed anew by the member's key. */
export async function resigned(
  { home }: Member,
  { jws, items }: SignedSubmission,
  change: { header?: (header: Record<string, unknown>) => unknown; payload?: string },
): Promise<SignedSubmission> {
  const { header = (same) => same, payload = decoded(jws.payload) } = change
  const head = encoded(header(JSON.parse(decoded(jws.protected)) as Record<string, unknown>))
  const body = encoded(payload)
  const signature = Buffer.from(await home.signingKey().sign(utf8(`${head}.${body}`))).toString('base64url')
  return { jws: { protected: head, payload: body, signature }, items }
}

/** The refusal that an answer is: its code with its status, as a problem document that repeats nothing of the request. */
export function expectRefusal(
  answer: Answer,
  code: ErrorCode,
  secrets: readonly string[] = [],
): Record<string, unknown> {
  const [status, title] = CATALOGUE[code]
  const problem = JSON.parse(answer.text) as Record<string, unknown>
  expect([answer.status, problem['code']], answer.text).toEqual([status, code])
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json(; charset=utf-8)?$/)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(problem).toMatchObject({ status, title, type: `/problems/${code}` })
  expect(problem['request_id']).toMatch(/^[A-Za-z0-9_-]{16}$/)
  expect(repeated(answer.text + JSON.stringify(answer.headers), secrets)).toEqual([])
  return problem
}

/** Which of the secrets, the canary among them, stand in a text. */
export const repeated = (text: string, secrets: readonly string[] = []): string[] =>
  [CANARY, ...secrets].filter((secret) => text.includes(secret))

/** What participants may change by asking. */
const TABLES = [
  ...(['submission', 'signal', 'signal_revision', 'upload', 'prov_record', 'prov_outbox'] as const),
  ...(['feed_entry', 'feed_ack', 'shared_signal', 'audience', 'audience_member', 'credential', 'signing_key'] as const),
]

/** Number and digest of the rows of each of these tables. */
async function stateOf({ owner }: Pick<TestDatabase, 'owner'>): Promise<Record<string, string>> {
  const state: Record<string, string> = {}
  for (const table of TABLES) {
    const { rows } = await sql<{ n: string; digest: string | null }>`
      select count(*)::text as n, md5(string_agg(md5(x::text), '' order by md5(x::text))) as digest
      from ${sql.table(table)} x`.execute(owner)
    state[table] = `${rows[0]?.n} ${rows[0]?.digest}`
  }
  return state
}

/** Waits until the loops have nothing to do: what changes from here on, the next request changed. */
export async function quiet({ owner }: Pick<TestDatabase, 'owner'>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { rows } = await sql<{ waiting: boolean }>`
      select exists (select from prov_outbox) or exists (select from read_pending)
        or exists (select from log_head h join projector p using (log_id) where p.next_idx < h.size) as waiting`.execute(
      owner,
    )
    if (rows[0]?.waiting === false) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the loops do not come to rest')
}

/** Runs `work`, after which the tables are as they were. */
export async function changesNothing<T>(t: Pick<TestDatabase, 'owner'>, work: () => Promise<T>): Promise<T> {
  await quiet(t)
  const before = await stateOf(t)
  const result = await work()
  expect(await stateOf(t)).toEqual(before)
  return result
}
