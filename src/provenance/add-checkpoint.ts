import { equal, fromBase64, toBase64 } from '../kernel/bytes.ts'
import { cosignedAt } from './checkpoint.ts'
import { parseNote, type VerifierKey, type VerifyEd25519 } from './note.ts'

/** Bytes of a request or an answer at most. */
export const EXCHANGE_MAX = 65_536
/** Nodes of a consistency proof at most, as the specification has it. */
const PATH_MAX = 63
/** The media type of an answer 409, whose body is the size that the witness holds. */
export const SIZE_TYPE = 'text/x.tlog.size'

/** What a witness is asked to cosign (C2SP tlog-witness, `add-checkpoint`). */
export interface AddCheckpoint {
  /** The size that the witness is taken to hold; 0 for none. */
  old: bigint
  /** From `old` to the checkpoint (RFC 6962 section 2.1.2); empty from 0 and between equals. */
  path: readonly Uint8Array[]
  /** The signed note, verbatim. */
  checkpoint: string
}

export const formatAddCheckpoint = ({ old, path, checkpoint }: AddCheckpoint): string =>
  `old ${old}\n${path.map((node) => `${toBase64(node)}\n`).join('')}\n${checkpoint}`

/** A request in its exact form; undefined for anything else. The checkpoint itself is not read. */
export function parseAddCheckpoint(text: string): AddCheckpoint | undefined {
  if (text.length > EXCHANGE_MAX) return undefined
  const cut = text.indexOf('\n\n')
  if (cut < 0) return undefined
  const [first = '', ...nodes] = text.slice(0, cut).split('\n')
  const old = sizeOf(/^old (.*)$/.exec(first)?.[1] ?? '')
  const path = nodes.map((node) => fromBase64(node))
  if (old === undefined || path.length > PATH_MAX || !path.every((node) => node?.length === 32)) return undefined
  return { old, path: path.flatMap((node) => node ?? []), checkpoint: text.slice(cut + 2) }
}

/** The body of an answer 409. */
export const formatSize = (size: bigint): string => `${size}\n`

export const parseSize = (body: string): bigint | undefined =>
  body.endsWith('\n') ? sizeOf(body.slice(0, -1)) : undefined

function sizeOf(text: string): bigint | undefined {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) return undefined
  const size = BigInt(text)
  return size < 1n << 63n ? size : undefined
}

/**
 * The line in an answer 200 by which the key cosigned the checkpoint text, verbatim, and the second it names; undefined
 * unless the answer is signature lines alone and this key's is there once and verifies. Other keys' lines are passed over.
 */
export function cosignatureIn(
  body: string,
  { text, key, verify }: { text: string; key: VerifierKey; verify: VerifyEd25519 },
): { line: string; seconds: bigint } | undefined {
  if (body.length > EXCHANGE_MAX) return undefined
  const note = parseNote(`${text}\n${body}`)
  // An empty line in the answer would make another text the signed one.
  if (note?.text !== text) return undefined
  const own = note.signatures.flatMap(({ name, id }, i) => (name === key.name && equal(id, key.id) ? [i] : []))
  const seconds = cosignedAt(note, key, verify)
  const line = body.split('\n')[own[0] ?? -1]
  return own.length !== 1 || seconds === undefined || line === undefined ? undefined : { line: `${line}\n`, seconds }
}
