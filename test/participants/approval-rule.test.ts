import { describe, expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import { ACTIONS } from '../../src/participants/action.ts'
import {
  type Asked,
  approversNow,
  mayHoldTogether,
  mayVote,
  needsTwo,
  type PersonInRole,
  standingOf,
} from '../../src/participants/approval-rule.ts'
import { ROLES, type Role, VERDICT } from '../../src/participants/schema.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const at = (seconds: number): Date => new Date(NOON.getTime() + seconds * 1000)
const [ada, ben, eve] = ['01', '02', '03'] as Uuid[] as [Uuid, Uuid, Uuid]

const asked = (change: Partial<Asked> = {}): Asked => ({
  ...{
    requested_by: ada,
    requested_org: 'office',
    other_org: false,
    needed: 1,
    expires_at: at(3600),
    executed_at: null,
    cancelled_at: null,
  },
  ...change,
})
const person = (change: Partial<PersonInRole> = {}): PersonInRole => ({
  ...{ person_id: ben, organisation: 'office', roles: ['node_admin'] },
  ...change,
})
const given = (approver: Uuid, verdict: keyof typeof VERDICT = 'approve') => ({ approver, verdict: VERDICT[verdict] })

describe('standing', () => {
  const all = { now: NOON, inRole: () => true }

  test.for([
    ['one of another person is ready', asked(), [given(ben)], 'ready'],
    ['none is short', asked(), [], 'short'],
    ['one of two is short', asked({ needed: 2 }), [given(ben)], 'short'],
    ['the same person twice is short of two', asked({ needed: 2 }), [given(ben), given(ben)], 'short'],
    ['the proposer does not count', asked(), [given(ada)], 'short'],
    ['one rejection ends it', asked(), [given(ben), given(eve, 'reject')], 'rejected'],
    ['its last moment is over', asked({ expires_at: NOON }), [given(ben)], 'expired'],
    ['executed stays executed', asked({ executed_at: NOON }), [given(ben)], 'executed'],
    ['taken back stays taken back', asked({ cancelled_at: NOON }), [given(ben)], 'cancelled'],
    ['before its time it waits for it', asked({ effective_at: at(1) }), [given(ben)], 'scheduled'],
    ['at its time it is ready', asked({ effective_at: NOON }), [given(ben)], 'ready'],
    ['before its time it may still be short', asked({ effective_at: at(1) }), [], 'short'],
  ] as const)('%s', ([, request, votes, standing]) => {
    expect(standingOf(request, votes, all)).toBe(standing)
  })

  test('an approver that left its role does not count', () => {
    expect(standingOf(asked(), [given(ben)], { now: NOON, inRole: (one) => one !== ben })).toBe('short')
  })
})

describe('a vote', () => {
  const now = { now: NOON, auth_time: NOON, approvers: ['node_admin'] as const, given: [] }

  test.for([
    ['is allowed', asked(), person(), NOON, 'allowed'],
    ["is not the proposer's", asked(), person({ person_id: ada }), NOON, 'self'],
    ['needs the role', asked(), person({ roles: ['lead'] }), NOON, 'role'],
    ['of one organisation is none where two are wanted', asked({ other_org: true }), person(), NOON, 'same_org'],
    ['of another organisation is one', asked({ other_org: true }), person({ organisation: 'b' }), NOON, 'allowed'],
    ['299 s after sign-in counts', asked(), person(), at(-299), 'allowed'],
    ['300 s after sign-in does not', asked(), person(), at(-300), 'stale_sign_in'],
    ['30 s before sign-in counts', asked(), person(), at(30), 'allowed'],
    ['31 s before sign-in does not', asked(), person(), at(31), 'stale_sign_in'],
    ['comes too late after the act', asked({ executed_at: NOON }), person(), NOON, 'executed'],
    ['comes too late for what was taken back', asked({ cancelled_at: NOON }), person(), NOON, 'cancelled'],
    ['still counts on what waits for its time', asked({ effective_at: at(60) }), person(), NOON, 'allowed'],
  ] as const)('%s', ([, request, voter, auth_time, ballot]) => {
    expect(mayVote(request, voter, { ...now, auth_time })).toBe(ballot)
  })

  test('comes too late after a rejection', () => {
    expect(mayVote(asked(), person(), { ...now, given: [given(eve, 'reject')] })).toBe('rejected')
  })
})

describe('roles', () => {
  test('the second administrator stands in until somebody holds governance', () => {
    const rule = ACTIONS['participant.admit']
    expect(approversNow(rule, new Set<Role>(['node_admin']))).toEqual(['node_admin'])
    expect(approversNow(rule, new Set<Role>(['node_admin', 'governance']))).toEqual(['governance'])
  })
  test('no act is approved in a role that reads signals', () => {
    for (const [name, { approvers, needed }] of Object.entries(ACTIONS)) {
      expect(
        approvers.filter((role) => role === 'analyst' || role === 'lead'),
        name,
      ).toEqual([])
      expect(needed, name).toBeGreaterThan(0)
    }
  })
  test('governance and administration never meet in one person, nor with reading signals', () => {
    const apart = ROLES.flatMap((a) => ROLES.filter((b) => !mayHoldTogether([a], b)).map((b) => `${a} ${b}`))
    expect(apart.sort()).toEqual([
      ...['analyst governance', 'analyst node_admin', 'governance analyst', 'governance lead', 'governance node_admin'],
      ...['lead governance', 'lead node_admin', 'node_admin analyst', 'node_admin governance', 'node_admin lead'],
    ])
  })
  test('roles that approve or audit take two to give', () => {
    expect(ROLES.filter(needsTwo)).toEqual(['node_admin', 'governance', 'observer'])
  })
})
