import type { MatrixQuery, MatrixResult, SightQuery, SightResult } from '../governance/schema.ts'
import type { EntryList } from '../provenance/schema.ts'
import type { ReportList } from '../publishing/schema.ts'
import type { Report } from '../reports/schema.ts'

/** What the log says of the whole programme, for whoever governs or audits. */
export interface LogLooks {
  /** Entries found by a filter, the newest first: for an auditor all of them, a logged read, and our own otherwise. */
  logEntries(query: { q?: string; below?: string; limit?: number }): Promise<EntryList>
  /** Who shared with whom: for an auditor all of it, a logged read, and our own row and column otherwise. */
  shareMatrix(query: MatrixQuery): Promise<MatrixResult>
  /** Who may see a signal, and by which rule the others may not; for auditors. */
  sight(query: SightQuery): Promise<SightResult>
  /** Transparency reports that were published, the newest first. */
  reports(): Promise<ReportList>
  /** A published report, by the digest that the log names. */
  report(digest: string): Promise<Report>
}

type Query = Readonly<Record<string, string | number | undefined>>

/** Over a way to ask and a way to write a query. */
export const looksOver = (get: <T>(path: string) => Promise<T>, queryOf: (query: Query) => string): LogLooks => ({
  logEntries: (query) => get(`/v1/log/entries${queryOf(query)}`),
  shareMatrix: (query) => get(`/v1/log/matrix${queryOf(query)}`),
  sight: (query) => get(`/v1/log/sight${queryOf(query)}`),
  reports: () => get('/v1/reports'),
  report: async (digest) => {
    // Its digest is over what was published, and over nothing else.
    const { read, ...report } = await get<Report & { read?: string }>(`/v1/reports/${digest}`)
    return report
  },
})
