import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXTENSION, keyOfObject, keyOfSignal, objectUuid, uuidOf } from '../../../src/interop/stix/ids.ts'
import { patternOf, quoted } from '../../../src/interop/stix/pattern.ts'
import { standingObjects, TLP_MARKING } from '../../../src/interop/stix/standing.ts'
import { type SignalVersion, toStix } from '../../../src/interop/stix/to-stix.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { SIGNAL_TYPE, type SignalItem, type SignalType, TLP } from '../../../src/signals/schema.ts'
import { anItem, idOf, NOON, sha, VALUES } from '../../signals/factory.ts'

const suiteOf = (kid: string): string | undefined => ({ spring: 'hmac-sha256', split: 'oprf-ristretto255-sha512' })[kid]
const version = (item: SignalItem | undefined, change: Partial<SignalVersion> = {}): SignalVersion => ({
  ...{ type: 'signal.created', source: 'apple', signal: item?.signal ?? idOf(9), revision: 1, event: idOf(8), item },
  ...{ firstType: item?.type, reason: undefined, created: NOON.getTime(), modified: NOON.getTime() + 1 },
  ...change,
})
const made = (...of: Parameters<typeof version>): Record<string, unknown> => {
  const mapped = toStix(version(...of), { suiteOf })
  if ('withheld' in mapped) throw new Error(mapped.withheld)
  return JSON.parse(mapped.object.text) as Record<string, unknown>
}
const own = (object: Record<string, unknown>) =>
  (object['extensions'] as Record<string, Record<string, unknown>>)[EXTENSION]
const E = `extensions.'${EXTENSION}'`
const X = sha('pear')

describe('the pattern of', () => {
  test.each<[SignalType, string]>([
    ['url', `[url:${E}.value_hashes.'SHA-256' = '${X}']`],
    ['domain', `[domain-name:${E}.value_hashes.'SHA-256' = '${X}']`],
    ['email', `[email-addr:${E}.value_hashes.'HMAC-SHA-256' = '${X}']`],
    [
      'ip',
      `[ipv4-addr:${E}.value_hashes.'HMAC-SHA-256' = '${X}' OR ipv6-addr:${E}.value_hashes.'HMAC-SHA-256' = '${X}']`,
    ],
    ['phone', `[user-account:${E}.phone_hashes.'HMAC-SHA-256' = '${X}']`],
    ['payment_handle', `[user-account:${E}.payment_hashes.'HMAC-SHA-256' = '${X}']`],
    [
      'username',
      `[user-account:account_type = 'birdsong' AND user-account:${E}.account_login_hashes.'HMAC-SHA-256' = '${X}']`,
    ],
    [
      'account_id',
      `[user-account:account_type = 'birdsong' AND user-account:${E}.user_id_hashes.'HMAC-SHA-256' = '${X}']`,
    ],
    ['media_hash', `[file:hashes.'SHA-256' = '${X}']`],
    ['keyword_pattern', '(?i)blue kite'],
  ])('%s', (type, pattern) => {
    expect(made(anItem({ value: VALUES[type](X) }, type))).toMatchObject({ type: 'indicator', pattern })
  })
  test.each([
    ['pdq', 'PDQ', { pdq_max_distance: 31 }],
    ['photodna', 'PHOTODNA', {}],
    ['vpdq', 'VPDQ', { media: 'video' }],
    ['tmk', 'TMK', { media: 'video' }],
    ['md5', 'MD5', {}],
    ['video_md5', 'MD5', { media: 'video' }],
    ['sha1', "'SHA-1'", {}],
  ])('a hash by %s', (algorithm, name, says) => {
    const object = made(anItem({ value: { algorithm, hash: X } }, 'media_hash'))
    expect(object).toMatchObject({ pattern: `[file:hashes.${name} = '${X}']`, pattern_type: 'stix' })
    expect(own(object)).toMatchObject({ hash_profile: algorithm, ...says })
  })
  test('a token of an OPRF epoch names its suite, and one of an epoch that is not known is withheld', () => {
    const split = anItem({ value: { profile: 'email/1', kid: 'split', token: X } }, 'email')
    expect(made(split)['pattern']).toContain("value_hashes.'OPRF-R255-SHA512' = ")
    const unknown = anItem({ value: { profile: 'email/1', kid: 'autumn', token: X } }, 'email')
    expect(toStix(version(unknown), { suiteOf })).toEqual({ withheld: 'key-epoch-unknown' })
  })
  test('words: what is literal is escaped, whole words and case are said', () => {
    const words = (change: object) =>
      patternOf(anItem({ value: { ...VALUES.keyword_pattern(X), ...change } }, 'keyword_pattern'), suiteOf)
    expect(words({ text: 'a.b*c', case_sensitive: true })?.pattern).toBe('a\\.b\\*c')
    expect(words({ text: 'kite', whole_word: true })?.pattern).toBe('(?i)\\b(?:kite)\\b')
    expect(words({ kind: 're2', text: 'ki+te', case_sensitive: true })).toMatchObject({
      pattern: 'ki+te',
      pattern_type: 'pcre',
    })
  })
  test('a string has only quotes and backslashes escaped, and reads back', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const inner = quoted(text).slice(1, -1)
        expect(inner.replaceAll(/\\([\\'])/g, '$1')).toBe(text)
        expect(inner.replaceAll(/\\[\\']/g, '')).not.toMatch(/[\\']/)
      }),
    )
  })
})

describe('a live signal', () => {
  test('says what has no place in STIX in one extension, and nothing of its own beside it', () => {
    const object = made(anItem({ note: 'seen twice' }))
    expect(own(object)).toMatchObject({
      ...{ extension_type: 'property-extension', state: 'live', authority: 'origin_jws', source: 'apple' },
      ...{
        signal_type: 'url',
        category: 'grooming',
        signal_severity: 'high',
        basis: 'human_reviewed',
        note: 'seen twice',
      },
    })
    expect(Object.keys(object).filter((name) => /^x_|severity|action|username/.test(name))).toEqual([])
  })
  test('is written as JSON is, in one order, whatever its words hold', () => {
    const item = anItem({ note: 'a "pear"\\ \n \u2028 🍐', category: 'a"b' })
    const mapped = toStix(version(item), { suiteOf })
    const { id, type, version: told, text } = 'object' in mapped ? mapped.object : expect.fail('withheld')
    const object = JSON.parse(text)
    expect(JSON.stringify(object)).toBe(text)
    expect(object).toMatchObject({ id, type, modified: told, labels: ['a"b'] })
    expect(own(object)).toMatchObject({ note: item.note, category: 'a"b' })
    expect(Object.keys(object)).toEqual([
      ...['type', 'spec_version', 'id', 'created_by_ref', 'created', 'modified', 'pattern', 'pattern_type'],
      ...['valid_from', 'valid_until', 'confidence', 'labels', 'object_marking_refs', 'extensions'],
    ])
    expect(Object.keys(own(object) ?? {})).toEqual([
      ...['extension_type', 'source', 'signal', 'revision', 'event', 'state', 'authority', 'signal_type'],
      ...['hash_profile', 'scope', 'category', 'taxonomy', 'signal_severity', 'basis', 'context', 'handling', 'note'],
    ])
  })
  test.each(TLP.map((level) => [level]))('bears the mark of TLP %s, whose object every collection has', (tlp) => {
    expect(made(anItem({ tlp }))['object_marking_refs']).toEqual([TLP_MARKING[tlp]])
    expect(standingObjects('orchard').map(({ id }) => id)).toContain(TLP_MARKING[tlp])
  })
  test('ends after it begins, or its end is not told', () => {
    expect(made(anItem())['valid_until']).toBe('2026-03-31T12:00:00Z')
    expect(made(anItem({ expires_at: '2026-02-01T00:00:00Z' }))).not.toHaveProperty('valid_until')
  })
  test('has times of three digits', () => {
    expect(made(anItem())).toMatchObject({ created: '2026-03-01T12:00:00.000Z', modified: '2026-03-01T12:00:00.001Z' })
  })
})

describe('what is no more', () => {
  test.each([
    ['signal.withdrawn', undefined, 'withdrawn'],
    ['signal.withdrawn', 'audience_changed', 'audience_changed'],
    ['signal.expired', 'expired', 'expired'],
    ['signal.erased', 'erased', 'erased'],
  ] as const)('%s (%s) is revoked under its id, and says nothing of what it was', (type, reason, end_reason) => {
    const item = anItem()
    const object = made(undefined, { type, reason, signal: item.signal, firstType: 'url' })
    expect(object).toMatchObject({
      id: made(item)['id'],
      revoked: true,
      pattern: expect.stringMatching(/^\[x-aldis-withdrawn:id = '/),
    })
    expect(own(object)).toMatchObject({ state: 'ended', end_reason })
    expect(JSON.stringify(object)).not.toContain(item.value.sha256)
  })
  test('a hold is no revocation, for it may be lifted; nothing matches meanwhile', () => {
    const object = made(undefined, { type: 'signal.held', reason: 'disputed', firstType: 'url' })
    expect(object).not.toHaveProperty('revoked')
    expect(own(object)).toMatchObject({ state: 'held' })
  })
  test('what is told no more and may come back is no revocation, and is not said to be held', () => {
    for (const type of ['signal.revised', 'signal.released'] as const) {
      const object = made(undefined, { type, firstType: 'url' })
      expect(object).not.toHaveProperty('revoked')
      expect(own(object)).toMatchObject({ state: 'ended' })
    }
  })
  test('what has no pattern is withheld, and its end as well', () => {
    for (const type of ['tactic', 'relation'] as const) {
      expect(toStix(version(anItem({}, type)), { suiteOf })).toEqual({ withheld: 'no-stix-form' })
      const gone = version(undefined, { type: 'signal.withdrawn', firstType: type })
      expect(toStix(gone, { suiteOf })).toEqual({ withheld: 'no-stix-form' })
    }
  })
})

test('an id is of the form that schemas demand, of one source alone, and finds its signal', () => {
  for (let i = 0; i < 200; i++) {
    const signal = newId(new Date())
    const uuid = objectUuid('apple', signal)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(uuid).not.toBe(objectUuid('banana', signal))
    expect(keyOfObject(`indicator--${uuid}`)).toBe(keyOfSignal(signal))
  }
  expect(keyOfObject('indicator--plum')).toBe(undefined)
})

test('the id of a signal stays what it has always been: clients keep it', () => {
  const signal = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b' as Uuid
  expect(objectUuid('acme', signal)).toBe('13a8b041-5db4-424e-8290-a1b2c34c3318')
  expect(keyOfSignal(signal)).toBe('90a1b2c34c3318')
  expect(uuidOf('entry', signal)).toBe('29795a10-309a-4337-9ad5-534fc9d41a19')
})

test('every type of signal is mapped or named as withheld', () => {
  const kinds = (Object.keys(SIGNAL_TYPE) as SignalType[]).map((type) => toStix(version(anItem({}, type)), { suiteOf }))
  expect(kinds.every((mapped) => 'object' in mapped || mapped.withheld === 'no-stix-form')).toBe(true)
})
