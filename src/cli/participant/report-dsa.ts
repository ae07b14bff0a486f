import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type FormerHistory, formerHistories, historyIn, isBehind } from '../../client/former-histories.ts'
import { openVkey } from '../../client/verify.ts'
import { writeDurably } from '../../kernel/durable.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { createDsaTally, type DsaReport, dsaTablesOf, type Measures } from '../../reports/dsa.ts'
import { type DsaTable, dsaCsvOf } from '../../reports/dsa-template.ts'
import { periodFault } from '../../reports/period.ts'
import type { Period } from '../../reports/tally.ts'
import { columns, outputOf } from '../output.ts'
import { entriesIn, linksIn } from './histories.ts'
import { homeOf } from './session.ts'

const DAY_MS = 86_400_000

type Asked = Period & { out?: string; service: string }

/** Adds `report dsa`; `day` reads an option as a day. */
export function dsaCommand(report: Command, day: (text: string) => number): void {
  report
    .command('dsa')
    .description(
      'what our verified history knows of the tables of our own transparency report (Implementing Regulation (EU) 2024/2835)',
    )
    .requiredOption('--from <date>', 'the first day (UTC), such as 2026-01-01', day)
    .requiredOption('--to <date>', 'the day after the last', day)
    .option('--service <name>', 'of the service, as the tables name it', '')
    .option('--out <folder>', 'write each table as the CSV file of the template')
    .action((asked: Asked, command: Command) => tellDsa(command, asked))
}

async function tellDsa(command: Command, { from, to, service, out }: Asked): Promise<void> {
  const fault = periodFault({ from, to }, Date.now())
  if (fault !== undefined) throw new StartRefused(`--from, --to: ${fault}`)
  if (from % DAY_MS !== 0 || to % DAY_MS !== 0) throw new StartRefused('--from, --to: the tables know whole days')
  const home = homeOf(command)
  const { participant } = home.membership()
  const key = openVkey(home.pinned().vkey)
  const [former, kept] = [formerHistories(home), historyIn(home, key)]
  if (kept.place.size === 0n || linksIn({ former, kept }) === 0n)
    throw new StartRefused('the folder has no link of this log: run aldis history')
  const behind = former.find(isBehind)
  if (behind !== undefined) throw new StartRefused(`the folder lacks links of ${behind.key.name}: run aldis history`)
  const tally = createDsaTally({ from, to }, participant)
  for await (const { kind, at, fields } of entriesIn({ former, kept }))
    tally.take({ kind, time: Date.parse(at), fields: new Map(fields.map(({ name, value }) => [name, value])) })
  const counts = tally.counts()
  const logs = [...former.map((one) => one.key.name), key.name]
  const told: DsaReport = {
    ...{ format: 'aldis-dsa/1', participant, period: { from: instantOf(from), to: instantOf(to) } },
    log: logOf({ key, kept }),
    former: former.map(logOf),
    tables: dsaTablesOf({ counts, period: { from, to }, service, origin: logs.join(', ') }),
    ground_not_told: counts.ground.other,
  }
  const files = out === undefined ? [] : writeTables(out, told.tables)
  outputOf(command).data({ ...told, ...(out !== undefined && { files }) }, [textOf(told), ...files].join('\n'))
}

const logOf = ({ key, kept }: Pick<FormerHistory, 'key' | 'kept'>) => ({
  origin: key.name,
  size: String(kept.place.size),
})

const instantOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

function writeTables(folder: string, tables: readonly DsaTable[]): string[] {
  mkdirSync(folder, { recursive: true })
  return tables.map((one) => {
    const file = join(folder, `${one.table}.csv`)
    writeDurably(file, dsaCsvOf(one))
    return file
  })
}

/** The numbers alone; how they are to be read is in the files. */
function textOf({ tables, ground_not_told }: DsaReport): string {
  const rows = tables.flatMap(({ table, rows: lines }) =>
    lines.flatMap((line) =>
      Object.entries(line).flatMap(([name, value]) =>
        typeof value === 'number' ? [[table, name === 'Value' ? String(line['Indicator']) : name, String(value)]] : [],
      ),
    ),
  )
  const { decisions } = ground_not_told
  const more =
    decisions === 0
      ? []
      : [`${decisions} decisions do not tell whether by law or by terms: ${measured(ground_not_told)}`]
  return [columns(rows), ...more].join('\n')
}

const measured = ({ content_removed, urls_blocked, accounts_actioned }: Measures): string =>
  `content removed ${content_removed ?? '·'}, links blocked ${urls_blocked ?? '·'}, accounts acted on ${accounts_actioned ?? '·'}`
