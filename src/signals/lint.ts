import { Compile, type Validator } from 'typebox/compile'
import { findRaw } from '../identifiers/raw-value.ts'
import { fromBase64Url, fromHex, type Hash, utf8 } from '../kernel/bytes.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { Refusal } from '../kernel/errors.ts'
import { firstFault } from '../kernel/schema.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import type { Suppressed } from '../matching/suppression.ts'
import { checkMediaHash } from './media-hash.ts'
import { SIGNAL_SHAPES, type SignalItem, type SignalType, WithdrawalItem } from './schema.ts'
import { suppressedPointer, suppressedText } from './suppressed.ts'

/** What the programme rules on at the moment of judging; the snapshot of its reference data. */
export interface SignalRules {
  /** The category of a taxonomy version; undefined where either is unknown. */
  category(taxonomy: number, slug: string): { needs_note: boolean } | undefined
  /** Days a signal of this type may live. */
  retentionDays(type: SignalType): number
  /** Why this participant may not share into the audience, or undefined if it may. */
  shareRefusal(
    participant: string,
    item: SignalItem,
  ): 'audience-unknown' | 'audience-sealed' | 'tlp-refused' | undefined
  hashProfile(kid: string): 'active' | 'retired' | undefined
  held(context: SignalItem['context']): boolean
  /** The suppression list on which a link or media hash stands; tokens tell nothing here. */
  suppressed(item: SignalItem): Suppressed | undefined
}

export type Judged<T> =
  | { outcome: 'accepted'; item: T; warning?: string }
  | { outcome: 'refused'; code: ErrorCode; pointer: string; detail?: string }

type Refused = Extract<Judged<never>, { outcome: 'refused' }>

const DAY = 86_400_000
/** Clocks of partners may run ahead by this much. */
const AHEAD = 5 * 60_000

const VALIDATORS: ReadonlyMap<string, Validator> = new Map(
  Object.entries(SIGNAL_SHAPES).map(([type, shape]) => [type, Compile(shape)]),
)
const WITHDRAWAL = Compile(WithdrawalItem)

/** Strict JSON, then the shape of the type it names, then the rules of the programme. Pure; names the fault by pointer. */
export function judgeSignal(
  text: string,
  context: { participant: string; rules: SignalRules; now: Date },
): Judged<SignalItem> {
  const parsed = parse(text)
  if (parsed.outcome === 'refused') return parsed
  const type = memberOf(parsed.item, 'type')
  const validator = typeof type === 'string' ? VALIDATORS.get(type) : undefined
  if (validator === undefined) return refuse('validation-failed', '/type', 'one of the signal types')
  if (!validator.Check(parsed.item)) return misshapen(validator, parsed.item)
  const item = parsed.item as SignalItem
  const suppressed = context.rules.suppressed(item)
  return (
    timeFault(item, context) ??
    ruleFault(item, context) ??
    valueFault(item, context.rules) ??
    suppressedFault(item, suppressed) ??
    rawFault(item) ?? {
      outcome: 'accepted',
      item,
      ...(suppressed === undefined ? {} : { warning: suppressedText(suppressed) }),
    }
  )
}

const suppressedFault = (item: SignalItem, suppressed: Suppressed | undefined): Refused | undefined =>
  suppressed?.refuse === true
    ? refuse('suppressed-value', suppressedPointer(item), suppressedText(suppressed))
    : undefined

/** A withdrawal has a shape and nothing else to judge; its place is judged against the signal. */
export function judgeWithdrawal(text: string): Judged<WithdrawalItem> {
  const parsed = parse(text)
  if (parsed.outcome === 'refused') return parsed
  if (!WITHDRAWAL.Check(parsed.item)) return misshapen(WITHDRAWAL, parsed.item)
  return { outcome: 'accepted', item: parsed.item as WithdrawalItem }
}

/** The 32 bytes others look a signal up by: token, SHA-256, PDQ, else a digest that names the thing. */
export function signalKey(hash: Hash, item: SignalItem): Uint8Array {
  if (item.type === 'url' || item.type === 'domain') return bytes32(item.value.sha256)
  if (item.type === 'media_hash') return mediaKey(hash, item.value.algorithm, item.value.hash)
  if (item.type === 'relation') return relationKey(hash, item.value)
  if (isReadOnly(item)) return readOnlyKey(hash, item.type, item.signal)
  return bytes32(item.value.token)
}

/** Of what is read from the feed and never looked up: it names the signal alone. */
export const readOnlyKey = (hash: Hash, type: string, signal: string): Uint8Array => hash(utf8(`${type}\0${signal}`))

/** Made of what is stated, so that no revision states anything else. */
const relationKey = (hash: Hash, { relation, from, to }: Extract<SignalItem, { type: 'relation' }>['value']) =>
  hash(utf8(`relation\0${relation}\0${from}\0${to}`))

/** Media hashes of 32 bytes are their own key; others are hashed with their algorithm's name. */
export const mediaKey = (hash: Hash, algorithm: string, hex: string): Uint8Array =>
  hex.length === 64 ? bytes32(hex) : hash(utf8(`${algorithm}\0${hex}`))

/** What tells keys of one kind from another in lookups: the profile and, for tokens, the key epoch. */
export function keyProfile(item: SignalItem): string {
  if (item.type === 'url' || item.type === 'domain') return item.value.profile
  if (item.type === 'media_hash') return item.value.algorithm
  if (isReadOnly(item)) return item.type
  return `${item.value.profile}@${item.value.kid}`
}

export const leafOf = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : fromBase64Url(text)

function parse(text: string): Judged<unknown> {
  try {
    return { outcome: 'accepted', item: parseStrict(text) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return refuse(error.code, error.errors[0]?.pointer ?? '', error.detail)
  }
}

function timeFault({ type, observed_at, expires_at }: SignalItem, context: { rules: SignalRules; now: Date }) {
  const now = context.now.getTime()
  const observed = Date.parse(observed_at)
  const expires = Date.parse(expires_at)
  if (Number.isNaN(observed) || observed > now + AHEAD)
    return refuse('validation-failed', '/observed_at', 'not in the future')
  if (Number.isNaN(expires) || expires <= now) return refuse('validation-failed', '/expires_at', 'in the future')
  const days = context.rules.retentionDays(type)
  if (expires > now + days * DAY + AHEAD)
    return refuse('retention-exceeded', '/expires_at', `at most ${days} days ahead`)
  return undefined
}

function ruleFault(item: SignalItem, { participant, rules }: { participant: string; rules: SignalRules }) {
  const category = rules.category(item.taxonomy, item.category)
  if (category === undefined) return refuse('taxonomy-unknown', '/category')
  if (category.needs_note && item.note === undefined)
    return refuse('validation-failed', '/note', 'this category needs a note')
  const refusal = rules.shareRefusal(participant, item)
  if (refusal === 'audience-unknown' || refusal === 'audience-sealed') return refuse(refusal, '/audience')
  if (refusal !== undefined) return refuse(refusal, '/tlp')
  return rules.held(item.context) ? refuse('collection-held', '/context') : undefined
}

function valueFault(item: SignalItem, rules: SignalRules): Refused | undefined {
  switch (item.type) {
    case 'url':
    case 'domain':
      return item.value.profile === `${item.type}/1` ? undefined : refuse('hash-profile-unknown', '/value/profile')
    // Patterns are tried apart from this thread.
    case 'keyword_pattern':
    case 'tactic':
      return undefined
    case 'relation':
      return relationFault(item.signal, item.value)
    case 'media_hash': {
      const checked = checkMediaHash(item.value.algorithm, item.value.hash)
      return checked.outcome === 'ok' ? undefined : refuse('validation-failed', '/value/hash', checked.reason)
    }
    default:
      return tokenFault(item.type, item.value, rules)
  }
}

/** A signal that relates to itself, or a relation about itself, says nothing and ends in circles. */
function relationFault(id: string, { from, to }: { from: string; to: string }): Refused | undefined {
  if (from === to) return refuse('validation-failed', '/value/to', 'another signal than from')
  return from === id || to === id ? refuse('validation-failed', '/value', 'signals other than this one') : undefined
}

/** Types that are read from the feed and never looked up: their key names the signal alone. */
type ReadOnly = Extract<SignalItem, { type: 'keyword_pattern' | 'tactic' | 'relation' }>
const isReadOnly = (item: SignalItem): item is ReadOnly =>
  item.type === 'keyword_pattern' || item.type === 'tactic' || item.type === 'relation'

/** Which normalisation profiles may stand behind a token of a type. */
const PROFILES: Readonly<Record<string, RegExp>> = {
  email: /^(email|email-provider)\/1$/,
  phone: /^phone\/1$/,
  username: /^username(-skeleton)?\/1:/,
  account_id: /^account-id\/1:/,
  payment_handle: /^payment\/1:/,
  ip: /^ip\/1$/,
}

function tokenFault(type: string, value: { profile: string; kid: string }, rules: SignalRules): Refused | undefined {
  if (PROFILES[type]?.test(value.profile) !== true) return refuse('hash-profile-unknown', '/value/profile')
  const state = rules.hashProfile(value.kid)
  if (state === undefined) return refuse('hash-profile-unknown', '/value/kid')
  return state === 'retired' ? refuse('hash-profile-retired', '/value/kid') : undefined
}

function rawFault(value: unknown, pointer = ''): Refused | undefined {
  const found = findRaw(value, pointer)[0]
  return found === undefined
    ? undefined
    : refuse('raw-identifier', found.pointer, `looks like ${found.kind}; hash it at home`)
}

/** A raw value where a token belongs is told as what it is; ids and digests in capitals are none. */
function misshapen(validator: Validator, value: unknown): Refused {
  const { pointer, detail } = firstFault(validator, value)
  const found = pointer.split('/').slice(1).reduce<unknown>(memberOf, value)
  return (
    (typeof found === 'string' ? rawFault(found.toLowerCase(), pointer) : undefined) ??
    refuse('validation-failed', pointer, detail)
  )
}

function refuse(code: ErrorCode, pointer: string, detail?: string): Refused {
  return detail === undefined ? { outcome: 'refused', code, pointer } : { outcome: 'refused', code, pointer, detail }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function bytes32(hex: string): Uint8Array {
  const bytes = fromHex(hex)
  if (bytes?.length !== 32) throw new TypeError('not 32 bytes of hex')
  return bytes
}
