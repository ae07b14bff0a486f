import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { describe, expect, test } from 'vitest'
import { namesFor } from '../../src/console/names.ts'
import { RequestPage } from '../../src/console/pages/request.tsx'
import { stateOf } from '../../src/console/parts/log-strip.tsx'
import { sectionsOf } from '../../src/console/parts/nav.tsx'
import type { Viewer } from '../../src/console/viewer.ts'
import { newId } from '../../src/kernel/ids.ts'
import type { RequestFor } from '../../src/participants/request-list.ts'
import { ROLES } from '../../src/participants/schema.ts'

const NOW = new Date('2026-11-26T12:00:00Z')
const [me, other] = [newId(NOW), newId(NOW)]

const viewer = (change: Partial<Viewer> = {}): Viewer => ({
  ...{ person: me, organisation: 'office', pseudonym: '4F2Q', roles: ['governance'], authTime: NOW },
  ...{ steppedUp: true, csrf: 'token', ...change },
})
const aRequest = (change: Partial<RequestFor> = {}): RequestFor => ({
  ...{ request_id: newId(NOW), action: 'participant.admit', payload: '{"kind":"platform","name":"Fig","slug":"fig"}' },
  ...{ digest: 'abc', requested_by: other, requested_org: 'apple', requested_at: NOW, expires_at: NOW },
  ...{ executed_at: null, needed: 1, other_org: false, approvers: ['governance'], votes: [], standing: 'short' },
  ...{
    ballot: 'allowed',
    mayExecute: false,
    due_at: undefined,
    effective_at: undefined,
    cancelled_at: null,
    ...change,
  },
})
const people = [{ person_id: other, organisation: 'apple', name: 'Ann Secret', active: true, roles: [] }]

describe('a request', () => {
  const html = (request: RequestFor, who = viewer()): string =>
    renderToString(
      RequestPage({
        request,
        viewer: who,
        nameOf: namesFor(who, people),
        now: NOW,
        once: newId(NOW),
        differences: [],
      }) as VNode,
    )

  test('has its controls only for who may decide, signed in a moment ago', () => {
    expect(html(aRequest())).toMatch(/\/approve".*\/deny"/s)
    for (const ballot of ['self', 'role', 'same_org', 'voted', 'executed', 'expired', 'rejected'] as const)
      expect(html(aRequest({ ballot })), ballot).not.toMatch(/\/approve|\/deny|\/execute/)
    const stale = html(aRequest(), viewer({ steppedUp: false }))
    expect(stale).not.toMatch(/\/approve|\/deny/)
    expect(stale).toContain('/step-up?to=%2Frequests%2F')
  })
  test('that is approved and whose proposer has lost the role says so, and has no controls', () => {
    const shown = html(aRequest({ standing: 'ready', mayExecute: false }))
    expect(shown).toContain('does not hold the role for it any more')
    expect(shown).not.toMatch(/\/approve|\/deny|\/execute/)
  })
  test('shows names within the organisation alone', () => {
    expect(html(aRequest())).not.toContain('Ann Secret')
    expect(html(aRequest(), viewer({ organisation: 'apple' }))).toContain('Ann Secret')
  })
  test('says once how much later than its time it was carried out', () => {
    const executed_at = new Date(NOW.getTime() + 7_200_000)
    expect(
      html(aRequest({ standing: 'executed', effective_at: NOW, executed_at })).match(/ 2 h after its time/g),
    ).toEqual([' 2 h after its time'])
  })
  test('shows exactly what is approved', () => {
    expect(html(aRequest())).toContain(
      '{&quot;kind&quot;:&quot;platform&quot;,&quot;name&quot;:&quot;Fig&quot;,&quot;slug&quot;:&quot;fig&quot;}',
    )
  })
})

test('the navigation names no section of another role', () => {
  expect(sectionsOf({ roles: [] }).map(([name]) => name)).not.toContain('requests')
  for (const role of ROLES)
    for (const [, { roles }] of sectionsOf({ roles: [role] })) if (roles !== undefined) expect(roles).toContain(role)
})

test('the log is late once a checkpoint is old or a witness is missing, and halted above all', () => {
  const health = { size: 1n, at: NOW, witnesses: { wanted: 3, answering: 3 } }
  const later = new Date(NOW.getTime() + 3 * 3_600_000)
  expect(stateOf(health, NOW)).toBe('ok')
  expect(stateOf(health, later)).toBe('late')
  expect(stateOf({ ...health, witnesses: { wanted: 3, answering: 2 } }, NOW)).toBe('late')
  expect(stateOf({ ...health, halted: 'why' }, later)).toBe('halted')
  expect(stateOf({ size: 0n, witnesses: { wanted: 0, answering: 0 } }, NOW)).toBe('none')
})
