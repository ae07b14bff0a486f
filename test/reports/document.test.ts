import { describe, expect, test } from 'vitest'
import { csvOf } from '../../src/reports/csv.ts'
import { bytesOf, differences, periodOf, reportOf } from '../../src/reports/document.ts'
import { METRICS } from '../../src/reports/metric.ts'
import { pageOf } from '../../src/reports/page.tsx'
import { parseReport, ReportMalformed } from '../../src/reports/parse.ts'
import { type Figure, REPORT_BYTES_MAX, type Report } from '../../src/reports/schema.ts'
import { createTally } from '../../src/reports/tally.ts'

const HOSTILE = '"><script>alert(1)</script>'
const PERIOD = { from: Date.parse('2026-07-01T00:00:00Z'), to: Date.parse('2027-01-01T00:00:00Z') }
const FIGURES: readonly Figure[] = [
  { id: 'participants.active', value: 6 },
  {
    ...{ id: 'signals.shared', value: 40, reporting: 6 },
    by: {
      type: [
        { key: 'url', value: 30 },
        { key: HOSTILE, value: 10 },
      ],
    },
  },
  { id: 'answers.minutes', value: 90, n: 12 },
]
const aReport = (figures: readonly Figure[] = FIGURES): Report =>
  reportOf({ period: PERIOD, checkpoint: 'node.example/provenance/1\n517\nroot=\n\n— key sig\n', k: 5, figures })

describe('a report', () => {
  test('has every metric of the dictionary, and nothing else', () => {
    const figures = createTally(PERIOD).figures()
    expect(figures.map(({ id }) => id)).toEqual(METRICS.map(({ id }) => id))
  })

  test('comes back from its JSON, and makes the same bytes', () => {
    const report = aReport()
    expect(parseReport(JSON.stringify(report, undefined, 2))).toEqual(report)
    expect(bytesOf(parseReport(JSON.stringify(report)))).toBe(bytesOf(report))
    expect(periodOf(report)).toEqual(PERIOD)
  })

  test.for([
    ['not JSON', '{'],
    ['longer than the limit', ' '.repeat(REPORT_BYTES_MAX + 1)],
    ['a further member', JSON.stringify({ ...aReport(), more: 1 })],
    ['an unknown figure', JSON.stringify({ ...aReport(), figures: [{ id: 'signals.lost', value: 1 }] })],
    ['a figure that is no count', JSON.stringify({ ...aReport(), figures: [{ id: 'signals.shared', value: -1 }] })],
    ['another format', JSON.stringify({ ...aReport(), format: 'aldis-report/3' })],
  ])('that is %s is refused', ([, text = '']) => {
    expect(() => parseReport(text)).toThrow(ReportMalformed)
  })

  test('that says otherwise than the log is told cell by cell', () => {
    const changed = structuredClone(FIGURES) as Figure[]
    const rows = changed[1]?.by?.['type']
    if (rows?.[0] === undefined) throw new Error('a row')
    rows[0].value = 31
    expect(differences(changed, FIGURES)).toEqual(['signals.shared by type url: the report says 31, the log makes 30'])
    expect(differences(FIGURES.slice(1), FIGURES)).toEqual([
      'participants.active: the report says nothing, the log makes 6',
    ])
    expect(differences(FIGURES, FIGURES)).toEqual([])
  })
})

describe('as a page', () => {
  const page = pageOf(aReport(), 'd1ge57')

  test('shows what an entry says literally, and runs and fetches nothing', () => {
    expect(page).not.toContain('<script')
    expect(page).toContain('&lt;script')
    expect(page).not.toMatch(/(?:src|href)=/)
  })

  test('has a table, a rule and a heading for each figure, and the digest', () => {
    expect(page).toContain('Signals shared by type')
    expect(page).toContain('signal.submitted in: sum of types')
    expect(page).toContain('d1ge57')
    expect(page).toContain('90</b> minutes, median')
  })
})

test('as a table quotes what a spreadsheet would run', () => {
  const rows = [
    { key: '=cmd()', value: 9 },
    { key: 'a,"b"', value: 8 },
  ]
  const csv = csvOf(aReport([{ id: 'signals.shared', value: 17, by: { type: rows } }]))
  expect(csv).toContain("signals.shared,signals,type,'=cmd(),9,,,\r\n")
  expect(csv).toContain('signals.shared,signals,type,"a,""b""",8,,,\r\n')
})
