import { type Command, Option } from 'commander'
import { createPatternChecker } from '../../jobs/pattern-check.ts'
import type { AudienceInfo } from '../../participants/schema.ts'
import { BASIS, HANDLING_NUMBER, SEVERITY, SURFACE, TLP } from '../../signals/schema.ts'
import { EXIT } from '../exit.ts'
import { type Common, openHomeContext } from './context.ts'
import { send } from './send.ts'
import { type Session, withSession } from './session.ts'
import { linesFrom, onlySender, type RawSource, rawFile, type Signed, signFile } from './share.ts'
import { signAnew } from './sign-anew.ts'
import { tryOut } from './submit-try.ts'
import { submitTokens } from './tokens.ts'
import { sealLines } from './values.ts'

export function submitCommand(program: Command): void {
  commonOptions(program.command('submit <file>'))
    .description('normalise, hash and sign a raw NDJSON file at home, and share it (- reads standard input)')
    .option('--dry-run', 'have the node judge every line; nothing is stored')
    .addHelpText('after', EXAMPLE)
    .action((file: string, options: Common & { dryRun?: true }, command: Command) =>
      withSession(command, (session) => submit(session, rawFile(file), options)),
    )
}

/** What the items of one run have in common. */
export const commonOptions = (command: Command): Command =>
  command
    .option('--audience <label or id>', 'with whom; the whole programme unless given')
    .option('--category <category>', 'of the taxonomy, where a line names none', 'grooming')
    .addOption(new Option('--severity <severity>').choices(SEVERITY).default('high'))
    .option('--confidence <0-100>', 'how sure we are', '80')
    .addOption(new Option('--tlp <level>', 'how far it may be passed on').choices(TLP).default('amber'))
    .addOption(
      new Option('--handling <handling>', 'what we advise').choices(Object.keys(HANDLING_NUMBER)).default('review'),
    )
    .addOption(new Option('--basis <basis>', 'what we rest on').choices(BASIS).default('automated'))
    .requiredOption('--region <country>', 'where it was collected, ISO 3166-1')
    .requiredOption('--legal-basis <code>', 'under which law or rule it was collected, such as terms_of_service')
    .addOption(
      new Option('--surface <surface>', 'where on the service it was seen').choices(SURFACE).makeOptionMandatory(),
    )
    .option('--detach', 'leave once the node has all of it; aldis uploads tells what became of it')

const EXAMPLE = `
A line names a type and the raw value, and whatever differs from the options:
  {"type":"url","raw":"https://bad.example/invite"}
  {"type":"url","raw":"https://bad.example/more","seal":true}    its audience may reveal the link
  {"type":"email","raw":"someone@mail.example","category":"sextortion_financial"}
  {"type":"username","raw":"@Some.One","service":"orchard"}
  {"type":"media_hash","algorithm":"pdq","hash":"<64 hex digits>"}
  {"type":"email","hashed":{"profile":"email/1","kid":"spring","token":"<64 hex digits>"}}
Sending the same file again sends the same signed bytes: what is durable already is not stored twice, what was refused is
told again, and a submission of which everything was refused is judged anew. What the node never took within
seven days is signed anew, for the same signals. With other options all of it is signed anew as long as nothing
of it is stored, and refused after that.`

/** Shares raw lines, wherever they are from. */
export async function submit(
  session: Session,
  source: RawSource,
  { dryRun = false, ...options }: Common & { dryRun?: boolean },
): Promise<void> {
  const { output } = session
  const { key, context, audience } = await openHomeContext(session, options)
  const sign = async (from: RawSource): Promise<Signed> => {
    const tokens = await submitTokens(session)
    const patterns = createPatternChecker()
    const signing = signFile(from, { session, key, context, tokens, patterns })
    const made = await signing.finally(() => tokens.close()).finally(() => patterns.close())
    for (const { line, warning } of made.warned)
      output.data({ line, outcome: 'warned', warning }, `line ${line}  warning: ${warning}`)
    for (const { line, reason } of made.refused)
      output.data({ line, outcome: 'refused', reason }, `line ${line}  not sent: ${reason}`)
    return made
  }
  if (dryRun) return tryOut(session, source, sign)
  const upload = await source.upload(audience.audience)
  const letGo = await onlySender(session, upload)
  try {
    const signed = await signAnew(session, await sign({ ...source, upload: async () => upload }), key)
    if (options.detach === true && signed.items > 0) await leave(session, signed)
    else await share(session, { signed, source, audience })
  } finally {
    await letGo()
  }
}

interface Sharing {
  signed: Signed
  source: RawSource
  audience: Pick<AudienceInfo, 'audience' | 'label'>
}

async function share(session: Session, { signed, source, audience }: Sharing): Promise<void> {
  const { output, home } = session
  const told = await send(session, signed)
  await sealLines(session, signed, source)
  const refused = told.refused + signed.refused.length
  const summary = { upload: signed.upload, audience: audience.audience, items: signed.items, ...told, refused }
  home.note('uploads.ndjson', summary)
  output.data(
    { outcome: 'done', ...summary },
    `${told.accepted} shared with ${audience.label}${told.before > 0 ? `, ${told.before} were durable before` : ''}, ${refused} refused`,
  )
  if (refused + (told.unanswered ?? 0) > 0) process.exitCode = EXIT.someRefused
}

/** The node works it off by itself. */
async function leave({ client, home, output }: Session, signed: Signed): Promise<void> {
  const job = await client.uploads.put(signed.upload, linesFrom(signed, 1n))
  home.note('uploads.ndjson', { ...job, items: signed.items })
  output.data(
    { outcome: 'received', ...job, items: signed.items },
    `${signed.items} left with the node: aldis uploads ${signed.upload} --results tells what became of them`,
  )
  if ((signed.seals ?? 0) > 0)
    output.say(`${signed.seals} lines ask to be sealed: once they are stored, the same file without --detach does it`)
  if (signed.refused.length > 0) process.exitCode = EXIT.someRefused
}
