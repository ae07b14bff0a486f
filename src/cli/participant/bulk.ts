import { Argument, type Command } from 'commander'
import { VERDICTS } from '../../feedback/schema.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import type { BulkAnswer, BulkJob, BulkRequest } from '../../review/bulk-schema.ts'
import { columns } from '../output.ts'
import { idOf } from './feedback.ts'
import { type Session, withSession } from './session.ts'
import { REASONS_HELP, reasonOption } from './words.ts'

interface As {
  as: string
}

const work = (command: Command): Command =>
  command.requiredOption('--as <pseudonym>', 'who works: a pseudonym of our own, never a name')

/** Cases that are decided alike, as jobs. */
export function bulkCommands(cases: Command): void {
  work(cases.command('bulk').description('decide up to 1,000 cases alike; more than 25 wait for a lead'))
    .addArgument(new Argument('<verdict>', 'of all of them').choices(VERDICTS))
    .argument('<cases...>', 'their ids')
    .addHelpText('after', REASONS_HELP)
    .addOption(reasonOption().makeOptionMandatory())
    .option('--note <text>', 'for the sources; no personal data')
    .option('--team-note <text>', 'for our own team; no personal data')
    .option('--dry-run', 'say what would become of each, and change nothing')
    .action((verdict: string, ids: string[], options: Asked, command: Command) =>
      withSession(command, (session) => begin(session, { verdict, ids: ids.map(idOf), options })),
    )

  cases
    .command('jobs')
    .description('what was decided alike, the newest first')
    .action((_options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const told = await client.cases.bulkJobs()
        output.data(told, columns(told.jobs.map(rowOf)))
      }),
    )

  cases
    .command('job <job>')
    .description('how far a job is, and what became of each case')
    .action((id: string, _options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const job = await client.cases.bulkJob(idOf(id))
        const { items } = await client.cases.bulkItems(idOf(id))
        const rows = items.map((one) => [one.case, one.result ?? 'not yet', one.undone === true ? 'undone' : ''])
        output.data({ ...job, items }, [columns([rowOf(job)]), `digest ${job.digest}`, columns(rows)].join('\n'))
      }),
    )
  answerCommands(cases)
}

function answerCommands(cases: Command): void {
  work(
    cases
      .command('answer-job <job>')
      .addArgument(new Argument('<answer>', 'to the proposal').choices(['approve', 'deny', 'retract']))
      .description("approve or deny another's job as a lead, or retract one's own"),
  )
    .option('--lead', 'whoever works is a lead')
    .option('--number <n>', 'how many cases it decides; needed to approve')
    .option('--digest <digest>', 'of what was looked at (`job`); needed to approve')
    .option('--reason <reason>')
    .action((id: string, answer: BulkAnswer['answer'], options: Answered, command: Command) =>
      withSession(command, async (session) => {
        const { as: operator, lead = false, number, digest, reason } = options
        const given: BulkAnswer = {
          ...{ operator, lead, answer },
          ...(number !== undefined && { n: Number(number) }),
          ...(digest !== undefined && { digest }),
          ...(reason !== undefined && { reason }),
        }
        told(session, await session.client.cases.answerBulk(idOf(id), given))
      }),
    )

  for (const [name, description, method] of [
    ['cancel-job', 'leave what it has not decided yet', 'cancelBulk'],
    ['undo-job', 'all of it, before its grace is over', 'undoBulk'],
  ] as const)
    work(cases.command(`${name} <job>`).description(description)).action((id: string, { as }: As, command: Command) =>
      withSession(command, async (session) => told(session, await session.client.cases[method](idOf(id), as))),
    )
}

interface Asked extends As {
  reason: string
  note?: string
  teamNote?: string
  dryRun?: boolean
}

interface Answered extends As {
  lead?: boolean
  number?: string
  digest?: string
  reason?: string
}

async function begin(
  session: Session,
  { verdict, ids, options }: { verdict: string; ids: Uuid[]; options: Asked },
): Promise<void> {
  const { cases } = session.client
  const { as: operator, reason, note, teamNote, dryRun = false } = options
  const asked = { operator, cases: ids, verdict: verdict as BulkRequest['verdict'] }
  // Of named cases it is no read.
  const { read: _, ...plan } = await cases.planBulk(asked)
  if (dryRun) {
    session.output.data(plan, columns(plan.cases.map((one) => [one.case, one.result])))
    return
  }
  const request = {
    ...{ operator, job: newId(new Date()), verdict: verdict as BulkRequest['verdict'], reason },
    ...(note === undefined ? {} : { note_shared: note }),
    ...(teamNote === undefined ? {} : { note_team: teamNote }),
    // What is not there any more has no version; it is named in the results.
    cases: plan.cases.map((one) => ({ case: one.case, version: Math.max(1, one.version) })),
  }
  told(session, await cases.beginBulk(request))
}

const rowOf = ({ job, state, verdict, n, looked_at, results }: BulkJob): string[] => [
  ...[job, state, verdict, `${looked_at} of ${n}`],
  Object.entries(results)
    .map(([result, count]) => `${count} ${result}`)
    .join(', '),
]

const told = ({ output }: Session, job: BulkJob): void =>
  output.data(job, `${columns([rowOf(job)])}${job.state === 'proposed' ? `\na lead approves it: ${job.digest}` : ''}`)
