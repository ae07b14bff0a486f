import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { type Audit, auditLog } from '../../audit/audit.ts'
import { linesOf } from '../../audit/report.ts'
import { readIfThere } from '../../client/files.ts'
import { folderLog } from '../../client/log-source.ts'
import { folderRecords, hasRecords } from '../../client/record-files.ts'
import { toHex } from '../../kernel/bytes.ts'
import { writeDurably } from '../../kernel/durable.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { parseCheckpoint } from '../../provenance/checkpoint.ts'
import { verifyEd25519 } from '../../provenance/ed25519.ts'
import { parseNote } from '../../provenance/note.ts'
import { csvOf } from '../../reports/csv.ts'
import { bytesOf, differences, periodOf, reportOf } from '../../reports/document.ts'
import { METRICS } from '../../reports/metric.ts'
import { pageOf } from '../../reports/page.tsx'
import { parseReport, ReportMalformed } from '../../reports/parse.ts'
import { instantIn, periodFault, REACHES_BACK, reachesBack } from '../../reports/period.ts'
import { type Figure, type Report, SUPPRESSED_BELOW } from '../../reports/schema.ts'
import { suppress } from '../../reports/suppress.ts'
import { createTally, type Period } from '../../reports/tally.ts'
import { EXIT } from '../exit.ts'
import { type Output, outputOf } from '../output.ts'
import { pinnedBy } from './audit.ts'
import { dsaCommand } from './report-dsa.ts'

interface From {
  log: string
  vkey?: string
}

export function reportCommands(program: Command): void {
  const report = program.command('report').description('transparency reports, computed from the log alone')
  const where = (): [Option, Option] => [
    new Option('--log <dir>', 'a folder that log export --records wrote').makeOptionMandatory(),
    new Option('--vkey <file>', "the log's key (C2SP signed-note); the one in our folder unless given"),
  ]
  const make = report
    .command('make <file>')
    .description('check an export, compute the figures of a period at its checkpoint, and write them')
    .requiredOption('--from <date>', 'the first day (UTC), such as 2026-07-01', dateOf)
    .requiredOption('--to <date>', 'the day after the last', dateOf)
    .option('--k <n>', 'withhold counts from 1 to below it', kOf, SUPPRESSED_BELOW)
  for (const option of where()) make.addOption(option)
  make.action((file: string, asked: From & Period & { k: number }, command: Command) =>
    makeReport(command, file, asked),
  )
  const verify = report
    .command('verify <file>')
    .description(
      'compute every figure of a report anew from an export, which must continue the checkpoint of the report',
    )
  for (const option of where()) verify.addOption(option)
  verify.action((file: string, from: From, command: Command) => verifyReport(command, file, from))
  dsaCommand(report, dateOf)
  report
    .command('show <file>')
    .description('a report for people: as text, as one page for a browser or a printer, or as a table')
    .addOption(new Option('--as <form>', 'how').choices(['text', 'html', 'csv']).default('text'))
    .action((file: string, { as }: { as: 'text' | 'html' | 'csv' }, command: Command) => {
      const shown = readReport(file)
      if (as === 'text') outputOf(command).data(shown, textOf(shown))
      else process.stdout.write(as === 'csv' ? csvOf(shown) : pageOf(shown, digestOf(shown)))
    })
}

function dateOf(text: string): number {
  const time = instantIn(text)
  if (Number.isNaN(time))
    throw new InvalidArgumentError('a day, such as 2026-07-01, or an instant, such as 2026-07-01T00:00:00Z')
  return time
}

function kOf(text: string): number {
  if (/^[1-9][0-9]?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a number from 1 to 99')
}

async function makeReport(command: Command, file: string, asked: From & Period & { k: number }): Promise<void> {
  const output = outputOf(command)
  const { from, to, k } = asked
  const fault = periodFault({ from, to }, Date.now())
  if (fault !== undefined) throw new StartRefused(`--from, --to: ${fault}`)
  const { audit, figures } = await compute(command, output, { ...asked, period: { from, to }, kept: [] })
  if (audit.head === undefined || isBroken(audit, MADE_ON)) return broken(output, audit)
  const report = reportOf({ period: { from, to }, checkpoint: audit.head.note, k, figures })
  writeDurably(file, `${JSON.stringify(report, undefined, 2)}\n`)
  const digest = digestOf(report)
  output.data({ file, digest, report }, `${textOf(report)}\n\n${file}\nSHA-256 ${digest}, what two persons approve`)
}

async function verifyReport(command: Command, file: string, from: From): Promise<void> {
  const output = outputOf(command)
  const report = readReport(file)
  const { audit, figures } = await compute(command, output, {
    ...{ ...from, period: periodOf(report), below: sizeOf(report) },
    kept: [{ name: 'the checkpoint of the report', note: report.checkpoint }],
  })
  if (isBroken(audit, VERIFIED_ON)) return broken(output, audit)
  const wrong = differences(report.figures, suppress(figures, report))
  const says = wrong.length === 0 ? 'every figure is what the log makes it' : wrong.join('\n')
  const result = wrong.length === 0 ? 'PASS' : 'FAIL'
  output.data({ file, digest: digestOf(report), result, differences: wrong }, `${result}  ${says}`)
  process.exitCode = wrong.length === 0 ? EXIT.ok : EXIT.unverified
}

interface Asked extends From {
  period: Period
  kept: { name: string; note: string }[]
  /** Entries from this one on are left out. */
  below?: bigint
}

/** One pass: the checks of the audit, and the figures of what they look at. */
async function compute(
  command: Command,
  output: Output,
  { log, vkey, period, kept, below }: Asked,
): Promise<{ audit: Audit; figures: Figure[] }> {
  if (!hasRecords(log)) throw new StartRefused(`${log}: there are no records; aldis log export --records fetches them`)
  const pinned = pinnedBy(command, vkey === undefined ? {} : { vkey })
  const { key } = pinned
  const tally = createTally(period)
  let bar: ReturnType<typeof output.progress> | undefined
  const audit = await auditLog({
    ...{ hash: sha256, source: folderLog(log), pinned: { key, verify: verifyEd25519 }, now: new Date() },
    kept: [...pinned.kept, ...kept],
    records: folderRecords(log),
    onProgress: (entries, size) => {
      bar ??= output.progress('computing', Number(size))
      bar.at(Number(entries))
    },
    onEntry: (entry) => {
      if (below !== undefined && entry.index >= below) return
      if (reachesBack(entry, period)) throw new StartRefused(REACHES_BACK)
      tally.take(entry)
    },
  }).finally(() => bar?.end())
  return { audit, figures: tally.figures() }
}

/** What figures stand on: tree and entries; of a report that was made, its checkpoint too. Nothing of the rest may be wrong. */
const MADE_ON: ReadonlySet<number> = new Set([1, 3, 5, 6])
const VERIFIED_ON: ReadonlySet<number> = new Set([...MADE_ON, 4])

const isBroken = ({ findings }: Audit, standsOn: ReadonlySet<number>): boolean =>
  findings.some(({ check, result }) => result === 'FAIL' || (result === 'UNKNOWN' && standsOn.has(check)))

function broken(output: Output, audit: Audit): void {
  output.data(
    { result: 'FAIL', checks: audit.findings },
    `FAIL  the log itself does not pass\n${linesOf(audit).join('\n')}`,
  )
  process.exitCode = EXIT.unverified
}

function readReport(file: string): Report {
  const text = readIfThere(file)
  if (text === undefined) throw new StartRefused(`${file}: is missing`)
  try {
    return parseReport(text)
  } catch (error) {
    if (error instanceof ReportMalformed) throw new StartRefused(`${file}: ${error.message}`)
    throw error
  }
}

const sizeOf = ({ checkpoint }: Report): bigint => parseCheckpoint(parseNote(checkpoint)?.text ?? '')?.size ?? 0n
const digestOf = (report: Report): string => toHex(sha256(bytesOf(report)))

function textOf({ period, k, figures }: Report): string {
  const lines = METRICS.flatMap(({ id, title, unit }) => {
    const figure = figures.find((one) => one.id === id)
    if (figure === undefined) return []
    const by = Object.entries(figure.by ?? {}).flatMap(([dimension, rows]) => [
      `  by ${dimension}`,
      ...rows.map(({ key, value }) => `    ${key.padEnd(32)} ${shown(value)}`),
    ])
    const reporting = figure.reporting === undefined ? '' : `, ${shown(figure.reporting)} reporting`
    return [`${title.padEnd(42)} ${shown(figure.value)} ${unit}${reporting}`, ...by]
  })
  return [
    `${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}; · is withheld: below ${k}, or telling of what is`,
    '',
    ...lines,
  ].join('\n')
}

const shown = (cell: number | null): string => (cell === null ? '·' : cell.toLocaleString('en'))
