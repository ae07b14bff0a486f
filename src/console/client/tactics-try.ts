import { hitRate } from '../../matching/hit-rate.ts'
import type { Pattern } from '../../matching/pattern.ts'
import { createTextMatcher } from '../../matching/text-match.ts'

/** What a pattern does to texts of one's own: how many lines it hits, and where. Nothing of it leaves the tab. */
export interface Tried {
  lines: number
  hits: number
  rate: number
  low: number
  high: number
  /** The first lines that are hit, with what was hit in them. */
  shown: { line: number; before: string; hit: string; after: string }[]
}

/** Characters of a line; a longer one is no line that people write. */
const LINE_MAX = 65_536
const SHOWN_MAX = 50

/** Throws where the pattern is none that is safe to try. */
export function tryOn(value: Pattern, text: string): Tried {
  const matcher = createTextMatcher([{ signal: 'tried', revision: 1, value }])
  if (matcher.size === 0) throw new RangeError('the pattern is none that is safe to try')
  const shown: Tried['shown'] = []
  let [lines, hits] = [0, 0]
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.length > LINE_MAX) continue
    lines += 1
    const [found] = matcher.match(line)
    if (found === undefined) continue
    hits += 1
    const { start, end } = found
    if (shown.length < SHOWN_MAX)
      shown.push({ line: i + 1, before: line.slice(0, start), hit: line.slice(start, end), after: line.slice(end) })
  }
  const { rate, low, high } = hitRate(hits, lines)
  return { lines, hits, rate, low, high, shown }
}
