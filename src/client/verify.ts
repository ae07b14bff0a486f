import type { KeyObject } from 'node:crypto'
import { deltaText } from '../feeds/delta.ts'
import type { FeedEventBody, SubmissionProof } from '../feeds/schema.ts'
import { equal, fromBase64, fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { openCheckpoint } from '../provenance/checkpoint.ts'
import { commitment, fieldOf, fieldsOfRead } from '../provenance/commitment.ts'
import { verifyConsistency } from '../provenance/merkle.ts'
import { parseVkey, type VerifierKey } from '../provenance/note.ts'
import type { Policy } from '../provenance/policy.ts'
import { parseReceipt, type Verified, verifyReceipt } from '../provenance/receipt.ts'
import { type OpenedSubmission, openSubmission } from '../signals/open-submission.ts'
import { importJwk, type SignedType, type SigningAlg, type SubmissionHeader } from '../signals/submission.ts'
import type { Received, SourceInfo } from './client.ts'
import { type Countersigner, odOf, promisedEntry } from './countersigned.ts'
import { verifyEd25519 } from './ed25519.ts'
import { LogContradicted, VerificationFailed } from './errors.ts'
import { thumbprint } from './signing-key.ts'
import { lacksWitnesses } from './witnessed.ts'

/** The node and programme that this participant belongs to: a signature for another one proves nothing here. */
export interface Home extends Countersigner {
  programme: string
}

/** What a received event is, once it was verified. */
export interface VerifiedEvent {
  event: FeedEventBody
  /**
   * `origin`: the source signed it; `node`: the node says so (expiry, a changed audience); `attested`: the node says that a
   * person of the source decided it, and nobody's key signed it.
   */
  authority: 'origin' | 'node' | 'attested'
  item: Record<string, unknown> | undefined
}

export interface Verifier {
  /** What it goes by; a thread goes by the same. */
  readonly by: VerifiedBy
  /** Throws `VerificationFailed` unless a known key of the named source signed this very item for this programme. */
  event(received: Received): VerifiedEvent
  /** Throws `VerificationFailed` unless a pinned key of the node signed this part of a sealed feed. */
  delta(delta: SignedDelta): void
}

/** Sources as the node lists them, and who must have countersigned. */
export interface VerifiedBy {
  sources: readonly SourceInfo[]
  home: Home
}

/** A part of a sealed feed as `Feed-Signature` stands for it. */
export interface SignedDelta {
  feed: string
  from: string
  to: string
  /** SHA-256 of the answer, base64url. */
  digest: string
  /** `<kid> <signature>`. */
  signature: string
}

/** What a source signs for each event that is said to be its own. */
const SIGNED_AS: Readonly<Record<string, SignedType>> = {
  'signal.created': 'aldis-signal+jws',
  'signal.revised': 'aldis-signal+jws',
  'signal.withdrawn': 'aldis-withdrawal+jws',
  'signal.released': 'aldis-signal+jws',
  'feedback.received': 'aldis-feedback+jws',
  'dispute.opened': 'aldis-dispute+jws',
}

/**
 * Verifies what sources signed, by the keys that the node lists; a key is imported once. Whose a key is, is the node's word until
 * the log is audited.
 */
export function createVerifier(sources: readonly SourceInfo[], home: Home): Verifier {
  const bySlug = new Map(sources.map((source) => [source.slug, source]))
  const keys = new Map<string, { alg: SigningAlg; key: KeyObject }>()
  const keyOf = (source: SourceInfo, kid: string): { alg: SigningAlg; key: KeyObject } => {
    const name = `${source.slug} ${kid}`
    const known = keys.get(name)
    if (known !== undefined) return known
    const listed = source.signing_keys.find((key) => key.kid === kid)
    if (listed === undefined) throw new VerificationFailed('source', `${source.slug} has no such signing key`)
    const key = { alg: listed.alg as SigningAlg, key: listedKey(listed) }
    keys.set(name, key)
    return key
  }

  const opened = rememberLast(openSubmission)
  const kidOf = rememberKid()
  const isAcknowledged = acknowledgedBy(home)

  return {
    by: { sources, home },
    delta: (delta) => checkDelta(delta, home),
    event({ event, proof }) {
      const { salt = '', item, index = -1, path = '' } = event
      if (item === undefined) return { event, authority: unsignedAuthority(event), item: undefined }
      const source = bySlug.get(event.source)
      if (source === undefined) throw new VerificationFailed('source', 'the source is not listed')
      if (proof === undefined) throw new VerificationFailed('source', 'the submission of the event is missing')
      const { jws, count } = proof
      const key = keyOf(source, kidOf(jws.protected))
      const header = checked(() => {
        const submission = opened({ jws, count }, key)
        submission.check({ salt, item, index, path })
        return submission.header
      })
      checkAddress(header, { iss: source.uri, aud: home.node_origin, prg: home.programme })
      isAcknowledged(proof)
      if (SIGNED_AS[event.type] !== header.typ) {
        throw new VerificationFailed('event', 'the source signed another act than the event names')
      }
      const signed = parsedItem(item)
      if (signed['signal'] !== event.signal || signed['revision'] !== event.revision) {
        throw new VerificationFailed('event', 'the signed item is of another signal or revision than the event')
      }
      return { event, authority: 'origin', item: signed }
    },
  }
}

/** What `Verifier.event` answered of an event that it was given before. */
export function readVerified(event: FeedEventBody): VerifiedEvent {
  const { item } = event
  if (item === undefined) return { event, authority: unsignedAuthority(event), item: undefined }
  return { event, authority: 'origin', item: JSON.parse(item) as Record<string, unknown> }
}

/** A person's word ends a signal and does nothing else: what is to be used was signed by its source. */
function unsignedAuthority({ type, reason }: FeedEventBody): 'node' | 'attested' {
  if (reason !== 'attested') return 'node'
  if (type !== 'signal.withdrawn')
    throw new VerificationFailed('event', 'nobody signed it, and it is no end of a signal')
  return 'attested'
}

function checkDelta(delta: SignedDelta, { receipt_keys }: Countersigner): void {
  const [kid, encoded = ''] = delta.signature.split(' ')
  const key = receipt_keys.find((one) => one.kid === kid)
  const [publicKey, signature] = [fromBase64Url(key?.jwk.x ?? ''), fromBase64Url(encoded)]
  const holds =
    publicKey !== undefined && signature !== undefined && verifyEd25519(publicKey, utf8(deltaText(delta)), signature)
  if (!holds) throw new VerificationFailed('feed', 'no pinned key of the node signed this part of it')
}

/** A submission's events come together: its one signature is verified once and not for each of them. */
function rememberLast(opens: typeof openSubmission): typeof openSubmission {
  let last: { of: Parameters<typeof openSubmission>; opened: OpenedSubmission } | undefined
  return (...of) => {
    if (last === undefined || !isSame(last.of, of)) last = { of, opened: opens(...of) }
    return last.opened
  }
}

const isSame = ([a, by]: Parameters<typeof openSubmission>, [b, key]: Parameters<typeof openSubmission>): boolean =>
  by.key === key.key &&
  a.count === b.count &&
  a.jws.signature === b.jws.signature &&
  a.jws.payload === b.jws.payload &&
  a.jws.protected === b.jws.protected

/** So is its header, which names the key. */
function rememberKid(): (encoded: string) => string {
  let last: { encoded: string; kid: string } | undefined
  return (encoded) => {
    if (last?.encoded !== encoded) last = { encoded, kid: kidIn(encoded) }
    return last.kid
  }
}

/** Throws unless the node countersigned; once for the events of a submission, which come together. */
function acknowledgedBy(home: Countersigner): (proof: SubmissionProof) => void {
  let last: SubmissionProof | undefined
  return (proof) => {
    const { jws, countersignature } = proof
    // What it promises as well: of the former one alone is it known that the node signed it.
    const same =
      last?.jws.signature === jws.signature &&
      last.countersignature.protected === countersignature.protected &&
      last.countersignature.signature === countersignature.signature
    if (!same) promisedEntry({ payload: jws.payload, od: odOf(jws), countersignature }, home)
    last = proof
  }
}

function checkAddress(header: SubmissionHeader, expected: Pick<SubmissionHeader, 'iss' | 'aud' | 'prg'>): void {
  if (header.iss !== expected.iss) throw new VerificationFailed('source', 'signed in the name of another participant')
  if (header.aud !== expected.aud || header.prg !== expected.prg) {
    throw new VerificationFailed('source', 'signed for another node or programme')
  }
}

function checked<T>(work: () => T, step = 'source'): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) throw new VerificationFailed(step, error.detail ?? error.code)
    throw error
  }
}

function kidIn(encoded: string): string {
  try {
    const header = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as { kid?: unknown } | null
    return typeof header?.kid === 'string' ? header.kid : ''
  } catch {
    return ''
  }
}

function listedKey({ kid, jwk }: SourceInfo['signing_keys'][number]): KeyObject {
  const key = importedKey(jwk)
  if (thumbprint(jwk) !== kid)
    throw new VerificationFailed('source', 'a signing key is listed under the name of another')
  return key
}

function importedKey(jwk: SourceInfo['signing_keys'][number]['jwk']): KeyObject {
  try {
    return importJwk(jwk)
  } catch {
    throw new VerificationFailed('source', 'the signing key is listed in a form that is none')
  }
}

/** As strict as the node is: of an item that can be read in two ways another reader may see the other. */
function parsedItem(item: string): Record<string, unknown> {
  const value = checked(() => parseStrict(item), 'event')
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new VerificationFailed('event', 'the signed item is not an object')
}

/** The pinned key of a log. */
export function openVkey(text: string): VerifierKey {
  const key = parseVkey(sha256, text.trim())
  if (key === undefined) throw new VerificationFailed('log key', 'it is not a verifier key (C2SP signed-note)')
  return key
}

/**
 * Every step of a receipt, offline; with a policy also that its checkpoint was cosigned as that asks. Throws
 * `VerificationFailed` only if it cannot be read at all.
 */
export function checkReceipt(text: string, vkey: VerifierKey, policy?: Policy): Verified {
  const receipt = parseReceipt(text)
  if (receipt === undefined) throw new VerificationFailed('receipt', 'it is not a receipt (C2SP tlog-proof@v1)')
  const verified = verifyReceipt(receipt, { hash: sha256, key: vkey, verify: verifyEd25519 })
  if (policy === undefined) return verified
  const why = lacksWitnesses(receipt.checkpoint, policy)
  const step: Verified['steps'][number] = { step: WITNESSED, result: why === undefined ? 'PASS' : 'FAIL' }
  const steps = [...verified.steps, why === undefined ? step : { ...step, why }]
  return { ...verified, steps, passed: verified.passed && why === undefined }
}

const WITNESSED = "the policy's witnesses cosigned the checkpoint"

/** Whether a receipt is of the very record that was promised: its commitment, of a read the inner one's, base64url. */
export function isOf(text: string, promised: string): boolean {
  const extra = parseReceipt(text)?.extra
  const payload = extra?.inner?.payload ?? extra?.payload
  return payload !== undefined && toBase64Url(commitment(sha256, payload)) === promised
}

/** The digest of its answer that a read's receipt opens, base64url; undefined where it opens none. */
export function answerIn(text: string): unknown {
  const opened = parseReceipt(text)?.extra.inner?.disclosures.flatMap((one) => fieldOf(one) ?? []) ?? []
  return fieldsOfRead(opened).find(({ name }) => name === 'body')?.value
}

/** The commitment of the very entry that a receipt is of, also where it proves something within that, base64url. */
export function entryIn(text: string): string | undefined {
  const payload = parseReceipt(text)?.extra?.payload
  return payload === undefined ? undefined : toBase64Url(commitment(sha256, payload))
}

/** A head of the log that was verified and kept. */
export interface KeptHead {
  /** The signed note, verbatim. */
  note: string
  size: bigint
  root: Uint8Array
}

export function openHead(note: string, vkey: VerifierKey): KeptHead {
  const signed = openCheckpoint(note, vkey, verifyEd25519)
  if (signed.outcome === 'failed') throw new VerificationFailed('checkpoint', signed.why)
  const { size, root } = signed.checkpoint
  return { note, size, root }
}

/**
 * The newer of two heads, once it is proven to continue the older one. Throws `LogContradicted` if the log was
 * rewritten: both notes together are the evidence.
 */
export async function advanceHead(
  kept: KeptHead | undefined,
  next: KeptHead,
  fetchPath: (from: bigint, to: bigint) => Promise<string[]>,
): Promise<KeptHead> {
  if (kept === undefined) return next
  const [older, newer] = kept.size <= next.size ? [kept, next] : [next, kept]
  const notes = [kept.note, next.note] as const
  if (older.size === newer.size) {
    if (equal(older.root, newer.root)) return next
    throw new LogContradicted(`two signed heads of size ${older.size} have different roots`, { notes, path: [] })
  }
  const nodes = older.size === 0n ? [] : await fetchPath(older.size, newer.size)
  const path = nodes.map((node) => fromBase64(node) ?? new Uint8Array(0))
  const claim = { size1: older.size, size2: newer.size, root1: older.root, root2: newer.root, path }
  if (!verifyConsistency(sha256, claim)) {
    throw new LogContradicted(`the log of size ${newer.size} does not continue the one of ${older.size}`, {
      ...{ notes, path: nodes.length <= 63 && nodes.every((node) => node.length === 44) ? nodes : [] },
    })
  }
  return newer
}

/** The entry that an answer's `Provenance-Read` names, `<id>.<place> <commitment>`, with its commitment in base64url. */
export function readName(header: string): { id: string; place: string; c: string } | undefined {
  const [, id, place, c] = /^([0-9a-f-]{36})\.([0-9]+) ([A-Za-z0-9_-]{43})$/.exec(header) ?? []
  const whole = id !== undefined && place !== undefined && c !== undefined
  return whole && fromBase64Url(c) !== undefined ? { id, place, c } : undefined
}

/** What names the read that an answer was; throws `VerificationFailed` where it gave something out and names none, or one that cannot be read. */
export function readNamed(header: string, gave = true): string {
  if (readName(header) === undefined && (gave || header !== ''))
    throw new VerificationFailed('read', 'the node answered without naming what it recorded')
  return header
}
