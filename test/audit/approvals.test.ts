import { describe, expect, test } from 'vitest'
import { checkApprovals } from '../../src/audit/approvals.ts'
import type { Entry } from '../../src/audit/entry.ts'
import { foldProgramme } from '../../src/audit/fold.ts'
import { emptyProgramme, type Programme } from '../../src/audit/programme.ts'

type Fields = Readonly<Record<string, unknown>>
type Told = readonly [kind: string, fields: Fields]

const NOW = Date.parse('2026-03-01T12:00:00Z')
const MINUTE = 60_000
const iso = (minutes: number): string => new Date(NOW + minutes * MINUTE).toISOString()
/** Of a signing key that others have to confirm. */
const WAITS: Fields = { use: 'sign:pending' }
/** The next log begins. */
const NEXT: Told = ['log.opened', {}]

/** Ada and Ben administer, Cleo and Dora govern, Finn of the same organisation as Cleo does too; Eve may nothing. */
function programme(): Programme {
  const made = emptyProgramme()
  for (const [person, organisation, role] of [
    ['ada', 'office', 'node_admin'],
    ['ben', 'office', 'node_admin'],
    ['cleo', 'trust', 'governance'],
    ['dora', 'union', 'governance'],
    ['finn', 'trust', 'governance'],
  ] as const) {
    made.people.set(person, organisation)
    made.roles.set(`${person} ${role}`, 'then')
  }
  made.people.set('eve', 'office')
  return made
}

function found(entries: readonly Told[], known = programme()) {
  const check = checkApprovals(known)
  const begin = Math.max(0, entries.indexOf(NEXT))
  for (const [i, [kind, fields]] of entries.entries())
    check.entry({
      // Entries of earlier logs come first, and are counted back.
      ...{ kind, index: BigInt(i - begin), time: NOW + Number(fields['at'] ?? 0) * MINUTE },
      fields: new Map(Object.entries(fields).filter(([, value]) => value !== undefined)),
    } as unknown as Entry)
  return check.end()
}

const of = (action: string, person: string, request = 'r'): Fields => ({ request, action, digest: 'd', person })
const asked = (action: string, by = 'ada', request = 'r'): Told => ['approval.requested', of(action, by, request)]
const given = (action: string, by = 'cleo', request = 'r'): Told => ['approval.given', of(action, by, request)]
const admit: Told = ['participant.admitted', { participant: 'apple', req: 'r' }]
const granted = (role: string, whom = 'ada'): Told => ['role.changed', { whom, what: 'granted', role }]
const policy = (version = 1): Told => ['policy.published', { policy: 'taxonomy', version }]
const onSignal = (kind: 'held' | 'released', actor: string, req?: string): Told => [
  `signal.${kind}`,
  { actor, subject: 'apple', signal: 's', req },
]
const told = (what: 'held' | 'released', req: string): Told => ['anomaly.acted', { code: 'source', what, req }]
const decided = (action: string, request: string): Told[] => [
  asked(action, 'ada', request),
  given(action, 'cleo', request),
]
const done = (action: string, request: string): Told => ['approval.executed', of(action, 'ada', request)]
const FOUNDED: readonly Told[] = [
  ...[granted('node_admin'), granted('node_admin'), granted('governance')],
  ...[['audience.changed', { audience: 'a' }] as const, policy()],
]

describe('what takes two persons', () => {
  test('passes where one asked and another, who may, approved before; and where init wrote it at the beginning', () => {
    expect(found([asked('participant.admit'), given('participant.admit'), admit])).toMatchObject({ result: 'PASS' })
    expect(found([...FOUNDED, asked('participant.admit'), given('participant.admit'), admit]).says).toMatch(/^1 acts/)
  })
  test.for<[what: string, entries: readonly Told[], says: string]>([
    ['an act that follows the founding, though no person has acted yet', [...FOUNDED, admit], 'names no request'],
    ['a fourth role', [...FOUNDED.slice(0, 3), granted('node_admin')], 'names no request'],
    ['a second version of a policy', [...FOUNDED, policy(2)], 'names no request'],
    ['a policy after the founding', [...FOUNDED, ['node.started', {}], policy()], 'names no request'],
    [
      'a second act on one request',
      [asked('participant.admit'), given('participant.admit'), admit, admit],
      'was asked for once, and done before',
    ],
    [
      'a second act on one request, of another kind',
      [...decided('collection.hold', 'r'), ['collection.held', { req: 'r' }], ['collection.released', { req: 'r' }]],
      'was asked for once, and done before',
    ],
    [
      'a second entry that tells of all signals of one hold',
      [...decided('source.hold', 'r'), told('held', 'r'), onSignal('held', 'node', 'r'), told('held', 'r')],
      'was asked for once, and done before',
    ],
    [
      'a release by its source of what two persons hold',
      [...decided('source.hold', 'r'), onSignal('held', 'node', 'r'), onSignal('released', 'apple')],
      'signal.released takes two persons, and names no request',
    ],
    [
      'a release by its source of what two persons hold once more',
      [
        ...[onSignal('held', 'node'), onSignal('released', 'apple')],
        ...[...decided('source.hold', 'r'), onSignal('held', 'node', 'r'), onSignal('released', 'apple')],
      ],
      'signal.released takes two persons, and names no request',
    ],
    ['a request by nobody', [asked('participant.admit', 'zoe')], 'zoe may not ask for'],
    ['a request by a person without the role', [asked('participant.admit', 'cleo')], 'cleo may not ask for'],
    [
      'the word of somebody whom no entry made',
      [asked('participant.admit'), given('participant.admit', 'zoe'), admit],
      'zoe may not answer',
    ],
    [
      'the word of somebody without a role',
      [asked('participant.admit'), given('participant.admit', 'eve'), admit],
      'eve may not answer',
    ],
    [
      'the word of an administrator where governance decides',
      [asked('participant.admit'), given('participant.admit', 'ben'), admit],
      'ben may not answer',
    ],
    [
      'a report on the word of the same organisation',
      [asked('report.publish', 'cleo'), given('report.publish', 'finn')],
      'finn is of the organisation that asked',
    ],
  ])('fails: %s', ([, entries, says]) => {
    expect(found(entries)).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
  test('has an entry for each signal and one for all, where many are held or released at once', () => {
    const other = (told: Told): Told => [told[0], { ...told[1], signal: 't' }]
    const held = onSignal('held', 'node', 'h')
    const released = onSignal('released', 'node', 'r')
    const hold = [...decided('source.hold', 'h'), held, other(held), told('held', 'h'), done('source.hold', 'h')]
    const release = [...decided('source.release', 'r'), released, told('released', 'r'), other(released)]
    expect(found([...hold, ...release, done('source.release', 'r')]).says).toMatch(/^6 acts/)
  })
  test('is not what a source lets go that recipients held, also after two persons held and released it', () => {
    const byTwo = [...decided('source.hold', 'h'), onSignal('held', 'node', 'h')]
    const release = [...decided('signal.release', 'r'), onSignal('released', 'node', 'r')]
    const byRecipients = [onSignal('held', 'node'), onSignal('released', 'apple')]
    expect(found([...byTwo, ...release, ...byRecipients])).toMatchObject({ result: 'PASS' })
  })
  test('may be approved by an administrator while nobody governs', () => {
    const young = programme()
    for (const person of ['cleo', 'dora', 'finn']) young.roles.delete(`${person} governance`)
    const entries = [asked('participant.admit'), given('participant.admit', 'ben'), admit]
    expect(found(entries, young)).toMatchObject({ result: 'PASS' })
  })
  test('counts no voter whose role is over, but for a minute', () => {
    const ended = (ms: number): Programme => {
      const known = programme()
      known.roles.delete('cleo governance')
      known.endedRoles.set('cleo governance', NOW - ms)
      return known
    }
    const entries = [asked('participant.admit'), given('participant.admit'), admit]
    expect(found(entries, ended(60_000))).toMatchObject({ result: 'PASS' })
    expect(found(entries, ended(60_001))).toMatchObject({ result: 'FAIL' })
  })
  test('of an act that this audit does not know passes, with whoever voted', () => {
    expect(found([asked('later.act', 'zoe'), given('later.act', 'eve')])).toMatchObject({ result: 'PASS' })
  })
})

describe('a role', () => {
  const added: Told = ['person.added', { whom: 'zoe', organisation: 'office' }]
  const analyst = granted('analyst', 'zoe')
  const withZoe = (): Programme => {
    const known = programme()
    known.people.set('zoe', 'office')
    return known
  }
  test('is of a person who was added, and one of those that there are', () => {
    expect(found([analyst], withZoe())).toMatchObject({ result: 'PASS' })
  })
  test.for<[what: string, entries: readonly Told[], known: () => Programme, says: string]>([
    ['of nobody who was added', [analyst], programme, 'the person zoe was never added'],
    ['that is said to have ended, of nobody', [['role.changed', { role: 'lead' }]], programme, 'was never added'],
    ['that there is not', [granted('ben node_admin')], programme, 'there is no role ben node_admin'],
    ['without a name', [['role.changed', { whom: 'ada' }]], programme, 'there is no role undefined'],
    ['of a person who is added a second time', [added], withZoe, 'the person zoe was added before'],
  ])('fails: %s', ([, entries, known, says]) => {
    expect(found(entries, known())).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
  test('may stand before the entry that adds its person', () => {
    const known = programme()
    const check = checkApprovals(known)
    check.entry({ kind: 'role.changed', index: 0n, time: NOW, fields: new Map(Object.entries(analyst[1])) } as never)
    known.people.set('zoe', 'office')
    expect(check.end()).toMatchObject({ result: 'PASS' })
  })
})

describe('an audience', () => {
  const named = (audience: string): Told => ['audience.changed', { actor: 'fig', audience }]
  const group = (kind: 'changed' | 'ended', audience: string | undefined, request = 'r'): Told => [
    `group.${kind}`,
    { group: 'hedge', audience, req: request, ...(kind === 'changed' && { mode: 'full' }) },
  ]
  /** The programme's audience is `a`, that of the group hedge `h`. */
  const known = (): Programme => {
    const made = programme()
    made.audiences.set('a', { kind: 'programme', mode: 'full', group: null, owner: null })
    made.audiences.set('h', { kind: 'group', mode: 'full', group: 'hedge', owner: null })
    return made
  }
  const grouped = (): Programme => {
    const made = known()
    made.groups.set('hedge', { audience: 'h', joined: new Map() })
    return made
  }
  test('is made once, and a group keeps its own', () => {
    expect(found([named('b')], known())).toMatchObject({ result: 'PASS' })
    expect(found([...decided('group.create', 'r'), group('changed', 'b')], known())).toMatchObject({ result: 'PASS' })
    expect(found([...decided('group.end', 'r'), group('ended', 'h')], grouped())).toMatchObject({ result: 'PASS' })
  })
  test.for<[what: string, entries: readonly Told[], known: () => Programme, says: string]>([
    ['is not made a second time by who wants to be in it', [named('h')], known, 'the audience h was made before'],
    [
      'is not made a second time by a new group',
      [...decided('group.create', 'r'), group('changed', 'a')],
      known,
      'the audience a was made before',
    ],
    [
      'of a group is no other than it had',
      [...decided('group.create', 'r'), group('changed', 'a')],
      grouped,
      'the audience a is not that of the group hedge',
    ],
    [
      'that a group leaves as it ends is its own',
      [...decided('group.end', 'r'), group('ended', 'a')],
      grouped,
      'the audience a is not that of the group hedge',
    ],
    [
      'of a group is named by each change',
      [...decided('group.create', 'r'), group('changed', undefined)],
      grouped,
      'is not that of the group hedge',
    ],
    [
      'of the whole programme is not made after the founding',
      [...FOUNDED, ['node.started', {}], ['audience.changed', { actor: 'node', audience: 'b' }]],
      programme,
      'an audience of the whole programme is made after the founding',
    ],
    [
      'of nobody is not made after the founding',
      [...FOUNDED, ['node.started', {}], ['audience.changed', { audience: 'b' }]],
      programme,
      'an audience of the whole programme is made after the founding',
    ],
  ])('%s', ([, entries, before, says]) => {
    expect(found(entries, before())).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
})

const CODE: Fields = { subject: 'apple', credential: 'c', use: 'code', scopes: ['feed:read'], to: iso(30), req: 'r' }
const TLS: Fields = { actor: 'apple', subject: 'apple', credential: 'k', use: 'tls', spki: 'ab', scopes: ['feed:read'] }
const KEY: Fields = { actor: 'apple', subject: 'apple', credential: 's', use: 'sign:active' }
const PRESENTED: Fields = { ...KEY, credential: 'k', use: 'presented', spki: 'ab', code: 'c' }
const enrolled = (fields: Fields, more: Fields = {}): Told => ['credential.enrolled', { ...fields, ...more }]
const opened = (code: Fields = {}): Told[] => [
  asked('credential.enrol'),
  given('credential.enrol', 'ben'),
  enrolled(CODE, code),
]

describe('a key that nobody confirms', () => {
  test.for<[what: string, entries: readonly Told[]]>([
    ['redeems a code, with the first signing key', [...opened(), enrolled(TLS, { code: 'c' }), enrolled(KEY)]],
    ['stands before its code, and behind its signing key', [enrolled(KEY), enrolled(TLS, { code: 'c' }), ...opened()]],
    ['was presented with a code', [...opened(), enrolled(PRESENTED), enrolled(TLS), enrolled(KEY)]],
    ['comes with a signing key that waits', [...opened(), enrolled(TLS, { code: 'c' }), enrolled(KEY, WAITS)]],
    [
      'redeems in the next log what was redeemed in one whose database was lost',
      [...opened(), enrolled(TLS, { code: 'c' }), enrolled(KEY), NEXT, enrolled(TLS, { code: 'c' }), enrolled(KEY)],
    ],
  ])('passes where it %s', ([, entries]) => {
    expect(found(entries)).toMatchObject({ result: 'PASS' })
  })
  test.for<[what: string, entries: readonly Told[], says: string]>([
    ['a TLS key without a code', [...opened(), enrolled(TLS)], 'names no code, and was not presented before'],
    ['a TLS key with a code that nobody gave out', [enrolled(TLS, { code: 'c' })], 'names no code that two persons'],
    [
      'a TLS key with the code of somebody else',
      [...opened({ subject: 'banana' }), enrolled(TLS, { code: 'c' })],
      'names no code that two persons gave out',
    ],
    [
      'a second TLS key with one code',
      [...opened(), enrolled(TLS, { code: 'c' }), enrolled(TLS, { code: 'c', credential: 'l' })],
      'names a code that was used before',
    ],
    [
      'a TLS key under the id of another',
      [
        ...[...opened(), enrolled(TLS, { code: 'c' })],
        ...[enrolled(CODE, { credential: 'd', subject: 'banana' }), enrolled(TLS, { subject: 'banana', code: 'd' })],
      ],
      'the TLS key k of banana has the id of one that was enrolled before',
    ],
    [
      'a TLS key of the next log under the id of another of the log before',
      [
        ...[...opened(), enrolled(TLS, { code: 'c' }), NEXT],
        ...[enrolled(CODE, { credential: 'd' }), enrolled(TLS, { code: 'd', spki: 'cd' })],
      ],
      'the TLS key k of apple has the id of one that was enrolled before',
    ],
    [
      'a TLS key with a code that was over',
      [...opened({ to: iso(0) }), enrolled(TLS, { code: 'c' })],
      'names a code that was over',
    ],
    [
      'a TLS key with more scopes than its code',
      [...opened(), enrolled(TLS, { code: 'c', scopes: ['feed:read', 'reveal'] })],
      'has other scopes than its code',
    ],
    ['a key that is presented without a code', [enrolled(PRESENTED), enrolled(TLS)], 'names no code that two persons'],
    [
      'a TLS key in the place of the one that was presented',
      [...opened(), enrolled(PRESENTED), enrolled(TLS, { spki: 'cd' })],
      'names no code, and was not presented before',
    ],
    [
      'a TLS key with more scopes than the code that it was presented with',
      [...opened(), enrolled(PRESENTED), enrolled(TLS, { scopes: ['reveal'] })],
      'has other scopes than its code',
    ],
    [
      'a TLS key that is read back a second time',
      [...opened(), enrolled(PRESENTED), enrolled(TLS), enrolled(TLS)],
      'was read back before',
    ],
    ['a signing key by itself', [enrolled(KEY)], 'comes with no TLS key, and nobody confirmed it'],
    [
      'a second signing key beside one TLS key',
      [...opened(), enrolled(TLS, { code: 'c' }), enrolled(KEY), enrolled(KEY, { credential: 't' })],
      'comes with no TLS key, and nobody confirmed it',
    ],
    [
      'a signing key where another is there',
      [enrolled(KEY, { ...WAITS, at: -2 }), ...opened(), enrolled(TLS, { code: 'c' }), enrolled(KEY)],
      'is not the first, and nobody confirmed it',
    ],
  ])('fails: %s', ([, entries, says]) => {
    expect(found(entries)).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
})

describe('a key that another replaces', () => {
  /** Apple has a TLS key and a signing key, banana has one of each too. */
  const known = (): Programme => {
    const made = programme()
    const span = { status: 'active', from: NOW, to: NOW + 60 * MINUTE }
    for (const participant of ['apple', 'banana']) {
      made.credentials.set(`${participant}-c`, { ...span, participant, spki: 'cd', scopes: [] })
      made.keys.set(`${participant} ${participant}-s`, { ...span, key: '{}' })
    }
    return made
  }
  const tls = (replaces: unknown): Told[] => [...opened(), enrolled(TLS, { code: 'c', replaces })]
  const confirmed = (replaces: unknown): Told[] => [
    ...[asked('signing-key.confirm', 'ada', 'k'), given('signing-key.confirm', 'ben', 'k')],
    enrolled(KEY, { actor: 'node', req: 'k', replaces }),
  ]
  const waits = (replaces: unknown): Told[] => [enrolled(KEY, { ...WAITS, replaces })]
  const first = (replaces: unknown): Told[] => [...opened(), enrolled(TLS, { code: 'c' }), enrolled(KEY, { replaces })]
  const to = iso(59)
  test('ends earlier than it would', () => {
    for (const entries of [tls({ keys: ['apple-c'], to }), confirmed({ keys: ['apple-s'], to })])
      expect(found(entries, known())).toMatchObject({ result: 'PASS' })
  })
  test.for<[what: string, entries: readonly Told[], says: string]>([
    ['a TLS key to a later end', tls({ keys: ['apple-c'], to: iso(61) }), 'replaces apple-c, which is no key of apple'],
    ['a TLS key to the end that it has', tls({ keys: ['apple-c'], to: iso(60) }), 'replaces apple-c'],
    ['a TLS key to an end that is none', tls({ keys: ['apple-c'], to: 'never' }), 'replaces apple-c'],
    ["another participant's TLS key", tls({ keys: ['banana-c'], to }), 'replaces banana-c, which is no key of apple'],
    ['a TLS key that is not there', tls({ keys: ['apple-c', 'x'], to }), 'replaces x'],
    ['a signing key as a TLS key is enrolled', tls({ keys: ['apple-s'], to }), 'replaces apple-s'],
    ['a signing key to a later end', confirmed({ keys: ['apple-s'], to: iso(61) }), 'replaces apple-s'],
    ["another participant's signing key", confirmed({ keys: ['banana-s'], to }), 'replaces banana-s'],
    ['a key by one that waits', waits({ keys: ['apple-s'], to }), 'a key that nobody confirmed replaces others'],
    ['a key by the first signing key', first({ keys: ['apple-s'], to }), 'a key that nobody confirmed replaces others'],
  ])('fails: %s', ([, entries, says]) => {
    expect(found(entries, known())).toMatchObject({ result: 'FAIL', says: expect.stringContaining(says) })
  })
  test('keeps its end where it may not have another', () => {
    const made = known()
    const entry = (fields: Fields): Entry =>
      ({ kind: 'credential.enrolled', index: 1n, time: NOW, fields: new Map(Object.entries(fields)) }) as never
    for (const [keys, until] of [
      ['banana-c', to],
      ['apple-c', iso(61)],
      ['apple-c', to],
    ] as const)
      foldProgramme(made, entry({ ...TLS, replaces: { keys: [keys], to: until } }))
    expect(made.credentials.get('banana-c')?.to).toBe(NOW + 60 * MINUTE)
    expect(made.credentials.get('apple-c')?.to).toBe(NOW + 59 * MINUTE)
  })
})
