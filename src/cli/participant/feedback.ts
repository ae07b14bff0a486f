import { join } from 'node:path'
import { Argument, type Command, Option } from 'commander'
import { type MirroredSignal, mirroredSignals, signAct, theSignal } from '../../client/acts.ts'
import { noteEvent } from '../../client/connected.ts'
import { ownSignature } from '../../client/countersigned.ts'
import {
  type ActResult,
  DISPUTE_RESULTS,
  type DisputeAnswer,
  type DisputeItem,
  type FeedbackItem,
  GROUNDS,
  OUTCOME,
  type SignedAct,
} from '../../feedback/schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { columns } from '../output.ts'
import { type Session, withSession } from './session.ts'
import { type Counts, countOption, REASONS_HELP, reasonOption, sourceOption } from './words.ts'

interface Words {
  source?: string
  reason?: string
  note?: string
  category?: string
  count?: Counts
}

interface Ground {
  source?: string
  ground: string
  note?: string
}

export function feedbackCommands(program: Command): void {
  program
    .command('feedback <signal>')
    .addArgument(new Argument('<outcome>', 'what became of it').choices(Object.keys(OUTCOME)))
    .description('tell the source what became of its signal here, signed; all recipients are told how many said so')
    .addHelpText('after', REASONS_HELP)
    .addOption(sourceOption())
    .addOption(reasonOption())
    .option('--note <text>', 'for the source; no personal data')
    .option('--category <category>', 'that fits better')
    .addOption(countOption())
    .action((signal: string, outcome: string, words: Words, command: Command) =>
      withSession(command, (session) => give(session, idOf(signal), { outcome, words })),
    )

  program
    .command('opinions <source> <signal>')
    .description('what recipients say of a signal, as counts')
    .action((source: string, signal: string, _options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const told = await client.opinions(source, idOf(signal))
        const counts = Object.entries(told.outcomes).map(([outcome, n]) => [outcome, String(n)])
        output.data(told, columns([['standing', told.standing], ...counts, ['seen again', String(told.seen_again)]]))
      }),
    )

  program
    .command('release <signal>')
    .description('let our own held signal go, once each of its disputes is answered')
    .action((signal: string, _options: object, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const told = await client.release(idOf(signal))
        output.data(told, `released ${told.signal}`)
      }),
    )
  disputeCommands(program)
}

function disputeCommands(program: Command): void {
  const dispute = program.command('dispute').description('claim that a signal is wrong, or answer such a claim')

  dispute
    .command('open <signal>')
    .description('its source has to answer within three days')
    .addOption(new Option('--ground <ground>', 'why it is wrong').choices(Object.keys(GROUNDS)).makeOptionMandatory())
    .addOption(sourceOption())
    .option('--note <text>', 'for the source; no personal data')
    .action((signal: string, words: Ground, command: Command) =>
      withSession(command, (session) => open(session, idOf(signal), words)),
    )

  dispute
    .command('list')
    .description('disputes of our own signals, or those that we opened')
    .option('--opened', 'those that we opened')
    .action(({ opened }: { opened?: boolean }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const told = await client.disputes({ side: opened === true ? 'opened' : 'received' })
        const rows = told.disputes.map((one) => [
          ...[one.dispute, one.source, one.signal, one.ground, one.result ?? (one.overdue ? 'overdue' : 'open')],
        ])
        output.data(told, columns(rows))
      }),
    )

  dispute
    .command('answer <dispute>')
    .addArgument(new Argument('<result>', 'what we found').choices(DISPUTE_RESULTS))
    .description('confirmed: we were wrong; rejected: we stand by it; amended: we mend it')
    .option('--note <text>', 'for whoever disputes; no personal data')
    .action((id: string, result: string, { note }: { note?: string }, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const answer = { result, ...(note === undefined ? {} : { note }) } as DisputeAnswer
        const told = await client.answerDispute(idOf(id), answer)
        output.data(told, `${told.result} ${told.dispute}${told.held ? '; the signal is held' : ''}`)
      }),
    )
}

async function give(
  session: Session,
  signal: Uuid,
  { outcome, words }: { outcome: string; words: Words },
): Promise<void> {
  const { source, reason, note, category, count } = words
  const item = {
    ...{ v: 1, ...(await named(session, signal, source)), outcome },
    ...(reason === undefined ? {} : { reason }),
    ...(note === undefined ? {} : { note }),
    ...(category === undefined ? {} : { category_suggested: category }),
    ...(count === undefined ? {} : { counts: count }),
  } as FeedbackItem
  const act = await signed(session, item)
  told(session, { act, result: await session.client.giveFeedback(act), what: outcome, signal })
}

async function open(session: Session, signal: Uuid, { source, ground, note }: Ground): Promise<void> {
  const dispute = newId(new Date())
  const item = {
    ...{ v: 1, ...(await named(session, signal, source)), dispute, ground },
    ...(note === undefined ? {} : { note }),
  } as DisputeItem
  const act = await signed(session, item)
  told(session, { act, result: await session.client.openDispute(act), what: `dispute ${dispute}`, signal })
}

async function named({ home }: Session, signal: Uuid, source: string | undefined): Promise<MirroredSignal> {
  const found = theSignal((await mirroredSignals(join(home.dir, 'feeds'), new Set([signal]))).get(signal), source)
  if (found === undefined)
    throw new Refusal('not-found', { detail: 'aldis sync brings the signals that are named here' })
  return found
}

const signed = ({ member, home }: Session, item: FeedbackItem | DisputeItem): Promise<SignedAct> =>
  signAct(item, { member, key: home.signingKey(), now: new Date() })

function told(
  session: Session,
  { act, result, what, signal }: { act: SignedAct; result: ActResult; what: string; signal: Uuid },
): void {
  const { event, countersignature } = result
  noteEvent(session, { submission: event, countersignature }, { ...ownSignature(act.jws), what })
  session.output.data({ signal, outcome: what, event }, `${what}  ${signal}`)
}

export function idOf(text: string): Uuid {
  if (!isUuid(text))
    throw new Refusal('validation-failed', { detail: 'signals, cases and disputes are named by their ids' })
  return text
}
