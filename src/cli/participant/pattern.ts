import { type Command, Option } from 'commander'
import { patternRevisions } from '../../client/pattern-revisions.ts'
import { dryRun, type PatternTrouble, tryPattern } from '../../client/try-pattern.ts'
import { createPatternChecker } from '../../jobs/pattern-check.ts'
import { Refusal, StartRefused } from '../../kernel/errors.ts'
import type { HitRate } from '../../matching/hit-rate.ts'
import type { PatternChecker } from '../../matching/pattern.ts'
import { diffPatterns, type PatternDiff } from '../../matching/pattern-diff.ts'
import type { TextPattern } from '../../matching/text-match.ts'
import { BASIS, type SignalItem } from '../../signals/schema.ts'
import { EXIT } from '../exit.ts'
import { type Output, outputOf } from '../output.ts'
import { bytesOf } from './match-text.ts'
import { type Read, readRaw } from './raw-file.ts'
import { homeOf } from './session.ts'
import { sourceOption } from './words.ts'

type PatternValue = Extract<SignalItem, { type: 'keyword_pattern' }>['value']

export function patternCommands(program: Command): void {
  const pattern = program.command('pattern').description('try keyword patterns at home, before anybody else has them')
  pattern
    .command('test <file>')
    .description('compile the patterns of a raw NDJSON file, run their test strings, and count their hits in a sample')
    .addHelpText('after', EXAMPLE)
    .option('--sample <text file>', 'a text of our own, line by line, which stays here (- reads standard input)')
    .option('--lines', 'name the lines of the sample that hit')
    .addOption(new Option('--basis <basis>', 'where a line does not say it').choices(BASIS).default('automated'))
    .action((file: string, options: TestOptions, command: Command) => test(outputOf(command), file, options))
  pattern
    .command('diff <before> [after]')
    .description(
      'what differs between two revisions of a pattern, each a raw NDJSON file whose first pattern is read; or, given the id of a signal alone, between all its revisions in the mirror',
    )
    .addOption(sourceOption())
    .action((before: string, after: string | undefined, { source }: { source?: string }, command: Command) =>
      after === undefined
        ? diffRevisions(command, before, source)
        : diff(outputOf(command), '', [before, after].map(firstPattern)),
    )
}

const EXAMPLE = `
A line is one of aldis submit:
  {"type":"keyword_pattern","pattern":{"kind":"literal","text":"blue kite","language":"en","case_sensitive":false,
   "whole_word":true,"must_match":["a blue kite",..],"must_not_match":["a blue sky",..]}}
The rate is that of the sample, with the interval that holds the true rate in 19 of 20 samples. Exit codes: 0 the node would
take every pattern; 8 some it would refuse.`

type Basis = SignalItem['basis']

interface TestOptions {
  sample?: string
  lines?: boolean
  basis: Basis
}

async function test(output: Output, file: string, { sample, lines = false, basis }: TestOptions): Promise<void> {
  if (file === '-' && sample === '-') throw new StartRefused('standard input is either the patterns or the sample')
  const { good, refused } = await checked(output, file, basis)
  if (sample !== undefined && good.length > 0) {
    const run = await dryRun(good, bytesOf(sample), (line, signals) => {
      if (!lines) return
      for (const signal of signals)
        output.data(
          { line: Number(signal), outcome: 'hit', sample_line: Number(line) },
          `line ${signal}  hits line ${line}`,
        )
    })
    for (const [signal, rate] of run.rates) tellRate(output, Number(signal), rate)
    if (run.tooLong > 0) output.warn(`${run.tooLong} lines of the sample are longer than 64 KiB and were not looked at`)
  }
  output.say(`${good.length} patterns the node would take, ${refused} it would refuse`)
  if (refused > 0) process.exitCode = EXIT.someRefused
}

/** The patterns that would be taken, each under the number of its line. */
async function checked(output: Output, file: string, basis: Basis): Promise<{ good: TextPattern[]; refused: number }> {
  const checker = createPatternChecker()
  const good: TextPattern[] = []
  let refused = 0
  try {
    for await (const read of readRaw(file)) {
      const { line } = read
      if (read.outcome === 'raw' && read.raw.type !== 'keyword_pattern') continue
      const trouble = await troubleWith(read, { basis, checker })
      if (trouble === undefined && read.outcome === 'raw') {
        good.push({ signal: String(line), revision: 1, value: read.raw.pattern as PatternValue })
        output.data({ line, outcome: 'ok' }, `line ${line}  ok`)
      } else {
        refused += 1
        const why = Object.values(trouble ?? {}).filter((part) => part !== '')
        output.data({ line, outcome: 'refused', ...trouble }, `line ${line}  refused: ${why.join('  ')}`)
      }
    }
  } finally {
    await checker.close()
  }
  return { good, refused }
}

async function troubleWith(
  read: Read,
  { basis, checker }: { basis: Basis; checker: PatternChecker },
): Promise<PatternTrouble | undefined> {
  if (read.outcome === 'refused') return { code: 'invalid-json', pointer: '', detail: read.reason }
  return tryPattern({ value: read.raw.pattern, basis: read.raw.basis ?? basis }, checker)
}

function tellRate(output: Output, line: number, { lines, hits, rate, low, high }: HitRate): void {
  const share = (part: number): string => `${(part * 100).toPrecision(3)} %`
  output.data(
    { line, outcome: 'rate', lines, hits, rate, low, high },
    `line ${line}  ${hits} of ${lines} lines hit: ${share(rate)}, between ${share(low)} and ${share(high)}`,
  )
}

async function diff(
  output: Output,
  title: string,
  pair: readonly (PatternValue | Promise<PatternValue>)[],
): Promise<void> {
  const [before, after] = await Promise.all(pair)
  if (before === undefined || after === undefined) return
  const difference = diffPatterns(before, after)
  const said = linesOf(difference)
  output.data(
    difference,
    [title, ...(said.length === 0 ? ['no difference'] : said)].filter((one) => one !== '').join('\n'),
  )
}

/** Each revision that the mirror has, against the one before. */
async function diffRevisions(command: Command, signal: string, source: string | undefined): Promise<void> {
  const home = homeOf(command)
  const { programme } = home.membership()
  const revisions = await patternRevisions({ home: home.dir, programme, source }, signal)
  if (revisions.length === 0) throw new Refusal('not-found', { detail: 'the mirror holds no pattern of this signal' })
  const output = outputOf(command)
  output.say(`${revisions.length} revisions in the mirror`)
  for (const [i, { revision, value }] of revisions.entries()) {
    const last = revisions[i - 1]
    if (last !== undefined) await diff(output, `revision ${last.revision} to ${revision}`, [last.value, value])
  }
}

async function firstPattern(file: string): Promise<PatternValue> {
  for await (const read of readRaw(file)) {
    if (read.outcome === 'raw' && read.raw.type === 'keyword_pattern' && read.raw.pattern !== undefined)
      return read.raw.pattern
  }
  throw new StartRefused(`${file}: holds no keyword_pattern line`)
}

function linesOf({ changed, text, must_match, must_not_match }: PatternDiff): string[] {
  const strings = (name: string, { added, removed }: PatternDiff['must_match']): string[] => [
    ...removed.map((one) => `- ${name}: ${JSON.stringify(one)}`),
    ...added.map((one) => `+ ${name}: ${JSON.stringify(one)}`),
  ]
  return [
    ...changed.map(({ member, before, after }) => `  ${member}: ${before} -> ${after}`),
    ...(text === undefined ? [] : textLines(text)),
    ...strings('must_match', must_match),
    ...strings('must_not_match', must_not_match),
  ]
}

const textLines = ({ head, removed, added, tail }: NonNullable<PatternDiff['text']>): string[] => [
  `- text: ${JSON.stringify(`${head}[${removed}]${tail}`)}`,
  `+ text: ${JSON.stringify(`${head}[${added}]${tail}`)}`,
]
