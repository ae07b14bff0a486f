import type { IncomingMessage, ServerResponse } from 'node:http'
import { drained } from '../kernel/drained.ts'
import { Refusal } from '../kernel/errors.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { type Line, linesOf, notUtf8 } from '../signals/stream.ts'
import type { Told } from './answer.ts'
import { BRIDGE_JSON } from './body.ts'
import { BRIDGE_LIMITS } from './limits.ts'
import { SAFE } from './server.ts'

/** Answers the queries of one group, in their order. */
export type AnswerGroup = (queries: readonly (unknown | Refusal)[]) => Promise<Told[]>

/**
 * NDJSON in, NDJSON out: each line is judged for itself and answered by its number, in order; empty lines are passed over. No more is
 * read than was answered and taken: who reads slowly is sent nothing further.
 */
export async function answerStream(
  request: IncomingMessage,
  response: ServerResponse,
  answer: AnswerGroup,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', ...SAFE })
  let group: Line[] = []
  const flush = async (): Promise<void> => {
    if (group.length === 0) return
    const told = await answer(group.map(queryIn))
    const lines = group.map(({ line }, i) => `${JSON.stringify({ line: Number(line), ...told[i] })}\n`)
    group = []
    if (!response.write(lines.join(''))) await drained(response)
    if (response.destroyed) throw new Error('whoever asked has gone')
  }
  request.socket.setTimeout(BRIDGE_LIMITS.stream_idle_seconds * 1_000, () => request.destroy())
  try {
    for await (const one of linesOf(batched(request, flush))) {
      if ('text' in one && one.text.trim() === '') continue
      group.push(one)
      if (group.length >= BRIDGE_LIMITS.lines_at_once) await flush()
    }
    await flush()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    // The head is gone: what ended the stream is its last line.
    response.write(`${JSON.stringify({ outcome: 'ended', code: error.code })}\n`)
  } finally {
    request.socket.setTimeout(0)
  }
  response.end(() => request.complete || request.destroy())
}

/** What came is answered before more is waited for: a client may send a line and wait for its answer. */
async function* batched(request: IncomingMessage, flush: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    yield chunk as Uint8Array
    await flush()
  }
}

function queryIn(line: Line): unknown {
  if ('tooLong' in line)
    return new Refusal('item-limit', {
      detail: 'a line is longer than 64 KiB',
      extra: { limit: BRIDGE_LIMITS.line_bytes },
    })
  if (line.broken) return notUtf8()
  try {
    return parseStrict(line.text, BRIDGE_JSON)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
