import { fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { parseStrict } from '../kernel/strict-json.ts'

/** The node's protected header: what it received, and the commitment its log will hold. */
export interface CountersignatureHeader {
  alg: 'Ed25519'
  kid: string
  typ: 'aldis-receipt+jws'
  /** The node's origin. */
  iss: string
  iat: number
  /** Digest of the source's signature, base64url: a JWS signature does not cover its neighbour. */
  od: string
  /** C of the log record, base64url. */
  rec: string
}

export interface CountersignInput {
  od: Uint8Array
  rec: Uint8Array
  payload: string
  now: Date
}

/** The second signature of the general serialisation (RFC 7515 section 7.2.1), over the same payload. */
export interface Countersignature {
  protected: string
  signature: string
}

/** Signs as the node. */
export async function countersign(
  { od, rec, payload, now }: CountersignInput,
  by: { kid: string; iss: string; sign(data: Uint8Array): Promise<Uint8Array> },
): Promise<Countersignature> {
  const header: CountersignatureHeader = {
    alg: 'Ed25519',
    kid: by.kid,
    typ: 'aldis-receipt+jws',
    iss: by.iss,
    iat: Math.floor(now.getTime() / 1000),
    od: toBase64Url(od),
    rec: toBase64Url(rec),
  }
  const head = toBase64Url(utf8(JSON.stringify(header)))
  return { protected: head, signature: toBase64Url(await by.sign(utf8(`${head}.${payload}`))) }
}

/** The header of a countersignature that the node's key made over this payload; undefined if it did not. */
export function verifyCountersignature(
  { protected: head, signature }: Countersignature,
  payload: string,
  verify: (data: Uint8Array, signature: Uint8Array) => boolean,
): CountersignatureHeader | undefined {
  const bytes = fromBase64Url(signature)
  const header = fromBase64Url(head)
  if (bytes?.length !== 64 || header === undefined || !verify(utf8(`${head}.${payload}`), bytes)) return undefined
  const value = parseStrict(header) as CountersignatureHeader
  return value.typ === 'aldis-receipt+jws' ? value : undefined
}
