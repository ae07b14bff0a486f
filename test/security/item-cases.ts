import type { ErrorCode } from '../../src/kernel/errors.ts'
import { instantAt } from '../signals/factory.ts'
import { CANARY } from './world.ts'

export type Item = Record<string, unknown>
export type Kind = 'url' | 'email' | 'pattern' | 'tactic' | 'media'
/** A good item of a kind as the text that is sent instead. */
export type Change = (item: Item) => string

/** `secret`: what the answer may not repeat, beside the canary. */
export type ItemCase = readonly [
  what: string,
  kind: Kind,
  change: Change,
  code: ErrorCode,
  pointer: string,
  secret?: string,
]

const text =
  (change: (text: string) => string): Change =>
  (item) =>
    change(JSON.stringify(item))

/** Another value at a path of members. */
const set =
  (path: string, value: unknown): Change =>
  (item) => {
    const copy = structuredClone(item)
    const names = path.split('/')
    const last = names.pop() ?? ''
    let at = copy
    for (const name of names) at = at[name] as Item
    at[last] = value
    return JSON.stringify(copy)
  }

const member = (members: string): Change => text((one) => one.replace('"v":1', `${members},"v":1`))
const inDays = (n: number): string => instantAt(n * 86_400_000, new Date())
export const HELD = { region: 'FR', legal_basis: 'consent', surface: 'private' } as const
export const RETIRED = 'old-epoch'

const MAIL = 'fig.tree@mail.example'
const PHONE = '+353 20 910 1234'
const LINK = 'https://bad.example/b'
const CARD = '4929123456789012'

/** What two readers could see differently, or no reader expects. */
const SHAPE: readonly ItemCase[] = [
  ['no JSON', 'url', text((one) => one.slice(0, -1)), 'invalid-json', ''],
  ['a duplicate key', 'url', member('"v":1'), 'json-strict', '/v'],
  ['an escaped duplicate key', 'url', member('"\\u0076":1'), 'json-strict', '/v'],
  ['an address twice for a name', 'url', member(`"${MAIL}":1,"${MAIL}":1`), 'json-strict', '/?', MAIL],
  [
    'a number as a name of too much',
    'url',
    member(`"${PHONE}":"${'p'.repeat(4_097)}"`),
    'json-limit',
    '/?',
    '910 1234',
  ],
  ['a lone surrogate', 'url', member('"note":"\\ud800"'), 'json-strict', '/note'],
  ['an unsafe integer', 'url', member('"confidence":9007199254740993'), 'json-strict', '/confidence'],
  ['an unknown member', 'url', set('plover', CANARY), 'validation-failed', '/plover'],
  ['an address for a name', 'url', set(MAIL, 1), 'validation-failed', '/?', MAIL],
  ['an unknown member deep inside', 'url', set('context/plover', CANARY), 'validation-failed', '/context/plover'],
  ['no audience', 'url', set('audience', undefined), 'validation-failed', '/audience'],
  ['an unknown type', 'url', set('type', CANARY), 'validation-failed', '/type'],
  ['a type that objects inherit', 'url', set('type', 'toString'), 'validation-failed', '/type'],
  ['the type of another value', 'url', set('type', 'email'), 'validation-failed', '/value/kid'],
  ['nothing but an array', 'url', () => `["${CANARY}"]`, 'validation-failed', '/type'],
  ['a version to come', 'url', set('v', 2), 'validation-failed', '/v'],
  ['confidence above 100', 'url', set('confidence', 101), 'validation-failed', '/confidence'],
  ['a day that is none', 'url', set('observed_at', '2026-02-30T00:00:00Z'), 'validation-failed', '/observed_at'],
  ['an id that is none', 'url', set('signal', CANARY), 'validation-failed', '/signal'],
  [
    'nine levels',
    'url',
    set('value', JSON.parse(`${'['.repeat(9)}${']'.repeat(9)}`)),
    'json-limit',
    `/value${'/0'.repeat(7)}`,
  ],
]

/** A raw value where a token belongs, or where people write. */
const RAW: readonly ItemCase[] = [
  ['an e-mail address for a token', 'email', set('value/token', MAIL), 'raw-identifier', '/value/token', MAIL],
  ['a phone number for a token', 'email', set('value/token', PHONE), 'raw-identifier', '/value/token', '910 1234'],
  ['a link for a digest', 'url', set('value/sha256', LINK), 'raw-identifier', '/value/sha256', 'bad.example'],
  ['an address for an unknown member', 'url', set('plover', MAIL), 'raw-identifier', '/plover', MAIL],
  ['a token in capitals', 'email', set('value/token', 'AB12'.repeat(16)), 'validation-failed', '/value/token'],
  ['an e-mail address in a note', 'url', set('note', `ask ${MAIL} please`), 'raw-identifier', '/note', MAIL],
  ['a spelt-out address in a note', 'url', set('note', 'fig (at) mail.example'), 'raw-identifier', '/note', 'fig (at)'],
  ['a phone number in a note', 'url', set('note', `call ${PHONE}`), 'raw-identifier', '/note', '910 1234'],
  ['a handle in a note', 'url', set('note', 'it is @plover_quince'), 'raw-identifier', '/note', 'plover_quince'],
  ['a link in a step', 'tactic', set('value/steps', ['a', LINK]), 'raw-identifier', '/value/steps/1', 'bad.example'],
  [
    'an address in a pattern',
    'pattern',
    set('value/must_not_match', [MAIL, 'jay', 'wren']),
    'raw-identifier',
    '/value/must_not_match/0',
    MAIL,
  ],
  [
    'a card in a legal basis',
    'url',
    set('context/legal_basis', `basis_${CARD}`),
    'raw-identifier',
    '/context/legal_basis',
    CARD,
  ],
]

/** What the programme's rules refuse. */
const RULES: readonly ItemCase[] = [
  ['an unknown taxonomy version', 'url', set('taxonomy', 2), 'taxonomy-unknown', '/category'],
  ['an unknown category', 'url', set('category', 'finchwood'), 'taxonomy-unknown', '/category', 'finchwood'],
  ['a category that objects inherit', 'url', set('category', 'constructor'), 'taxonomy-unknown', '/category'],
  ['a category that needs a note', 'url', set('category', 'other'), 'validation-failed', '/note'],
  ['red to the whole programme', 'url', set('tlp', 'red'), 'tlp-refused', '/tlp'],
  ['an identifier without restriction', 'email', set('tlp', 'clear'), 'tlp-refused', '/tlp'],
  ['a life beyond the maximum', 'url', set('expires_at', inDays(366)), 'retention-exceeded', '/expires_at'],
  ['an end in the past', 'url', set('expires_at', inDays(-1)), 'validation-failed', '/expires_at'],
  ['something seen tomorrow', 'url', set('observed_at', inDays(1)), 'validation-failed', '/observed_at'],
  ['an unknown epoch', 'email', set('value/kid', 'finchwood'), 'hash-profile-unknown', '/value/kid', 'finchwood'],
  ['an epoch that objects inherit', 'email', set('value/kid', 'constructor'), 'hash-profile-unknown', '/value/kid'],
  ['a retired epoch', 'email', set('value/kid', RETIRED), 'hash-profile-retired', '/value/kid', RETIRED],
  ['the profile of another type', 'email', set('value/profile', 'phone/1'), 'hash-profile-unknown', '/value/profile'],
  ['a held collection context', 'url', set('context', HELD), 'collection-held', '/context'],
  ['a pattern that fits everything', 'pattern', set('value/text', 'a'), 'pattern-literals', '/value/text'],
  [
    'the digest of nothing',
    'media',
    set('value/hash', '0'.repeat(64)),
    'suppressed-value',
    '/value/hash',
    '0'.repeat(64),
  ],
  ['a first revision that follows one', 'url', set('prev', 'A'.repeat(43)), 'revision-conflict', '/revision'],
  ['a later revision of nothing', 'url', set('revision', 2), 'revision-conflict', '/revision'],
]

export const CASES: readonly ItemCase[] = [...SHAPE, ...RAW, ...RULES]
