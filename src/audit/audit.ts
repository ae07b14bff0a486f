import type { Hash } from '../kernel/bytes.ts'
import type { LogSource } from '../provenance/log-source.ts'
import { parseNote } from '../provenance/note.ts'
import { type Policy, witnessedBy } from '../provenance/policy.ts'
import type { VerifiedLog } from '../provenance/verified-log.ts'
import type { EarlierSource } from './earlier.ts'
import type { Entry } from './entry.ts'
import type { Finding, Result } from './finding.ts'
import { checkHead, openSigned, type Pinned, type SignedHead } from './head.ts'
import { type Contradiction, checkHistory, type KeptNote } from './history.ts'
import type { Cosigned } from './order.ts'
import { checkQuorum } from './quorum.ts'
import { checkRecords, type RecordSource } from './records.ts'
import { checkTree, type Prefix } from './tree.ts'

export interface AuditOptions {
  hash: Hash
  source: LogSource
  pinned: Pinned
  policy?: Policy | undefined
  now: Date
  kept: readonly KeptNote[]
  /** What an auditor was given beside the tree; the numbers from 5 on are checked where it is there. */
  records?: RecordSource | undefined
  /** The same of the logs that it continues, the newest first. */
  previous?: readonly EarlierSource[] | undefined
  /** What a participant can check of its own records alone, under the verified tree. */
  own?: ((head: SignedHead, log: VerifiedLog) => Promise<readonly Finding[]>) | undefined
  /** What an earlier run has verified, and where this one notes what it has. */
  known?: Prefix | undefined
  keepEvery?: bigint
  keep?(prefix: Prefix): void
  onProgress?(entries: bigint, size: bigint): void
  /** Told of each entry of the records in its order; what it is worth is known with the findings. */
  onEntry?(entry: Entry): void
}

export interface Audit {
  result: Result
  /** By their numbers. */
  findings: readonly Finding[]
  head: SignedHead | undefined
  contradictions: readonly Contradiction[]
}

/** Some seconds of work. */
const KEEP_EVERY = 1_048_576n

/** Every check of the tree, from its files and the pinned key alone; what records say is checked by the numbers from 5 on. */
export async function auditLog(options: AuditOptions): Promise<Audit> {
  const { hash, source, pinned } = options
  const { finding: checkpoint, head } = await checkHead(source, pinned)
  const quorum = checkQuorum({ pinned, policy: options.policy, now: options.now }, head)
  const tree = await checkTree({ keepEvery: KEEP_EVERY, keep: () => {}, onProgress: () => {}, ...options }, head)
  const history = await checkHistory({ hash, pinned, kept: options.kept }, head, tree.log)
  const { records, onProgress, onEntry } = options
  const recorded =
    records === undefined
      ? []
      : await checkRecords(
          {
            hash,
            records,
            previous: options.previous,
            cosigned: cosignedOf(options, head),
            now: options.now,
            ...(onProgress && { onProgress }),
            ...(onEntry && { onEntry }),
          },
          { head, log: tree.finding.result === 'PASS' ? tree.log : undefined },
        )
  const verified = tree.finding.result === 'PASS' && head !== undefined ? tree.log : undefined
  const own = head === undefined || verified === undefined ? [] : await options.own?.(head, verified)
  const findings = [checkpoint, quorum, tree.finding, history.finding, ...recorded, ...(own ?? [])]
  return { result: worstOf(findings), findings, head, contradictions: history.contradictions }
}

/** When witnesses of the policy saw how much of the log, as far as our notes tell. */
function cosignedOf({ pinned, policy, kept }: AuditOptions, head: SignedHead | undefined): Cosigned[] {
  if (policy === undefined) return []
  return [...kept.map(({ note }) => note), ...(head === undefined ? [] : [head.note])].flatMap((text) => {
    const [opened, note] = [openSigned(text, pinned), parseNote(text)]
    if ('why' in opened || note === undefined) return []
    const { size } = opened
    return [...witnessedBy(policy, note, pinned.verify).cosigned.values()].map((seconds) => ({ size, seconds }))
  })
}

function worstOf(findings: readonly Finding[]): Result {
  const results = new Set(findings.map(({ result }) => result))
  return results.has('FAIL') ? 'FAIL' : results.has('UNKNOWN') ? 'UNKNOWN' : 'PASS'
}
