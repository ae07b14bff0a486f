import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OUTCOME, type Outcome } from '../../../src/feedback/schema.ts'
import { feedbackToStix } from '../../../src/interop/stix/feedback.ts'
import { type FromStix, fromStix, stixObjects } from '../../../src/interop/stix/from-stix.ts'
import { EXTENSION, objectUuid } from '../../../src/interop/stix/ids.ts'
import { PATTERN_MAX, parsePattern } from '../../../src/interop/stix/parse-pattern.ts'
import { toStix } from '../../../src/interop/stix/to-stix.ts'
import { BASIS, SEVERITY, type SignalItem, type SignalType, SURFACE, TLP } from '../../../src/signals/schema.ts'
import { anItem, idOf, NOON, sha } from '../../signals/factory.ts'

const suiteOf = (kid: string): string | undefined => ({ spring: 'hmac-sha256', split: 'oprf-ristretto255-sha512' })[kid]
const E = `extensions.'${EXTENSION}'`
const X = sha('pear')
const STAMPS = { created: '2026-03-01T12:00:00.000Z', modified: '2026-03-01T12:00:00.001Z' }
const ID = 'indicator--0b9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21'

const own = (extension: object) => ({ [EXTENSION]: { extension_type: 'property-extension', ...extension } })
const indicator = (change: object = {}) => ({
  ...{ type: 'indicator', spec_version: '2.1', id: ID, ...STAMPS, valid_from: '2026-02-28T12:00:00.5Z' },
  ...{ pattern: "[url:value = 'https://bad.example/a']", pattern_type: 'stix', ...change },
})
const read = (value: unknown): FromStix => fromStix(value, { suiteOf })
const looksFor = (pattern: string, extension?: object): FromStix =>
  read(indicator({ pattern, ...(extension === undefined ? {} : { extensions: own(extension) }) }))

/** An item as recipients have it, and as it is read back. */
function readBack(item: SignalItem): FromStix {
  const version = {
    ...{ type: 'signal.created' as const, source: 'apple', signal: item.signal, revision: 1, event: idOf(8), item },
    ...{ firstType: item.type, reason: undefined, created: NOON.getTime(), modified: NOON.getTime() + 1 },
  }
  const mapped = toStix(version, { suiteOf })
  if ('withheld' in mapped) throw new Error(mapped.withheld)
  return read(JSON.parse(mapped.object.text))
}

const TYPES: readonly SignalType[] = [
  ...(['url', 'domain', 'email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'] as const),
  ...(['media_hash', 'keyword_pattern'] as const),
]
const words = fc.record({
  kind: fc.constantFrom('literal', 're2'),
  text: fc.string({ minLength: 1, maxLength: 40 }),
  language: fc.constant('en'),
  case_sensitive: fc.boolean(),
  whole_word: fc.boolean(),
  must_match: fc.constant(['a', 'b', 'c']),
  must_not_match: fc.constant(['d', 'e', 'f']),
})
const change = fc.record({
  tlp: fc.constantFrom(...TLP),
  severity: fc.constantFrom(...SEVERITY),
  basis: fc.constantFrom(...BASIS),
  confidence: fc.integer({ min: 0, max: 100 }),
  category: fc.constantFrom('grooming', 'sextortion_financial'),
  note: fc.option(fc.constantFrom('seen twice', "it's \\ odd"), { nil: undefined }),
  context: fc.record({
    ...{ region: fc.constantFrom('DE', 'IE'), legal_basis: fc.constant('terms_of_service') },
    surface: fc.constantFrom(...SURFACE),
  }),
})

/** What a value is in a raw file. */
function sharedValue(item: SignalItem): object {
  if (item.type === 'media_hash') return item.value
  return item.type === 'keyword_pattern' ? { pattern: item.value } : { hashed: item.value }
}

describe('what is given out reads back as what it was', () => {
  test.each(TYPES.map((type) => [type]))('%s', (type) => {
    fc.assert(
      fc.property(change, words, (changed, pattern) => {
        const item = anItem(type === 'keyword_pattern' ? { ...changed, value: pattern } : changed, type)
        const { tlp, severity, basis, confidence, category, note, context, handling, observed_at, expires_at } = item
        const said = { tlp, severity, basis, confidence, category, context, handling, observed_at, expires_at }
        expect(readBack(item)).toMatchObject({
          outcome: 'signal',
          line: { type, ...sharedValue(item), ...said, ...(note === undefined ? {} : { note }) },
        })
      }),
      { numRuns: 60 },
    )
  })
  test.each(['pdq', 'photodna', 'tmk', 'vpdq', 'md5', 'sha1', 'sha256', 'video_md5'])('a hash by %s', (algorithm) => {
    const item = anItem({ value: { algorithm, hash: 'ab'.repeat(32) } }, 'media_hash')
    expect(readBack(item)).toMatchObject({ line: { type: 'media_hash', algorithm, hash: 'ab'.repeat(32) } })
  })
  test('a token of an OPRF epoch', () => {
    const value = { profile: 'email/1', kid: 'split', token: X }
    expect(readBack(anItem({ value }, 'email'))).toMatchObject({ line: { type: 'email', hashed: value } })
  })
})

describe('values of others are read raw, to be hashed at home', () => {
  test.each([
    ["[url:value = 'https://bad.example/a']", { type: 'url', raw: 'https://bad.example/a' }],
    ["[ url:value='https://bad.example/it\\'s' ]", { type: 'url', raw: "https://bad.example/it's" }],
    ["[domain-name:value = 'bad.example']", { type: 'domain', raw: 'bad.example' }],
    ["[email-addr:value = 'plum@mail.example']", { type: 'email', raw: 'plum@mail.example' }],
    ["[ipv4-addr:value = '192.0.2.7']", { type: 'ip', raw: '192.0.2.7' }],
    ["[ipv6-addr:value = '2001:db8::7']", { type: 'ip', raw: '2001:db8::7' }],
    [
      "[user-account:account_type = 'birdsong' AND user-account:account_login = 'plum']",
      { type: 'username', raw: 'plum', service: 'birdsong' },
    ],
    [
      "[user-account:account_type = 'birdsong' AND user-account:user_id = '7']",
      { type: 'account_id', raw: '7', service: 'birdsong' },
    ],
    [`[file:hashes.'SHA-256' = '${X.toUpperCase()}']`, { type: 'media_hash', algorithm: 'sha256', hash: X }],
    ["[file:hashes.MD5 = 'ABCD']", { type: 'media_hash', algorithm: 'md5', hash: 'abcd' }],
  ])('%s', (pattern, line) => {
    expect(looksFor(pattern)).toMatchObject({ outcome: 'signal', line })
  })
  test('times are cut to the second, and what STIX does not say is left to the caller', () => {
    const { name, ...rest } = read(indicator()) as Extract<FromStix, { outcome: 'signal' }>
    expect(name).toEqual({ id: ID, version: STAMPS.modified, created: STAMPS.created })
    expect(rest.line).toEqual({ type: 'url', raw: 'https://bad.example/a', observed_at: '2026-02-28T12:00:00Z' })
  })
  test.each([
    ['marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9', 'clear'],
    ['marking-definition--f88d31f6-486f-44da-b317-01333bde0b82', 'amber'],
    ['marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003', 'amber+strict'],
  ])('TLP 1 and 2 are read: %s', (mark, tlp) => {
    expect(read(indicator({ object_marking_refs: [mark] }))).toMatchObject({ line: { tlp } })
  })
})

describe('everything else is refused by name, and no value is repeated', () => {
  const secret = 'plum@mail.example'
  test.each([
    ['two observations', `[email-addr:value = '${secret}'] AND [url:value = 'x']`],
    ['no equality', `[email-addr:value LIKE '${secret}']`],
    ['no equality', `[email-addr:value != '${secret}']`],
    ['a set', `[email-addr:value IN ('${secret}')]`],
    ['a list index', `[file:hashes[0].MD5 = '${secret}']`],
    ['three equalities', `[url:value = 'a' OR url:value = 'b' OR url:value = '${secret}']`],
    ['two that are no signal', `[url:value = 'a' OR url:value = '${secret}']`],
    ['brackets', `[(url:value = '${secret}')]`],
    ['another object', `[process:name = '${secret}']`],
    ['a hash of no media', `[file:hashes.SSDEEP = '${secret}']`],
    ['an account without its service', `[user-account:account_login = '${secret}']`],
    ['an escape that is none', `[url:value = '\\n${secret}']`],
    ['a string without an end', `[url:value = '${secret}`],
    ['something behind', `[url:value = '${secret}'] WITHIN 5 SECONDS`],
    ['a hash without its profile', `[url:${E}.value_hashes.'SHA-256' = '${X}']`],
  ])('%s', (_what, pattern) => {
    const told = looksFor(pattern)
    expect(told).toMatchObject({ outcome: 'refused', code: 'stix-pattern-refused', pointer: '/pattern' })
    expect(JSON.stringify(told)).not.toContain(secret)
  })
  test.each([
    ['another epoch', { hash_profile: 'email/1', key_id: 'winter' }],
    ['another algorithm', { hash_profile: 'email/1', key_id: 'split' }],
  ])('a token of %s', (_what, extension) => {
    const pattern = `[email-addr:${E}.value_hashes.'HMAC-SHA-256' = '${X}']`
    expect(looksFor(pattern, extension)).toMatchObject({ code: 'stix-pattern-refused' })
  })
  test('an account whose profile is of another service', () => {
    const pattern = `[user-account:account_type = 'nestbox' AND user-account:${E}.account_login_hashes.'HMAC-SHA-256' = '${X}']`
    expect(looksFor(pattern, { hash_profile: 'username/1:birdsong', key_id: 'spring' })).toMatchObject({
      code: 'stix-pattern-refused',
    })
  })
  test('an expression of somebody else: nobody could try it', () => {
    expect(read(indicator({ pattern: 'blue kite', pattern_type: 'pcre' }))).toMatchObject({
      code: 'stix-pattern-refused',
    })
  })
  test.each<[string, object, string, string]>([
    ['another type', { type: 'malware' }, 'stix-type-refused', '/type'],
    ['STIX 2.0', { spec_version: undefined }, 'validation-failed', '/spec_version'],
    ['another language of patterns', { pattern_type: 'yara' }, 'validation-failed', '/pattern_type'],
    ['a member that is not known', { x_plum: 1 }, 'validation-failed', '/x_plum'],
    ['marks on single properties', { granular_markings: [] }, 'validation-failed', '/granular_markings'],
    ['an id of another type', { id: ID.replace('indicator', 'malware') }, 'validation-failed', '/id'],
    ['a day that is not there', { created: '2026-02-30T00:00:00Z' }, 'validation-failed', '/created'],
    ['an end before the start', { valid_until: '2026-02-01T00:00:00Z' }, 'validation-failed', '/valid_until'],
    ['a version before the first', { modified: '2020-01-01T00:00:00Z' }, 'validation-failed', '/modified'],
    [
      'a mark that is not known',
      { object_marking_refs: ['marking-definition--0b9f3a0e-8a35-4c0e-9f0b-5d1b6a7c4e21'] },
      ...(['stix-marking-refused', '/object_marking_refs'] as const),
    ],
    [
      'an extension with more',
      { extensions: own({ colour: 'red' }) },
      'validation-failed',
      `/extensions/${EXTENSION}/colour`,
    ],
    ['what is held', { extensions: own({ state: 'held' }) }, 'stix-pattern-refused', '/pattern'],
  ])('%s', (_what, changed, code, pointer) => {
    const value = JSON.parse(JSON.stringify(indicator(changed)))
    expect(read(value)).toMatchObject({ outcome: 'refused', code, pointer })
  })
  test.each([[null], [7], ['plum'], [[]], [{}], [{ type: ['indicator'] }]])('%j is no object', (value) => {
    expect(read(value)).toMatchObject({ outcome: 'refused', name: undefined, code: 'stix-type-refused' })
  })
  test('of an object that is refused its id and instants are told, if they are such', () => {
    expect(read({ type: 'malware', id: secret, modified: secret })).toMatchObject({ name: undefined })
    expect(read({ type: 'malware', id: ID, modified: secret })).toMatchObject({ name: { id: ID, version: '' } })
  })
})

test('a revoked indicator is an end, whatever its pattern', () => {
  expect(read(indicator({ revoked: true, pattern: 'none' }))).toMatchObject({ outcome: 'ended', name: { id: ID } })
})

describe('feedback', () => {
  const given = (outcome: Outcome) => ({
    ...{ event: idOf(3), giver: 'banana', source: 'apple', signal: idOf(9), outcome, at: NOON.getTime() },
  })
  test.each((Object.keys(OUTCOME) as Outcome[]).map((outcome) => [outcome]))('%s reads back', (outcome) => {
    const told = read(JSON.parse(JSON.stringify(feedbackToStix(given(outcome)))))
    if (outcome === 'confirmed_action_taken') return expect(told).toMatchObject({ code: 'reason-unknown' })
    return expect(told).toMatchObject({
      ...{ outcome: 'feedback', about: `indicator--${objectUuid('apple', idOf(9))}`, said: { outcome } },
    })
  })
  const said = (type: string, members: object) =>
    read({ type, spec_version: '2.1', id: ID.replace('indicator', type), ...STAMPS, ...members })
  test('of clients that know nothing of us: seen, looked for in vain, wrong', () => {
    expect(said('sighting', { sighting_of_ref: ID })).toMatchObject({ said: { outcome: 'seen_here' } })
    expect(said('sighting', { sighting_of_ref: ID, count: 0 })).toMatchObject({
      said: { outcome: 'confirmed_no_presence' },
    })
    expect(said('opinion', { object_refs: [ID], opinion: 'strongly-disagree' })).toMatchObject({
      said: { outcome: 'not_violating' },
    })
  })
  test.each([
    ['agreement', 'opinion', { object_refs: [ID], opinion: 'agree' }, 'reason-unknown'],
    ['of two objects', 'opinion', { object_refs: [ID, ID], opinion: 'disagree' }, 'validation-failed'],
    ['of no indicator', 'sighting', { sighting_of_ref: ID.replace('indicator', 'malware') }, 'validation-failed'],
    ['with what was observed', 'sighting', { sighting_of_ref: ID, observed_data_refs: [] }, 'validation-failed'],
    ['taken back', 'sighting', { sighting_of_ref: ID, revoked: true }, 'stix-type-refused'],
    [
      'of another kind',
      'opinion',
      { object_refs: [ID], opinion: 'disagree', extensions: own({ disposition: 'toString' }) },
      'reason-unknown',
    ],
    [
      'found and not found',
      'sighting',
      { sighting_of_ref: ID, count: 0, extensions: own({ disposition: 'seen_here' }) },
      'reason-unknown',
    ],
  ])('%s is refused', (_what, type, members, code) => {
    expect(said(type, members)).toMatchObject({ outcome: 'refused', code })
  })
})

describe('the parser', () => {
  test('takes any text that is quoted, and gives it back', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = text.replaceAll(/[\\']/g, '\\$&')
        expect(parsePattern(`[url:value = '${quoted}']`)?.equalities[0]?.value).toBe(text)
      }),
    )
  })
  test('never throws, and is done with hostile texts at once', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePattern(text)))
    const started = performance.now()
    for (const part of ['[', ' ', "[a:b='\\'", "[url:value = '", 'a.', "'", '[a:b.', ' AND ']) {
      const text = part.repeat(Math.floor(PATTERN_MAX / part.length))
      for (let i = 0; i < 20; i++) parsePattern(text)
    }
    expect(performance.now() - started).toBeLessThan(2_000)
  })
  test('longer than the most is refused unread', () => {
    const pattern = (n: number) => `[url:value = '${'a'.repeat(n)}']`
    expect(parsePattern(pattern(PATTERN_MAX - 16))).toBeDefined()
    expect(parsePattern(pattern(PATTERN_MAX))).toBe(undefined)
  })
  test('a path has no more than four names', () => {
    expect(parsePattern("[a:b.c.d.e = 'x']")).toBeDefined()
    expect(parsePattern("[a:b.c.d.e.f = 'x']")).toBe(undefined)
  })
})

test('objects are those of a bundle or of an envelope', () => {
  expect(stixObjects({ type: 'bundle', id: 'bundle--1', objects: [1] })).toEqual([1])
  expect(stixObjects({ objects: [1] })).toEqual([1])
  for (const value of [{ type: 'indicator', objects: [1] }, { objects: 1 }, [], null, 'x'])
    expect(stixObjects(value)).toBe(undefined)
})
