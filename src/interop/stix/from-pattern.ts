import { entryOf } from '../../kernel/entry-of.ts'
import { MEDIA_ALGORITHM, type SignalItem } from '../../signals/schema.ts'
import { EXTENSION } from './ids.ts'
import { type Equality, type ParsedPattern, parsePattern } from './parse-pattern.ts'
import { ALGORITHM, type SuiteOf } from './pattern.ts'
import type { IndicatorObject, OwnExtension } from './schema.ts'

type Identifier = 'email' | 'phone' | 'username' | 'account_id' | 'payment_handle' | 'ip'

/** What an indicator looks for, as a raw file of ours has it: hashed already, or to be hashed at home. */
export type StixValue =
  | { type: 'url' | 'domain' | 'email' | 'ip'; raw: string }
  | { type: 'username' | 'account_id'; raw: string; service: string }
  | { type: 'url' | 'domain' | Identifier; hashed: Record<string, unknown> }
  | { type: 'media_hash'; algorithm: string; hash: string }
  | { type: 'keyword_pattern'; pattern: Extract<SignalItem, { type: 'keyword_pattern' }>['value'] }

/** The value, or what is missing or not taken; never a word of the pattern. */
export type FromPattern = { value: StixValue } | { why: string }

export function fromPattern(
  { pattern, pattern_type }: Pick<IndicatorObject, 'pattern' | 'pattern_type'>,
  own: Partial<OwnExtension>,
  suiteOf: SuiteOf,
): FromPattern {
  if (pattern_type === 'pcre') return wordsIn(pattern, own)
  const parsed = parsePattern(pattern)
  if (parsed === undefined) return { why: 'one observation of one equality, or of the two of a signal' }
  return accountIn(parsed, own, suiteOf) ?? addressIn(parsed, own, suiteOf) ?? oneIn(parsed, own, suiteOf) ?? NONE
}

const NONE: FromPattern = { why: 'the object path is none that a signal has' }

/** One equality alone. */
function oneIn({ equalities: [first], joined }: ParsedPattern, own: Partial<OwnExtension>, suiteOf: SuiteOf) {
  if (first === undefined || joined !== undefined) return undefined
  return mediaIn(first, own) ?? linkIn(first, own) ?? rawIn(first) ?? tokenIn(first, own, suiteOf)
}

const HASH_NAME: Readonly<Record<string, string>> = {
  ...{ PDQ: 'pdq', PHOTODNA: 'photodna', TMK: 'tmk', VPDQ: 'vpdq', MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256' },
}

function mediaIn({ object, path, value }: Equality, { media }: Partial<OwnExtension>): FromPattern | undefined {
  const [member, name = '', ...more] = path
  if (object !== 'file' || member !== 'hashes' || more.length > 0) return undefined
  const algorithm = media === 'video' && name === 'MD5' ? 'video_md5' : entryOf(HASH_NAME, name)
  if (algorithm === undefined) return { why: `a hash is one of ${MEDIA_ALGORITHM.join(', ')}` }
  return { value: { type: 'media_hash', algorithm, hash: value.toLowerCase() } }
}

const LINK: Readonly<Record<string, 'url' | 'domain'>> = { url: 'url', 'domain-name': 'domain' }

function linkIn({ object, path, value }: Equality, own: Partial<OwnExtension>): FromPattern | undefined {
  const type = entryOf(LINK, object)
  if (type === undefined || hashIn(path, 'value_hashes') !== 'SHA-256') return undefined
  const { hash_profile: profile, scope } = own
  if (profile === undefined || scope === undefined) return { why: 'a hashed link has hash_profile and scope' }
  return { value: { type, hashed: { profile, sha256: value, scope } } }
}

/** The algorithm in a path of our extension. */
function hashIn([extensions, id, member, name, ...more]: readonly string[], expected: string): string | undefined {
  const isOurs = extensions === 'extensions' && id === EXTENSION && member === expected && more.length === 0
  return isOurs ? name : undefined
}

const RAW: Readonly<Record<string, 'url' | 'domain' | 'email' | 'ip'>> = {
  ...{ url: 'url', 'domain-name': 'domain', 'email-addr': 'email', 'ipv4-addr': 'ip', 'ipv6-addr': 'ip' },
}

function rawIn({ object, path, value }: Equality): FromPattern | undefined {
  const type = entryOf(RAW, object)
  return type === undefined || path.join('.') !== 'value' ? undefined : { value: { type, raw: value } }
}

/** Tokens that stand alone. */
const TOKENED: readonly (readonly [object: string, member: string, type: Identifier])[] = [
  ['email-addr', 'value_hashes', 'email'],
  ['user-account', 'phone_hashes', 'phone'],
  ['user-account', 'payment_hashes', 'payment_handle'],
]

function tokenIn(equality: Equality, own: Partial<OwnExtension>, suiteOf: SuiteOf): FromPattern | undefined {
  for (const [object, member, type] of TOKENED) {
    const name = equality.object === object ? hashIn(equality.path, member) : undefined
    if (name !== undefined) return token(type, { name, token: equality.value, own, suiteOf })
  }
  return undefined
}

interface Tokened {
  name: string
  token: string
  own: Partial<OwnExtension>
  suiteOf: SuiteOf
}

function token(type: Identifier, { name, token: text, own, suiteOf }: Tokened): FromPattern {
  const { hash_profile: profile, key_id: kid } = own
  if (profile === undefined || kid === undefined) return { why: 'a token has hash_profile and key_id' }
  if (entryOf(ALGORITHM, suiteOf(kid) ?? '') !== name)
    return { why: 'the key epoch has another algorithm, or is not known' }
  return { value: { type, hashed: { profile, kid, token: text } } }
}

/** Of an address a token does not tell which version it is: both are named, and are the same. */
function addressIn(
  { equalities: [four, six], joined }: ParsedPattern,
  own: Partial<OwnExtension>,
  suiteOf: SuiteOf,
): FromPattern | undefined {
  if (four?.object !== 'ipv4-addr' || six?.object !== 'ipv6-addr' || joined !== 'OR') return undefined
  const name = hashIn(four.path, 'value_hashes')
  if (name === undefined || hashIn(six.path, 'value_hashes') !== name || four.value !== six.value) return undefined
  return token('ip', { name, token: four.value, own, suiteOf })
}

const ACCOUNT: readonly (readonly [raw: string, hashed: string, type: 'username' | 'account_id'])[] = [
  ['account_login', 'account_login_hashes', 'username'],
  ['user_id', 'user_id_hashes', 'account_id'],
]

/** An account of a service, raw or as a token. */
function accountIn(
  { equalities: [service, account], joined }: ParsedPattern,
  own: Partial<OwnExtension>,
  suiteOf: SuiteOf,
): FromPattern | undefined {
  const both = service?.object === 'user-account' && account?.object === 'user-account' && joined === 'AND'
  if (!both || service.path.join('.') !== 'account_type') return undefined
  for (const [raw, hashed, type] of ACCOUNT) {
    if (account.path.join('.') === raw) return { value: { type, raw: account.value, service: service.value } }
    const name = hashIn(account.path, hashed)
    if (name === undefined) continue
    if (own.hash_profile?.split(':')[1] !== service.value) return { why: 'hash_profile is of another service' }
    return token(type, { name, token: account.value, own, suiteOf })
  }
  return undefined
}

/** Our own writing alone: an expression without its language and test strings is nobody's to try. */
function wordsIn(pattern: string, own: Partial<OwnExtension>): FromPattern {
  const { kind, language, case_sensitive, whole_word, confusables, must_match, must_not_match } = own
  if (kind === undefined || language === undefined || case_sensitive === undefined || whole_word === undefined)
    return { why: 'words have kind, language, case_sensitive and whole_word' }
  if (must_match === undefined || must_not_match === undefined)
    return { why: 'words have test strings: must_match and must_not_match' }
  const bare = within(within(pattern, [case_sensitive ? '' : '(?i)', '']), whole_word ? ['\\b(?:', ')\\b'] : ['', ''])
  if (bare === undefined) return { why: 'the expression is not as case_sensitive and whole_word say' }
  const text = kind === 're2' ? bare : bare.replaceAll(/\\([\\^$.*+?()[\]{}|/-])/g, '$1')
  const asked = { kind, text, language, case_sensitive, whole_word, must_match, must_not_match }
  return {
    value: { type: 'keyword_pattern', pattern: { ...asked, ...(confusables === undefined ? {} : { confusables }) } },
  }
}

function within(text: string | undefined, [start, end]: readonly [string, string]): string | undefined {
  const isWithin = text?.startsWith(start) === true && text.endsWith(end) && text.length >= start.length + end.length
  return isWithin ? text?.slice(start.length, text.length - end.length) : undefined
}
