import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { knownCode } from '../../../src/bridge/foreign/named.ts'
import { OUTCOME } from '../../../src/feedback/schema.ts'
import { fromPattern } from '../../../src/interop/stix/from-pattern.ts'
import { algorithmOf, saidBy as valueSaid } from '../../../src/interop/stopncii/words.ts'
import { fromThreat, valueIn } from '../../../src/interop/threatexchange/from-threat.ts'
import { descriptorId, numberOf, signalIn } from '../../../src/interop/threatexchange/numbers.ts'
import { isForPython } from '../../../src/interop/threatexchange/python-pattern.ts'
import { OUTCOME_OF, REACTION_OF, saidBy } from '../../../src/interop/threatexchange/reaction.ts'
import { HASH_TYPE, toThreat } from '../../../src/interop/threatexchange/to-threat.ts'
import { newId } from '../../../src/kernel/ids.ts'
import { MEDIA_ALGORITHM, type SignalItem } from '../../../src/signals/schema.ts'
import { anItem, sha, VALUES } from '../../signals/factory.ts'

const X = sha('pear')
const words = (change: object) =>
  toThreat(anItem({ value: { ...VALUES.keyword_pattern(X), ...change } }, 'keyword_pattern'))
const trend = (term: string) => ({ type: 'TREND_QUERY', indicator: JSON.stringify({ and: [{ or: [term] }], not: [] }) })

describe('out', () => {
  test('each hash has its type, and one without says so by a tag', () => {
    for (const algorithm of MEDIA_ALGORITHM) {
      const threat = toThreat(anItem({ value: { algorithm, hash: X } }, 'media_hash'))
      const type = HASH_TYPE[algorithm]
      expect(threat).toMatchObject({ type: type ?? 'DEBUG_STRING', indicator: X })
      if (type === undefined)
        expect(threat).toMatchObject({ tags: expect.arrayContaining([`signal_type:${algorithm}`]) })
    }
  })
  test('what is hashed with us stays hashed, under a name of ours', () => {
    expect(toThreat(anItem({ value: VALUES.url(X) }))).toMatchObject({
      type: 'DEBUG_STRING',
      indicator: `sha256:url/1:${X}`,
    })
    const email = toThreat(anItem({ value: VALUES.email(X), tlp: 'amber+strict' }, 'email'))
    expect(email).toMatchObject({ indicator: `v1:email/1:spring:${X}` })
    expect(email).toHaveProperty('tags', [
      ...['signal_type:aldis_email', 'aldis_category:grooming', 'aldis_context:DE/terms_of_service/public'],
      'tlp_amber_strict',
    ])
  })
  test('words: as they are where the client looks at them so, else as an expression, else not at all', () => {
    expect(words({ case_sensitive: true, whole_word: true })).toMatchObject(trend('blue kite'))
    expect(words({ text: 'a.b' })).toMatchObject(trend('regex-/(?i)a\\.b/'))
    expect(words({ kind: 're2', text: 'ki+te', case_sensitive: true, whole_word: true })).toMatchObject(
      trend('regex-/\\b(?:ki+te)\\b/'),
    )
    expect(words({ kind: 're2', text: '\\p{Greek}+' })).toEqual({ withheld: 'pattern-foreign' })
    expect(words({ confusables: true })).toEqual({ withheld: 'pattern-foreign' })
  })
  test('what is for people has no form', () => {
    expect(toThreat(anItem({}, 'tactic'))).toEqual({ withheld: 'no-form' })
    expect(toThreat(anItem({}, 'relation'))).toEqual({ withheld: 'no-form' })
  })
  test.each([
    '\\pL',
    '\\p{Lu}',
    '\\P{L}',
    'a\\z',
    '\\Qa.b\\E',
    '\\C',
    '\\x{1F600}',
    '[[:alpha:]]',
    '(?i)a',
    '(?P<n>a)',
    '(a+)+',
    '(?:a|b)*',
    '(ab){2,9}',
    'a*b*c*d*',
    'a++',
  ])('an expression that Python takes otherwise, or dies of: %s', (text) => {
    expect(isForPython(text)).toBe(false)
  })
  test.each(['kites?', 'a(?:b|c)d', 'ki+te \\d{2,4}', '[a-z]+@x', '\\bwren\\b'])('one that it takes: %s', (text) => {
    expect(isForPython(text)).toBe(true)
  })
})

const given = (change: Record<string, string | undefined>) => {
  const all: Record<string, string | undefined> = {
    ...{
      indicator: X.toUpperCase(),
      type: 'HASH_PDQ',
      share_level: 'AMBER',
      status: 'SUSPICIOUS',
      privacy_type: 'VISIBLE',
    },
    ...change,
  }
  return fromThreat((name) => all[name])
}

describe('in', () => {
  test('a descriptor is read, and its description dropped', () => {
    expect(
      given({
        ...{ description: 'a name', tags: 'aldis_category:grooming,aldis_context:IE/law/private,tlp_amber_strict' },
        ...{ severity: 'APOCALYPSE', confidence: '90', review_status: 'REVIEWED_MANUALLY', expired_on: '1800000000' },
      }),
    ).toEqual({
      value: { type: 'media_hash', algorithm: 'pdq', hash: X },
      ...{ tlp: 'amber+strict', basis: 'human_reviewed', severity: 'critical', confidence: 90, category: 'grooming' },
      context: { region: 'IE', legal_basis: 'law', surface: 'private' },
      ...{ expires_at: '2027-01-15T08:00:00Z', to: { kind: 'programme' } },
    })
  })
  test('a hash says what it is of by its type, or by a tag', () => {
    expect(valueIn('HASH_MD5', X, ['media_type_video'])).toMatchObject({ algorithm: 'video_md5' })
    for (const [algorithm, type] of Object.entries(HASH_TYPE)) expect(valueIn(type, X, [])).toMatchObject({ algorithm })
    for (const [type, kind] of [
      ['URI', 'url'],
      ['RAW_URI', 'url'],
      ['DOMAIN', 'domain'],
      ['EMAIL_ADDRESS', 'email'],
      ['TELEPHONE', 'phone'],
      ['IP_ADDRESS', 'ip'],
    ] as const)
      expect(valueIn(type, 'x', [])).toEqual({ type: kind, value: 'x' })
  })
  test.each([
    { type: 'HASH_URL_MD5' },
    { type: undefined },
    { indicator: '' },
    { share_level: 'UNKNOWN' },
    { share_level: undefined },
    { status: 'UNKNOWN' },
    { status: 'NON_MALICIOUS' },
    { privacy_type: 'NONE' },
    { privacy_type: 'HAS_PRIVACY_GROUP' },
    { privacy_type: 'HAS_PRIVACY_GROUP', privacy_members: '1,2' },
    { privacy_type: 'HAS_WHITELIST' },
    { severity: 'HIGH' },
    { confidence: '101' },
    { confidence: '1e1' },
    { tags: 'aldis_context:Ireland' },
  ])('%j is refused, without its value', (change) => {
    try {
      given(change)
      expect.fail('it was taken')
    } catch (error) {
      expect(error).toMatchObject({ code: 'validation-failed' })
      expect(String(error).toUpperCase()).not.toContain(X.toUpperCase())
    }
  })
})

describe('numbers', () => {
  test('a descriptor reads back to its signal', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const signal = uuid as SignalItem['signal']
        expect(signalIn(descriptorId(signal))).toBe(signal)
      }),
    )
    for (const text of ['', '-1', '01', '1.5', 'x', '9'.repeat(39), '9'.repeat(40)])
      expect(signalIn(text)).toBe(undefined)
  })
  test('a participant has one that is an application’s, and no group the same', () => {
    expect(numberOf('participant', 'apple')).toMatch(/^[1-9][0-9]{14}$/)
    expect(numberOf('participant', 'apple')).not.toBe(numberOf('group', 'apple'))
    expect(numberOf('group', newId(new Date()))).toMatch(/^[1-9][0-9]{14}$/)
  })
})

describe('a name that every object has is no word', () => {
  test.for(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('%s', (name) => {
    expect([saidBy(name), valueSaid(name), algorithmOf(name), knownCode(name)]).toEqual([
      ...[undefined, undefined, undefined, 'internal'],
    ])
    for (const member of ['type', 'share_level', 'severity'])
      expect(() => given({ [member]: name })).toThrow(expect.objectContaining({ code: 'validation-failed' }))
    for (const pattern of [`[file:hashes.'${name}' = '${X}']`, `[${name}:value = 'x']`])
      expect(fromPattern({ pattern, pattern_type: 'stix' }, {}, () => undefined)).toHaveProperty('why')
  })
})

test('reactions and outcomes are words of both sides', () => {
  const outcomes = Object.keys(OUTCOME)
  expect(Object.values(OUTCOME_OF).every(({ outcome }) => outcomes.includes(outcome))).toBe(true)
  expect(Object.keys(REACTION_OF).every((outcome) => outcomes.includes(outcome))).toBe(true)
  // Only a case ends with an action.
  expect(Object.values(OUTCOME_OF).map(({ outcome }) => outcome)).not.toContain('confirmed_action_taken')
})
