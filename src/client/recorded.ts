import { sha256 } from '../kernel/sha256.ts'
import { readIn } from './headers.ts'
import type { Call, Transport } from './transport.ts'
import { readNamed } from './verify.ts'

/** What an answer is held against later; `Home.noteRead` keeps it. */
export interface Recorded {
  /** The name of its record in the read journal; empty where it gave nothing out. */
  read: string
  /** What that record has to have as `body`. */
  digest: string
}

/** SHA-256 of an answer, of a segment before compression; base64url. */
export const answerDigest = (body: Uint8Array | string): string => sha256(body).toString('base64url')

export type Asks = <T>(call: Omit<Call, 'idempotent'>, gave?: (told: T) => boolean) => Promise<T & Recorded>

/** Answers in JSON that are reads: what was given out only counts with the read that it was. */
export const recordedOver =
  (transport: Transport): Asks =>
  async <T>(call: Omit<Call, 'idempotent'>, gave: (told: T) => boolean = () => true) => {
    const { headers, body } = await transport.call({ ...call, idempotent: true })
    const told = JSON.parse(body.toString()) as T
    return { ...told, read: readNamed(readIn(headers), gave(told)), digest: answerDigest(body) }
  }
