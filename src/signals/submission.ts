import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { treeHash } from '../provenance/merkle.ts'

/** What a submission's items are; one submission has one type. */
export const SUBMISSION_TYPES = ['aldis-signal+jws', 'aldis-withdrawal+jws'] as const
export type SubmissionType = (typeof SUBMISSION_TYPES)[number]

/** What participants sign of the signals of others. */
export const ACT_TYPES = ['aldis-feedback+jws', 'aldis-dispute+jws'] as const
export type ActType = (typeof ACT_TYPES)[number]

export type SignedType = SubmissionType | ActType

export type SigningAlg = 'Ed25519' | 'ES256'

/** Exactly these members, no other. */
export interface SubmissionHeader<T extends SignedType = SignedType> {
  alg: SigningAlg
  /** RFC 7638 thumbprint, looked up within `iss`. */
  kid: string
  typ: T
  /** The participant's SPIFFE URI. */
  iss: string
  /** The node's origin. */
  aud: string
  /** The programme. */
  prg: string
  /** Seconds since the epoch. */
  iat: number
  /** 128 random bits, base64url. */
  jti: string
}

/** RFC 7515 section 7.2.2, flattened. */
export interface FlatJws {
  protected: string
  payload: string
  signature: string
}

export interface SaltedItem {
  /** 16 random bytes, base64url. */
  salt: string
  /** The item's exact text. */
  item: string
}

export interface SignedSubmission {
  jws: FlatJws
  items: SaltedItem[]
}

/** A key that signs; it may live in an HSM. */
export interface SigningKey {
  kid: string
  alg: SigningAlg
  sign(data: Uint8Array): Promise<Uint8Array>
}

export interface VerifiedSubmission<T extends SignedType = SubmissionType> {
  header: SubmissionHeader<T>
  /** SHA-256(protected "." payload "." signature): what the log and the countersignature name. */
  od: Buffer
  /** Leaf hashes in the items' order. */
  leaves: Buffer[]
  root: Uint8Array
}

export interface VerifyContext {
  /** The connected participant's URI. */
  iss: string
  aud: string
  prg: string
  now: Date
  /** A key of `iss` that may sign now. */
  findKey(kid: string): { alg: SigningAlg; key: KeyObject } | undefined
  /** Seconds; 7 days behind and 5 minutes ahead unless an import window says otherwise. */
  maxAge?: number
}

export const ITEMS_MAX = 1_000
export const ITEM_BYTES_MAX = 16_384
/** Of a body, and of the lines of one submission in a stream. */
export const SUBMISSION_BYTES_MAX = 4_194_304
const MAX_AGE = 7 * 86_400
const AHEAD = 300
const PART = /^[A-Za-z0-9_-]+$/
const HEADER_MEMBERS = ['alg', 'aud', 'iat', 'iss', 'jti', 'kid', 'prg', 'typ']

/** What is hashed next, of an item as large as they are; of a larger one it is made anew. */
const ROOM = 1 + 16 + 3 * ITEM_BYTES_MAX
const room = Buffer.alloc(ROOM)

/** Leaf hash of one item: SHA-256(0x00 || salt 16 || the item's bytes). */
export function itemLeaf(salt: Uint8Array, item: string): Buffer {
  const most = 1 + salt.length + 3 * item.length
  const bytes = most > ROOM ? Buffer.alloc(most) : room
  // Leaf, not node (RFC 6962 section 2.1).
  bytes[0] = 0
  bytes.set(salt, 1)
  return sha256(bytes.subarray(0, 1 + salt.length + bytes.write(item, 1 + salt.length)))
}

/** Signs 1 to 1,000 items under one signature; each item's salt hides it from the recipients of the others. */
export async function signSubmission(
  input: Pick<SubmissionHeader, 'typ' | 'iss' | 'aud' | 'prg'> & {
    items: readonly string[]
    key: SigningKey
    now: Date
  },
): Promise<SignedSubmission> {
  const { items, key, typ, iss, aud, prg, now } = input
  if (items.length < 1 || items.length > ITEMS_MAX) throw new Refusal('items-limit')
  const random = crypto.getRandomValues(new Uint8Array(16 + 16 * items.length))
  const salts = items.map((_, i) => random.subarray(16 * (i + 1), 16 * (i + 2)))
  const root = treeHash(
    sha256,
    items.map((item, i) => itemLeaf(salts[i] ?? random, item)),
  )
  const header: SubmissionHeader = {
    alg: key.alg,
    kid: key.kid,
    typ,
    iss,
    aud,
    prg,
    iat: Math.floor(now.getTime() / 1000),
    jti: toBase64Url(random.subarray(0, 16)),
  }
  const head = toBase64Url(utf8(JSON.stringify(header)))
  const payload = toBase64Url(utf8(payloadText(items.length, root)))
  const signature = toBase64Url(await key.sign(utf8(`${head}.${payload}`)))
  return {
    jws: { protected: head, payload, signature },
    items: items.map((item, i) => ({ salt: toBase64Url(salts[i] ?? random), item })),
  }
}

/**
 * The checks of a submission as a whole, cheapest first; each failure is its own Refusal and concerns every item. What an
 * item says is judged afterwards, one by one.
 */
export const verifySubmission = (submission: SignedSubmission, context: VerifyContext): VerifiedSubmission =>
  verifySigned(submission, context, SUBMISSION_TYPES)

/** The same of what may be signed under the named types; another type is `signature-header`. */
export function verifySigned<T extends SignedType>(
  { jws, items }: SignedSubmission,
  context: VerifyContext,
  types: readonly T[],
): VerifiedSubmission<T> {
  if (items.length < 1 || items.length > ITEMS_MAX) throw new Refusal('items-limit', { extra: { limit: ITEMS_MAX } })
  checkCanonical(jws)
  const header = headerOf(jws.protected)
  if (!isOf(header, types)) throw new Refusal('signature-header', { detail: 'another type is signed for this route' })
  checkHeader(header, context)
  const found = context.findKey(header.kid)
  if (found === undefined || found.alg !== header.alg) throw new Refusal('signing-key-unknown')
  if (!verifyJws(jws, found)) throw invalid('the signature is not by this key over these bytes')
  const leaves = items.map(leafOfItem)
  const root = treeHash(sha256, leaves)
  if (textOf(jws.payload) !== payloadText(items.length, root)) {
    throw invalid('the signed count and root are not those of these items')
  }
  return { header, od: digestOfJws(jws), leaves, root }
}

export const digestOfJws = (jws: FlatJws): Buffer =>
  createHash('sha256').update(`${jws.protected}.${jws.payload}.${jws.signature}`).digest()

/** The header of a JWS, if it has exactly the members a submission has. */
export function headerOf(encoded: string): SubmissionHeader {
  const value = parseHeader(encoded)
  const names = Object.keys(value).sort()
  if (names.join() !== HEADER_MEMBERS.join()) {
    throw new Refusal('signature-header', { detail: `exactly the members ${HEADER_MEMBERS.join(', ')}` })
  }
  const { alg, typ, iat, jti, kid, iss, aud, prg } = value
  const texts = [kid, iss, aud, prg].every((text) => typeof text === 'string' && text.length > 0 && text.length <= 256)
  const known = (alg === 'Ed25519' || alg === 'ES256') && [...SUBMISSION_TYPES, ...ACT_TYPES].some((one) => one === typ)
  const numbers = Number.isSafeInteger(iat) && typeof jti === 'string' && fromBase64Url(jti)?.length === 16
  if (!texts || !known || !numbers) throw new Refusal('signature-header', { detail: 'a member has another form' })
  return value as unknown as SubmissionHeader
}

const isOf = <T extends SignedType>(header: SubmissionHeader, types: readonly T[]): header is SubmissionHeader<T> =>
  types.some((one) => one === header.typ)

/** The one form of the signed payload. */
export const payloadText = (count: number, root: Uint8Array): string =>
  `{"v":1,"count":${count},"root":"${toBase64Url(root)}"}`

/** Imports a public JWK once; the caller keeps the result. */
export const importJwk = (jwk: Readonly<Record<string, string>>): KeyObject =>
  createPublicKey({ key: { ...jwk }, format: 'jwk' })

export function verifyJws(jws: FlatJws, { alg, key }: { alg: SigningAlg; key: KeyObject }): boolean {
  const data = Buffer.from(`${jws.protected}.${jws.payload}`)
  const signature = Buffer.from(jws.signature, 'base64url')
  if (signature.length !== 64) return false
  if (alg === 'Ed25519') return verify(null, data, key, signature)
  return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** Another writing of the same bytes would have another digest. */
export function checkCanonical(jws: FlatJws): void {
  for (const part of [jws.protected, jws.payload, jws.signature]) {
    if (!PART.test(part) || fromBase64Url(part) === undefined) throw invalid('the JWS is not canonical base64url')
  }
}

function checkHeader(header: SubmissionHeader, context: VerifyContext): void {
  if (header.iss !== context.iss) throw new Refusal('wrong-issuer')
  if (header.aud !== context.aud || header.prg !== context.prg) throw new Refusal('wrong-audience')
  const age = Math.floor(context.now.getTime() / 1000) - header.iat
  if (age > (context.maxAge ?? MAX_AGE) || age < -AHEAD) {
    throw new Refusal('submission-stale', { detail: 'sign within seven days and with a true clock' })
  }
}

function leafOfItem({ salt, item }: SaltedItem): Buffer {
  const bytes = Buffer.from(salt, 'base64url')
  if (bytes.length !== 16 || bytes.toString('base64url') !== salt) throw invalid('a salt is not 16 bytes of base64url')
  if (Buffer.byteLength(item) > ITEM_BYTES_MAX) throw new Refusal('item-limit', { extra: { limit: ITEM_BYTES_MAX } })
  if (!item.isWellFormed()) throw new Refusal('json-strict', { detail: 'an item holds a lone surrogate' })
  return itemLeaf(bytes, item)
}

function parseHeader(encoded: string): Record<string, unknown> {
  const value = parseStrict(fromBase64Url(encoded) ?? new Uint8Array(0))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal('signature-header')
  return value as Record<string, unknown>
}

export const textOf = (encoded: string): string => Buffer.from(encoded, 'base64url').toString()
export const invalid = (detail: string): Refusal => new Refusal('signature-invalid', { detail })
