import type { Hash } from '../kernel/bytes.ts'
import { LogFault, LogUnreadable } from '../provenance/log-source.ts'
import type { VerifiedLog } from '../provenance/verified-log.ts'
import { checkApprovals } from './approvals.ts'
import { checkAuthority } from './authority.ts'
import { checkChains, checkParties } from './chains.ts'
import { checkDisclosures, checkEntries } from './commitments.ts'
import type { Entry } from './entry.ts'
import type { EntryCheck } from './faults.ts'
import { createFeedTable } from './feeds.ts'
import { type Finding, numbered } from './finding.ts'
import { foldProgramme } from './fold.ts'
import type { SignedHead } from './head.ts'
import { LineMalformed, type Step, stepsOf } from './lines.ts'
import { createNames } from './names.ts'
import { type Cosigned, checkOrder, foldSignals } from './order.ts'
import { emptyProgramme } from './programme.ts'
import { checkReads } from './reads.ts'
import { createSignalTable } from './signals.ts'
import { openState } from './snapshot.ts'

/** What an auditor was given beside the tree. */
export interface RecordSource {
  /** Every record, line by line, from the first on. */
  records(): AsyncIterable<string>
  /** The state, line by line; undefined where none is at hand. */
  snapshot?: (() => AsyncIterable<string>) | undefined
}

export interface RecordsOptions {
  hash: Hash
  records: RecordSource
  cosigned: readonly Cosigned[]
  onProgress?(entries: bigint, size: bigint): void
}

const TITLES: ReadonlyMap<number, string> = new Map([
  ...([
    [5, 'entries'],
    [6, 'disclosures'],
    [7, 'erasures'],
    [8, 'chains'],
    [9, 'parties'],
  ] as const),
  ...([
    [10, 'order'],
    [11, 'authority'],
    [12, 'four eyes'],
    [13, 'state'],
    [14, 'reads'],
  ] as const),
])

/** From this number on a check begins with what earlier logs say. */
const ACROSS_LOGS = 10

/** Checks 5 to 14: what the records say, entry by entry, each of them once and in order. */
export async function checkRecords(
  options: RecordsOptions,
  { head, log }: { head: SignedHead | undefined; log: VerifiedLog | undefined },
): Promise<Finding[]> {
  if (head === undefined || log === undefined)
    return unknowns('there is no verified tree to hold the records against (check 3)')
  try {
    return await readThrough(options, head, log)
  } catch (error) {
    if (error instanceof LineMalformed || error instanceof LogFault || error instanceof LogUnreadable)
      return unknowns(error.message)
    throw error
  }
}

const unknowns = (says: string, from = 0): Finding[] =>
  [...TITLES].flatMap(([check, title]) => (check < from ? [] : [numbered(check, title).unknown(says)]))

/** Everything that looks at the records, and what it all stands on. */
async function openChecks({ hash, records, cosigned }: RecordsOptions, { origin }: SignedHead) {
  const names = createNames()
  const signals = createSignalTable(names)
  const feeds = createFeedTable(signals)
  const programme = emptyProgramme()
  const state = records.snapshot === undefined ? undefined : await openState({ hash, names }, records.snapshot())
  const { disclosures, erasures } = checkDisclosures()
  const entries = checkEntries()
  const audienceOf = (feed: string): string | undefined => state?.feeds.get(feed)
  const reads = checkReads({ hash, programme, signals, feeds, audienceOf })
  const others: EntryCheck[] = [
    ...[disclosures, erasures, checkChains(hash, origin), checkParties()],
    ...[checkOrder(signals, cosigned), checkAuthority(programme), checkApprovals()],
  ]
  return {
    all: [entries, ...others, reads],
    missing: entries.missing,
    /** After each check has seen what earlier entries made, this one adds to it. */
    fold(entry: Entry): void {
      const rows = foldProgramme(programme, entry)
      const shared = foldSignals({ hash, signals, feeds }, entry)
      state?.fold(entry, [...rows, ...shared.rows], shared.fits)
    },
    end(size: bigint): Finding[] {
      const none = numbered(13, 'state')
      const held = state?.end(size) ?? none.unknown('no snapshot is given: aldis log export --records fetches one')
      return [...[entries, ...others].map((check) => check.end()), held, reads.end()]
    },
  }
}

type Checks = Awaited<ReturnType<typeof openChecks>>

async function readThrough(options: RecordsOptions, head: SignedHead, log: VerifiedLog): Promise<Finding[]> {
  const checks = await openChecks(options, head)
  let continued = false
  for await (const step of stepsOf(options.hash, log, options.records.records())) {
    if (step.at === 'entry') {
      const { index, kind } = step.entry
      options.onProgress?.(index, head.size)
      continued ||= index === 0n && kind === 'log.opened'
    }
    take(checks, step)
  }
  const findings = checks.end(head.size)
  if (!continued) return findings
  const later = unknowns('the log continues an earlier one, whose entries are not here', ACROSS_LOGS)
  return [...findings.filter(({ check }) => check < ACROSS_LOGS), ...later]
}

function take(checks: Checks, step: Step): void {
  if (step.at === 'missing') checks.missing(step.index)
  if (step.at === 'entry') for (const check of checks.all) check.entry(step.entry)
  if (step.at === 'read') for (const check of checks.all) check.read?.(step.entry, step.inner)
  if (step.at !== 'close') return
  for (const check of checks.all) check.close?.(step.entry)
  checks.fold(step.entry)
}
