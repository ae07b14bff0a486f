import type { ActionName } from './action.ts'

/** A policy as it is published. */
export interface PolicyBody {
  version: number
  body: string
}

/** What an act that was carried out took the place of. */
export interface Replaced {
  /** Of a policy: the version before, and the one that is in force now. */
  policy?: { before: PolicyBody; current: number } | undefined
  /** Of a quota: the number before. */
  per_day?: number | undefined
}

export interface Asked {
  action: ActionName
  payload: Readonly<Record<string, unknown>>
}

/** The act that brings back what was before another one; undefined where there is none. It takes effect by hand. */
export function inverseOf({ action, payload }: Asked, replaced: Replaced = {}): Asked | undefined {
  const { effective_at: _, ...own } = payload
  switch (action) {
    case 'group.change': {
      const { group, join, leave } = own
      // Who comes back is given what came meanwhile too: whoever approves it reads so.
      return { action, payload: { group, join: leave, leave: join, history: 'included' } }
    }
    case 'collection.hold':
      return { action, payload: { ...own, held: own['held'] !== true } }
    case 'feed.pause':
      return { action: 'feed.resume', payload: { feed: own['feed'] } }
    case 'quota.change':
      return replaced.per_day === undefined ? undefined : { action, payload: { ...own, per_day: replaced.per_day } }
    case 'policy.publish': {
      const { before, current } = replaced.policy ?? {}
      // Only what is in force is taken back, and never by publishing an old number again.
      if (before === undefined || current === undefined || own['version'] !== current) return undefined
      return { action, payload: { ...own, version: current + 1, body: before.body } }
    }
    default:
      return undefined
  }
}

/** One thing that an act changes, as a person compares it. */
export interface Difference {
  what: string
  before: string
  after: string
}

/** The members of two JSON objects that are not the same, by name; what is none has no members. */
export function memberDifferences(before: string, after: string): Difference[] {
  const [was, is] = [membersOf(before), membersOf(after)]
  const names = [...new Set([...was.keys(), ...is.keys()])].sort()
  return names.flatMap((what) => {
    const [a, b] = [was.get(what) ?? 'absent', is.get(what) ?? 'absent']
    return a === b ? [] : [{ what, before: a, after: b }]
  })
}

/** What is only proposed may be anything: it is looked at before it is refused. */
function membersOf(text: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = JSON.parse(text)
    return new Map(Object.entries(value ?? {}).map(([name, member]) => [name, JSON.stringify(member)]))
  } catch {
    return new Map()
  }
}
