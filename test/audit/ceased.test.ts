import { describe, expect, test } from 'vitest'
import { checkAuthority } from '../../src/audit/authority.ts'
import type { Entry } from '../../src/audit/entry.ts'
import { foldProgramme } from '../../src/audit/fold.ts'
import { emptyProgramme } from '../../src/audit/programme.ts'

type Fields = Readonly<Record<string, unknown>>
/** `at`: seconds after the beginning. */
type Told = readonly [at: number, kind: string, fields: Fields]

const NOW = Date.parse('2026-03-01T12:00:00Z')
const iso = (seconds: number): string => new Date(NOW + seconds * 1_000).toISOString()
const APPLE: Fields = { actor: 'apple', subject: 'apple' }
const SPAN: Fields = { from: iso(0), to: iso(1_000_000) }

/** Apple is admitted, with a credential and a signing key. */
const BEGUN: readonly Told[] = [
  [0, 'participant.admitted', { participant: 'apple', kind: 'platform' }],
  [0, 'credential.enrolled', { ...APPLE, ...SPAN, use: 'tls', credential: 'c', scopes: ['signals:submit'] }],
  [0, 'credential.enrolled', { ...APPLE, ...SPAN, use: 'sign:active', credential: 'k' }],
]
const submitted = (at: number, kid = 'k'): Told => [at, 'signal.submitted', { ...APPLE, cred: 'c', kid }]
const moved = (at: number, how: 'suspended' | 'resumed' | 'left'): Told => [
  at,
  `participant.${how}`,
  { participant: 'apple' },
]
const revoked = (at: number, use: 'tls' | 'sign', reason = 'retired'): Told => [
  at,
  'credential.revoked',
  { subject: 'apple', credential: use === 'tls' ? 'c' : 'k', use, reason },
]

function found(entries: readonly Told[]) {
  const programme = emptyProgramme()
  const check = checkAuthority(programme)
  for (const [i, [at, kind, fields]] of [...BEGUN, ...entries].entries()) {
    const entry = {
      ...{ kind, index: BigInt(i), time: NOW + at * 1_000, changes: [], expired: [], erased: [] },
      fields: new Map(Object.entries(fields)),
    } as unknown as Entry
    check.entry(entry)
    foldProgramme(programme, entry)
  }
  return check.end()
}

describe('what is over', () => {
  test.for<[what: string, ends: Told]>([
    ['a participant that was suspended', moved(100, 'suspended')],
    ['a participant that left', moved(100, 'left')],
    ['a credential that was revoked', revoked(100, 'tls')],
    ['a signing key that was retired', revoked(100, 'sign')],
  ])('acts for a minute more, and no longer: %s', ([, ends]) => {
    expect(found([ends, submitted(160)])).toMatchObject({ result: 'PASS' })
    expect(found([ends, submitted(161)])).toMatchObject({ result: 'FAIL' })
  })
  test.for<[what: string, ends: Told, again: Told]>([
    ['a second suspension', moved(100, 'suspended'), moved(1_000, 'suspended')],
    ['leaving after a suspension', moved(100, 'suspended'), moved(1_000, 'left')],
    ['a second revocation', revoked(100, 'tls'), revoked(1_000, 'tls')],
    ['compromised after retired', revoked(100, 'sign'), revoked(1_000, 'sign', 'compromised')],
  ])('has no further minute by %s', ([, ends, again]) => {
    expect(found([ends, again, submitted(1_001)])).toMatchObject({ result: 'FAIL' })
  })
  test('is so anew once it was active in between', () => {
    const again = [moved(100, 'suspended'), moved(500, 'resumed'), submitted(900), moved(1_000, 'suspended')]
    expect(found([...again, submitted(1_060)])).toMatchObject({ result: 'PASS' })
    expect(found([...again, submitted(1_061)])).toMatchObject({ result: 'FAIL' })
  })
})

describe('a signing key', () => {
  const enrolled = (at: number, use: string): Told => [
    at,
    'credential.enrolled',
    { ...APPLE, ...SPAN, use, credential: 'l' },
  ]
  test('that was confirmed acts', () => {
    expect(found([enrolled(100, 'sign:pending'), enrolled(101, 'sign:active'), submitted(102, 'l')])).toMatchObject({
      result: 'PASS',
    })
  })
  test('that never was active has no minute, nor has one whose use nobody knows', () => {
    const says = (use: string): string => found([enrolled(100, use), submitted(101, 'l')]).says
    expect(says('sign:pending')).toContain('the signing key l is pending')
    expect(says('SIGN:active')).toContain('the signing key l is none of apple')
  })
})
