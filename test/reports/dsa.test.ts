import { expect, test } from 'vitest'
import { createDsaTally, dsaTablesOf } from '../../src/reports/dsa.ts'
import { DSA_TABLES, type DsaTableName, dsaCsvOf, INDICATOR_COLUMNS } from '../../src/reports/dsa-template.ts'

const DAY = 86_400_000
const FROM = Date.parse('2026-01-01T00:00:00Z')
const period = { from: FROM, to: FROM + 365 * DAY }

const decided = (day: number, decision: string, fields: Record<string, unknown> = {}) => ({
  ...{ kind: 'review.decided', time: FROM + day * DAY },
  fields: new Map(
    Object.entries({
      ...{ actor: 'aster', decision, authority: 'reviewed_here', reason: 'law', verdict: 'confirmed_action_taken' },
      ...fields,
    }),
  ),
})
const countsOf = (...entries: readonly ReturnType<typeof decided>[]) => {
  const tally = createDsaTally(period, 'aster')
  for (const one of entries) tally.take(one)
  return tally.counts()
}
const tablesOf = (...entries: readonly ReturnType<typeof decided>[]) =>
  dsaTablesOf({ counts: countsOf(...entries), period, service: 'Aster Chat', origin: 'node.example.org/provenance/1' })
const rowOf = (tables: ReturnType<typeof tablesOf>, name: DsaTableName) =>
  tables.find(({ table }) => table === name)?.rows[0]

test('what was done counts once, and as the last decision of it says', () => {
  const counts = countsOf(
    decided(1, 'd1', { counts: { content_removed: 3, accounts_actioned: null } }),
    decided(2, 'd2', { counts: { content_removed: 1 }, supersedes: 'd1' }),
    decided(3, 'd3', { counts: { content_removed: 0, urls_blocked: 2 }, authority: 'attested' }),
    decided(-1, 'before', { counts: { content_removed: 100 } }),
    decided(400, 'after', { counts: { content_removed: 100 } }),
    decided(4, 'another', { counts: { content_removed: 100 }, actor: 'birch' }),
  )
  expect(counts.ground.law).toEqual({ content_removed: 1, urls_blocked: 2, accounts_actioned: null, decisions: 2 })
  expect(counts).toMatchObject({ here: 1, attested: 2, upheld: 0 })
})

test('what waits for a second person did nothing yet', () => {
  const first = decided(1, 'd1', { counts: { urls_blocked: 4 } })
  const proposal = decided(2, 'd2', { counts: { urls_blocked: 9 }, supersedes: 'd1', proposed: true })
  expect(countsOf(first, proposal).ground.law).toMatchObject({ urls_blocked: 4, decisions: 1 })
  const approved = decided(3, 'd2', { counts: { urls_blocked: 9 }, supersedes: 'd1', reviewers: 2 })
  expect(countsOf(first, proposal, approved).ground.law).toMatchObject({ urls_blocked: 9, decisions: 1 })
})

test('a decision that was taken back, or that an appeal reversed, did nothing', () => {
  const undone = { ...decided(2, 'd1'), kind: 'review.undone' }
  expect(countsOf(decided(1, 'd1', { counts: { urls_blocked: 4 } }), undone).ground.law.decisions).toBe(0)
  const reversed = countsOf(
    decided(1, 'd1', { counts: { accounts_actioned: 1 } }),
    decided(2, 'd2', { supersedes: 'd1', verdict: 'not_violating', reason: 'appeal_upheld' }),
    // As the entry is that a second person stands for as well.
    decided(3, 'd2', { supersedes: 'd1', verdict: 'not_violating', reason: 'appeal_upheld', reviewers: 2 }),
  )
  expect(reversed).toMatchObject({ upheld: 1, ground: { law: { decisions: 0 } } })
})

test('law goes to table 5, the own policy to table 6, and another reason to neither', () => {
  const counts = { content_removed: 2, accounts_actioned: 1 }
  const tables = tablesOf(
    decided(1, 'd1', { counts }),
    decided(1, 'd2', { counts: { content_removed: 7 }, reason: 'own_policy' }),
    decided(1, 'd3', { counts: { content_removed: 90 }, reason: 'other' }),
  )
  expect(rowOf(tables, '5_own_initiative_illegal')).toMatchObject({
    ...{ Applicability: 'All', Service: 'Aster Chat', 'Reporting period': '2026-01-01/2026-12-31' },
    'Category of illegal content': 'STATEMENT_CATEGORY_PROTECTION_OF_MINORS',
    ...{ "Number of measures taken at the provider's own initiative ": 3, 'Visibility restriction Removal': 2 },
    'Contextual Information on Account restriction Suspension': expect.stringContaining('1 accounts'),
  })
  expect(rowOf(tables, '6_own_initiative_TC')).toMatchObject({
    "Category of incompatibility with the provider's terms and conditions": 'STATEMENT_CATEGORY_PROTECTION_OF_MINORS',
    'Visibility restriction Removal': 7,
  })
  // Suspended or closed is not told: neither column has a number.
  expect(rowOf(tables, '5_own_initiative_illegal')).not.toHaveProperty('Account restriction Suspension')
  expect(rowOf(tables, '8_automated_means')).toMatchObject({
    ...{ Indicator: 'Number of measures not taken by automated means', Scope: 'Own-initiative ', Value: 100 },
  })
})

test('what nobody reported is empty and not 0, and a ground without a decision has no row', () => {
  const tables = tablesOf(decided(1, 'd1', { counts: { accounts_actioned: null } }))
  expect(rowOf(tables, '5_own_initiative_illegal')).not.toHaveProperty('Visibility restriction Removal')
  expect(rowOf(tables, '6_own_initiative_TC')).toBeUndefined()
  expect(rowOf(tables, '8_automated_means')).not.toHaveProperty('Value')
})

test('the files have the columns of the official ones, every cell in its place', () => {
  const tables = tablesOf(decided(1, 'd1', { counts: { content_removed: 2, urls_blocked: 5 } }))
  expect(tables.map(({ table }) => table)).toEqual(DSA_TABLES)
  expect(tables.map(({ columns }) => columns.length)).toEqual([37, 37, 8, 8])
  for (const { columns, rows } of tables)
    for (const row of rows) expect(Object.keys(row).filter((name) => !columns.includes(name))).toEqual([])
  const [measures = '', , appeals = ''] = tables.map(dsaCsvOf)
  const [head = '', first = ''] = measures.split('\r\n')
  expect(head).toMatch(
    /^Applicability,Service,Reporting period,Category of illegal content,"Description of the sub-category ""Other""",Number of measures taken at the provider's own initiative ,/,
  )
  expect(first).toMatch(
    /^All,Aster Chat,2026-01-01\/2026-12-31,STATEMENT_CATEGORY_PROTECTION_OF_MINORS,,7,,2,5,,,,,,,,,,,,,/,
  )
  expect(appeals.split('\r\n')[0]).toBe(INDICATOR_COLUMNS.join(','))
})
