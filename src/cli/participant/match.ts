import type { Command } from 'commander'
import { lookupKeys, type RawLine } from '../../client/derive.ts'
import { matchFileOf } from '../../client/match-mirror.ts'
import { createMatcher, type Match, type Matcher, type Matches, type MatchQuery } from '../../client/matcher.ts'
import { Refusal } from '../../kernel/errors.ts'
import { EXIT } from '../exit.ts'
import { type Output, outputOf } from '../output.ts'
import { matchTexts } from './match-text.ts'
import { type Read, readRaw } from './raw-file.ts'
import { homeOf } from './session.ts'

export function matchCommand(program: Command): void {
  program
    .command('match <file>')
    .description(
      'match our own identifiers, links or media hashes against the mirror, offline (- reads standard input)',
    )
    .addHelpText('after', EXAMPLE)
    .option('--file <match file>', 'another than the one that aldis sync keeps in the folder')
    .option('--text', 'lines are texts, matched by the keyword patterns of the mirror')
    .option('--held', 'signals that the programme holds match too')
    .action((file: string, options: MatchOptions, command: Command) => match(command, file, options))
}

const EXAMPLE = `
Lines are those of aldis lookup. Of identifiers, raw values are matched under the key epochs whose keys are in the folder;
for others a line gives the token:
  {"type":"url","raw":"https://bad.example/invite"}
  {"type":"media_hash","algorithm":"pdq","hash":"<64 hex digits>"}
  {"type":"email","profile":"email/1","kid":"2026-q4","token":"<64 hex digits>"}
With --text each line is a text of at most 64 KiB; a match tells the signal and the place, never the text.
Nothing is asked of the node and nothing is recorded. Exit codes: 0 every line was matched, whatever was found; 8 some lines
could not be; 7 the match file is damaged; 78 it is missing or of another programme.`

interface MatchOptions {
  file?: string
  text?: boolean
  held?: boolean
}

/** What lines are matched with. */
interface Matching {
  matcher: Matcher
  epochs: readonly { kid: string; key: Uint8Array }[]
  output: Output
}

interface Counts {
  lines: number
  matched: number
  refused: number
}

/** Lines that are asked for at once, so that PDQ hashes go to the index together. */
const AT_ONCE = 256

async function match(
  command: Command,
  file: string,
  { file: other, text = false, held = false }: MatchOptions,
): Promise<void> {
  const home = homeOf(command)
  const output = outputOf(command)
  const { programme } = home.membership()
  const matcher = createMatcher(other ?? matchFileOf(home.dir), { programme, held })
  const bar = output.progress('matching', undefined)
  const work = text
    ? matchTexts(file, { matcher, output, at: bar.at })
    : matchRaw(file, { matcher, epochs: home.keptHashKeys(), output }, bar.at)
  const { lines, matched, refused } = await work.finally(() => {
    bar.end()
    return matcher.close()
  })
  output.say(`${lines} lines, ${matched} with matches, ${refused} not matched; mirror of ${matcher.header.made_at}`)
  if (refused > 0) process.exitCode = EXIT.someRefused
}

async function matchRaw(file: string, matching: Matching, at: (lines: number) => void): Promise<Counts> {
  const counts: Counts = { lines: 0, matched: 0, refused: 0 }
  let group: Read[] = []
  for await (const read of readRaw(file)) {
    group.push(read)
    if (group.length < AT_ONCE) continue
    await matchGroup(group, matching, counts)
    at(counts.lines)
    group = []
  }
  await matchGroup(group, matching, counts)
  return counts
}

async function matchGroup(group: readonly Read[], matching: Matching, counts: Counts): Promise<void> {
  const answers = await Promise.all(group.map((read) => answerTo(read, matching)))
  for (const { line, matches, more, refused } of answers) {
    counts.lines += 1
    if (matches.length > 0) counts.matched += 1
    for (const one of matches) matching.output.data({ line, outcome: 'match', ...one }, textOf(line, one))
    if (more) matching.output.data({ line, outcome: 'more' }, `line ${line}  more matches than are told`)
    if (refused === undefined) continue
    counts.refused += 1
    matching.output.data({ line, outcome: 'refused', reason: refused }, `line ${line}  not matched: ${refused}`)
  }
}

interface Answer extends Matches {
  line: number
  /** Why nothing, or not everything, was asked for. */
  refused: string | undefined
}

const NOTHING: Matches = { matches: [], more: false }

async function answerTo(read: Read, matching: Matching): Promise<Answer> {
  const { line } = read
  if (read.outcome === 'refused') return { line, ...NOTHING, refused: read.reason }
  try {
    return { line, ...(await answerOf(read.raw, matching)) }
  } catch (error) {
    if (error instanceof Refusal) return { line, ...NOTHING, refused: error.detail ?? error.code }
    throw error
  }
}

/** By the type of the line. */
async function answerOf(raw: RawLine, { matcher, epochs }: Matching): Promise<Omit<Answer, 'line'>> {
  const query = queryOf(raw)
  if (query !== undefined) return { ...(await matcher.match(query)), refused: undefined }
  if (!IDENTIFIERS.has(raw.type)) return { ...NOTHING, refused: 'what has no match key is not matched' }
  const keys = epochs.map((epoch) => lookupKeys(raw, epoch))
  const malformed = keys.find((one) => one.outcome === 'refused')
  if (malformed?.outcome === 'refused') return { ...NOTHING, refused: malformed.reason }
  const found = await matcher.matchKeys(keys.flatMap((one) => (one.outcome === 'keys' ? one.keys : [])))
  return { ...found, refused: keyless(raw.type, { matcher, epochs }) }
}

const IDENTIFIERS: ReadonlySet<string> = new Set([
  ...['email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'],
])

/** The line as a query that needs no key; undefined for raw identifiers, and for what is none. */
function queryOf(raw: RawLine): MatchQuery | undefined {
  const { type, profile, kid, token, algorithm, hash } = raw as RawLine & Record<string, unknown>
  if (type === 'url' || type === 'domain') return { type, raw: String(raw.raw ?? '') }
  if (type === 'media_hash') return { type, algorithm: String(algorithm ?? ''), hash: String(hash ?? '') }
  if (!IDENTIFIERS.has(type) || token === undefined) return undefined
  return { type, profile: String(profile), kid: String(kid), token: String(token) } as MatchQuery
}

/** That the mirror has signals of a type under key epochs whose keys are not here: they were not looked at. */
function keyless(type: string, { matcher, epochs }: Pick<Matching, 'matcher' | 'epochs'>): string | undefined {
  const kept = new Set(epochs.map(({ kid }) => kid))
  const kinds = matcher.header.words.kind.filter((kind) => kind.startsWith(`${type} `))
  const lacking = new Set(kinds.map((kind) => kind.slice(kind.lastIndexOf('@') + 1)).filter((kid) => !kept.has(kid)))
  if (lacking.size === 0) return undefined
  return `tokens of ${[...lacking].join(', ')} are made with the node: aldis lookup asks it, or the line gives the token`
}

const textOf = (line: number, { type, category, severity, handling, distance, source, signal, held }: Match): string =>
  [
    `line ${line}  match  ${type}  ${category}  severity ${severity}  handling ${handling}`,
    ...(distance > 0 ? [`distance ${distance}`] : []),
    ...(held ? ['held'] : []),
    `from ${source}  ${signal}`,
  ].join('  ')
