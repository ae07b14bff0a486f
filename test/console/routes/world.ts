import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { createSessions, type Sessions } from '../../../src/console/session.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import type { Role } from '../../../src/participants/schema.ts'
import { aConsoleNode, type ConsoleNode, subjectOf } from '../../support/browser.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface Asked {
  method?: string
  cookie?: string | undefined
  headers?: OutgoingHttpHeaders
  form?: Readonly<Record<string, string>>
  body?: string
}

/** Somebody with a session, as if signed in a moment ago. */
export interface SignedInPerson {
  person: Uuid
  cookie: string
  csrf: string
}

export interface ConsoleWorld {
  node: ConsoleNode
  sessions: Sessions
  ask(path: string, asked?: Asked): Promise<Answer>
  /** A form as a browser sends it from a page of the session. */
  send(who: SignedInPerson, path: string, form?: Readonly<Record<string, string>>): Promise<Answer>
  signedIn(name: string, options?: { claimed?: readonly string[]; stepUp?: boolean }): Promise<SignedInPerson>
  aPerson(name: string, organisation: string, roles: readonly Role[]): Promise<Uuid>
}

/** A console over its real listener, asked without a browser. */
export async function aConsoleWorld(clock: Clock): Promise<ConsoleWorld> {
  return consoleWorldOf(await aConsoleNode({ clock }), clock)
}

/** The console of a node that is there. */
export function consoleWorldOf(node: ConsoleNode, clock: Clock): ConsoleWorld {
  const sessions = createSessions({ db: node.t.admin, clock, randomBytes })
  const { port } = new URL(node.console)
  // As a browser does: a connection for each question would be more than one address may open.
  const agent = new Agent({ keepAlive: true })
  const ask: ConsoleWorld['ask'] = (path, { method = 'GET', cookie, headers = {}, form, body } = {}) =>
    new Promise((resolve, reject) => {
      const sent = form === undefined ? body : new URLSearchParams(form).toString()
      const asking = request(
        {
          ...{
            host: '127.0.0.1',
            port,
            path,
            method,
            agent,
            servername: 'localhost',
            ca: node.parts.rootCertificate,
          },
          headers: {
            ...(cookie !== undefined && { cookie }),
            ...(sent !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
            ...headers,
          },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text: Buffer.concat(chunks).toString('utf8'),
            }),
          )
        },
      )
      asking.on('error', reject)
      asking.end(sent)
    })
  return {
    ...{ node, sessions, ask },
    send: (who, path, form = {}) =>
      ask(path, {
        ...{ method: 'POST', cookie: who.cookie, form: { csrf: who.csrf, ...form } },
        headers: { 'sec-fetch-site': 'same-origin' },
      }),
    signedIn: async (name, { claimed, stepUp = false } = {}) => {
      const login = await node.parts.participants.findLogin({ issuer: node.issuer, subject: subjectOf(name) })
      if (login === undefined) throw new Error(`${name} has no login`)
      const value = await sessions.begin({
        ...{ login_id: login.login_id, person_id: login.person_id, claimed: claimed ?? login.roles },
        ...{ granted: login.roles, acr: undefined, steppedUp: stepUp, authTime: clock(), userAgent: undefined },
      })
      const session = await sessions.find(value)
      if (session === undefined || typeof session === 'string') throw new Error('no session')
      return { person: login.person_id, cookie: `__Host-sid=${value}`, csrf: session.csrf }
    },
    aPerson: (name, organisation, roles) => node.persona({ name, organisation, roles }),
  }
}
