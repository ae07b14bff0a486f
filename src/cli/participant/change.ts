import { type Command, Option } from 'commander'
import { noteEvent } from '../../client/connected.ts'
import { ownSignature } from '../../client/countersigned.ts'
import { AldisError } from '../../client/errors.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { HANDLING_NUMBER, SEVERITY, type SubmissionResult, TLP, WITHDRAWAL_REASON } from '../../signals/schema.ts'
import { type SubmissionType, signSubmission } from '../../signals/submission.ts'
import { type Session, withSession } from './session.ts'

interface Changes {
  severity?: string
  confidence?: string
  category?: string
  handling?: string
  note?: string
  tlp?: string
  expires?: string
}

export function changeCommands(program: Command): void {
  program
    .command('revise <signal>')
    .description('replace what we said about a signal; its type and value stay')
    .addOption(new Option('--severity <severity>').choices(SEVERITY))
    .option('--confidence <0-100>')
    .option('--category <category>', 'of the taxonomy')
    .addOption(new Option('--handling <handling>', 'what we advise').choices(Object.keys(HANDLING_NUMBER)))
    .option('--note <text>', 'no personal data')
    .addOption(new Option('--tlp <level>', 'how far it may be passed on').choices(TLP))
    .option('--expires <instant>', 'such as 2027-01-31T00:00:00Z; this is how a signal is renewed')
    .action((signal: string, changes: Changes, command: Command) =>
      withSession(command, (session) => revise(session, idOf(signal), changes)),
    )

  program
    .command('withdraw <signal>')
    .description('take a signal back; everyone who received it is told')
    .addOption(new Option('--reason <reason>', 'why').choices(WITHDRAWAL_REASON).makeOptionMandatory())
    .action((signal: string, { reason }: { reason: string }, command: Command) =>
      withSession(command, (session) => withdraw(session, idOf(signal), reason)),
    )
}

async function revise(session: Session, signal: Uuid, changes: Changes): Promise<void> {
  const { severity, confidence, category, handling, note, tlp, expires } = changes
  const changed = {
    ...(severity === undefined ? {} : { severity }),
    ...(confidence === undefined ? {} : { confidence: Number(confidence) }),
    ...(category === undefined ? {} : { category }),
    ...(handling === undefined ? {} : { handling }),
    ...(note === undefined ? {} : { note }),
    ...(tlp === undefined ? {} : { tlp }),
    ...(expires === undefined ? {} : { expires_at: expires }),
  }
  if (Object.keys(changed).length === 0) throw new Refusal('validation-failed', { detail: 'say what is to change' })
  const own = await session.client.own(signal)
  const revision = own.revision + 1
  const item = { ...(JSON.parse(own.item) as object), revision, prev: own.leaf, ...changed }
  await send(session, { typ: 'aldis-signal+jws', signal, revision, item, done: 'revised' })
}

async function withdraw(session: Session, signal: Uuid, reason: string): Promise<void> {
  const own = await session.client.own(signal)
  const revision = own.revision + 1
  const item = { v: 1, signal, revision, prev: own.leaf, reason }
  await send(session, { typ: 'aldis-withdrawal+jws', signal, revision, item, done: 'withdrawn' })
}

interface Change {
  typ: SubmissionType
  signal: Uuid
  revision: number
  item: object
  done: string
}

async function send(session: Session, { typ, signal, revision, item, done }: Change): Promise<void> {
  const { client, home, member, output } = session
  const submission = await signSubmission({
    ...{ typ, iss: member.uri, aud: member.node_origin, prg: member.programme },
    ...{ items: [JSON.stringify(item)], key: home.signingKey(), now: new Date() },
  })
  const result = await client.submit(submission)
  refuseUnlessAccepted(result)
  noteEvent(session, result, { ...ownSignature(submission.jws), what: done })
  output.data({ signal, revision, outcome: done, event: result.submission }, `${done} ${signal}, revision ${revision}`)
}

/** One item was sent, so a refusal of it is the command's own. */
function refuseUnlessAccepted({ results }: SubmissionResult): void {
  const [result] = results
  if (result?.code === undefined) return
  const { code, status, detail, pointer } = result
  const errors = pointer === undefined ? [] : [{ pointer, code }]
  throw new AldisError({ code, title: code, status, errors, ...(detail === undefined ? {} : { detail }) })
}

function idOf(text: string): Uuid {
  if (!isUuid(text))
    throw new Refusal('validation-failed', { detail: 'a signal is named by its id, as aldis submit told it' })
  return text
}
