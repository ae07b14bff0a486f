import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concerns, NOTICES_PAGE, type OwnNotice, pageAfter } from '../../src/console/notices.ts'
import { NOTICE_KINDS, type NoticeKind } from '../../src/notices/schema.ts'
import { ROLES, type Role } from '../../src/participants/schema.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')

const list = (times: readonly number[]): OwnNotice[] =>
  times
    .map(
      (ms, i): OwnNotice => ({
        ...{ kind: 'case.taken_over', id: `case.taken_over/${String(i).padStart(4, '0')}`, href: '/', about: '' },
        ...{ at: new Date(NOW - ms), unread: true },
      }),
    )
    .sort((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1))

test('pages one after the other have every notice once, also where many are of one moment', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 180 }), (times) => {
      const all = list(times)
      const seen: string[] = []
      let place: string | undefined
      do {
        const page = pageAfter(all, place)
        expect(page.notices.length).toBeLessThanOrEqual(NOTICES_PAGE)
        seen.push(...page.notices.map(({ id }) => id))
        place = page.next
      } while (place !== undefined)
      expect(seen).toEqual(all.map(({ id }) => id))
    }),
  )
})

describe('a notice concerns', () => {
  const viewer = (...roles: Role[]) => ({ roles, pseudonym: '4F2Q' })
  const OPEN: Readonly<Record<NoticeKind, readonly Role[]>> = {
    'case.handed_over': ['lead', 'analyst'],
    'case.taken_over': ['lead', 'analyst'],
    'proposal.waiting': ['lead', 'analyst'],
    'proposal.approved': ['lead', 'analyst'],
    'proposal.denied': ['lead', 'analyst'],
    'queue.at_risk': ['lead'],
    'question.asked': ['partner_admin', 'lead'],
    'dispute.opened': ['partner_admin', 'lead'],
    'signal.held': ['partner_admin', 'lead', 'analyst'],
    'credential.ends': ['partner_admin'],
  }
  test.for(NOTICE_KINDS.flatMap((kind) => ROLES.map((role) => [kind, role] as const)))('%s: %s', ([kind, role]) => {
    expect(concerns({ kind }, viewer(role))).toBe(OPEN[kind].includes(role))
  })
  test('whom it is for, and not whom it is not', () => {
    const kind = 'case.handed_over' as const
    expect(concerns({ kind, for: '4F2Q' }, viewer('analyst'))).toBe(true)
    expect(concerns({ kind, for: '7K3M' }, viewer('analyst'))).toBe(false)
    expect(concerns({ kind, not: '4F2Q' }, viewer('analyst'))).toBe(false)
  })
})
