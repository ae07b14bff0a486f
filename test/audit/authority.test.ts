import { describe, expect, test } from 'vitest'
import { checkAuthority } from '../../src/audit/authority.ts'
import type { Entry } from '../../src/audit/entry.ts'
import { emptyProgramme, type Programme } from '../../src/audit/programme.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const LEA = '01890000-0000-7000-8000-000000000001'
const BO = '01890000-0000-7000-8000-000000000002'

function programme(): Programme {
  const made = emptyProgramme()
  for (const slug of ['aster', 'birch']) made.participants.set(slug, { kind: 'platform', status: 'active' })
  made.people.set(LEA, 'aster')
  made.people.set(BO, 'birch')
  for (const person of [LEA, BO]) made.roles.set(`${person} lead`, 'then')
  return made
}

function resultOf(change: Readonly<Record<string, unknown>>, known = programme(), of: Partial<Entry> = {}): string {
  const fields = { actor: 'aster', authority: 'node_attested', person: LEA, ...change }
  const check = checkAuthority(known)
  check.entry({
    ...{ kind: 'signal.withdrawn', index: 7n, time: NOW, changes: [], expired: [], erased: [], ...of },
    fields: new Map(Object.entries(fields).filter(([, value]) => value !== undefined)),
  } as unknown as Entry)
  return check.end().result
}

describe('an end on the word of a person', () => {
  test('passes where the person speaks for the organisation', () => {
    expect(resultOf({})).toBe('PASS')
  })
  test.for([
    [{ person: BO }, "another organisation's person"],
    [{ person: undefined }, 'nobody'],
    [{ person: '01890000-0000-7000-8000-000000000003' }, 'somebody unknown'],
    [{ kid: 'k' }, 'a key as well'],
    [{ cred: 'c' }, 'a credential as well'],
    [{ authority: undefined }, 'no word at all'],
    [{ authority: 'origin_jws' }, 'another authority'],
  ] as const)('fails with %j: %s', ([change]) => {
    expect(resultOf(change)).toBe('FAIL')
  })
  test('fails once the role is over, but for what was under way', () => {
    const ended = (ms: number): Programme => {
      const known = programme()
      known.roles.delete(`${LEA} lead`)
      known.endedRoles.set(`${LEA} lead`, NOW - ms)
      return known
    }
    expect(resultOf({}, ended(30_000))).toBe('PASS')
    expect(resultOf({}, ended(120_000))).toBe('FAIL')
    const analyst = ended(120_000)
    analyst.roles.set(`${LEA} analyst`, 'then')
    expect(resultOf({}, analyst)).toBe('FAIL')
  })
})

describe('a case of whoever takes no part', () => {
  const away = (): Programme => {
    const known = programme()
    known.participants.set('aster', { kind: 'platform', status: 'suspended', ceased: NOW - 3_600_000 })
    return known
  }
  test.for<[kind: string, fields: Record<string, unknown>]>([
    ...['signal_ended', 'revised', 'erased', 'time_over', 'answered', 'routing_rule', 'dispute', 'lifecycle'].map(
      (reason): [string, Record<string, unknown>] => ['review.moved', { reason }],
    ),
    ['review.undone', {}],
    ['review.bulk', { step: 'refuse' }],
  ])('is moved by the node: %s %j', ([kind, fields]) => {
    expect(resultOf(fields, away(), { kind })).toBe('PASS')
    expect(resultOf({ ...fields, actor: 'fig' }, away(), { kind })).toBe('FAIL')
  })
  test.for<[kind: string, fields: Record<string, unknown>]>([
    ...['private_hit', 'resumed', 'taken_over', 'outdated', undefined].map(
      (reason): [string, Record<string, unknown>] => ['review.moved', { reason }],
    ),
    ['review.bulk', { step: 'finish' }],
    ['review.decided', { reason: 'revised' }],
    ['feedback.given', { reason: 'revised' }],
  ])('is worked on by nobody: %s %j', ([kind, fields]) => {
    expect(resultOf(fields, away(), { kind })).toBe('FAIL')
  })
})

describe('a signal', () => {
  const change = (state: string) => ({ changes: [{ signal: 'fig', revision: 1, state }] }) as unknown as Partial<Entry>
  const ends = (name: 'expired' | 'erased') => ({ [name]: [{ signal: 'fig', revision: 1 }] }) as Partial<Entry>
  test('is withdrawn by a withdrawal, ended by an expiry and erased by an erasure', () => {
    const act = { authority: undefined, person: undefined, actor: 'node' }
    expect(resultOf({}, programme(), change('withdrawn'))).toBe('PASS')
    for (const kind of ['signal.submitted', 'signal.revised'])
      expect(resultOf(act, programme(), { kind, ...change('live') })).toBe('PASS')
    expect(resultOf(act, programme(), { kind: 'signal.expired', ...ends('expired') })).toBe('PASS')
    expect(resultOf(act, programme(), { kind: 'erasure', ...ends('erased') })).toBe('PASS')
  })
  test.for<[what: string, fields: object, of: Partial<Entry>]>([
    ['made live by a withdrawal on the word of a person', {}, change('live')],
    ['withdrawn by a submission', { actor: 'node' }, { kind: 'signal.submitted', ...change('withdrawn') }],
    ['changed by what is no submission', { actor: 'node' }, { kind: 'review.set', ...change('live') }],
    ['changed by a kind that nobody knows', { actor: 'node' }, { kind: 'later.kind', ...change('live') }],
    ['committed to by what is no submission', { actor: 'node', accepted: 'root' }, { kind: 'review.set' }],
    ['ended by what is no expiry', { actor: 'node' }, { kind: 'review.set', ...ends('expired') }],
    ['erased by what is no erasure', { actor: 'node' }, { kind: 'signal.expired', ...ends('erased') }],
  ])('is not %s', ([, fields, of]) => {
    expect(resultOf({ ...fields }, programme(), of)).toBe('FAIL')
  })
})
