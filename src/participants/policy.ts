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
  observer: ['provenance:read', 'provenance:audit', 'provenance:witness'],
}

/** A credential's scopes, cut by what its participant's kind allows. */
export const scopesWithin = (kind: ParticipantKind, scopes: readonly string[]): Scope[] =>
  KIND_SCOPES[kind].filter((scope) => scopes.includes(scope))

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
  tlp: Tlp
}

/** Whether the signal exists for the reader. A TLP that its audience cannot carry is read by nobody but its source. */
export function mayRead(me: Reader, signal: ReadableSignal): boolean {
  if (!me.active || !seesSignals(me.kind)) return false
  if (signal.origin === me.participant) return true
  return signal.shared && me.audiences.has(signal.audience) && AUDIENCES[signal.tlp].includes(signal.audienceKind)
}
