import { describe, expect, test } from 'vitest'
import { checkApprovals } from '../../src/audit/approvals.ts'
import type { Entry } from '../../src/audit/entry.ts'
import { emptyProgramme, type Programme } from '../../src/audit/programme.ts'

type Fields = Readonly<Record<string, unknown>>
type Told = readonly [kind: string, fields: Fields]

const NOW = Date.parse('2026-03-01T12:00:00Z')

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
  for (const [i, [kind, fields]] of entries.entries())
    check.entry({
      ...{ kind, index: BigInt(i), time: NOW },
      fields: new Map(Object.entries(fields).filter(([, value]) => value !== undefined)),
    } as unknown as Entry)
  return check.end()
}

const of = (action: string, person: string, request = 'r'): Fields => ({ request, action, digest: 'd', person })
const asked = (action: string, by = 'ada', request = 'r'): Told => ['approval.requested', of(action, by, request)]
const given = (action: string, by = 'cleo', request = 'r'): Told => ['approval.given', of(action, by, request)]
const admit: Told = ['participant.admitted', { participant: 'apple', req: 'r' }]
const granted = (role: string): Told => ['role.changed', { what: 'granted', role }]
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
