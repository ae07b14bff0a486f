import { type Hash, toHex, utf8 } from '../kernel/bytes.ts'
import { parseCheckpoint } from '../provenance/checkpoint.ts'
import { parseNote } from '../provenance/note.ts'
import { bytesOf, differences, periodOf } from '../reports/document.ts'
import { parseReport, ReportMalformed } from '../reports/parse.ts'
import { reachesBack } from '../reports/period.ts'
import { REPORT_FORMATS, type Report } from '../reports/schema.ts'
import { suppress } from '../reports/suppress.ts'
import { createTally, type Tally } from '../reports/tally.ts'
import type { Entry } from './entry.ts'
import { type EntryCheck, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'

/** A file that an auditor was given as a report. */
export interface ReportFile {
  name: string
  text: string
}

interface Recomputed {
  report: Report
  size: bigint
  tally: Tally
  /** Whether it goes back into a log before this one. */
  back: boolean
}

interface Named {
  index: bigint
  digest: string
  period: string
  size: string
  format: string
}

/** Check 16: every figure of a published report is what the entries below its checkpoint make it. */
export function checkReports(hash: Hash, files: readonly ReportFile[]): EntryCheck {
  const check = numbered(16, 'reports')
  const faults = gatherFaults(check)
  const { reports, malformed } = opened(hash, files)
  const named: Named[] = []
  return {
    entry(entry: Entry) {
      for (const one of reports.values()) {
        one.back ||= reachesBack(entry, periodOf(one.report))
        if (entry.index < one.size) one.tally.take(entry)
      }
      if (entry.kind !== 'report.published') return
      const text = (name: string): string => String(entry.fields.get(name))
      named.push({
        index: entry.index,
        digest: text('digest'),
        period: text('period'),
        size: text('log_size'),
        format: text('queries'),
      })
    },
    cut: faults.cut,
    end() {
      const missing = named.filter(({ digest }) => !reports.has(digest))
      for (const one of named) for (const says of faultsOf(one, reports.get(one.digest))) faults.add(says, one.index)
      return faults.finding(() => {
        if (named.length === 0) return check.pass('no report was published')
        const [first] = missing
        if (first === undefined) return check.pass(`the figures of ${named.length} published reports recompute`)
        const hint = malformed[0] ?? 'aldis log export --records fetches those that the node has'
        return check.unknown(
          `${missing.length} of ${named.length} published reports are not here, the first of them ${first.digest}: ${hint}`,
        )
      })
    },
  }
}

function faultsOf({ period, size, format }: Named, found: Recomputed | undefined): string[] {
  if (found === undefined) return []
  const { report } = found
  if (`${report.period.from}/${report.period.to}` !== period || String(found.size) !== size)
    return ['the report is of another period or checkpoint than the entry says']
  // An entry that names no format of its own names the first.
  if (format !== REPORT_FORMATS[0] && format !== report.format)
    return ['the report is of another format than the entry says']
  if (found.back) return ['the report reaches back into a log that this one continues']
  return differences(report.figures, suppress(found.tally.figures(), report))
}

function opened(hash: Hash, files: readonly ReportFile[]) {
  const reports = new Map<string, Recomputed>()
  const malformed: string[] = []
  for (const { name, text } of files) {
    try {
      const report = parseReport(text)
      const size = parseCheckpoint(parseNote(report.checkpoint)?.text ?? '')?.size ?? 0n
      const tally = createTally(periodOf(report))
      reports.set(toHex(hash(utf8(bytesOf(report)))), { report, size, tally, back: false })
    } catch (error) {
      if (!(error instanceof ReportMalformed)) throw error
      malformed.push(`${name}: ${error.message}`)
    }
  }
  return { reports, malformed }
}
