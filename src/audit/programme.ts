import type { Entry } from './entry.ts'

/** A node may go by a list of credentials that is 30 s old, and a request takes another 30 at most. */
export const GRACE_MS = 60_000

/** Since when something is so: the index of the entry and its time. */
export interface Since {
  index: bigint
  time: number
}

/** What acts while it is active. */
export interface KnownActor {
  status: string
  /** When it ceased to be active last, milliseconds; absent of what never did, and of what never was. */
  ceased?: number
}

export interface KnownParticipant extends KnownActor {
  kind: string
  /** Until when it is on probation. */
  probation?: string
}

export interface KnownCredential extends KnownActor {
  participant: string
  spki: string
  scopes: readonly string[]
  from: number
  to: number
}

export interface KnownKey extends KnownActor {
  key: string
  from: number
  to: number
}

/** In another status: of what is over already a further entry makes no later end. */
export const moveTo = <T extends KnownActor>(known: T, status: string, { time }: Since): T => ({
  ...known,
  status,
  ...(known.status === 'active' && { ceased: time }),
})

/** One stay in an audience; open while `left` is absent. */
export interface Stay {
  joined: bigint
  left?: bigint
  /** When that was, milliseconds. */
  leftAt?: number
}

export interface KnownAudience {
  kind: string
  mode: string
  group: string | null
  owner: string | null
}

/** The programme's own tables as the log makes them; each is small. */
export interface Programme {
  participants: Map<string, KnownParticipant>
  credentials: Map<string, KnownCredential>
  /** By `<participant> <kid>`. */
  keys: Map<string, KnownKey>
  audiences: Map<string, KnownAudience>
  /** By `<audience> <participant>`. */
  stays: Map<string, Stay[]>
  /** Of each group its audience, and by member when it joined. */
  groups: Map<string, { audience: string; joined: Map<string, string> }>
  codes: Map<string, { participant: string; scopes: readonly string[]; to: string; tries: number; used: string | null }>
  requests: Map<string, { action: string; digest: string; by: string; executed: string | null; cancelled?: string }>
  /** When a person was given a role that it still holds. */
  roles: Map<string, string>
  /** When a role that a person does not hold any more was ended last, milliseconds. */
  endedRoles: Map<string, number>
  /** Whose person is whose. */
  people: Map<string, string>
  /** Logins that are in force. */
  logins: Map<string, { person: string; digest: string }>
  /** From when to when the key epochs are good, and what was published of their keys. */
  profiles: Map<string, Row['state']>
  /** What is shown before somebody is admitted. */
  onboardings: Map<string, { participant: string; kind: string }>
}

export const emptyProgramme = (): Programme => ({
  ...{ participants: new Map(), credentials: new Map(), keys: new Map(), audiences: new Map(), stays: new Map() },
  ...{
    groups: new Map(),
    codes: new Map(),
    requests: new Map(),
    roles: new Map(),
    endedRoles: new Map(),
    people: new Map(),
    logins: new Map(),
    profiles: new Map(),
    onboardings: new Map(),
  },
})

/** Kinds of participants that receive signals. */
const RECEIVERS: ReadonlySet<string> = new Set(['platform', 'hotline', 'financial'])

/** A row of the state as an entry left it. */
export interface Row {
  of: string
  state: Readonly<Record<string, unknown>>
  /** The entry takes the row away. */
  gone?: true
}

/** The fields of an entry by type: what is of another is absent. */
export interface Told {
  text(name: string): string
  texts(name: string): string[]
  since: Since
  at: string
}

/** The rows that an entry of one kind sets, in words of the snapshot. */
export type Fold = (programme: Programme, told: Told, entry: Entry) => Row[]

export const toldBy = ({ fields, index, time }: Entry): Told => ({
  text(name) {
    const value = fields.get(name)
    return typeof value === 'string' ? value : ''
  },
  texts(name) {
    const value = fields.get(name)
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  },
  since: { index, time },
  at: Number.isNaN(time) ? '' : new Date(time).toISOString(),
})

export const participantRow = ({ participants }: Programme, slug: string): Row[] => {
  const known = participants.get(slug)
  if (known === undefined) return []
  const { kind, status, probation } = known
  return [{ of: `participant ${slug}`, state: { kind, status, ...(probation !== undefined && { probation }) } }]
}

export const credentialRow = ({ credentials }: Programme, id: string): Row[] => {
  const known = credentials.get(id)
  if (known === undefined) return []
  const { participant, spki, scopes, status, from, to } = known
  return [{ of: `credential ${id}`, state: { participant, spki, scopes, status, ...dates(from, to) } }]
}

export const keyRow = ({ keys }: Programme, name: string): Row[] => {
  const known = keys.get(name)
  if (known === undefined) return []
  const { key, status, from, to } = known
  return [{ of: `signing-key ${name}`, state: { key, status, ...dates(from, to) } }]
}

export const codeRow = ({ codes }: Programme, id: string): Row[] => {
  const known = codes.get(id)
  return known === undefined ? [] : [{ of: `code ${id}`, state: { ...known } }]
}

export const requestRow = ({ requests }: Programme, id: string): Row[] => {
  const known = requests.get(id)
  return known === undefined ? [] : [{ of: `request ${id}`, state: { ...known } }]
}

export const dates = (from: number, to: number) => ({ from: isoOf(from), to: isoOf(to) })
const isoOf = (ms: number): string => (Number.isNaN(ms) ? '' : new Date(ms).toISOString())

/** Enters an audience, if it is of a kind that receives signals. */
export function join(programme: Programme, audience: string, slug: string, since: Since): Row[] {
  if (!RECEIVERS.has(programme.participants.get(slug)?.kind ?? '')) return []
  const name = `${audience} ${slug}`
  const stays = programme.stays.get(name) ?? []
  if (stays.at(-1) === undefined || stays.at(-1)?.left !== undefined) stays.push({ joined: since.index })
  programme.stays.set(name, stays)
  return [{ of: `audience-member ${name}`, state: { member: true } }]
}

export function leave({ stays }: Programme, audience: string, slug: string, since: Since): Row[] {
  const name = `${audience} ${slug}`
  const last = stays.get(name)?.at(-1)
  if (last === undefined || last.left !== undefined) return []
  last.left = since.index
  last.leftAt = since.time
  return [{ of: `audience-member ${name}`, state: { member: false } }]
}

/** The reader's last stay in an audience that began before an entry. */
export const stayOf = (
  { stays }: Programme,
  { audience, reader, index }: { audience: string; reader: string; index: bigint },
): Stay | undefined => stays.get(`${audience} ${reader}`)?.findLast(({ joined }) => joined < index)
