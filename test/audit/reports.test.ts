import { expect, test } from 'vitest'
import type { Entry } from '../../src/audit/entry.ts'
import { checkReports } from '../../src/audit/reports.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { bytesOf, reportOf } from '../../src/reports/document.ts'
import { REPORT_FORMATS, type Report } from '../../src/reports/schema.ts'
import { suppress } from '../../src/reports/suppress.ts'
import { createTally } from '../../src/reports/tally.ts'
import { entriesOf, forge } from '../provenance/forge.ts'

const FROM = Date.parse('2026-07-01T00:00:00Z')
const PERIOD = { from: FROM, to: FROM + 30 * 86_400_000 }
const NOTE = forge(entriesOf(3)).note

const entry = (index: number, kind: string, fields: Record<string, unknown>, day = 1): Entry =>
  ({
    ...{ index: BigInt(index), kind, time: FROM + day * 86_400_000, sources: [], changes: [] },
    fields: new Map(Object.entries(fields)),
  }) as unknown as Entry
const shared = (index: number) =>
  entry(index, 'signal.submitted', { actor: 'a', types: { url: 9 }, categories: { grooming: 9 } })
const LOG = [shared(0), shared(1), entry(2, 'signal.held', {})]

function honest(): Report {
  const tally = createTally(PERIOD)
  for (const one of LOG) tally.take({ ...one, sources: [], changes: [] })
  return reportOf({ period: PERIOD, checkpoint: NOTE, k: 5, figures: tally.figures() })
}
const published = (report: Report, change: Record<string, unknown> = {}) =>
  entry(4, 'report.published', {
    ...{ digest: toHex(sha256(bytesOf(report))), period: `${report.period.from}/${report.period.to}` },
    ...{ log_size: '3', queries: report.format },
    ...change,
  })

function checked(report: Report | undefined, ...further: readonly Entry[]) {
  const check = checkReports(sha256, report === undefined ? [] : [{ name: 'r.json', text: JSON.stringify(report) }])
  // What came after the checkpoint is in no figure.
  for (const one of [...LOG, shared(3), ...further]) check.entry(one)
  return check.end()
}

test('a published report whose figures recompute passes', () => {
  const report = honest()
  expect(checked(report, published(report))).toMatchObject({
    ...{ check: 16, result: 'PASS', says: 'the figures of 1 published reports recompute' },
  })
})

test('a report recomputes by the rule of its own format, and of no other', () => {
  const tally = createTally(PERIOD)
  const log = [entry(0, 'signal.submitted', { actor: 'a', types: { url: 1, domain: 1, media: 9 }, categories: {} })]
  for (const one of log) tally.take({ ...one, sources: [], changes: [] })
  const now = reportOf({ period: PERIOD, checkpoint: NOTE, k: 5, figures: tally.figures() })
  const format = 'aldis-report/1' as const
  const former = { ...now, format, figures: suppress(tally.figures(), { format, k: 5 }) }
  const result = (report: Report) => {
    const check = checkReports(sha256, [{ name: 'r.json', text: JSON.stringify(report) }])
    for (const one of [...log, published(report)]) check.entry(one)
    return check.end().result
  }
  expect([now, former, { ...now, format }, { ...former, format: now.format }].map(result)).toEqual([
    ...['PASS', 'PASS', 'FAIL', 'FAIL'],
  ])
})

test('a report is of the format that its entry names; one that names the first is of before there was another', () => {
  const report = honest()
  const results = [...REPORT_FORMATS, 'aldis-report/9'].map((queries) =>
    checked(report, published(report, { queries })),
  )
  expect(results.map(({ result }) => result)).toEqual(['PASS', 'PASS', 'FAIL'])
  expect(results[2]?.says).toBe('entry 4: the report is of another format than the entry says')
})

test('a report that two organisations published with other figures fails, and says which', () => {
  const report = honest()
  const figures = report.figures.map((one) => (one.id === 'signals.shared' ? { ...one, value: 19 } : one))
  const forged = { ...report, figures }
  expect(checked(forged, published(forged))).toMatchObject({
    ...{ result: 'FAIL', entry: '4' },
    says: 'entry 4: signals.shared: the report says 19, the log makes 18',
  })
})

test('a report of another period than its entry says fails', () => {
  const report = honest()
  expect(checked(report, published(report, { period: 'another' })).result).toBe('FAIL')
  expect(checked(report, published(report, { log_size: '4' })).result).toBe('FAIL')
})

test('a published report that is not at hand stays unknown; a draft says nothing', () => {
  const report = honest()
  expect(checked(undefined, published(report)).result).toBe('UNKNOWN')
  expect(checked(report)).toMatchObject({ result: 'PASS', says: 'no report was published' })
})
