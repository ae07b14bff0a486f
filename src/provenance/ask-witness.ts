import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { answerTo } from '../kernel/answer-to.ts'
import { toHex } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { cosignatureIn, EXCHANGE_MAX, formatAddCheckpoint, parseSize, SIZE_TYPE } from './add-checkpoint.ts'
import { type Checkpoint, openCheckpoint, originHash, parseCheckpoint } from './checkpoint.ts'
import { verifyEd25519 } from './ed25519.ts'
import { parseNote, type VerifierKey } from './note.ts'

/** Milliseconds in which a witness has to answer, and again for its latest checkpoint. */
const ANSWER_MS = 1_000
/** Seconds by which a witness's clock may be ahead of ours. */
const AHEAD_S = 300n

/** A signed checkpoint, and what is needed to prove it to a witness. */
export interface Offer {
  note: string
  /** The note without its signatures. */
  text: string
  size: bigint
  /** The size that the witness cosigned last, as far as we know. */
  old: bigint
  now: Date
  /** Consistency path to the offered size. */
  proof(from: bigint): Promise<readonly Uint8Array[]>
}

/** A checkpoint under the log's own key that a witness holds. */
export interface Held {
  note: string
  checkpoint: Checkpoint
}

/** `missing` names why; `holds`, the witness refused and gave a checkpoint under our key that has to be compared. */
export type Asked =
  | { outcome: 'cosigned'; line: string; seconds: bigint }
  | { outcome: 'missing'; reason: Missing }
  | { outcome: 'holds'; held: Held }

export type Missing = 'unreachable' | 'too-late' | 'refused' | 'malformed-answer' | 'wrong-cosignature' | 'not-ours'

/** What a witness shows of the log: a checkpoint under our key, none at all, or nothing that counts. */
export type Shown = { outcome: 'holds'; held: Held } | { outcome: 'none' } | { outcome: 'missing'; reason: Missing }

export interface WitnessClient {
  /** One `add-checkpoint`, repeated once with the size that the witness names; never throws. */
  ask(offer: Offer): Promise<Asked>
  /** The newest checkpoint that it holds; never throws. */
  latest(): Promise<Shown>
  close(): void
}

interface Answered {
  status: number
  type: string
  body: string
}

/** Asks one witness over HTTP (C2SP tlog-witness); no redirect is followed, 64 KiB are read at most. */
export function createWitnessClient(
  url: string,
  key: VerifierKey,
  log: VerifierKey,
  answerMs = ANSWER_MS,
): WitnessClient {
  const prefix = url.replace(/\/$/, '')
  const secure = prefix.startsWith('https:')
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  const call = async (path: string, signal: AbortSignal, body?: string): Promise<Answered> => {
    const method = body === undefined ? 'GET' : 'POST'
    try {
      const out = (secure ? httpsRequest : httpRequest)(`${prefix}${path}`, { agent, method, signal })
      out.end(body)
      return await answerOf(await answerTo(out))
    } catch (error) {
      // In the middle of an answer it looks like a connection that the other side has ended.
      throw signal.aborted ? signal.reason : error
    }
  }

  const latest = async (): Promise<Shown> => {
    const path = `/${toHex(originHash(sha256, log.name))}/checkpoint`
    return shownIn(await call(path, AbortSignal.timeout(answerMs)), log)
  }

  const refused = async (): Promise<Asked> => {
    const shown = await latest().catch(() => undefined)
    return shown?.outcome === 'holds' ? shown : { outcome: 'missing', reason: 'refused' }
  }

  const add = async (offer: Offer, old: bigint, signal: AbortSignal): Promise<Answered> => {
    const body = formatAddCheckpoint({ old, path: await offer.proof(old), checkpoint: offer.note })
    return call('/add-checkpoint', signal, body)
  }

  const ask = async (offer: Offer): Promise<Asked> => {
    const signal = AbortSignal.timeout(answerMs)
    const old = offer.old > offer.size ? 0n : offer.old
    const first = await add(offer, old, signal)
    const named = sizeNamed(first)
    const again = named !== undefined && named <= offer.size && named !== old
    const answer = again ? await add(offer, named, signal) : first
    if (answer.status === 409 || answer.status === 422) return refused()
    return answer.status === 200 ? cosignedIn(answer.body, offer, key) : { outcome: 'missing', reason: 'refused' }
  }

  return {
    ask: (offer) => ask(offer).catch((error: unknown) => ({ outcome: 'missing', reason: reasonOf(error) })),
    latest: () => latest().catch((error: unknown) => ({ outcome: 'missing', reason: reasonOf(error) })),
    close: () => agent.destroy(),
  }
}

/** What is not signed by our key proves nothing: a liar must not stop the log. */
function shownIn({ status, body }: Answered, log: VerifierKey): Shown {
  if (status === 404) return { outcome: 'none' }
  if (status !== 200) return { outcome: 'missing', reason: 'refused' }
  if (parseCheckpoint(parseNote(body)?.text ?? '') === undefined)
    return { outcome: 'missing', reason: 'malformed-answer' }
  const signed = openCheckpoint(body, log, verifyEd25519)
  if (signed.outcome === 'failed') return { outcome: 'missing', reason: 'not-ours' }
  return { outcome: 'holds', held: { note: body, checkpoint: signed.checkpoint } }
}

function cosignedIn(body: string, { text, now }: Offer, key: VerifierKey): Asked {
  const cosigned = cosignatureIn(body, { text, key, verify: verifyEd25519 })
  const limit = BigInt(Math.floor(now.getTime() / 1_000)) + AHEAD_S
  if (cosigned === undefined || cosigned.seconds > limit) return { outcome: 'missing', reason: 'wrong-cosignature' }
  return { outcome: 'cosigned', ...cosigned }
}

const sizeNamed = ({ status, type, body }: Answered): bigint | undefined =>
  status === 409 && type.split(';')[0]?.trim() === SIZE_TYPE ? parseSize(body) : undefined

/** The answer has more bytes than any that makes sense, or they are no text. */
class AnswerMalformed extends Error {
  override readonly name = 'AnswerMalformed'
}

async function answerOf(message: IncomingMessage): Promise<Answered> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of message as AsyncIterable<Buffer>) {
    length += part.length
    if (length > EXCHANGE_MAX) throw new AnswerMalformed('an answer of more than 64 KiB')
    parts.push(part)
  }
  return {
    status: message.statusCode ?? 0,
    type: message.headers['content-type'] ?? '',
    body: Buffer.concat(parts).toString('utf8'),
  }
}

function reasonOf(error: unknown): Missing {
  if (error instanceof AnswerMalformed) return 'malformed-answer'
  const { name, code } = error as { name?: string; code?: string }
  if (name === 'AbortError' || name === 'TimeoutError') return 'too-late'
  return code?.startsWith('HPE_') === true ? 'malformed-answer' : 'unreachable'
}
