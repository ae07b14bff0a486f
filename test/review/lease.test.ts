import { expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import { claim, grip, isLive, type Lease } from '../../src/review/lease.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const LATER = new Date('2026-03-01T12:15:00Z')
const lease: Lease = { holder: 'ann', token: '01890000-0000-7000-8000-000000000001' as Uuid, expires_at: LATER }
const other = '01890000-0000-7000-8000-000000000002' as Uuid

test.each([
  ['free', 'nobody has it', undefined, 'bob', null, false, NOON],
  ['mine', 'its holder claims again', lease, 'ann', null, false, NOON],
  ['held', 'somebody else has it', lease, 'bob', null, false, NOON],
  ['taken_over', 'a lead comes before the time is over', lease, 'bob', null, true, NOON],
  ['free', 'the time is over', lease, 'bob', null, false, LATER],
  ['held', 'it was handed to somebody else', undefined, 'bob', 'eve', false, NOON],
  ['mine', 'it was handed over to whoever claims', undefined, 'bob', 'bob', false, NOON],
])('%s where %s', (outcome, _, held, who, assigned, lead, now) => {
  expect(claim(held, { who, assigned, lead, now }).outcome).toBe(outcome)
})

test('a token stands until another one does, however late it is', () => {
  expect(grip(lease, lease.token, NOON)).toBe('good')
  expect(grip(lease, lease.token, new Date('2027-01-01T00:00:00Z'))).toBe('good')
  expect(grip(lease, other, NOON)).toBe('held')
  expect(grip(lease, other, LATER)).toBe('lapsed')
  expect(grip(undefined, other, NOON)).toBe('lapsed')
  expect(grip(lease, undefined, LATER)).toBe('lapsed')
})

test('a lease is over at its very end', () => {
  expect([isLive(lease, NOON), isLive(lease, LATER), isLive(undefined, NOON)]).toEqual([true, false, false])
})
