import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DeriveContext, derive, identifierOf, instant, lookupKeys, type RawLine } from '../../src/client/derive.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { isUuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { judgeSignal, keyProfile, signalKey } from '../../src/signals/lint.ts'
import { SIGNAL_TYPE, type SignalItem, type SignalType } from '../../src/signals/schema.ts'
import { AUDIENCE, DAY, instantAt, NOON, rulesFor, sha, textOf, VALUES } from '../signals/factory.ts'

const EPOCH = { kid: 'spring', key: Buffer.alloc(32, 5) }

const CONTEXT: DeriveContext = {
  audience: AUDIENCE,
  taxonomy: 1,
  now: NOON,
  epoch: EPOCH,
  defaults: {
    ...{ category: 'grooming', severity: 'high', confidence: 80, basis: 'human_reviewed', handling: 'review' },
    ...{ tlp: 'amber', context: { region: 'DE', legal_basis: 'terms_of_service', surface: 'public' } },
  },
  days: (type) => (type === 'url' ? 7 : 30),
}

/** A line of each type, and another spelling of the same thing. */
const LINES: { readonly [T in SignalType]: readonly [RawLine, RawLine] } = {
  url: [
    { type: 'url', raw: 'https://pear.example/orchard?tree=1' },
    { type: 'url', raw: ' HTTPS://PEAR.example:443/orchard?tree=1#leaf' },
  ],
  domain: [
    { type: 'domain', raw: 'plum.example' },
    { type: 'domain', raw: 'PLUM.example.' },
  ],
  email: [
    { type: 'email', raw: 'blackbird@pear.example' },
    { type: 'email', raw: ' blackbird@PEAR.example ' },
  ],
  phone: [
    { type: 'phone', raw: '+1 202-555-0143' },
    { type: 'phone', raw: '(202) 555 0143', region: 'US' },
  ],
  username: [
    { type: 'username', raw: 'blackbird77', service: 'birdsong' },
    { type: 'username', raw: 'BlackBird77', service: 'birdsong' },
  ],
  account_id: [
    { type: 'account_id', raw: 'acc-10077', service: 'birdsong' },
    { type: 'account_id', raw: 'acc-10077', service: 'birdsong' },
  ],
  payment_handle: [
    { type: 'payment_handle', raw: '$BlackBird', service: 'nestbank' },
    { type: 'payment_handle', raw: 'blackbird', service: 'nestbank' },
  ],
  ip: [
    { type: 'ip', raw: '2001:db8::77' },
    { type: 'ip', raw: '2001:0DB8:0:0:0:0:0:77' },
  ],
  keyword_pattern: [
    { type: 'keyword_pattern', pattern: VALUES.keyword_pattern('') },
    { type: 'keyword_pattern', pattern: VALUES.keyword_pattern('') },
  ],
  media_hash: [
    { type: 'media_hash', algorithm: 'md5', hash: sha('pear').slice(0, 32) },
    { type: 'media_hash', algorithm: 'md5', hash: sha('pear').slice(0, 32).toUpperCase() },
  ],
  tactic: [
    { type: 'tactic', tactic: VALUES.tactic('') },
    { type: 'tactic', tactic: VALUES.tactic('') },
  ],
  relation: [
    { type: 'relation', relation: VALUES.relation('') },
    { type: 'relation', relation: VALUES.relation('') },
  ],
}

const TYPES = Object.keys(SIGNAL_TYPE) as SignalType[]
/** Types that have raw values, which must not leave. */
const RAW = TYPES.filter((type) => LINES[type][0].raw !== undefined)
/** Types that are read and never looked up. */
const UNSOUGHT = ['keyword_pattern', 'tactic', 'relation'] as const
const SOUGHT = TYPES.filter((type) => !UNSOUGHT.some((one) => one === type))

function itemOf(line: RawLine, context: DeriveContext = CONTEXT): SignalItem {
  const derived = derive(line, context)
  if (derived.outcome === 'refused') throw new Error(derived.reason)
  return derived.item
}

function keysOf(line: RawLine, epoch: DeriveContext['epoch'] = EPOCH) {
  const found = lookupKeys(line, epoch)
  if (found.outcome === 'refused') throw new Error(found.reason)
  return found.keys
}

describe('an item', () => {
  test.for(TYPES)('of type %s is one that the node accepts, as it is', (type) => {
    const item = itemOf(LINES[type][0])
    const judged = judgeSignal(textOf(item), { participant: 'apple', rules: rulesFor(), now: NOON })
    expect(judged).toEqual({ outcome: 'accepted', item })
  })

  test.for(TYPES)('of type %s has one value for every spelling of the same thing', (type) => {
    const [one, other] = LINES[type]
    expect(itemOf(other).value).toEqual(itemOf(one).value)
  })

  test('takes from its line what the line says, and the rest from what all lines share', () => {
    const line = {
      type: 'ip',
      raw: '192.0.2.77',
      category: 'sextortion',
      severity: 'low',
      confidence: 0,
      note: 'a note',
    }
    const more = {
      tlp: 'red',
      basis: 'automated',
      handling: 'monitor',
      observed_at: instantAt(-DAY),
      expires_at: instantAt(DAY),
    }
    const item = itemOf({ ...line, ...more } as RawLine)
    const { type: _, raw: _raw, ...said } = { ...line, ...more }
    expect(item).toMatchObject({ ...said, context: CONTEXT.defaults.context })
    expect(itemOf({ type: 'ip', raw: '192.0.2.77' })).toMatchObject({
      ...CONTEXT.defaults,
      taxonomy: 1,
      audience: AUDIENCE,
    })
    expect(itemOf({ type: 'ip', raw: '192.0.2.77' })).not.toHaveProperty('note')
  })

  test('is observed now and lives as long as its type, unless its line says otherwise', () => {
    const ends = (line: RawLine) => [itemOf(line).observed_at, itemOf(line).expires_at]
    expect(ends(LINES.url[0])).toEqual([instantAt(0), instantAt(7 * DAY)])
    expect(ends(LINES.ip[0])).toEqual([instantAt(0), instantAt(30 * DAY)])
  })

  test('is a new signal each time', () => {
    const made = Array.from({ length: 50 }, () => itemOf(LINES.ip[0]))
    expect(made.every(({ signal, revision }) => isUuid(signal) && revision === 1)).toBe(true)
    expect(new Set(made.map(({ signal }) => signal)).size).toBe(50)
  })
})

describe('what is raw stays at home', () => {
  test.for(RAW)('of type %s', (type) => {
    const line = LINES[type][0]
    const sent = [textOf(itemOf(line)), textOf(keysOf(line))].join().toLowerCase()
    for (const word of ['pear', 'plum', 'blackbird', '2025550143', '10077', '2001', 'orchard'])
      expect(sent).not.toContain(word)
  })

  test('whatever it is, and also in the reason of a refusal', () => {
    const word = fc.string({ unit: fc.constantFrom(...'qxzjkvw'), minLength: 9, maxLength: 20 })
    const around = fc.constantFrom<readonly [string, string]>(
      ...([
        ['', ''],
        ['', '@pear.example'],
        ['https://pear.example/', '?a=b'],
        ['+1 ', ''],
        ['@', ''],
        ['a ', '\0'],
      ] as const),
    )
    fc.assert(
      fc.property(fc.constantFrom(...RAW), word, around, fc.boolean(), (type, canary, [before, after], named) => {
        const line: RawLine = { type, raw: `${before}${canary}${after}`, ...(named ? { service: 'birdsong' } : {}) }
        expect(textOf([derive(line, CONTEXT), lookupKeys(line, EPOCH)])).not.toContain(canary)
      }),
      { numRuns: 400 },
    )
  })
})

describe('a value', () => {
  test('of an identifier is HMAC-SHA-256 under the key of the epoch, over profile and canonical form', () => {
    const input = 'aldis-id/1\0username/1:birdsong\0blackbird77'
    const token = createHmac('sha256', EPOCH.key).update(input).digest('hex')
    expect(itemOf(LINES.username[1]).value).toEqual({ profile: 'username/1:birdsong', kid: 'spring', token })
  })

  test('of an identifier is another one under another key', () => {
    const other = { ...CONTEXT, epoch: { kid: 'spring', key: Buffer.alloc(32, 6) } }
    expect(itemOf(LINES.email[0], other).value).not.toEqual(itemOf(LINES.email[0]).value)
  })

  test('of a domain is the SHA-256 of its expression, under no key', () => {
    const digest = createHash('sha256').update('plum.example/').digest('hex')
    expect(itemOf(LINES.domain[0]).value).toMatchObject({ profile: 'domain/1', sha256: digest })
  })

  test('of a media hash is in lower case', () => {
    expect(itemOf(LINES.media_hash[1]).value).toEqual({ algorithm: 'md5', hash: sha('pear').slice(0, 32) })
  })
})

describe('what was hashed before', () => {
  test.each(['url', 'domain', 'email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'] as const)(
    'stands in the item as it is: %s',
    (type) => {
      const hashed = VALUES[type](sha('pear'))
      expect(derive({ type, hashed }, CONTEXT)).toMatchObject({ outcome: 'item', item: { type, value: hashed } })
      expect(identifierOf({ type, hashed })).toBe(undefined)
    },
  )
  test('is not said beside something raw', () => {
    const line = { type: 'url', raw: 'https://pear.example/', hashed: VALUES.url(sha('pear')) } as const
    expect(derive(line, CONTEXT)).toMatchObject({ outcome: 'refused' })
  })
})

describe('look-up keys', () => {
  test.for(SOUGHT)('of type %s hold the key under which the node finds what another shared', (type) => {
    const [shared, sought] = LINES[type]
    const item = itemOf(shared)
    const wanted = { type, profile: keyProfile(item), key: toHex(signalKey(sha256, item)) }
    expect(keysOf(sought)).toContainEqual(wanted)
  })

  test('of a media hash of 32 bytes are the hash itself', () => {
    const line: RawLine = { type: 'media_hash', algorithm: 'sha256', hash: sha('plum').toUpperCase() }
    expect(keysOf(line)).toEqual([{ type: 'media_hash', profile: 'sha256', key: sha('plum') }])
  })

  test('of a link are those of each expression that may stand for it, all different', () => {
    const keys = keysOf({ type: 'url', raw: 'https://a.b.pear.example/x/y?z=1' }).map(({ key }) => key)
    const of = (expression: string): string => createHash('sha256').update(expression).digest('hex')
    expect(keys[0]).toBe(of('a.b.pear.example/x/y?z=1'))
    expect(keys).toEqual(expect.arrayContaining(['a.b.pear.example/x/y', 'pear.example/x/', 'pear.example/'].map(of)))
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('of an identifier name the epoch they were made under', () => {
    expect(keysOf(LINES.email[0], { ...EPOCH, kid: 'autumn' })[0]?.profile).toBe('email/1@autumn')
  })
})

describe('a line is refused', () => {
  test.for<[string, RawLine]>([
    ['without a raw value', { type: 'email' }],
    ['whose raw value is none of its type', { type: 'email', raw: 'blackbird' }],
    ['of a username whose service is not named', { type: 'username', raw: 'blackbird77' }],
    ['of a media hash without an algorithm', { type: 'media_hash', hash: sha('pear') }],
    ['of a media hash without a hash', { type: 'media_hash', algorithm: 'sha256' }],
    ['of an unknown type', { type: 'fruit' as SignalType, raw: 'pear' }],
  ])('%s, for sharing and for looking up', ([, line]) => {
    expect([derive(line, CONTEXT).outcome, lookupKeys(line, EPOCH).outcome]).toEqual(['refused', 'refused'])
  })

  test.for<RawLine>(UNSOUGHT.map((type) => ({ type })))('without its member: %j', (line) => {
    expect(derive(line, CONTEXT).outcome).toBe('refused')
  })

  test.for(UNSOUGHT)('that looks up a %s, which nobody can', (type) => {
    expect(lookupKeys(LINES[type][0], EPOCH).outcome).toBe('refused')
  })

  test('and never thrown back, whatever it holds', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
    const raw = fc.oneof(
      units.map((codes) => String.fromCharCode(...codes)),
      fc.string({ unit: 'grapheme' }),
      fc.emailAddress(),
      fc.webUrl(),
      fc.constantFrom('a'.repeat(5_000), `${'a'.repeat(1_100)}@pear.example`, '\ud800@pear.example', '', '\0'),
    )
    const word = fc.option(fc.oneof(fc.string(), fc.constantFrom('birdsong', 'bitcoin', 'DE', 'us')), { nil: '' })
    fc.assert(
      fc.property(fc.constantFrom(...RAW), raw, word, word, (type, value, service, region) => {
        const line = { type, raw: value, service, region }
        expect(['item', 'refused']).toContain(derive(line, CONTEXT).outcome)
        expect(['keys', 'refused']).toContain(lookupKeys(line, EPOCH).outcome)
      }),
      { numRuns: 200 },
    )
  }, 20_000)
})

test('an instant is to the second, in UTC', () => {
  expect(instant(new Date('2026-03-01T12:00:00.999+02:00'))).toBe('2026-03-01T10:00:00Z')
})

describe('a value on a suppression list', () => {
  test.for<[RawLine, string]>([
    [{ type: 'ip', raw: '192.168.7.7' }, 'private-addresses'],
    [{ type: 'ip', raw: '8.8.8.8' }, 'public-resolvers'],
    [{ type: 'domain', raw: 'www.gmail.com' }, 'mail-domains'],
    [{ type: 'url', raw: 'https://discord.gg' }, 'shared-hosting'],
    [{ type: 'media_hash', algorithm: 'pdq', hash: '0'.repeat(64) }, 'blank-hashes'],
    [{ type: 'media_hash', algorithm: 'md5', hash: 'D41D8CD98F00B204E9800998ECF8427E' }, 'empty-digests'],
  ])('is not signed: %j', ([line, list]) => {
    expect(derive(line, CONTEXT)).toEqual({
      ...{ outcome: 'refused', reason: `suppressed-value: on the suppression list ${list}` },
    })
  })
  test.for<[RawLine, string]>([
    [{ type: 'ip', raw: '2001:db8::77' }, 'documentation-addresses'],
    [{ type: 'phone', raw: '(202) 555 0143', region: 'US' }, 'test-numbers'],
  ])('that a list only tells of is signed with a warning: %j', ([line, list]) => {
    expect(derive(line, CONTEXT)).toMatchObject({ outcome: 'item', warning: `on the suppression list ${list}` })
  })
  test('is looked up all the same', () => {
    expect(lookupKeys({ type: 'ip', raw: '8.8.8.8' }, EPOCH).outcome).toBe('keys')
  })
})
