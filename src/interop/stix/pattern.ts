import type { SignalItem } from '../../signals/schema.ts'
import { EXTENSION } from './ids.ts'

/** How tokens of a key epoch are named among hashes; undefined where the epoch is not known. */
export type SuiteOf = (kid: string) => string | undefined

/** The name of a suite among hashes. */
export const ALGORITHM: Readonly<Record<string, string>> = {
  'oprf-ristretto255-sha512': 'OPRF-R255-SHA512',
  'hmac-sha256': 'HMAC-SHA-256',
}

export interface Pattern {
  pattern: string
  pattern_type: 'stix' | 'pcre'
  /** What the pattern cannot say, for the extension. */
  says: Readonly<Record<string, unknown>>
}

/** What the indicator of a signal looks for; undefined where STIX has no pattern for it. */
export function patternOf(item: SignalItem, suiteOf: SuiteOf): Pattern | undefined {
  if (item.type === 'url' || item.type === 'domain') return linkPattern(item)
  if (item.type === 'media_hash') return mediaPattern(item)
  if (item.type === 'keyword_pattern') return wordsPattern(item)
  if (item.type === 'tactic' || item.type === 'relation') return undefined
  return tokenPattern(item, suiteOf)
}

/** In a string of a pattern nothing but quote and backslash is escaped (STIX 2.1 section 9.2). */
export const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`

const OBJECT = { url: 'url', domain: 'domain-name' } as const

function linkPattern({ type, value }: Extract<SignalItem, { type: 'url' | 'domain' }>): Pattern {
  const pattern = `[${OBJECT[type]}:${own('value_hashes', 'SHA-256')} = ${quoted(value.sha256)}]`
  return { pattern, pattern_type: 'stix', says: { hash_profile: value.profile, scope: value.scope } }
}

const OURS = `extensions.${quoted(EXTENSION)}`
const own = (member: string, algorithm: string): string => `${OURS}.${member}.${quoted(algorithm)}`

type Identifier = Extract<SignalItem, { value: { token: string } }>

/** Of an address a token does not tell which version it is. */
const TOKENED: Readonly<Record<Identifier['type'], readonly (readonly [object: string, member: string])[]>> = {
  email: [['email-addr', 'value_hashes']],
  ip: [
    ['ipv4-addr', 'value_hashes'],
    ['ipv6-addr', 'value_hashes'],
  ],
  phone: [['user-account', 'phone_hashes']],
  payment_handle: [['user-account', 'payment_hashes']],
  username: [['user-account', 'account_login_hashes']],
  account_id: [['user-account', 'user_id_hashes']],
}

function tokenPattern({ type, value }: Identifier, suiteOf: SuiteOf): Pattern | undefined {
  const { profile, kid, token } = value
  const algorithm = ALGORITHM[suiteOf(kid) ?? '']
  if (algorithm === undefined) return undefined
  const platform = profile.split(':')[1]
  const account =
    platform === undefined || type === 'payment_handle' ? '' : `user-account:account_type = ${quoted(platform)} AND `
  const tests = TOKENED[type].map(([object, member]) => `${object}:${own(member, algorithm)} = ${quoted(token)}`)
  const says = { hash_profile: profile, key_id: kid, ...(platform === undefined ? {} : { platform }) }
  return { pattern: `[${account}${tests.join(' OR ')}]`, pattern_type: 'stix', says }
}

type Media = Extract<SignalItem, { type: 'media_hash' }>

const FILE_HASH: Readonly<Record<Media['value']['algorithm'], string>> = {
  ...{ pdq: 'PDQ', photodna: 'PHOTODNA', tmk: 'TMK', vpdq: 'VPDQ' },
  ...{ md5: 'MD5', sha1: quoted('SHA-1'), sha256: quoted('SHA-256'), video_md5: 'MD5' },
}
const VIDEO: ReadonlySet<string> = new Set(['tmk', 'vpdq', 'video_md5'])
const PDQ_DISTANCE = 31

function mediaPattern({ value: { algorithm, hash } }: Media): Pattern {
  const near = algorithm === 'pdq' ? { pdq_max_distance: PDQ_DISTANCE } : {}
  const media = VIDEO.has(algorithm) ? { media: 'video' } : {}
  const says = { hash_profile: algorithm, ...media, ...near }
  return { pattern: `[file:hashes.${FILE_HASH[algorithm]} = ${quoted(hash)}]`, pattern_type: 'stix', says }
}

function wordsPattern({ value }: Extract<SignalItem, { type: 'keyword_pattern' }>): Pattern {
  const { kind, text, language, case_sensitive, whole_word, confusables, must_match, must_not_match } = value
  const expression = kind === 're2' ? text : text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  const bounded = whole_word ? `\\b(?:${expression})\\b` : expression
  return {
    pattern: case_sensitive ? bounded : `(?i)${bounded}`,
    pattern_type: 'pcre',
    says: {
      ...{ regex_dialect: 're2', kind, language, case_sensitive, whole_word, must_match, must_not_match },
      ...(confusables === undefined ? {} : { confusables }),
    },
  }
}
