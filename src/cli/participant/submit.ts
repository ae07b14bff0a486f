import { type Command, Option } from 'commander'
import { noteEvent } from '../../client/connected.ts'
import { AldisError, VerificationFailed } from '../../client/errors.ts'
import { createPatternChecker } from '../../jobs/pattern-check.ts'
import { BASIS, HANDLING_NUMBER, SEVERITY, SURFACE, TLP, type UploadLine } from '../../signals/schema.ts'
import { EXIT } from '../exit.ts'
import { type Common, openHomeContext } from './context.ts'
import { type Session, withSession } from './session.ts'
import { linesFrom, type RawSource, rawFile, type Signed, signFile } from './share.ts'
import { tryOut } from './submit-try.ts'
import { submitTokens } from './tokens.ts'
import { sealLines } from './values.ts'

/** Tries without getting any further; each goes on where the node's durable part ends. */
const TRIES = 5

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
Sending the same file again sends the same signed bytes: what is durable already is not stored twice.`

/** Shares raw lines, wherever they are from. */
export async function submit(
  session: Session,
  source: RawSource,
  { dryRun = false, ...options }: Common & { dryRun?: boolean },
): Promise<void> {
  const { output, home } = session
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
  const signed = await sign(source)
  if (options.detach === true && signed.items > 0) return leave(session, signed)
  const told = await send(session, signed)
  await sealLines(session, signed, source)
  const refused = told.refused + signed.refused.length
  const summary = { upload: signed.upload, audience: audience.audience, items: signed.items, ...told, refused }
  home.note('uploads.ndjson', summary)
  output.data(
    { outcome: 'done', ...summary },
    `${told.accepted} shared with ${audience.label}${told.before > 0 ? `, ${told.before} were durable before` : ''}, ${refused} refused`,
  )
  if (refused > 0) process.exitCode = EXIT.someRefused
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

export interface Told {
  accepted: number
  refused: number
  before: number
}

/** Sends what is not durable yet, from there on again if the connection or the node breaks, or takes no more in one request. */
async function send(session: Session, signed: Signed): Promise<Told> {
  const told: Told = { accepted: 0, refused: 0, before: 0 }
  const { output, client } = session
  const bar = output.progress('sharing', signed.items)
  try {
    for (let tries = 0, place = 0n; ; ) {
      const from = await client.nextLine(signed.upload)
      if (place === 0n) told.before = itemsBefore(signed, from)
      if (from > signed.lines) return told
      tries = from > place ? 1 : tries + 1
      place = from
      const broken = await sendFrom(session, { signed, from, told, at: bar.at }).catch((error: unknown) =>
        asBroken(error),
      )
      if (broken === undefined) return told
      if (tries === TRIES) throw broken
    }
  } finally {
    bar.end()
  }
}

const itemsBefore = ({ origin }: Signed, from: bigint): number =>
  Object.keys(origin).filter((line) => BigInt(line) < from).length

/** What may be tried again; everything else is thrown on. */
function asBroken(error: unknown): Error {
  if (error instanceof AldisError ? error.status >= 500 : error instanceof Error && 'code' in error)
    return error as Error
  throw error
}

interface Sending {
  signed: Signed
  from: bigint
  told: Told
  at(done: number): void
}

/** One request; answers the fault after which it has to go on in another. */
async function sendFrom(session: Session, { signed, from, told, at }: Sending): Promise<Error | undefined> {
  const upload = { id: signed.upload, line: from }
  for await (const line of session.client.upload(upload, linesFrom(signed, from))) {
    const { code, status, detail } = line
    if (code !== undefined && (status >= 500 || isEnd(line, signed)))
      return new AldisError({ code, title: code, status, ...(detail === undefined ? {} : { detail }) })
    tell(session, signed, { line, told })
    at(told.before + told.accepted + told.refused)
  }
  return undefined
}

/** What the node says of the stream, as its last line: it has a number as an item's line has, but of no item. */
const isEnd = ({ first, line }: UploadLine, { origin }: Signed): boolean =>
  first === undefined && origin[String(line)] === undefined

/** One line of the node's answer; the evidence in it is kept. */
export function tell(
  session: Session,
  { origin, submissions }: Signed,
  { line, told }: { line: UploadLine; told: Told },
): void {
  const { output } = session
  const { status, submission, signal, revision, code, pointer, detail, warning } = line
  if (submission !== undefined) {
    const sent = submissions[String(line.first)]
    if (sent === undefined) throw new VerificationFailed('answer', 'the node answers for lines that were not sent')
    noteEvent(session, line, { ...sent, what: 'submission' })
    return
  }
  const [raw = 0, type = ''] = origin[String(line.line)] ?? []
  if (code === undefined) {
    told.accepted += 1
    const value = { line: raw, outcome: status === 201 ? 'created' : 'durable', type, signal, revision, warning }
    const warned = warning === undefined ? '' : `  warning: ${warning}`
    output.data(value, `line ${raw}  ${type.padEnd(15)}  ${signal}  revision ${revision}${warned}`)
    return
  }
  // A submission that was refused as a whole takes all its items with it.
  const items = line.first === undefined ? 1 : line.line - line.first
  told.refused += items
  const where = line.first === undefined ? `line ${raw}` : `lines ${origin[String(line.first + 1)]?.[0] ?? raw}-${raw}`
  const why = [code, pointer, detail].filter((part) => part !== undefined && part !== '').join('  ')
  output.data({ line: raw, outcome: 'refused', code, pointer, detail, items }, `${where}  refused: ${why}`)
}
