import { describe, expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import {
  mayRead,
  mayShare,
  type ReadableSignal,
  type Reader,
  SIGHT_RULE_NAMES,
  scopesWithin,
  sightOf,
  type Tlp,
} from '../../src/participants/policy.ts'
import { type AudienceKind, type ParticipantKind, SCOPES } from '../../src/participants/schema.ts'

const TLPS: readonly Tlp[] = ['clear', 'green', 'amber', 'amber+strict', 'red']
const AUDIENCES: readonly AudienceKind[] = ['programme', 'group', 'named']
const KINDS: readonly ParticipantKind[] = ['platform', 'hotline', 'financial', 'observer']
const IDENTIFIERS = ['email', 'phone', 'username', 'account_id', 'payment_handle', 'ip']
const THINGS = ['url', 'domain', 'keyword_pattern', 'media_hash', 'tactic']

/** programme, group, named; for identifiers and for everything else. */
const TABLE: Readonly<Record<Tlp, { identifier: string; thing: string }>> = {
  clear: { identifier: '---', thing: 'yyy' },
  green: { identifier: 'yyy', thing: 'yyy' },
  amber: { identifier: 'yyy', thing: 'yyy' },
  'amber+strict': { identifier: 'yyy', thing: 'yyy' },
  red: { identifier: '--y', thing: '--y' },
}

const cells = TLPS.flatMap((tlp) =>
  AUDIENCES.flatMap((audienceKind, at) =>
    [...IDENTIFIERS, ...THINGS].flatMap((type) =>
      KINDS.map((participantKind) => {
        const row = TABLE[tlp][IDENTIFIERS.includes(type) ? 'identifier' : 'thing']
        return { tlp, audienceKind, type, participantKind, allowed: participantKind !== 'observer' && row[at] === 'y' }
      }),
    ),
  ),
)

test('the table has every cell', () => {
  expect(cells).toHaveLength(5 * 3 * 11 * 4)
})

test.for(cells)('$participantKind shares $type as $tlp with $audienceKind: $allowed', ({ allowed, ...sharing }) => {
  expect(mayShare(sharing)).toBe(allowed)
})

describe('mayRead', () => {
  const [me, other, audience, elsewhere] = ['01', '02', '03', '04'] as Uuid[] as [Uuid, Uuid, Uuid, Uuid]
  const reader = (change: Partial<Reader> = {}): Reader => ({
    ...{ participant: me, kind: 'platform', active: true, audiences: new Set([audience]) },
    ...change,
  })
  const signal = (change: Partial<ReadableSignal> = {}): ReadableSignal => ({
    ...{ origin: other, audience, audienceKind: 'group', shared: true, over: false, tlp: 'amber' },
    ...change,
  })

  test('a member reads what is shared into its audience', () => {
    expect(mayRead(reader(), signal())).toBe(true)
  })
  test('nobody reads what is held or ended, but its source', () => {
    expect(mayRead(reader(), signal({ shared: false }))).toBe(false)
    expect(mayRead(reader(), signal({ shared: false, origin: me }))).toBe(true)
  })
  test('nobody reads what is over, even before it was ended', () => {
    expect(mayRead(reader(), signal({ over: true }))).toBe(false)
    expect(mayRead(reader(), signal({ over: true, origin: me }))).toBe(true)
  })
  test.for([
    ['participation', { active: false }, {}],
    ['kind', { kind: 'observer' }, {}],
    ['source', {}, { origin: me, shared: false }],
    ['state', {}, { shared: false, over: true }],
    ['expiry', { audiences: new Set() }, { over: true }],
    ['audience', { audiences: new Set() }, { tlp: 'red' }],
    ['tlp', {}, { tlp: 'red' }],
  ] as const)('the first rule that decides is named: %s', ([name, who, what]) => {
    const sight = sightOf(reader(who as Partial<Reader>), signal(what as Partial<ReadableSignal>))
    expect(sight).toMatchObject({ name, rule: SIGHT_RULE_NAMES.indexOf(name) + 1, sees: name === 'source' })
  })
  test('where every rule holds none is named', () => {
    expect(sightOf(reader(), signal())).toEqual({ sees: true })
  })
  test('nobody reads of an audience it is not in, but the source', () => {
    expect(mayRead(reader(), signal({ audience: elsewhere }))).toBe(false)
    expect(mayRead(reader(), signal({ audience: elsewhere, origin: me }))).toBe(true)
  })
  test('a suspended participant reads nothing, not even its own', () => {
    expect(mayRead(reader({ active: false }), signal())).toBe(false)
    expect(mayRead(reader({ active: false }), signal({ origin: me }))).toBe(false)
  })
  test('an observer reads no signal', () => {
    expect(mayRead(reader({ kind: 'observer' }), signal())).toBe(false)
    expect(mayRead(reader({ kind: 'observer' }), signal({ origin: me }))).toBe(false)
  })
  test('red in a wider audience than named participants is read by nobody but its source', () => {
    expect(mayRead(reader(), signal({ tlp: 'red' }))).toBe(false)
    expect(mayRead(reader(), signal({ tlp: 'red', audienceKind: 'named' }))).toBe(true)
  })
})

describe('scopes', () => {
  test('an observer has the log and nothing of signals', () => {
    expect(scopesWithin('observer', SCOPES)).toEqual([
      ...['provenance:read', 'provenance:audit', 'provenance:witness', 'governance:read'],
    ])
  })
  test.for(['provenance:audit', 'governance:read'] as const)('nobody but an observer holds %s', (scope) => {
    for (const kind of KINDS) expect(scopesWithin(kind, SCOPES).includes(scope), kind).toBe(kind === 'observer')
  })
  test('a credential has no more than it was given', () => {
    expect(scopesWithin('platform', ['feed:read', 'invented'])).toEqual(['feed:read'])
  })
})
