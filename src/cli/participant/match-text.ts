import { createReadStream } from 'node:fs'
import { matchLines } from '../../client/match-text.ts'
import type { Matcher, PatternSignal } from '../../client/matcher.ts'
import { createTextMatcher } from '../../matching/text-match.ts'
import type { Output } from '../output.ts'

/** A file as it comes, or standard input for `-`. */
export const bytesOf = (file: string): AsyncIterable<Uint8Array> =>
  file === '-' ? process.stdin : createReadStream(file)

export interface TextCounts {
  lines: number
  matched: number
  refused: number
}

/** Tells which keyword patterns each line of a text matches, and where, in UTF-16 code units. The text itself is not told. */
export async function matchTexts(
  file: string,
  { matcher, output, at }: { matcher: Matcher; output: Output; at(lines: number): void },
): Promise<TextCounts> {
  const patterns = matcher.patterns()
  const texts = createTextMatcher(patterns)
  for (const { signal, code } of texts.refused) output.warn(`the pattern of ${signal} is not matched: ${code}`)
  const counts: TextCounts = { lines: 0, matched: 0, refused: 0 }
  for await (const one of matchLines(texts, bytesOf(file))) {
    const line = Number(one.line)
    counts.lines += 1
    at(counts.lines)
    if (one.outcome === 'too-long') {
      counts.refused += 1
      output.data({ line, outcome: 'refused', reason: TOO_LONG }, `line ${line}  not matched: ${TOO_LONG}`)
      continue
    }
    if (one.hits.length > 0) counts.matched += 1
    for (const { pattern, start, end } of one.hits) {
      const found = patterns[pattern]
      if (found !== undefined) tell(output, { line, start, end }, found)
    }
  }
  return counts
}

const TOO_LONG = 'the line is longer than 64 KiB'

function tell(output: Output, place: { line: number; start: number; end: number }, found: PatternSignal): void {
  const { value, ...signal } = found
  const { line, start, end } = place
  output.data(
    { line, outcome: 'match', start, end, ...signal, language: value.language },
    `line ${line}  match at ${start}-${end}  ${signal.category}  severity ${signal.severity}  handling ${signal.handling}  from ${signal.source}  ${signal.signal}`,
  )
}
