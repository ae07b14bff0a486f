import type { TextHit, TextMatcher } from '../matching/text-match.ts'
import { linesOf } from '../signals/stream.ts'

/** What became of one line of text: what it holds, or that it is longer than 64 KiB and was passed over. */
export type MatchedLine = { line: bigint; outcome: 'matched'; hits: TextHit[] } | { line: bigint; outcome: 'too-long' }

/**
 * Matches a stream of UTF-8 text line by line, with the memory of one line. Bytes that are no UTF-8 are taken for
 * characters that are none.
 */
export async function* matchLines(
  matcher: TextMatcher,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<MatchedLine> {
  for await (const one of linesOf(chunks)) {
    const { line } = one
    yield 'tooLong' in one ? { line, outcome: 'too-long' } : { line, outcome: 'matched', hits: matcher.match(one.text) }
  }
}
