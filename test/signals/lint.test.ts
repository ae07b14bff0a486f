import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import {
  judgeSignal,
  judgeWithdrawal,
  keyProfile,
  leafOf,
  mediaKey,
  type SignalRules,
  signalKey,
} from '../../src/signals/lint.ts'
import { RELATION, SIGNAL_TYPE, type SignalType, WITHDRAWAL_REASON } from '../../src/signals/schema.ts'
import {
  AUDIENCE,
  aDigest,
  anItem,
  aWithdrawal,
  type Change,
  DAY,
  idOf,
  instantAt,
  NOON,
  rulesFor,
  sha,
  textOf,
  VALUES,
} from './factory.ts'

const TYPES = Object.keys(SIGNAL_TYPE) as SignalType[]
/** Types that are read from a feed alone. */
const UNSOUGHT: ReadonlySet<SignalType> = new Set<SignalType>(['keyword_pattern', 'tactic', 'relation'])

const judge = (text: string, rules: SignalRules = rulesFor()) =>
  judgeSignal(text, { participant: 'apple', rules, now: NOON })

/** Code and pointer of a refusal, or that there is none. */
function fault(item: unknown, rules?: SignalRules): string {
  const judged = judge(textOf(item), rules)
  return judged.outcome === 'refused' ? `${judged.code} ${judged.pointer}` : 'accepted'
}

const value = (type: SignalType, change: Change): Change => ({ value: { ...VALUES[type](aDigest()), ...change } })

describe('a signal', () => {
  test.for(TYPES)('of type %s is accepted as it was signed', (type) => {
    const item = anItem({}, type)
    expect(judge(textOf(item))).toEqual({ outcome: 'accepted', item })
  })
  test('may name its predecessor and carry a note', () => {
    expect(fault(anItem({ revision: 2, prev: 'A'.repeat(43), note: 'a short note' }))).toBe('accepted')
  })
})

describe('strict JSON', () => {
  const text = textOf(anItem())
  test.for([
    ['no JSON', 'apple', 'invalid-json', ''],
    ['nothing', '', 'invalid-json', ''],
    ['two documents', `${text}${text}`, 'invalid-json', ''],
    ['a name twice', text.replace('{', '{"tlp":"green",'), 'json-strict', '/tlp'],
    ['a name twice, deeper', text.replace('"region"', '"region":"FR","region"'), 'json-strict', '/context/region'],
    ['an escaped name twice', text.replace('{', '{"t\\u006cp":"green",'), 'json-strict', '/tlp'],
    ['a lone surrogate', text.replace('"grooming"', '"\\ud83c"'), 'json-strict', '/category'],
    [
      'a number that a double cannot hold',
      text.replace('"revision":1', '"revision":9007199254740993'),
      'json-strict',
      '/revision',
    ],
    ['nine levels', `{"type":${'['.repeat(8)}${']'.repeat(8)}}`, 'json-limit', '/type/0/0/0/0/0/0/0'],
    ['a __proto__', text.replace('{', '{"__proto__":{},'), 'validation-failed', '/__proto__'],
    ['a list', '[]', 'validation-failed', '/type'],
    ['null', 'null', 'validation-failed', '/type'],
  ] as const)('%s is refused where it is', ([, given, code, pointer]) => {
    expect(judge(given)).toMatchObject({ outcome: 'refused', code, pointer })
  })
  test('of anything at all is judged and never thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (given) => {
        expect(judge(given).outcome).toBe('refused')
        expect(judgeWithdrawal(given).outcome).toBe('refused')
      }),
      { numRuns: 300 },
    )
  })
})

describe('the shape of the type', () => {
  const members = Object.keys(anItem())
  test.for(members.filter((name) => name !== 'type'))('without %s is refused there', (name) => {
    expect(fault(anItem({ [name]: undefined }))).toBe(`validation-failed /${name}`)
  })
  test('without a type, or of an unknown one, is refused there', () => {
    for (const type of [undefined, 'constructor', 'toString', 'URL', 7, ['url']])
      expect(fault(anItem({ type }))).toBe('validation-failed /type')
  })
  test.for([
    [{ extra: 1 }, '/extra'],
    [{ context: { ...anItem().context, city: 'Bremen' } }, '/context/city'],
    [value('url', { link: 'x' }), '/value/link'],
    [value('url', { sha256: 'A'.repeat(64) }), '/value/sha256'],
    [value('url', { sha256: 'a'.repeat(63) }), '/value/sha256'],
    [value('url', { scope: { host: 'any', path: 'exact' } }), '/value/scope/host'],
    [{ v: 2 }, '/v'],
    [{ signal: 'not-a-uuid' }, '/signal'],
    [{ signal: 'ABCDEF00-0000-7000-8000-000000000000' }, '/signal'],
    [{ revision: 0 }, '/revision'],
    [{ revision: 1.5 }, '/revision'],
    [{ revision: '1' }, '/revision'],
    [{ prev: 'A'.repeat(42) }, '/prev'],
    [{ prev: `${'A'.repeat(42)}B` }, '/prev'],
    [{ tlp: 'AMBER' }, '/tlp'],
    [{ taxonomy: 0 }, '/taxonomy'],
    [{ note: '' }, '/note'],
    [{ note: 'n'.repeat(501) }, '/note'],
    [{ severity: 'severe' }, '/severity'],
    [{ confidence: 101 }, '/confidence'],
    [{ confidence: -1 }, '/confidence'],
    [{ basis: 'guessed' }, '/basis'],
    [{ context: { region: 'de', legal_basis: 'terms', surface: 'public' } }, '/context/region'],
    [{ handling: 'delete_account' }, '/handling'],
    [{ observed_at: '2026-02-28' }, '/observed_at'],
    [{ observed_at: '2026-02-28T12:00:00+01:00' }, '/observed_at'],
    [{ expires_at: '2026-03-11T12:00:00.5Z' }, '/expires_at'],
  ] as const)('with %j is refused there', ([change, pointer]) => {
    expect(fault(anItem(change as Change))).toBe(`validation-failed ${pointer}`)
  })
  test('names a member only if it looks like a name', () => {
    expect(fault(anItem({ 'jay@birds.example': 1 }))).toBe('validation-failed /?')
  })
  test('of another type is not taken for its own', () => {
    for (const type of TYPES) {
      const other = type === 'url' || type === 'domain' ? 'email' : 'url'
      expect(fault(anItem({ value: VALUES[other](aDigest()) }, type))).toMatch(/^validation-failed \/value/)
    }
  })
})

describe('time', () => {
  test.for([
    [{ observed_at: instantAt(300_000) }, 'accepted'],
    [{ observed_at: instantAt(301_000) }, 'validation-failed /observed_at'],
    [{ observed_at: '2025-02-30T12:00:00Z' }, 'validation-failed /observed_at'],
    [{ expires_at: instantAt(1_000) }, 'accepted'],
    [{ expires_at: instantAt(0) }, 'validation-failed /expires_at'],
    [{ expires_at: '2026-04-31T12:00:00Z' }, 'validation-failed /expires_at'],
    [{ expires_at: instantAt(90 * DAY + 300_000) }, 'accepted'],
    [{ expires_at: instantAt(90 * DAY + 301_000) }, 'retention-exceeded /expires_at'],
  ] as const)('of %j: %s', ([change, outcome]) => {
    expect(fault(anItem(change))).toBe(outcome)
  })
  test('has the maximum of its type', () => {
    const rules = rulesFor({ retentionDays: (type) => (type === 'tactic' ? 20 : 40) })
    expect(fault(anItem({ expires_at: instantAt(30 * DAY) }, 'email'), rules)).toBe('accepted')
    expect(fault(anItem({ expires_at: instantAt(30 * DAY) }, 'tactic'), rules)).toBe('retention-exceeded /expires_at')
  })
})

test('a refusal says what to do where its code does not', () => {
  expect(judge(textOf(anItem({ expires_at: instantAt(200 * DAY) })))).toHaveProperty('detail')
  expect(judge(textOf(anItem({ audience: idOf(9) })))).not.toHaveProperty('detail')
})

describe('the rules of the programme', () => {
  test.for([
    ['an unknown taxonomy', { taxonomy: 2 }, 'taxonomy-unknown /category'],
    ['an unknown category', { category: 'weather' }, 'taxonomy-unknown /category'],
    ['a category that needs a note', { category: 'other' }, 'validation-failed /note'],
    ['that category with its note', { category: 'other', note: 'flight plans' }, 'accepted'],
    ['an audience it may not share with', { audience: idOf(9) }, 'audience-unknown /audience'],
  ] as const)('%s: %s', ([, change, outcome]) => {
    expect(fault(anItem(change))).toBe(outcome)
  })
  test('a level that the audience does not carry is refused at the level', () => {
    expect(fault(anItem(), rulesFor({ shareRefusal: () => 'tlp-refused' }))).toBe('tlp-refused /tlp')
  })
  test('a collection context that is held is refused as a whole', () => {
    const rules = rulesFor({ held: ({ region, surface }) => region === 'DE' && surface === 'private' })
    const context = { region: 'DE', legal_basis: 'terms_of_service', surface: 'private' }
    expect(fault(anItem({ context }), rules)).toBe('collection-held /context')
    expect(fault(anItem(), rules)).toBe('accepted')
  })
  test('are asked about the source that submits and the item it signed', () => {
    const asked: unknown[] = []
    const item = anItem()
    judge(textOf(item), rulesFor({ shareRefusal: (...of) => void asked.push(of) }))
    expect(asked).toEqual([['apple', item]])
  })
})

describe('a value', () => {
  test.for([
    ['url', { profile: 'domain/1' }, 'hash-profile-unknown /value/profile'],
    ['domain', { profile: 'url/1' }, 'hash-profile-unknown /value/profile'],
    ['email', { profile: 'email-provider/1' }, 'accepted'],
    ['email', { profile: 'phone/1' }, 'hash-profile-unknown /value/profile'],
    ['phone', { profile: 'email/1' }, 'hash-profile-unknown /value/profile'],
    ['username', { profile: 'username-skeleton/1:birdsong' }, 'accepted'],
    ['username', { profile: 'username/1' }, 'hash-profile-unknown /value/profile'],
    ['account_id', { profile: 'username/1:birdsong' }, 'hash-profile-unknown /value/profile'],
    ['payment_handle', { profile: 'account-id/1:birdsong' }, 'hash-profile-unknown /value/profile'],
    ['ip', { profile: 'ip/1:birdsong' }, 'hash-profile-unknown /value/profile'],
    ['email', { kid: 'autumn' }, 'hash-profile-unknown /value/kid'],
    ['email', { kid: 'winter' }, 'hash-profile-retired /value/kid'],
    ['email', { profile: 'email/2' }, 'validation-failed /value/profile'],
    ['media_hash', { hash: 'ab' }, 'validation-failed /value/hash'],
    // Whether a pattern is safe is found out apart, in a thread of its own.
    ['keyword_pattern', { kind: 're2', text: '(?=a)bcd' }, 'accepted'],
    ['keyword_pattern', { confusables: true }, 'accepted'],
    ['keyword_pattern', { confusables: 'yes' }, 'validation-failed /value/confusables'],
  ] as const)('of %s with %j: %s', ([type, change, outcome]) => {
    expect(fault(anItem(value(type, change), type))).toBe(outcome)
  })
})

describe('a pattern', () => {
  const strings = (n: number, of: string) => Array.from({ length: n }, (_, i) => `${of} ${i}`)
  const tried = (change: Change) => fault(anItem(value('keyword_pattern', change), 'keyword_pattern'))
  test.for([3, 50])('is tried on %i different strings of each kind', (n) => {
    expect(tried({ must_match: strings(n, 'blue kite'), must_not_match: strings(n, 'jay') })).toBe('accepted')
  })
  test.for(['must_match', 'must_not_match'])(
    'is refused with fewer than 3, more than 50, or one twice in %s',
    (kind) => {
      const of = kind === 'must_match' ? 'blue kite' : 'jay'
      for (const few of [[], strings(2, of), strings(51, of), [...strings(2, of), `${of} 0`]])
        expect(tried({ [kind]: few })).toBe(`validation-failed /value/${kind}`)
    },
  )
})

describe('a suppressed value', () => {
  const by = (refuse: boolean) => rulesFor({ suppressed: () => ({ list: 'common-fruit', refuse }) })
  const judged = (type: SignalType, refuse: boolean) =>
    judgeSignal(textOf(anItem(value(type, {}), type)), { participant: idOf(2), rules: by(refuse), now: NOON })
  test.for([
    ['media_hash', '/value/hash'],
    ['url', '/value/sha256'],
    ['domain', '/value/sha256'],
  ] as const)('of %s is refused there, or taken with a warning, as its list says', ([type, pointer]) => {
    expect(judged(type, true)).toMatchObject({ outcome: 'refused', code: 'suppressed-value', pointer })
    expect(judged(type, false)).toMatchObject({
      outcome: 'accepted',
      warning: 'on the suppression list common-fruit',
    })
  })
})

describe('a relation', () => {
  const related = (change: Change) => fault(anItem({ signal: idOf(9), ...value('relation', change) }, 'relation'))
  test.for(RELATION)('says that one signal %s another', (relation) => {
    expect(related({ relation })).toBe('accepted')
  })
  test.for([
    [{ to: idOf(1_001) }, '/value/to'],
    [{ from: idOf(9) }, '/value'],
    [{ to: idOf(9) }, '/value'],
    [{ relation: 'knows' }, '/value/relation'],
    [{ from: 'x' }, '/value/from'],
  ] as const)('with %j is refused there', ([change, pointer]) => {
    expect(related(change)).toBe(`validation-failed ${pointer}`)
  })
})

describe('what looks raw', () => {
  test.for([
    [{ note: 'write to jay@birds.example.org' }, '/note'],
    [{ note: 'seen as @bluejay' }, '/note'],
    [{ note: 'see https://birds.example/nest' }, '/note'],
    [{ note: 'call +1 202 555 0123' }, '/note'],
    [{ note: 'account 123456789' }, '/note'],
    [{ note: 'write to jay@birds\u3002example' }, '/note'],
    [{ note: '\u4f8b\u3048\u3002\u307f\u3093\u306a/join' }, '/note'],
    [{ note: '\u898b\u3066 \u4f8b\u3048\uff61\u307f\u3093\u306a/join' }, '/note'],
    [{ note: 'write to jay@\u9ce5\uff61\u4f8b\u3048' }, '/note'],
    [{ note: 'see birds\uff61example/nest' }, '/note'],
  ] as const)('is refused in %j', ([change, pointer]) => {
    expect(fault(anItem(change))).toBe(`raw-identifier ${pointer}`)
  })
  test('is no sentence that ends before words with a slash', () => {
    expect(fault(anItem({ note: '\u9ce5\u3067\u3059\u3002PDF/\u5199\u771f' }))).toBe('accepted')
    expect(fault(anItem({ note: '\u9ce5\u3067\u3059\u3002\u753b\u50cf/PDF' }))).toBe('accepted')
    expect(fault(anItem({ note: '\u9ce5\u3067\u3059\u3002\u4e2d\u56fd/\u65e5\u672c' }))).toBe('accepted')
  })
  test('is refused in each string of a tactic and of a pattern', () => {
    const raw = 'jay@birds.example.org'
    for (const [name, at] of [
      ['title', ''],
      ['steps', '/1'],
      ['lures', '/1'],
      ['detection', '/1'],
    ] as const) {
      const change = name === 'title' ? { title: raw } : { [name]: ['harmless', raw] }
      expect(fault(anItem(value('tactic', change), 'tactic'))).toBe(`raw-identifier /value/${name}${at}`)
    }
    const pattern = value('keyword_pattern', { must_not_match: ['blue sky', raw, 'jay'] })
    expect(fault(anItem(pattern, 'keyword_pattern'))).toBe('raw-identifier /value/must_not_match/1')
  })
  test('is never repeated in the refusal', () => {
    const judged = judge(textOf(anItem({ note: 'write to jay@birds.example.org' })))
    expect(JSON.stringify(judged)).not.toContain('jay')
  })
})

describe('a withdrawal', () => {
  test.for(WITHDRAWAL_REASON)('for the reason %s is accepted', (reason) => {
    const item = aWithdrawal({ reason })
    expect(judgeWithdrawal(textOf(item))).toEqual({ outcome: 'accepted', item })
  })
  test.for([
    [{ revision: 1 }, '/revision'],
    [{ prev: undefined }, '/prev'],
    [{ prev: `${'A'.repeat(42)}B` }, '/prev'],
    [{ reason: 'none' }, '/reason'],
    [{ note: 'x' }, '/note'],
    [{ signal: 'x' }, '/signal'],
    [{ v: 2 }, '/v'],
  ] as const)('with %j is refused there', ([change, pointer]) => {
    const judged = judgeWithdrawal(textOf(aWithdrawal(change)))
    expect(judged).toMatchObject({ outcome: 'refused', code: 'validation-failed', pointer })
  })
  test('is strict JSON', () => {
    const judged = judgeWithdrawal(textOf(aWithdrawal()).replace('{', '{"reason":"legal",'))
    expect(judged).toMatchObject({ code: 'json-strict', pointer: '/reason' })
  })
  test('is no signal, nor a signal a withdrawal', () => {
    expect(fault(aWithdrawal())).toBe('validation-failed /type')
    expect(judgeWithdrawal(textOf(anItem())).outcome).toBe('refused')
  })
})

describe('the key of a signal', () => {
  test('is its 32 bytes where the value has 32', () => {
    const digest = sha('apple')
    for (const type of TYPES.filter((one) => !UNSOUGHT.has(one)))
      expect(toHex(signalKey(sha256, anItem({ value: VALUES[type](digest) }, type))), type).toBe(digest)
  })
  test('of a media hash of another length is a digest of algorithm and hash', () => {
    const md5 = 'ab'.repeat(16)
    const item = anItem({ value: { algorithm: 'md5', hash: md5 } }, 'media_hash')
    expect(toHex(signalKey(sha256, item))).toBe(sha(`md5\0${md5}`))
    expect(toHex(mediaKey(sha256, 'video_md5', md5))).not.toBe(sha(`md5\0${md5}`))
  })
  test('of a pattern or tactic names the signal, since nobody looks it up', () => {
    for (const type of ['keyword_pattern', 'tactic'] as const) {
      const item = anItem({ signal: idOf(5) }, type)
      expect(toHex(signalKey(sha256, item))).toBe(toHex(sha256(utf8(`${type}\0${idOf(5)}`))))
    }
  })
  test('of a relation is made of all that it states, so that no revision states another', () => {
    const keyOf = (change: Change = {}, signal = idOf(5)) =>
      toHex(signalKey(sha256, anItem({ signal, ...value('relation', change) }, 'relation')))
    const { relation, from, to } = VALUES.relation('')
    expect(keyOf()).toBe(sha(`relation\0${relation}\0${from}\0${to}`))
    expect(keyOf({}, idOf(6))).toBe(keyOf())
    for (const change of [{ relation: 'pays' }, { from: idOf(7) }, { to: idOf(7) }, { from: to, to: from }])
      expect(keyOf(change)).not.toBe(keyOf())
  })
  test('is told from keys of another kind by profile and key epoch', () => {
    expect(TYPES.map((type) => keyProfile(anItem({}, type)))).toEqual([
      ...['url/1', 'domain/1', 'email/1@spring', 'phone/1@spring', 'username/1:birdsong@spring'],
      ...['account-id/1:birdsong@spring', 'payment/1:nestbank@spring', 'ip/1@spring', 'keyword_pattern'],
      ...['sha256', 'tactic', 'relation'],
    ])
  })
  test('that is no 32 bytes of hex was not linted', () => {
    const item = anItem({ value: { ...VALUES.url('ab'), sha256: 'ab' } })
    expect(() => signalKey(sha256, item)).toThrow(TypeError)
  })
})

test('a leaf is read as it is written, and its absence kept', () => {
  expect(leafOf(undefined)).toBeUndefined()
  expect(leafOf('A'.repeat(43))).toEqual(fromHex('00'.repeat(32)))
})

test('the audience of the factory is one that the rules know', () => {
  expect(rulesFor().shareRefusal('apple', anItem())).toBeUndefined()
  expect(anItem().audience).toBe(AUDIENCE)
})
