import { StringDecoder } from 'node:string_decoder'

/**
 * The lines of UTF-8 that comes in pieces, without their newlines; a last one that is not ended is one too. A line of
 * NDJSON ends at a newline alone: `node:readline` also ends it at U+0085, U+2028 and U+2029, which JSON leaves unescaped.
 */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const piece of pieces) {
    const [first = '', ...others] = decoder.write(piece).split('\n')
    rest += first
    for (const next of others) {
      yield rest
      rest = next
    }
  }
  rest += decoder.end()
  if (rest !== '') yield rest
}
