import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { verifierFor } from '../../client/connected.ts'
import type { LookupKey } from '../../client/derive.ts'
import { lookedUp, nameOfKey } from '../../client/looked-up.ts'
import { receiptOfRead } from '../../client/promises.ts'
import { LOOKUP_MAX, Lookup } from '../../feeds/schema.ts'
import { writeDurably } from '../../kernel/durable.ts'
import { EXIT } from '../exit.ts'
import { lookUpPrivately } from './private-lookup.ts'
import { readRaw } from './raw-file.ts'
import { type Session, withSession } from './session.ts'
import { keyedLines, lookupTokens } from './tokens.ts'

export function lookupCommand(program: Command): void {
  program
    .command('lookup <file>')
    .description('ask which of our own identifiers, links or media hashes others have shared (- reads standard input)')
    .addOption(
      new Option('--purpose <purpose>', 'what we ask for; it is logged')
        .choices(Lookup.properties.purpose.enum)
        .default('enforcement'),
    )
    .addOption(
      new Option(
        '--keep-asked <dir>',
        'keep the keys of each request there, to prove later what was asked (aldis verify --asked)',
      ).conflicts(['keys', 'private', 'buckets']),
    )
    .option('--keys', 'print the match keys of each line, and look nothing up')
    .option('--private', 'in sealed audiences, among the entries that aldis sync took: the node hears of matches alone')
    .option('--buckets', 'in sealed audiences, without a mirror: the node hears a prefix that many keys share')
    .option('--audience <audience>', 'one sealed audience, by id or label; all of ours unless given')
    .action((file: string, options: Options, command: Command) =>
      withSession(command, (session) => askBy(session, file, options)),
    )
}

interface Options {
  purpose: Lookup['purpose']
  keepAsked?: string | undefined
  keys?: boolean
  private?: boolean
  buckets?: boolean
  audience?: string
}

function askBy(session: Session, file: string, options: Options): Promise<void> {
  const { purpose, keepAsked, keys, private: mirror, buckets, audience } = options
  if (keys === true) return tellKeys(session, file)
  if (buckets !== true && mirror !== true) return lookUp(session, file, { purpose, keepAsked })
  return lookUpPrivately(session, { file, purpose, audience, how: buckets === true ? 'buckets' : 'mirror' })
}

/** A raw line with the keys under which it is asked for. */
interface Asked {
  line: number
  keys: LookupKey[]
}

async function lookUp(
  session: Session,
  file: string,
  { purpose, keepAsked }: Pick<Options, 'purpose' | 'keepAsked'>,
): Promise<void> {
  if (keepAsked !== undefined) mkdirSync(keepAsked, { recursive: true, mode: 0o700 })
  const makers = await lookupTokens(session)
  const verifier = await verifierFor(session)
  const found = { asked: 0, matches: 0, refused: 0 }
  let group: Asked[] = []
  const ask = async (): Promise<void> => {
    if (group.length === 0) return
    found.matches += await askFor(session, { group, purpose, keepAsked, verifier })
    found.asked += group.length
    group = []
  }
  for await (const derived of keyedLines(readRaw(file), makers)) {
    if (derived.outcome === 'refused') {
      found.refused += 1
      session.output.data(
        { line: derived.line, outcome: 'refused', reason: derived.reason },
        `line ${derived.line}  not asked: ${derived.reason}`,
      )
    } else {
      const keys = group.reduce((n, asked) => n + asked.keys.length, 0)
      if (keys + derived.keys.length > LOOKUP_MAX) await ask()
      group.push({ line: derived.line, keys: derived.keys })
    }
  }
  await ask()
  for (const maker of makers) await maker.close()
  session.output.say(`${found.asked} asked, ${found.matches} matches; each question is recorded in the log`)
  if (found.refused > 0) process.exitCode = EXIT.someRefused
}

/** For whoever may ask under them without knowing what they stand for. */
async function tellKeys(session: Session, file: string): Promise<void> {
  const makers = await lookupTokens(session)
  let refused = 0
  for await (const derived of keyedLines(readRaw(file), makers)) {
    const { line } = derived
    if (derived.outcome === 'refused') {
      refused += 1
      session.output.data({ line, outcome: 'refused', reason: derived.reason }, `line ${line}  ${derived.reason}`)
    } else {
      const keys = [...new Set(derived.keys.map(({ key }) => key))]
      session.output.data({ line, outcome: 'keys', keys }, keys.join('\n'))
    }
  }
  for (const maker of makers) await maker.close()
  if (refused > 0) process.exitCode = EXIT.someRefused
}

interface Asking {
  group: readonly Asked[]
  purpose: Lookup['purpose']
  keepAsked: string | undefined
  verifier: Awaited<ReturnType<typeof verifierFor>>
}

async function askFor(
  { client, home, output }: Session,
  { group, purpose, keepAsked, verifier }: Asking,
): Promise<number> {
  const asked = group.flatMap(({ keys }) => keys)
  const queries = queriesOf(asked)
  const answer = await client.lookUp({ purpose, queries })
  home.noteRead(answer.read, answer.digest)
  if (keepAsked !== undefined) keep(keepAsked, answer.read, queries)
  for (const { key, event, item, authority } of lookedUp(answer, verifier, asked)) {
    const name = nameOfKey(key)
    for (const { line } of group.filter(({ keys }) => keys.some((one) => nameOfKey(one) === name))) {
      output.data(
        {
          ...{ line, outcome: 'match', source: event.source, signal: event.signal, revision: event.revision },
          ...{ authority, item },
        },
        `line ${line}  match  ${String(item['type'])}  ${String(item['category'])}  severity ${String(item['severity'])}  handling ${String(item['handling'])}  signed by ${event.source}`,
      )
    }
  }
  return answer.matches.length
}

/** What one request asked for, in its order, under the name of its receipt. */
function keep(dir: string, read: string, queries: Lookup['queries']): void {
  const keys = queries.flatMap((query) => query.keys.map((key) => `${key}\n`))
  writeDurably(join(dir, `${receiptOfRead(read)}.keys`), keys.join(''), 0o600)
}

/** Keys of one type and profile together. */
function queriesOf(keys: readonly LookupKey[]): Lookup['queries'] {
  const groups = Map.groupBy(keys, ({ type, profile }) => `${type} ${profile}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { type, profile } = first
    return [
      { type: type as Lookup['queries'][number]['type'], profile, keys: [...new Set(group.map(({ key }) => key))] },
    ]
  })
}
