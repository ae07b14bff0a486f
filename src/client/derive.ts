import { createHmac } from 'node:crypto'
import { type NormaliseInput, normalise } from '../identifiers/normalise.ts'
import { linkHash, tokenInput } from '../identifiers/token.ts'
import type { Uuid } from '../kernel/ids.ts'
import { newId } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { createGates, type Suppressed } from '../matching/suppression.ts'
import { MEDIA_ALGORITHM, type SignalItem, type SignalType } from '../signals/schema.ts'
import { suppressedItem, suppressedText } from '../signals/suppressed.ts'

/** What one line of a raw file says; only `type` and what the type needs is required. Raw values never leave this function. */
export interface RawLine {
  type: SignalType
  /** An identifier or link, as it stands in our own systems. */
  raw?: string
  /** For usernames, account ids and payment handles: whose they are. For phone numbers in national form: the region. */
  service?: string
  region?: string
  algorithm?: string
  hash?: string
  /** A link or identifier that was hashed before, as a signal has it. */
  hashed?: Readonly<Record<string, unknown>>
  pattern?: Extract<SignalItem, { type: 'keyword_pattern' }>['value']
  tactic?: Extract<SignalItem, { type: 'tactic' }>['value']
  relation?: Extract<SignalItem, { type: 'relation' }>['value']
  /** Of a link: let its audience reveal it, too. */
  seal?: boolean
  category?: string
  note?: string
  severity?: SignalItem['severity']
  confidence?: number
  basis?: SignalItem['basis']
  handling?: SignalItem['handling']
  tlp?: SignalItem['tlp']
  context?: SignalItem['context']
  observed_at?: string
  expires_at?: string
}

/** A key epoch with its key (`hmac-sha256`), or with the tokens that were made under it before (OPRF), by `tokenName`. */
export type TokenEpoch = { kid: string; key: Uint8Array } | { kid: string; tokens: ReadonlyMap<string, string> }

/** A normalised identifier: what a token is made of. */
export interface Identifier {
  profile: string
  canonical: string
}

export const tokenName = ({ profile, canonical }: Identifier): string => `${profile}\0${canonical}`

/** What of a line a token is made of; undefined where it has none, or cannot be normalised. */
export function identifierOf(line: RawLine): Identifier | undefined {
  if (!TOKENED.has(line.type) || line.hashed !== undefined) return undefined
  const normal = normalise(inputOf(line))
  return normal.outcome === 'refused' ? undefined : { profile: normal.profile, canonical: normal.canonical }
}

const TOKENED: ReadonlySet<SignalType> = new Set<SignalType>([
  ...(['email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'] as const),
])

/** What the lines of one file have in common, and the keys. */
export interface DeriveContext {
  audience: Uuid
  taxonomy: number
  now: Date
  /** The key epoch that tokens are made under. */
  epoch: TokenEpoch
  defaults: Required<Pick<RawLine, 'category' | 'severity' | 'confidence' | 'basis' | 'handling' | 'tlp' | 'context'>>
  /** Days a signal of a type lives where its line says nothing. */
  days(type: SignalType): number
}

/** `warning`: why the item may be of no use, though the programme takes it. */
export type Derived = { outcome: 'item'; item: SignalItem; warning?: string } | { outcome: 'refused'; reason: string }

/** A raw line as the item that is signed: normalised and hashed here, so that nothing raw is in it. */
export function derive(line: RawLine, context: DeriveContext): Derived {
  const value = wireValue(line, context)
  if (value.outcome === 'refused') return value
  if (line.seal === true && (line.raw === undefined || (line.type !== 'url' && line.type !== 'domain')))
    return { outcome: 'refused', reason: 'a line with `seal` is a url or a domain, and has `raw`' }
  const { now, audience, taxonomy, defaults } = context
  const own = { ...defaults, ...definedOf(line) }
  const item = {
    v: 1,
    type: line.type,
    signal: newId(now),
    revision: 1,
    audience,
    ...{ tlp: own.tlp, taxonomy, category: own.category },
    ...(line.note === undefined ? {} : { note: line.note }),
    ...{ severity: own.severity, confidence: own.confidence, basis: own.basis, context: own.context },
    handling: own.handling,
    observed_at: line.observed_at ?? instant(now),
    expires_at: line.expires_at ?? instant(new Date(now.getTime() + context.days(line.type) * 86_400_000)),
    value: value.value,
  }
  const suppressed = suppressedOf(line, item as SignalItem)
  if (suppressed?.refuse === true)
    return { outcome: 'refused', reason: `suppressed-value: ${suppressedText(suppressed)}` }
  const warned = suppressed === undefined ? {} : { warning: suppressedText(suppressed) }
  return { outcome: 'item', item: item as SignalItem, ...warned }
}

const gates = createGates(sha256)

/** Addresses and numbers are known here alone: what they become is keyed. */
function suppressedOf(line: RawLine, item: SignalItem): Suppressed | undefined {
  if (line.type !== 'phone' && line.type !== 'ip') return suppressedItem(gates, item)
  const identifier = identifierOf(line)
  return identifier === undefined ? undefined : gates.identifier(line.type, identifier.canonical)
}

/** RFC 3339 in UTC, to the second. */
export const instant = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

/** The match key under which others look an identifier up: type, profile and 32 bytes of hex. */
export interface LookupKey {
  type: SignalType
  profile: string
  key: string
}

/** The keys of a raw identifier or link, for a look-up; several for a link, one for each expression it is matched by. */
export function lookupKeys(
  line: Pick<RawLine, 'type' | 'raw' | 'service' | 'region' | 'algorithm' | 'hash'>,
  epoch: DeriveContext['epoch'],
): { outcome: 'keys'; keys: LookupKey[] } | { outcome: 'refused'; reason: string } {
  const { type } = line
  if (type === 'media_hash') {
    const { algorithm, hash } = line
    if (algorithm === undefined || hash === undefined) return { outcome: 'refused', reason: MEDIA_MEMBERS }
    // The node refuses a whole look-up for one key that is none.
    if (!MEDIA_ALGORITHM.some((one) => one === algorithm) || !/^[0-9a-f]+$/i.test(hash))
      return {
        outcome: 'refused',
        reason: `\`hash\` is not hex, or \`algorithm\` none of ${MEDIA_ALGORITHM.join(', ')}`,
      }
    return { outcome: 'keys', keys: [{ type, profile: algorithm, key: mediaKey(algorithm, hash) }] }
  }
  const normal = normalise(inputOf(line))
  if (normal.outcome === 'refused') return normal
  if (type === 'url' || type === 'domain') {
    // Two scopes may stand for one expression.
    const expressions = new Set(normal.expressions.map(({ expression }) => expression))
    const keys = [...expressions].map((expression) => ({
      type,
      profile: normal.profile,
      key: linkHash(sha256, expression),
    }))
    return { outcome: 'keys', keys }
  }
  const { profile, canonical } = normal
  return {
    outcome: 'keys',
    keys: [{ type, profile: `${profile}@${epoch.kid}`, key: tokenOf(epoch, profile, canonical) }],
  }
}

const MEDIA_MEMBERS = 'a media_hash line has `algorithm` and `hash`'

type Value = { outcome: 'value'; value: object } | { outcome: 'refused'; reason: string }

function wireValue(line: RawLine, { epoch }: DeriveContext): Value {
  const { type } = line
  const written = writtenValue(line)
  if (written !== undefined) return written
  const normal = normalise(inputOf(line))
  if (normal.outcome === 'refused') return normal
  const { profile, canonical } = normal
  if (type === 'url' || type === 'domain') {
    const [exact] = normal.expressions
    if (exact === undefined) return { outcome: 'refused', reason: 'the link has no expression' }
    const { expression, scope } = exact
    return { outcome: 'value', value: { profile, sha256: linkHash(sha256, expression), scope } }
  }
  return { outcome: 'value', value: { profile, kid: epoch.kid, token: tokenOf(epoch, profile, canonical) } }
}

/** What stands in the line as it stands in a signal; undefined for what is made of a raw value. */
function writtenValue(line: RawLine): Value | undefined {
  const { type, pattern, tactic, relation, algorithm, hash, hashed } = line
  if (type === 'keyword_pattern') return given(pattern, 'a keyword_pattern line has a member `pattern`')
  if (type === 'tactic') return given(tactic, 'a tactic line has a member `tactic`')
  if (type === 'relation') return given(relation, 'a relation line has a member `relation`')
  if (type === 'media_hash') {
    const known = algorithm !== undefined && hash !== undefined
    return given(known ? { algorithm, hash: hash.toLowerCase() } : undefined, MEDIA_MEMBERS)
  }
  return hashed === undefined ? undefined : hashedValue(line, hashed)
}

/** Of what was hashed before nothing raw is said beside it: one of the two would be passed over. */
const hashedValue = ({ raw }: RawLine, hashed: Readonly<Record<string, unknown>>): Value =>
  given(raw === undefined ? hashed : undefined, 'a line has `raw` or `hashed`, and not both')

const given = (value: object | undefined, reason: string): Value =>
  value === undefined ? { outcome: 'refused', reason } : { outcome: 'value', value }

const inputOf = ({
  type,
  raw = '',
  service,
  region,
}: Pick<RawLine, 'type' | 'raw' | 'service' | 'region'>): NormaliseInput => ({
  type,
  raw,
  ...(service === undefined ? {} : { service }),
  ...(region === undefined ? {} : { region }),
})

function tokenOf(epoch: TokenEpoch, profile: string, canonical: string): string {
  if ('key' in epoch) return createHmac('sha256', epoch.key).update(tokenInput(profile, canonical)).digest('hex')
  const token = epoch.tokens.get(tokenName({ profile, canonical }))
  if (token === undefined) throw new RangeError('the token was not made before: ask the maker of tokens for the line')
  return token
}

/** Media hashes of 32 bytes are their own key; others are hashed with their algorithm's name. */
export function mediaKey(algorithm: string, hash: string): string {
  const hex = hash.toLowerCase()
  return hex.length === 64 ? hex : sha256(Buffer.from(`${algorithm}\0${hex}`)).toString('hex')
}

function definedOf(line: RawLine): Partial<DeriveContext['defaults']> {
  const names = ['category', 'severity', 'confidence', 'basis', 'handling', 'tlp', 'context'] as const
  return Object.fromEntries(names.flatMap((name) => (line[name] === undefined ? [] : [[name, line[name]]])))
}
