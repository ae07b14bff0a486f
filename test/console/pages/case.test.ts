import { renderToString } from 'preact-render-to-string'
import { describe, expect, test } from 'vitest'
import { CasePage } from '../../../src/console/pages/case.tsx'
import type { CaseView } from '../../../src/console/pages/case-view.ts'
import { newId } from '../../../src/kernel/ids.ts'
import type { CaseInfo } from '../../../src/review/schema.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const id = newId(NOW)
const one: CaseInfo = {
  ...{ case: id, source: 'aster', signal: id, revision: 1, type: 'url', category: 'grooming', severity: 'medium' },
  ...{ confidence: 80, state: 'open', version: 3, own_hits: 2, confirmations: 0, disputed: false },
  ...{ priority: ['Medium.'], opened_at: NOW.toISOString(), due_at: NOW.toISOString(), triggers: [], decisions: [] },
}
const view: CaseView = {
  viewer: {
    ...{ person: id, organisation: 'birch', pseudonym: '4F2Q', roles: ['analyst'], authTime: NOW, steppedUp: false },
    csrf: 'token',
  },
  ...{ one, now: NOW, grip: undefined, typed: {}, refusal: undefined, opinions: undefined, colleagues: [] },
  ...{ categories: ['grooming'], undoable: [], nudge: undefined, audience: undefined, decision: id },
  criticalSecond: 'required',
  revealable: false,
}
const grip = { case: id, token: id, version: 3, expires_at: '2026-03-01T12:15:00.000Z', live: true }
const html = (change: Partial<CaseView>): string => renderToString(CasePage({ ...view, ...change }))
const decision = {
  ...{ decision: id, seq: 1, verdict: 'outdated' as const, reason: 'inactive', counts: {}, decided_by: '4F2Q' },
  ...{ authority: 'reviewed_here' as const, decided_at: NOW.toISOString(), standing: 'proposed' as const, event: id },
}

describe('the page of a case', () => {
  test('has a form to decide for whoever holds the case, and for nobody else', () => {
    expect(html({})).not.toContain('name="verdict"')
    expect(html({ grip, one: { ...one, lease: { holder: '4F2Q', expires_at: grip.expires_at } } })).toContain(
      'name="verdict"',
    )
    expect(html({ one: { ...one, lease: { holder: '7K3M', expires_at: grip.expires_at } } })).not.toContain(
      'name="verdict"',
    )
  })

  test('offers a take-over to leads alone', () => {
    const taken = { ...one, lease: { holder: '7K3M', expires_at: grip.expires_at } }
    expect(html({ one: taken })).not.toContain('Take over')
    expect(html({ one: taken, viewer: { ...view.viewer, roles: ['lead'] } })).toContain('Take over')
  })

  test('has no control to approve what the viewer proposed', () => {
    const waiting: CaseInfo = { ...one, state: 'awaiting_second', decisions: [decision] }
    expect(html({ one: waiting })).not.toContain('value="approve"')
    expect(html({ one: waiting })).toContain('Take it back')
    const other = { ...waiting, decisions: [{ ...decision, decided_by: '7K3M' }] }
    expect(html({ one: other })).toContain('value="approve"')
    expect(html({ one: other })).not.toContain('Take it back')
  })

  test('says which verdicts need a second person', () => {
    const marks = (severity: CaseInfo['severity']): number =>
      html({ grip, one: { ...one, severity } }).split('2nd person').length - 1
    expect([marks('medium'), marks('critical')]).toEqual([1, 3])
  })

  test('shows a count that was none, and leaves out one that was not reported', () => {
    const closed: CaseInfo = { ...one, state: 'closed', decisions: [{ ...decision, counts: { urls_blocked: 0 } }] }
    const text = html({ one: closed })
    expect(text).toContain('Links blocked: 0')
    expect(text).not.toContain('Accounts actioned:')
  })

  test('holds no words of a source before they are given to it', () => {
    const said = {
      ...{ revision: 1, basis: 'automated', tlp: 'amber', handling: 'review', region: 'IE', legal_basis: 'law' },
      ...{ surface: 'public', observed_at: NOW.toISOString(), expires_at: NOW.toISOString(), audience: id },
      texts: ['note' as const],
    }
    expect(html({ one: { ...one, said } })).toContain('The source wrote a note')
    expect(html({ one: { ...one, said }, texts: { case: id, note: '<b>fig</b>' } })).toContain('&lt;b>fig&lt;/b>')
  })

  test('shows a revealed link so that nothing follows it, and asks for none that was not sealed', () => {
    expect(html({})).not.toContain('Reveal the link')
    expect(html({ revealable: true })).toContain('Reveal the link')
    const value = {
      ...{ source: 'aster', signal: id, revision: 1, type: 'url' as const, value: 'https://bad.example/<b>a</b>' },
      ...{ sealed_at: NOW.toISOString(), event: id },
    }
    const text = html({ revealable: true, value })
    expect(text).toContain('hxxps[:]//bad[.]example/&lt;b>a&lt;/b>')
    expect(text).not.toContain('https://bad')
  })

  test('shows what others wrote as text', () => {
    const evil = '"><script>alert(1)</script>'
    const closed: CaseInfo = {
      ...{ ...one, state: 'closed', hit: { count: 1, last_at: NOW.toISOString(), own_ref: evil } },
      decisions: [{ ...decision, note_shared: evil, note_team: evil }],
    }
    expect(html({ one: closed })).not.toContain('<script>')
    expect(html({ grip, typed: { note_shared: evil, verdict: evil } })).not.toContain('<script>')
  })
})
