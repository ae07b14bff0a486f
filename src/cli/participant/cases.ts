import { Argument, type Command, Option } from 'commander'
import { VERDICTS } from '../../feedback/schema.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import {
  type CaseInfo,
  CasesQuery,
  type DecisionRequest,
  type DecisionResult,
  type MoveResult,
  type Routing,
  SecondRequest,
} from '../../review/schema.ts'
import { columns } from '../output.ts'
import { bulkCommands } from './bulk.ts'
import { idOf } from './feedback.ts'
import { type Session, withSession } from './session.ts'
import { type Counts, countOption, REASONS_HELP, reasonOption } from './words.ts'

interface As {
  as: string
}

export function caseCommands(program: Command): void {
  const cases = program.command('cases').description('what our own people look at, and what they decide')

  cases
    .command('list', { isDefault: true })
    .description('the queue, or the cases of another state')
    .addOption(new Option('--state <state>', 'open unless given').choices(CasesQuery.properties.state.enum))
    .option('--limit <n>', 'at most', '100')
    .action(({ state, limit }: { state?: string; limit: string }, command: Command) =>
      withSession(command, (session) => list(session, { limit: Number(limit), ...(state && { state }) } as CasesQuery)),
    )

  cases
    .command('show <case>')
    .description('a case with its reasons and decisions')
    .action((id: string, _options: object, command: Command) =>
      withSession(command, async (session) => {
        const told = await caseOf(session, idOf(id))
        session.output.data(told, [textOf(told), ...linesOf(told)].join('\n'))
      }),
    )

  work(cases.command('next').description('claim the next case of the queue')).action((options: As, command: Command) =>
    withSession(command, async ({ client, output }) => {
      const { claimed } = await client.cases.next(options.as)
      output.data({ claimed }, claimed === null ? 'the queue is clear' : `${claimed.case}  until ${claimed.expires_at}`)
    }),
  )

  work(cases.command('claim <case>').description('work on a case, for 15 minutes'))
    .option('--lead', 'take it over before its lease has ended')
    .action((id: string, options: As & { lead?: boolean }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const told = await client.cases.claim(idOf(id), { operator: options.as, lead: options.lead === true })
        output.data(told, `${told.case}  until ${told.expires_at}`)
      }),
    )
  waitCommands(cases)
  decisionCommands(cases)
  bulkCommands(cases)
  ruleCommands(cases)
}

/** Whoever does it, as our own tool calls them. */
const work = (command: Command): Command =>
  command.requiredOption('--as <pseudonym>', 'who works: a pseudonym of our own, never a name')

function waitCommands(cases: Command): void {
  work(cases.command('hold <case>').description('park a case; it comes back by itself'))
    .requiredOption('--reason <reason>', 'such as awaiting_expert')
    .option('--hours <hours>', '1 to 24', '24')
    .action((id: string, options: As & { reason: string; hours: string }, command: Command) =>
      withSession(command, async (session) => {
        const lease = await leaseOf(session, idOf(id), options.as)
        const { reason, hours, as: operator } = options
        moved(session, await session.client.cases.hold(idOf(id), { ...lease, operator, reason, hours: Number(hours) }))
      }),
    )

  work(cases.command('resume <case>').description('take a parked case back into the queue')).action(
    (id: string, { as: operator }: As, command: Command) =>
      withSession(command, async (session) => {
        const { version } = await caseOf(session, idOf(id))
        moved(session, await session.client.cases.resume(idOf(id), { operator, version }))
      }),
  )

  work(cases.command('hand-over <case> <to>').description('give a case to somebody else of ours')).action(
    (id: string, to: string, { as: operator }: As, command: Command) =>
      withSession(command, async (session) => {
        const lease = await leaseOf(session, idOf(id), operator)
        moved(session, await session.client.cases.handOver(idOf(id), { ...lease, operator, to }))
      }),
  )
}

interface Deciding extends As {
  reason: string
  note?: string
  teamNote?: string
  category?: string
  count?: Counts
  escalate?: boolean
}

function decisionCommands(cases: Command): void {
  work(cases.command('decide <case>').description('decide a case, or correct a closed one (docs/review.md)'))
    .addArgument(new Argument('<verdict>', 'what was found').choices(VERDICTS))
    .addHelpText('after', REASONS_HELP)
    .addOption(reasonOption().makeOptionMandatory())
    .option('--note <text>', 'for the source; no personal data')
    .option('--team-note <text>', 'for our own team; no personal data')
    .option('--category <category>', 'that fits better')
    .addOption(countOption())
    .option('--escalate', 'ask for a second person where none is needed')
    .action((id: string, verdict: string, options: Deciding, command: Command) =>
      withSession(command, (session) => decide(session, idOf(id), { verdict, options })),
    )

  work(
    cases
      .command('second <case> <decision>')
      .addArgument(new Argument('<answer>', 'to the proposal').choices(SecondRequest.properties.answer.enum))
      .description("approve or deny another's decision, or retract one's own"),
  )
    .option('--reason <reason>')
    .action((id: string, decision: string, answer: string, options: As & { reason?: string }, command: Command) =>
      withSession(command, async (session) => {
        const { as: operator, reason } = options
        const request = { operator, answer, ...(reason === undefined ? {} : { reason }) } as SecondRequest
        decided(session, await session.client.cases.second(idOf(id), idOf(decision), request))
      }),
    )

  work(cases.command('undo <case> <decision>').description('before its grace is over')).action(
    (id: string, decision: string, { as: operator }: As, command: Command) =>
      withSession(command, async (session) =>
        moved(session, await session.client.cases.undo(idOf(id), idOf(decision), operator)),
      ),
  )
}

function ruleCommands(cases: Command): void {
  cases
    .command('routing')
    .description('which received signals become cases; with options, set it')
    .option('--critical')
    .option('--keyword-patterns')
    .option('--not-reviewed', 'whose basis is no review by a person')
    .option('--new-sources', 'of sources admitted within 30 days')
    .option('--category <category...>')
    .option('--none', 'no received signal')
    .action((given: Partial<Record<string, boolean | string[]>>, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { category } = given
        const rules: Routing = {
          ...{ critical: given['critical'] === true, keyword_patterns: given['keywordPatterns'] === true },
          ...{ not_reviewed: given['notReviewed'] === true, new_sources: given['newSources'] === true },
          categories: Array.isArray(category) ? category : [],
        }
        const told = Object.keys(given).length === 0 ? await client.cases.routing() : await client.cases.route(rules)
        output.data(told, columns(Object.entries(told).map(([name, value]) => [name, String(value)])))
      }),
    )

  cases
    .command('figures')
    .description('how many are open, what was decided, and what was seen again after action')
    .action((_options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const { decided, ...told } = await client.cases.figures()
        const rows = Object.entries({ ...told, ...decided }).map(([name, n]) => [name, String(n)])
        output.data({ ...told, decided }, columns(rows))
      }),
    )
}

async function list({ client, home, output }: Session, query: CasesQuery): Promise<void> {
  const { digest, ...told } = await client.cases.list(query)
  home.noteRead(told.read, digest)
  output.data(told, columns(told.cases.map(rowOf)))
}

async function caseOf({ client, home }: Session, id: Uuid): Promise<CaseInfo & { read: string }> {
  const { digest, ...told } = await client.cases.one(id)
  home.noteRead(told.read, digest)
  return told
}

const rowOf = (one: CaseInfo): string[] => [
  ...[one.case, one.state, one.severity, one.type, one.category, one.source, one.lease?.holder ?? ''],
  one.priority.join(' '),
]
const textOf = (one: CaseInfo): string => columns([rowOf(one)])
const linesOf = ({ triggers = [], decisions = [] }: CaseInfo): string[] => [
  ...triggers.map(({ kind, ref, at }) => `  ${at}  ${kind}  ${ref}`),
  ...decisions.map((one) => `  ${one.decided_at}  ${one.verdict}  ${one.reason}  ${one.standing}  ${one.decision}`),
]

/** Claimed again by whoever holds it, a lease is the same. */
async function leaseOf({ client }: Session, id: Uuid, operator: string): Promise<{ token: Uuid; version: number }> {
  const { token, version } = await client.cases.claim(id, { operator })
  return { token, version }
}

async function decide(
  session: Session,
  id: Uuid,
  { verdict, options }: { verdict: string; options: Deciding },
): Promise<void> {
  const { as: operator, reason, note, teamNote, category, count } = options
  const { state, version } = await caseOf(session, id)
  const lease = state === 'closed' ? { version } : await leaseOf(session, id, operator)
  const request = {
    ...{ operator, decision: newId(new Date()), ...lease, verdict, reason },
    ...(note === undefined ? {} : { note_shared: note }),
    ...(teamNote === undefined ? {} : { note_team: teamNote }),
    ...(category === undefined ? {} : { category_suggested: category }),
    ...(count === undefined ? {} : { counts: count }),
    ...(options.escalate === true ? { escalate: true } : {}),
  } as DecisionRequest
  decided(session, await session.client.cases.decide(id, request))
}

const moved = ({ output }: Session, told: MoveResult): void => output.data(told, `${told.case}  ${told.state}`)

function decided({ output }: Session, told: DecisionResult): void {
  const when = told.release_at === undefined ? '' : `, released at ${told.release_at}`
  output.data(told, `${told.case}  ${told.state}  decision ${told.decision}${when}`)
}
