import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { AldisError } from '../../client/errors.ts'
import { linesOf } from '../../client/lines.ts'
import { checkRevealed } from '../../client/revealed.ts'
import { RevealAsked } from '../../feeds/schema.ts'
import { defanged } from '../../identifiers/defang.ts'
import { findRawInLink } from '../../identifiers/link-raw.ts'
import { Refusal, StartRefused } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import type { SIGNAL_TYPE } from '../../signals/schema.ts'
import { EXIT } from '../exit.ts'
import { type Session, textOf, withSession } from './session.ts'
import { linesFrom, type RawSource, type Signed } from './share.ts'
import { sourceOption } from './words.ts'

export function valueCommands(program: Command): void {
  program
    .command('seal')
    .description('let the audience of a link that we shared reveal the raw link, one logged reveal each')
    .argument('<signal>', 'the id of a url or domain of ours')
    .argument('[file]', 'holds the raw link on one line; standard input unless given', '-')
    .option('--remove', 'take it back: nobody reveals it any more')
    .action((signal: string, file: string, { remove = false }: { remove?: boolean }, command: Command) =>
      withSession(command, async (session) => seal(session, idOf(signal), remove ? null : await linkIn(file))),
    )

  program
    .command('reveal')
    .description('have the raw link behind a signal that we may see, if its source sealed it; recorded first')
    .argument('<signal>', 'the id of a signal that we may see')
    .addOption(
      new Option('--purpose <purpose>', 'why; the source is told')
        .choices(RevealAsked.properties.purpose.enum)
        .makeOptionMandatory(),
    )
    .addOption(sourceOption())
    .addHelpText('after', '\nThe link is shown with its dots and scheme broken; --json has it as it is.')
    .action((signal: string, options: RevealAsked, command: Command) =>
      withSession(command, (session) => reveal(session, idOf(signal), options)),
    )
}

function idOf(signal: string): Uuid {
  if (!isUuid(signal)) throw new StartRefused('the argument is the id of a signal')
  return signal
}

/** Not from the command line, which other users of the machine can read. */
async function linkIn(file: string): Promise<string> {
  const lines = file === '-' ? await Array.fromAsync(linesOf(process.stdin)) : textOf(file).split('\n')
  const [link = '', ...more] = lines.map((line) => line.replace(/\r$/, '')).filter((line) => line !== '')
  if (link === '' || more.length > 0) throw new StartRefused('give the raw link alone, on one line')
  return link
}

async function seal({ client, output }: Session, signal: Uuid, value: string | null): Promise<void> {
  if (value !== null) expectLink(value)
  const { revision } = await client.own(signal)
  const { sealed, event } = await client.sealValue(signal, { v: 1, revision, value })
  const gone = event === null ? 'had no value' : 'its value is gone'
  output.data({ signal, revision, sealed, event }, `${signal}  ${sealed ? 'sealed for its audience' : gone}`)
}

/** What the node would refuse as personal does not leave. */
function expectLink(value: string): void {
  const found = findRawInLink(value, '/value')
  if (found !== undefined)
    throw new Refusal('raw-identifier', { detail: `the link looks like ${found.kind}: share the hash alone` })
}

async function reveal({ client, home, output }: Session, signal: Uuid, options: RevealAsked): Promise<void> {
  const { read, digest, ...revealed } = await client.reveal(signal, options)
  home.noteRead(read, digest)
  const { source, type, value } = revealed
  const checked = await checkRevealed(join(home.dir, 'feeds'), revealed, { signal, source: options.source })
  output.data({ ...revealed, checked }, defanged(value))
  if (!checked) output.warn('not checked: our mirror has no such signal, so that the link is what the node says')
  output.say(`a ${type} of ${source}; the reveal is recorded in the log, and the source can see that it was us`)
}

const LINKS: ReadonlySet<string> = new Set(['url', 'domain'] satisfies (keyof typeof SIGNAL_TYPE)[])

/** Seals what the lines of a file ask for, once their signals are stored; what is sealed already stays as it is. */
export async function sealLines(session: Session, signed: Signed, source: RawSource): Promise<void> {
  const { seals = 0 } = signed
  if (seals === 0) return
  const { output } = session
  if (source.again === false) {
    process.exitCode = EXIT.someRefused
    output.warn(`${seals} lines ask to be sealed, and were not: what is sealed is read again, from a file`)
    return
  }
  const signals = await signalsByLine(signed)
  let sealed = 0
  for await (const read of source.rows()) {
    const signal = signals.get(read.line)
    if (read.outcome !== 'raw' || read.raw.seal !== true || signal === undefined) continue
    const code = await sealLine(session, signal, read.raw.raw ?? '')
    if (code === undefined) sealed += 1
    else {
      process.exitCode = EXIT.someRefused
      output.data({ line: read.line, outcome: 'not-sealed', signal, code }, `line ${read.line}  not sealed: ${code}`)
    }
  }
  output.say(`${sealed} of ${seals} sealed for their audience to reveal`)
}

/** Answers why not, where the value or its signal is refused. */
async function sealLine({ client }: Session, signal: Uuid, value: string): Promise<string | undefined> {
  try {
    expectLink(value)
    await client.sealValue(signal, { v: 1, revision: 1, value })
    return undefined
  } catch (error) {
    if (error instanceof Refusal || (error instanceof AldisError && error.status < 500)) return error.code
    throw error
  }
}

/** The signals of links that were signed, by raw line. */
async function signalsByLine(signed: Signed): Promise<Map<number, Uuid>> {
  const signals = new Map<number, Uuid>()
  let sent = 0
  for await (const text of linesFrom(signed, 1n)) {
    sent += 1
    const [line, type] = signed.origin[String(sent)] ?? []
    if (line === undefined || type === undefined || !LINKS.has(type)) continue
    const { item } = JSON.parse(text) as { item: string }
    signals.set(line, (JSON.parse(item) as { signal: Uuid }).signal)
  }
  return signals
}
