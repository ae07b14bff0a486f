import { fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { JWT_MAX } from './schema.ts'

/** A JWT in its compact form (RFC 7519), of which nothing is verified yet. */
export interface Jwt {
  header: { alg: string; kid: string; typ: string | undefined }
  claims: unknown
  /** What the signature is over. */
  signed: Uint8Array
  /** Base64url. */
  signature: string
}

/** Header members that are read; any other could ask for what is not done (RFC 7515 section 4.1.11). */
const HEADER = new Set(['alg', 'kid', 'typ'])

/** Undefined for what is too long, not canonical base64url, not strict JSON, or has another header. */
export function readJwt(text: string): Jwt | undefined {
  const [head = '', payload = '', signature = '', ...more] = text.length > JWT_MAX ? [] : text.split('.')
  if (more.length > 0 || fromBase64Url(signature)?.length !== 64) return undefined
  const header = objectIn(head)
  const claims = objectIn(payload)
  if (header === undefined || claims === undefined) return undefined
  const { alg, kid, typ } = header
  if (typeof alg !== 'string' || typeof kid !== 'string' || (typ !== undefined && typeof typ !== 'string'))
    return undefined
  if (Object.keys(header).some((name) => !HEADER.has(name))) return undefined
  return { header: { alg, kid, typ }, claims, signed: utf8(`${head}.${payload}`), signature }
}

/** What is to be signed of a JWT, to be followed by a dot and the signature. */
export const jwtText = (header: object, claims: object): string =>
  `${toBase64Url(utf8(JSON.stringify(header)))}.${toBase64Url(utf8(JSON.stringify(claims)))}`

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = fromBase64Url(part)
  if (bytes === undefined || bytes.length === 0) return undefined
  try {
    const value = parseStrict(bytes)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
