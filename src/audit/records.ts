import type { Hash } from '../kernel/bytes.ts'
import { LogFault, LogUnreadable } from '../provenance/log-source.ts'
import { logIdOf, placedIn } from '../provenance/origin.ts'
import type { VerifiedLog } from '../provenance/verified-log.ts'
import { checkApprovals } from './approvals.ts'
import { checkAuthority } from './authority.ts'
import { checkChains, checkParties } from './chains.ts'
import { checkDisclosures, checkEntries, type Holes } from './commitments.ts'
import { beginnings, type EarlierLog, type EarlierSource, EarlierUnfit, earlierSteps, openEarlier } from './earlier.ts'
import { checkEnds } from './ends.ts'
import type { Entry } from './entry.ts'
import { checkErasures } from './erasures.ts'
import type { EntryCheck } from './faults.ts'
import { createFeedTable } from './feeds.ts'
import { type Finding, numbered } from './finding.ts'
import { foldProgramme } from './fold.ts'
import type { SignedHead } from './head.ts'
import { LineMalformed, type Step, stepsOf } from './lines.ts'
import { createNames } from './names.ts'
import { type Cosigned, checkOrder, foldSignals } from './order.ts'
import { emptyProgramme, type Programme, type Row } from './programme.ts'
import { checkReads } from './reads.ts'
import { checkReports, type ReportFile } from './reports.ts'
import { checkValues, createSealedTable } from './sealed.ts'
import { createSignalTable } from './signals.ts'
import { openState, type StateCheck } from './snapshot.ts'

/** What an auditor was given beside the tree. */
export interface RecordSource {
  /** Every record, line by line, from the first on. */
  records(): AsyncIterable<string>
  /** The state, line by line; undefined where none is at hand. */
  snapshot?: (() => AsyncIterable<string>) | undefined
  /** Files of reports, published ones among them. */
  reports?: readonly ReportFile[] | undefined
}

export interface RecordsOptions {
  hash: Hash
  records: RecordSource
  /** Of the logs that it continues, the newest first. */
  previous?: readonly EarlierSource[] | undefined
  cosigned: readonly Cosigned[]
  now: Date
  onProgress?(entries: bigint, size: bigint): void
  /** Told of each entry of this log in its order, while the checks go on: what it is worth is known at their end. */
  onEntry?(entry: Entry): void
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
    [15, 'ends'],
    [16, 'reports'],
    [17, 'sealed values'],
  ] as const),
])

/** From this number on a check begins with what earlier logs say. */
const ACROSS_LOGS = 10
/** Made of the entries of this log alone. */
const REPORTS = 16

/** Checks 5 to 17: what the records say, entry by entry, each of them once and in order. */
export async function checkRecords(
  options: RecordsOptions,
  { head, log }: { head: SignedHead | undefined; log: VerifiedLog | undefined },
): Promise<Finding[]> {
  if (head === undefined || log === undefined)
    return unknowns('there is no verified tree to hold the records against (check 3)')
  try {
    return await readThrough(options, head, log)
  } catch (error) {
    return unknowns(damageOf(error))
  }
}

/** What is wrong with the files that were given; every other error is thrown on. */
function damageOf(error: unknown): string {
  if (isDamage(error)) return error.message
  if (!isStrange(error)) throw error
  return `the records hold something that this audit does not take (${error.message})`
}

/** Whoever writes records may write what nobody thought of: what was found of the tree is told all the same. */
const isStrange = (error: unknown): error is Error =>
  error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError

/** What was fetched is damaged or not whole, which says nothing of the log. */
const isDamage = (error: unknown): error is Error =>
  error instanceof LineMalformed || error instanceof LogFault || error instanceof LogUnreadable

const unknowns = (says: string, from = 0): Finding[] =>
  [...TITLES].flatMap(([check, title]) => (check < from ? [] : [numbered(check, title).unknown(says)]))

/** Everything that looks at the records, and what it all stands on. */
async function openChecks(
  { hash, records, cosigned, now }: RecordsOptions,
  { origin }: SignedHead,
  begins: ReadonlyMap<number, bigint>,
) {
  const names = createNames()
  const signals = createSignalTable(names)
  const feeds = createFeedTable(signals)
  const programme = emptyProgramme()
  const sealed = createSealedTable(names)
  const { state, lacking } = await stateIn({ hash, names, before: beforeOf(begins) }, records.snapshot?.())
  const holes: Holes = new Map()
  const entries = checkEntries()
  const audienceOf = (feed: string): string | undefined => state?.feeds.get(feed)
  const indexAt = (place: bigint): number => {
    const { logId, idx } = placedIn(place)
    return Number((begins.get(logId) ?? 0n) + idx)
  }
  const [present, none] = [state !== undefined, numbered(13, 'state')]
  const reads = checkReads({ hash, programme, signals, feeds, audienceOf, indexAt, present, now })
  const ends = checkEnds({ programme, signals, feeds, audienceOf, told: present })
  const reports = checkReports(hash, records.reports ?? [])
  const values = checkValues({ programme, signals, sealed })
  const [order, authority, approvals] = [
    checkOrder(signals, cosigned),
    checkAuthority(programme),
    checkApprovals(programme),
  ]
  const others: EntryCheck[] = [
    ...[checkDisclosures(holes), checkErasures(holes), checkChains(hash, origin), checkParties()],
    ...[order, authority, approvals],
  ]
  return {
    all: [entries, ...others, reads, ends, reports, values],
    /** Those that go on from what earlier logs say. */
    across: [order, authority, approvals, reads, ends, values],
    missing: entries.missing,
    /** After each check has seen what earlier entries made, this one adds to it. */
    fold(entry: Entry): void {
      const rows = [...foldProgramme(programme, entry), ...sealed.fold(entry)]
      const shared = foldSignals({ hash, signals, feeds }, entry)
      state?.fold(entry, [...rows, ...shared.rows], shared.fits)
      for (const row of shared.rows) state?.share(entry, { of: row.of, state: foundAs(programme, row) })
    },
    end: (size: bigint): Finding[] => [
      ...[entries, ...others].map((check) => check.end()),
      state?.end(size, feeds) ?? none.unknown(lacking),
      ...[reads, ends, reports, values].map((check) => check.end()),
    ],
    /** In the place of `end`, where not every entry was seen. */
    cut: (why: string): Finding[] => [
      ...[entries, ...others].map((check) => check.cut(why)),
      state?.cut(why) ?? none.unknown(why),
      ...[reads, ends, reports, values].map((check) => check.cut(why)),
    ],
  }
}

/** The state; where there is none, or what is there is damaged, what is lacking. */
async function stateIn(
  on: Parameters<typeof openState>[0],
  texts: AsyncIterable<string> | undefined,
): Promise<{ state?: StateCheck; lacking: string }> {
  if (texts === undefined) return { lacking: 'no snapshot is given: aldis log export --records fetches one' }
  try {
    return { state: await openState(on, texts), lacking: '' }
  } catch (error) {
    return { lacking: damageOf(error) }
  }
}

/** What look-ups have of a signal: nothing that was erased, and of a sealed audience at most an end. */
function foundAs({ audiences }: Programme, { state }: Row): Row['state'] | undefined | 'hidden' {
  if (state['state'] === 'erased') return undefined
  return audiences.get(String(state['audience']))?.mode === 'sealed' ? 'hidden' : state
}

type Checks = Awaited<ReturnType<typeof openChecks>>

const beforeOf = (begins: ReadonlyMap<number, bigint>): bigint =>
  [...begins.values()].reduce((sum, begin) => (-begin > sum ? -begin : sum), 0n)

async function readThrough(options: RecordsOptions, head: SignedHead, log: VerifiedLog): Promise<Finding[]> {
  const { hash, records, onProgress, onEntry } = options
  const earlier = await earlierOf(options, log)
  const logs = 'why' in earlier ? [] : earlier.logs
  const begins = beginnings(logs, logIdOf(head.origin))
  const checks = await openChecks(options, head, begins)
  let why = 'why' in earlier ? earlier.why : undefined
  try {
    for await (const step of earlierSteps(hash, logs, begins)) take(checks, checks.across, step)
  } catch (error) {
    if (!isUnfit(error)) throw error
    why = error.message
  }
  let cut: string | undefined
  try {
    for await (const step of stepsOf(hash, log, records.records())) {
      take(checks, checks.all, step)
      if (step.at !== 'entry') continue
      onProgress?.(step.entry.index, head.size)
      onEntry?.(step.entry)
    }
  } catch (error) {
    cut = damageOf(error)
  }
  const findings = cut === undefined ? checks.end(head.size) : checks.cut(cut)
  if (why === undefined) return findings
  return [
    ...findings.filter(({ check }) => check < ACROSS_LOGS || check === REPORTS),
    ...unknowns(why, ACROSS_LOGS).filter(({ check }) => check !== REPORTS),
  ].sort((a, b) => a.check - b.check)
}

const isUnfit = (error: unknown): error is Error => error instanceof EarlierUnfit || isDamage(error)

/** The logs that this one continues, or why what they say is not known. */
async function earlierOf(
  { hash, records, previous = [] }: RecordsOptions,
  log: VerifiedLog,
): Promise<{ logs: EarlierLog[] } | { why: string }> {
  try {
    const logs = await openEarlier(hash, { log, records: records.records }, previous)
    return logs === undefined
      ? { why: 'the log continues an earlier one, whose entries are not here: --previous names its export' }
      : { logs }
  } catch (error) {
    if (isUnfit(error)) return { why: `an earlier log: ${error.message}` }
    throw error
  }
}

function take(checks: Checks, each: readonly EntryCheck[], step: Step): void {
  if (step.at === 'missing') checks.missing(step.index)
  if (step.at === 'entry') for (const check of each) check.entry(step.entry)
  if (step.at === 'read') for (const check of each) check.read?.(step.entry, step.inner)
  if (step.at !== 'close') return
  for (const check of each) check.close?.(step.entry)
  checks.fold(step.entry)
}
