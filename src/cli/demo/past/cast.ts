/** Five invented platforms: the three of the story and two more. */
export const CAST = ['apple', 'banana', 'cherry', 'damson', 'elder'] as const
export type Party = (typeof CAST)[number]

export const nameOf = (party: Party): string => `${party.charAt(0).toUpperCase()}${party.slice(1)} Social`

/** Who sees no signals and checks the log. */
export const OBSERVER = 'owl'

/** Of each platform, by role; first names alone, and of nobody. */
export const PEOPLE = [
  { name: 'Ann', role: 'analyst' },
  { name: 'Bo', role: 'analyst' },
  { name: 'Lee', role: 'lead' },
  { name: 'Pat', role: 'partner_admin' },
] as const

/** How a platform's own tool calls those who work on its cases. */
export const OPERATORS = ['ann', 'bo', 'lee'] as const
export type Operator = (typeof OPERATORS)[number]

/** Parts of all signals, and after how many days each takes its feeds. */
export const HABITS: Readonly<Record<Party, { part: number; syncs: number }>> = {
  apple: { part: 0.3, syncs: 2 },
  banana: { part: 0.25, syncs: 2 },
  cherry: { part: 0.1, syncs: 3 },
  damson: { part: 0.2, syncs: 3 },
  elder: { part: 0.15, syncs: 4 },
}

interface AudienceOf {
  label: string
  kind: 'programme' | 'group' | 'named'
  members: readonly Party[]
  /** Of a named audience: who makes it. */
  owner?: Party
}

/** With whom signals are shared. */
export const AUDIENCES = {
  programme: { kind: 'programme', label: '', members: CAST },
  chat: { kind: 'group', label: 'Chat services', members: ['apple', 'banana', 'damson', 'elder'] },
  video: { kind: 'group', label: 'Video services', members: ['apple', 'cherry', 'elder'] },
  games: { kind: 'named', label: 'damson and elder', members: ['damson', 'elder'], owner: 'damson' },
  ads: { kind: 'named', label: 'banana and three', members: ['apple', 'banana', 'cherry', 'damson'], owner: 'banana' },
} as const satisfies Readonly<Record<string, AudienceOf>>
export type AudienceName = keyof typeof AUDIENCES

export const AUDIENCE_NAMES = Object.keys(AUDIENCES) as AudienceName[]
export const audienceOf = (name: AudienceName): AudienceOf => AUDIENCES[name]

/** The slug of a group, and the id under which others name it. */
export const groupSlug = (name: AudienceName): string => `${name}-services`
