import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { equal, toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { PERSON_STATUS, ROLES, type Role } from '../participants/schema.ts'
import { ABSOLUTE_MS } from './schema.ts'
import {
  agentOf,
  END_REASONS,
  type EndReason,
  effectiveRoles,
  isSteppedUp,
  overBy,
  SEEN_EVERY_MS,
  sameRoles,
} from './session-rule.ts'
import * as store from './session-store.ts'

/** A month of ended sessions, for whoever asks afterwards. */
const KEPT_MS = 30 * 86_400_000

/** What an identity provider has just said of somebody. */
export interface SignedIn {
  login_id: Uuid
  person_id: Uuid
  claimed: readonly string[]
  granted: readonly Role[]
  acr: string | undefined
  steppedUp: boolean
  authTime: Date
  userAgent: string | undefined
}

export interface LiveSession {
  session_id: Uuid
  person: Uuid
  login_id: Uuid
  issuer: string
  organisation: string
  roles: readonly Role[]
  authTime: Date
  steppedUp: boolean
  csrf: string
  seenAt: Date
  endsAt: Date
  /** What the person may do has changed since its cookie was made: it is to have another. */
  changed: boolean
}

export interface ListedSession {
  session_id: Uuid
  agent: string
  made_at: Date
  seen_at: Date
  ends_at: Date
  end_reason: string | null
}

/** Who is signed in. Nothing is kept in memory: what is ended is ended with the next request, of every process. */
export interface Sessions {
  /** Begins a session; answers the value of its cookie, which is stored nowhere. */
  begin(who: SignedIn): Promise<string>
  /** The live session of a cookie; one that is over is ended with the reason. `quiet`: does not count as being here. */
  find(cookie: string, options?: { quiet?: boolean }): Promise<LiveSession | EndReason | undefined>
  /** The person has proved again who it is; answers the new value of the cookie. */
  stepUp(session: LiveSession, who: SignedIn): Promise<string>
  /** Answers the new value of the cookie. */
  renew(session: LiveSession): Promise<string>
  end(of: { person: Uuid; session?: Uuid; reason: EndReason }): Promise<number>
  list(person: Uuid): Promise<ListedSession[]>
  /** When each was last here; who has no session that lives is left out. */
  lastSeen(persons: readonly Uuid[]): Promise<Map<Uuid, Date>>
  /** Runs what a form asks for at most once; `state-conflict` for a second press. A refusal lets the form be sent again. */
  once<T>(session: Uuid, form: Uuid | undefined, work: () => Promise<T>): Promise<T>
}

interface SessionOptions {
  /** Logs in as `aldis_admin`. */
  db: Db
  clock: Clock
  randomBytes(n: number): Buffer
}

export function createSessions({ db, clock, randomBytes }: SessionOptions): Sessions {
  const fresh = (): { value: string; cookie: Buffer } => {
    const value = toBase64Url(randomBytes(32))
    return { value, cookie: hashOf(value) }
  }
  return {
    begin: async (who) => {
      const { value, cookie } = fresh()
      const at = clock()
      await atControl(db, async (tx) => {
        await store.forgetSessions(tx, new Date(at.getTime() - KEPT_MS))
        await store.insertSession(tx, {
          ...{ session_id: newId(at), cookie, csrf: randomBytes(32), ...factsOf(who) },
          ...{ person_id: who.person_id, login_id: who.login_id, agent: agentOf(who.userAgent) },
          ...{ made_at: at, seen_at: at, ends_at: new Date(at.getTime() + ABSOLUTE_MS) },
        })
      })
      return value
    },
    find: async (cookie, { quiet = false } = {}) => {
      const row = await store.sessionByCookie(db, hashOf(cookie))
      if (row === undefined) return undefined
      const at = clock()
      const { session_id, person_id } = row
      const reason = reasonOf(row, at)
      if (row.ended_at !== null) return reason
      if (reason !== undefined) {
        await store.endSessions(db, { person_id, session_id, at, reason })
        return reason
      }
      if (quiet) return liveOf(row, at)
      if (at.getTime() - row.seen_at.getTime() >= SEEN_EVERY_MS) await store.seen(db, session_id, at)
      return { ...liveOf(row, at), seenAt: at }
    },
    stepUp: async ({ session_id }, who) => {
      const { value, cookie } = fresh()
      await store.renewSession(db, session_id, { cookie, ...factsOf(who), seen_at: clock() })
      return value
    },
    renew: async ({ session_id, roles }) => {
      const { value, cookie } = fresh()
      await store.renewSession(db, session_id, { cookie, roles: [...roles] })
      return value
    },
    end: ({ person, session, reason }) =>
      store.endSessions(db, { person_id: person, session_id: session, at: clock(), reason }),
    list: async (person) =>
      (await store.sessionsOf(db, person)).map(({ ended_at, end_reason, ...row }) => ({
        ...row,
        end_reason: ended_at === null ? (overBy({ ...row, ended_at }, clock()) ?? null) : end_reason,
      })),
    lastSeen: async (persons) => {
      const rows = persons.length === 0 ? [] : await store.openSessions(db, persons)
      return new Map(rows.map(({ person_id, seen_at }) => [person_id, seen_at]))
    },
    once: async (session_id, once, work) => {
      if (once === undefined) return work()
      if (!(await store.takeForm(db, { session_id, once })))
        throw new Refusal('state-conflict', {
          detail: 'this form was sent already; what it asked for is done or under way',
        })
      try {
        return await work()
      } catch (error) {
        if (error instanceof Refusal) await store.giveFormBack(db, { session_id, once })
        throw error
      }
    },
  }
}

type Row = NonNullable<Awaited<ReturnType<typeof store.sessionByCookie>>>

/** Why the session is over; undefined while it lives and its person may still sign in. */
function reasonOf(row: Row, now: Date): EndReason | undefined {
  const over = overBy(row, now)
  if (over === 'ended') return END_REASONS.find((reason) => reason === row.end_reason)
  if (over !== undefined) return over
  return row.status === PERSON_STATUS.active && row.login_ended_at === null ? undefined : 'access_ended'
}

function liveOf(row: Row, now: Date): LiveSession {
  const granted = ROLES.filter((role) => row.granted.includes(role))
  const roles = effectiveRoles(row.claimed, granted)
  const { session_id, person_id, login_id, issuer, organisation } = row
  return {
    ...{ session_id, person: person_id, login_id, issuer, organisation, roles },
    ...{ authTime: row.auth_time, steppedUp: isSteppedUp(row, now), csrf: toBase64Url(row.csrf) },
    ...{ seenAt: row.seen_at, endsAt: row.ends_at, changed: !sameRoles(roles, row.roles) },
  }
}

const factsOf = ({ claimed, granted, acr, steppedUp, authTime }: SignedIn) => ({
  claimed: [...claimed],
  roles: [...effectiveRoles(claimed, granted)],
  acr: acr ?? null,
  stepped_up: steppedUp,
  auth_time: authTime,
})

const hashOf = (value: string): Buffer => Buffer.from(sha256(utf8(value)))

/** Compared as bytes of one length, so that time tells nothing. */
export const isToken = (given: unknown, csrf: string): boolean =>
  typeof given === 'string' && equal(sha256(utf8(given)), sha256(utf8(csrf)))
