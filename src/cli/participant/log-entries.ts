import type { Command } from 'commander'
import { MEASURES, type Measure } from '../../governance/measure.ts'
import type { MatrixQuery, MatrixResult } from '../../governance/schema.ts'
import { StartRefused } from '../../kernel/errors.ts'
import type { EntryList } from '../../provenance/schema.ts'
import { columns } from '../output.ts'
import { type Session, withSession } from './session.ts'

/** What the console's sharing log and share matrix tell, for a terminal and for programs. */
export function logEntryCommands(log: Command): void {
  log
    .command('entries [filter...]')
    .description(
      'find entries, the newest first: actor:aster kind:signal.* recipient:birch signal:ID at>=2026-11-01 -kind:read.batch; all of them for an auditor, which is logged, and our own otherwise',
    )
    .option('--limit <n>', 'at most so many', '100')
    .option('--below <index>', 'begin below this entry')
    .action((filter: string[], { limit, below }: { limit: string; below?: string }, command: Command) =>
      withSession(command, (session) => tellEntries(session, { q: filter.join(' '), limit, below })),
    )
  log
    .command('matrix')
    .description('count who shared with whom, as the console does: all of it for an auditor, which is logged')
    .option('--from <day>', 'such as 2026-09-01; 90 days before the end unless given')
    .option('--to <day>', 'without this day; tomorrow unless given')
    .option('--group <label>', 'of one audience')
    .option('--category <category>', 'of one category')
    .option('--measure <name>', MEASURES.join(', '), 'shared')
    .action(({ measure, ...asked }: MatrixQuery & { measure: string }, command: Command) =>
      withSession(command, (session) => tellMatrix(session, asked, measure)),
    )
}

/** Entries of one call. */
const AT_ONCE = 200

async function tellEntries(
  { client, output }: Session,
  { q, limit, below: start }: { q: string; limit: string; below: string | undefined },
): Promise<void> {
  const most = /^[1-9][0-9]{0,5}$/.test(limit) ? Number(limit) : undefined
  if (most === undefined) throw new StartRefused('--limit is a number from 1 to 999999')
  let [told, below]: [number, string | null | undefined] = [0, start]
  while (told < most && below !== null) {
    const asked = { q, limit: Math.min(AT_ONCE, most - told), ...(below !== undefined && { below }) }
    const page: EntryList = await client.logEntries(asked)
    for (const one of page.entries) output.data(one, lineOf(one))
    told += page.entries.length
    below = page.next
  }
  output.say(`${told} entries${below === null ? '' : `; more below ${below}`}`)
}

const lineOf = ({ index, at, actor, kind, recipients, state }: EntryList['entries'][number]): string =>
  `${index.padStart(9)}  ${at}  ${state.padEnd(8)}  ${actor.padEnd(16)}  ${kind.padEnd(20)}  ${recipients.join(' ')}`.trimEnd()

async function tellMatrix({ client, output }: Session, asked: MatrixQuery, name: string): Promise<void> {
  const measure = MEASURES.find((one) => one === name)
  if (measure === undefined) throw new StartRefused(`--measure is one of ${MEASURES.join(', ')}`)
  const matrix = await client.shareMatrix(asked)
  output.data(matrix, tableOf(matrix, measure))
  output.say(`${measure} from ${matrix.from} to ${matrix.to} (without it), counted up to entry ${matrix.upto}`)
}

const MARKS: Readonly<Record<string, string>> = { 'unexpected-zero': '!', 'unexpected-flow': '!' }

function tableOf({ participants, cells }: MatrixResult, measure: Measure): string {
  const known = new Map(cells.map((cell) => [`${cell.source} ${cell.recipient}`, cell]))
  const textOf = (source: string, recipient: string): string => {
    const cell = known.get(`${source} ${recipient}`)
    if (cell === undefined) return '.'
    if (measure === 'median_hours') return cell.median_hours === null ? '-' : String(cell.median_hours)
    return `${cell[measure]}${measure === 'shared' ? (MARKS[cell.expected] ?? '') : ''}`
  }
  return columns([
    ['from \\ to', ...participants],
    ...participants.map((source) => [source, ...participants.map((recipient) => textOf(source, recipient))]),
  ])
}
