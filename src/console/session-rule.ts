import { mayHoldTogether } from '../participants/approval-rule.ts'
import { ROLES, type Role } from '../participants/schema.ts'
import { IDLE_MS, STEP_UP_MS } from './schema.ts'

/** A request in between is not written down: the row of a session is not rewritten with each of them. */
export const SEEN_EVERY_MS = 60_000

/** Why a session is over, as its row keeps it. */
export const END_REASONS = [
  'signed_out',
  'idle',
  'too_old',
  'ended_by_person',
  'ended_by_admin',
  'access_ended',
] as const
export type EndReason = (typeof END_REASONS)[number]

export interface Times {
  seen_at: Date
  ends_at: Date
  ended_at: Date | null
}

/** Undefined while the session lives. */
export function overBy({ seen_at, ends_at, ended_at }: Times, now: Date): 'idle' | 'too_old' | 'ended' | undefined {
  if (ended_at !== null) return 'ended'
  if (ends_at <= now) return 'too_old'
  return now.getTime() - seen_at.getTime() >= IDLE_MS ? 'idle' : undefined
}

/** What both say: the identity provider of the person now, the programme of the person for good. Never two that exclude each other. */
export function effectiveRoles(claimed: readonly string[], granted: readonly Role[]): readonly Role[] {
  const both = ROLES.filter((role) => granted.includes(role) && claimed.includes(role))
  const apart = both.some(
    (role) =>
      mayHoldTogether(
        both.filter((other) => other !== role),
        role,
      ) === false,
  )
  return apart ? [] : both
}

/** A step-up counts for five minutes from the moment when the person proved who it is. */
export const isSteppedUp = (session: { stepped_up: boolean; auth_time: Date }, now: Date): boolean =>
  session.stepped_up && now.getTime() - session.auth_time.getTime() < STEP_UP_MS

export const sameRoles = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((role) => b.includes(role))

const BROWSERS = [
  ['Firefox/', 'Firefox'],
  ['Edg/', 'Edge'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iOS'],
  ['iPad', 'iPadOS'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
] as const

/** By which a person knows its own sessions apart; nothing of the header itself is kept. */
export function agentOf(userAgent: string | undefined): string {
  const named = (list: readonly (readonly [string, string])[]): string | undefined =>
    list.find(([mark]) => userAgent?.includes(mark) === true)?.[1]
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)]
  return [browser ?? 'Another browser', ...(system === undefined ? [] : [`on ${system}`])].join(' ')
}
