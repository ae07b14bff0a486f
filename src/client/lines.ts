import type { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { drained } from '../kernel/drained.ts'
import { AnswerTooLong } from './errors.ts'

/**
 * The lines of UTF-8 that comes in pieces, without their newlines; a last one that is not ended is one too. A line of
 * NDJSON ends at a newline alone: `node:readline` also ends it at U+0085, U+2028 and U+2029, which JSON leaves unescaped. `AnswerTooLong`
 * once more than `most` characters, in UTF-16, are without their end.
 */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  for await (const lines of linesByPiece(pieces, most)) yield* lines
}

/** The same, together those that a piece ends: thousands a second are waited for a few hundred times. */
async function* linesByPiece(pieces: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const piece of pieces) {
    const lines = decoder.write(piece).split('\n')
    lines[0] = rest + (lines[0] ?? '')
    rest = lines.pop() ?? ''
    if (rest.length > most) throw new AnswerTooLong(most)
    if (lines.length > 0) yield lines
  }
  rest += decoder.end()
  if (rest !== '') yield [rest]
}

/**
 * Writes the lines as fast as they are taken, and does not end what they go to. Throws once nobody takes them any more, and lets go of what
 * they come from.
 */
export async function writeLines(out: Writable, lines: AsyncIterable<string | Uint8Array>): Promise<void> {
  for await (const line of lines) {
    if (!out.write(line)) await drained(out)
    if (out.destroyed) throw new Error('the connection was closed before all of it was sent')
  }
}
