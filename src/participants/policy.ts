import type { Uuid } from '../kernel/ids.ts'
import type { AudienceKind, ParticipantKind, Scope } from './schema.ts'

export type Tlp = 'clear' | 'green' | 'amber' | 'amber+strict' | 'red'

/** What points at one person or one account; such a thing is never published without restriction. */
const IDENTIFIERS: ReadonlySet<string> = new Set(['email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'])

/** What is read from a feed and never looked up: without a key there is nothing to seal it under. */
const KEYLESS: ReadonlySet<string> = new Set(['keyword_pattern', 'tactic', 'relation'])

export const hasMatchKey = (type: string): boolean => !KEYLESS.has(type)

/** To which audiences a level may go (TLP 2.0, FIRST). TLP only ever narrows what the audience allows. */
const AUDIENCES: Readonly<Record<Tlp, readonly AudienceKind[]>> = {
  red: ['named'],
  'amber+strict': ['programme', 'group', 'named'],
  amber: ['programme', 'group', 'named'],
  green: ['programme', 'group', 'named'],
  clear: ['programme', 'group', 'named'],
}

const EXCHANGE = [
  'signals:submit',
  'signals:withdraw',
  'feed:read',
  'lookup:evaluate',
  'lookup:open',
  'reveal',
  'feedback:write',
  'review:work',
  'provenance:read',
  'provenance:witness',
] as const

/** The most that a credential of a participant of this kind can hold. Observers see no signal values. */
const KIND_SCOPES: Readonly<Record<ParticipantKind, readonly Scope[]>> = {
  platform: [...EXCHANGE, 'peers:relay'],
  hotline: [...EXCHANGE, 'peers:relay'],
  financial: EXCHANGE,
  observer: ['provenance:read', 'provenance:audit', 'provenance:witness', 'governance:read'],
}

/** A credential's scopes, cut by what its participant's kind allows. */
export const scopesWithin = (kind: ParticipantKind, scopes: readonly string[]): Scope[] =>
  KIND_SCOPES[kind].filter((scope) => scopes.includes(scope))

/** The most that a credential of the kind can hold. */
export const scopesOf = (kind: ParticipantKind): readonly Scope[] => KIND_SCOPES[kind]

/** Whether the kind may receive or share signals at all. */
export const seesSignals = (kind: ParticipantKind): boolean => kind !== 'observer'

export interface Sharing {
  tlp: Tlp
  audienceKind: AudienceKind
  type: string
  participantKind: ParticipantKind
}

/** Whether TLP and type allow a source of this kind to share into an audience of that kind. */
export function mayShare({ tlp, audienceKind, type, participantKind }: Sharing): boolean {
  if (!seesSignals(participantKind)) return false
  if (tlp === 'clear' && IDENTIFIERS.has(type)) return false
  return AUDIENCES[tlp].includes(audienceKind)
}

export interface Reader {
  participant: Uuid
  kind: ParticipantKind
  active: boolean
  /** Audiences of which it is a member now. */
  audiences: ReadonlySet<Uuid>
}

export interface ReadableSignal {
  origin: Uuid
  audience: Uuid
  audienceKind: AudienceKind
  /** Live and not held, withdrawn, expired or erased. */
  shared: boolean
  /** Its expiry has come, whether or not the loop that ends it has. */
  over: boolean
  tlp: Tlp
}

interface SightRule {
  name: string
  /** What it asks, as a person would. */
  asks: string
  /** What the rule decides; undefined leaves it to the next one. */
  decide(me: Reader, signal: ReadableSignal): boolean | undefined
}

const deny = (denied: boolean): false | undefined => (denied ? false : undefined)

/** The rules in their order: the first that decides is the answer, and all of them let it be seen. */
const SIGHT_RULES: readonly SightRule[] = [
  { name: 'participation', asks: 'takes part, and is not suspended', decide: (me) => deny(!me.active) },
  { name: 'kind', asks: 'is of a kind that sees signals', decide: (me) => deny(!seesSignals(me.kind)) },
  {
    name: 'source',
    asks: 'is the source, which sees its own signals whatever became of them',
    decide: (me, { origin }) => (origin === me.participant ? true : undefined),
  },
  {
    name: 'state',
    asks: 'the signal is live: not held, withdrawn or erased',
    decide: (_, { shared }) => deny(!shared),
  },
  { name: 'expiry', asks: 'its expiry has not come', decide: (_, { over }) => deny(over) },
  {
    name: 'audience',
    asks: 'is a member of the audience now',
    decide: (me, { audience }) => deny(!me.audiences.has(audience)),
  },
  {
    name: 'tlp',
    asks: 'the TLP level may go to such an audience',
    decide: (_, { tlp, audienceKind }) => deny(!AUDIENCES[tlp].includes(audienceKind)),
  },
]

export const SIGHT_RULE_NAMES: readonly string[] = SIGHT_RULES.map(({ name }) => name)

/** Whether a signal exists for a reader, and which rule says so. */
export interface Sight {
  sees: boolean
  /** The number of the rule that decided, from 1; all of them held where it is absent. */
  rule?: number
  name?: string
  asks?: string
}

/** Whether the signal exists for the reader, and why. A TLP that its audience cannot carry is read by nobody but its source. */
export function sightOf(me: Reader, signal: ReadableSignal): Sight {
  for (const [at, { name, asks, decide }] of SIGHT_RULES.entries()) {
    const sees = decide(me, signal)
    if (sees !== undefined) return { sees, rule: at + 1, name, asks }
  }
  return { sees: true }
}

/** Whether the signal exists for the reader. */
export const mayRead = (me: Reader, signal: ReadableSignal): boolean => sightOf(me, signal).sees
