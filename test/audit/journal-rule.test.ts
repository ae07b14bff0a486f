import { expect, test } from 'vitest'
import type { Entry } from '../../src/audit/entry.ts'
import { gatherFaults } from '../../src/audit/faults.ts'
import { numbered } from '../../src/audit/finding.ts'
import { createJournalRule } from '../../src/audit/journal-rule.ts'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { DAY, NOON } from '../signals/factory.ts'

const POLICY = '{"read_journal_days":400}'

const entry = (kind: string, index: bigint, { days, ...fields }: Record<string, unknown>): Entry =>
  ({ kind, index, time: NOON.getTime() + Number(days) * DAY, fields: new Map(Object.entries(fields)) }) as never

/** What is said of reads of a log that ended: the last made on one day, gathered on another, ended by the next log on a third. */
function found({ to, made, ended }: { to: unknown; made: number; ended: number }): string {
  const check = numbered(14, 'reads')
  const faults = gatherFaults(check)
  const rule = createJournalRule({ hash: sha256, faults, indexAt: (place) => Number(place) - 10 })
  const digest = toBase64Url(sha256(utf8(POLICY)))
  rule.entry(entry('policy.published', -9n, { days: 0, policy: 'retention', digest }))
  rule.batch(entry('read.batch', -8n, { days: made, reader: 'plum', to, n: 3 }), false)
  const of = { subject: 'plum', batches: ['2'], n: 3, rule: 'read_journal_days', policy: POLICY }
  rule.entry(entry('reads.expired', 1n, { days: ended, ...of }))
  return faults.finding(() => check.pass(`${rule.over} over, ${[...rule.missing(NOON)].length} missing`)).says
}
const day = (days: number): string => new Date(NOON.getTime() + days * DAY).toISOString()

test.for<[when: string, to: number, made: number, over: number]>([
  ['the last of them was made, if their entry came before', 1, 0, 401],
  ['their entry was made, if it came later', 0, 7, 407],
  ['their entry was made, whatever it says of them', -500, 7, 407],
])('the days of reads begin when %s', ([, to, made, over]) => {
  expect(found({ to: day(to), made, ended: over })).toBe('1 over, 0 missing')
  expect(found({ to: day(to), made, ended: over - 1 / 1_024 })).toContain('before their time')
})
test('reads of which nobody says when they were made, or gathered, are never over', () => {
  expect(found({ to: 'long ago', made: 0, ended: 9_000 })).toContain('before their time')
  expect(found({ to: day(0), made: Number.NaN, ended: 9_000 })).toContain('before their time')
})
