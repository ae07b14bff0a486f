import { createHash } from 'node:crypto'
import { concat, fromBase64Url, toBase64Url, u32, utf8 } from '../../src/kernel/bytes.ts'
import { derivedId, newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalRules } from '../../src/signals/lint.ts'
import type { SignalItem, SignalType, WithdrawalItem } from '../../src/signals/schema.ts'
import { importJwk, itemLeaf, type SaltedItem, type SigningAlg, type SigningKey } from '../../src/signals/submission.ts'
import { aSigner } from '../participants/keys.ts'

export const NOON = new Date('2026-03-01T12:00:00Z')
export const DAY = 86_400_000
export const ORIGIN = 'https://node.example.org'
export const PROGRAMME = 'orchard'
export const uriOf = (slug: string): string => `spiffe://orchard.example/participant/${slug}`

/** RFC 3339 to the second, so many milliseconds after noon. */
export const instantAt = (ms: number, from: Date = NOON): string =>
  `${new Date(from.getTime() + ms).toISOString().slice(0, 19)}Z`

export const sha = (text: string): string => createHash('sha256').update(text).digest('hex')

let made = 0

/** A token, digest or key of 32 bytes that nothing else in this process has. */
export function aDigest(): string {
  made += 1
  return sha(`fruit ${made}`)
}

/** An id of the test's own, the same in each run. */
export const idOf = (n: number): Uuid => derivedId(concat(new Uint8Array(12), u32(n)))

export const AUDIENCE = idOf(1)

type ValueOf<T extends SignalType> = Extract<SignalItem, { type: T }>['value']

/** A value of each type that the linter takes; 32 bytes of it are given. */
export const VALUES: { readonly [T in SignalType]: (digest: string) => ValueOf<T> } = {
  url: (sha256) => ({ profile: 'url/1', sha256, scope: { host: 'exact', path: 'exact' } }),
  domain: (sha256) => ({ profile: 'domain/1', sha256, scope: { host: 'suffix', path: 'root' } }),
  email: (token) => ({ profile: 'email/1', kid: 'spring', token }),
  phone: (token) => ({ profile: 'phone/1', kid: 'spring', token }),
  username: (token) => ({ profile: 'username/1:birdsong', kid: 'spring', token }),
  account_id: (token) => ({ profile: 'account-id/1:birdsong', kid: 'spring', token }),
  payment_handle: (token) => ({ profile: 'payment/1:nestbank', kid: 'spring', token }),
  ip: (token) => ({ profile: 'ip/1', kid: 'spring', token }),
  keyword_pattern: () => ({
    ...{ kind: 'literal', text: 'blue kite', language: 'en', case_sensitive: false, whole_word: false },
    must_match: ['the Blue Kite sings', 'blue kite', 'blue kites'],
    must_not_match: ['the blue sky', 'kite', 'blue  kite'],
  }),
  media_hash: (hash) => ({ algorithm: 'sha256', hash }),
  tactic: () => ({
    ...{ title: 'A nest that moves', steps: ['greets in public', 'moves elsewhere'], surfaces: ['chat'] },
    ...{ lures: ['free seed'], payment_rails: ['gift_card'], detection: ['many first greetings in an hour'] },
  }),
  relation: () => ({ relation: 'same_operator', from: idOf(1_001), to: idOf(1_002) }),
}

/** Anything about an item that a test wants otherwise; `undefined` takes a member away. */
export type Change = Readonly<Record<string, unknown>>

/** A signal that the rules of `rulesFor` accept. */
export function anItem<T extends SignalType = 'url'>(
  change: Change = {},
  type: T = 'url' as T,
): Extract<SignalItem, { type: T }> {
  const item = {
    ...{ v: 1, type, signal: newId(NOON), revision: 1, audience: AUDIENCE, tlp: 'amber', taxonomy: 1 },
    ...{ category: 'grooming', severity: 'high', confidence: 80, basis: 'human_reviewed' },
    context: { region: 'DE', legal_basis: 'terms_of_service', surface: 'public' },
    ...{
      handling: 'review',
      observed_at: instantAt(-DAY),
      expires_at: instantAt(30 * DAY),
      value: VALUES[type](aDigest()),
    },
    ...change,
  }
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as never
}

export const aWithdrawal = (change: Change = {}): WithdrawalItem =>
  ({
    ...{ v: 1, signal: newId(NOON), revision: 2, prev: toBase64Url(new Uint8Array(32)), reason: 'mistaken' },
    ...change,
  }) as WithdrawalItem

/** The bytes of an item as a source may write them. */
export const textOf = (item: unknown): string => JSON.stringify(item)

/** What the next revision names as `prev`. */
export function leafText({ salt, item }: SaltedItem): string {
  return toBase64Url(itemLeaf(fromBase64Url(salt) ?? new Uint8Array(0), item))
}

/** The rules of a programme that refuses nothing of `anItem`; a test says what is otherwise. */
export const rulesFor = (change: Partial<SignalRules> = {}): SignalRules => ({
  category: (taxonomy, slug) => (taxonomy === 1 && slug !== 'weather' ? { needs_note: slug === 'other' } : undefined),
  retentionDays: () => 90,
  shareRefusal: (_, { audience }) => (audience === AUDIENCE ? undefined : 'audience-unknown'),
  hashProfile: (kid) => ({ spring: 'active' as const, winter: 'retired' as const })[kid],
  held: () => false,
  suppressed: () => undefined,
  ...change,
})

export interface TestKey {
  signing: SigningKey
  verifying: { alg: SigningAlg; key: ReturnType<typeof importJwk> }
}

/** A source's signing key and what others know of it. */
export function aKey(alg: SigningAlg = 'Ed25519'): TestKey {
  const { kid, jwk, sign } = aSigner(alg)
  return {
    signing: { kid, alg, sign: async (data) => fromBase64Url(sign(data)) ?? new Uint8Array(0) },
    verifying: { alg, key: importJwk(jwk) },
  }
}

/** Text of any JSON value as base64url, as JWS parts are. */
export const encoded = (value: unknown): string =>
  toBase64Url(utf8(typeof value === 'string' ? value : JSON.stringify(value)))

export const decoded = (part: string): string => Buffer.from(part, 'base64url').toString()

/** What a call refused, as an assertion reads it. */
export function refusalOf(work: () => unknown): { code: unknown; pointer?: unknown } {
  try {
    work()
  } catch (error) {
    const { code, errors } = error as { code?: unknown; errors?: readonly { pointer: string }[] }
    return errors?.[0] === undefined ? { code } : { code, pointer: errors[0].pointer }
  }
  return { code: 'nothing' }
}
