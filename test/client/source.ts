import { generateKeyPairSync, sign } from 'node:crypto'
import type { Received, SourceInfo } from '../../src/client/client.ts'
import { makeSigningKey, type OwnSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import type { Home } from '../../src/client/verify.ts'
import { concat, toBase64, toBase64Url, u64 } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { checkpointText } from '../../src/provenance/checkpoint.ts'
import { formatNote, formatVkey, signatureLine } from '../../src/provenance/note.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { digestOfJws, itemLeaf, type SubmissionType, signSubmission } from '../../src/signals/submission.ts'
import { leafOf, mth, pathOf, proofOf } from '../provenance/definition.ts'
import { idOf, NOON, ORIGIN, PROGRAMME, uriOf } from '../signals/factory.ts'

/** Who signs, and what the node lists of it. */
export interface TestSource {
  info: SourceInfo
  key: OwnSigningKey
}

export function aSource(slug: string, alg: 'Ed25519' | 'ES256' = 'Ed25519'): TestSource {
  const p256 = () =>
    JSON.stringify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }))
  const key = openSigningKey(alg === 'Ed25519' ? makeSigningKey() : p256())
  const times = { not_before: '2026-01-01T00:00:00.000Z', not_after: '2027-01-01T00:00:00.000Z' }
  const listed = { kid: key.kid, alg, jwk: key.jwk, status: 'active' as const, ...times }
  return { key, info: { slug, uri: uriOf(slug), kind: 'platform', status: 'active', signing_keys: [listed] } }
}

/** A node as its participants know it, with the key it countersigns with. */
export interface TestNode {
  home: Home
  receiptKey: OwnSigningKey
}

export function aNode(): TestNode {
  const receiptKey = openSigningKey(makeSigningKey())
  const { kid, jwk } = receiptKey
  if (jwk.kty !== 'OKP') throw new Error('a receipt key is Ed25519')
  return {
    receiptKey,
    home: { node_origin: ORIGIN, programme: PROGRAMME, receipt_keys: [{ kid, alg: 'Ed25519', jwk }] },
  }
}

export const FEED = idOf(900)

/** What names a read, of a page unless its journal row is given. */
export const aRead = (place: number, row: Uuid = idOf(901)): string => `${row}.${place} ${'A'.repeat(43)}`
export const segmentRead = (first: number): string => aRead(first, idOf(902))

/** How a submission and its events differ from good ones. */
export interface Told {
  typ?: SubmissionType
  type?: string
  aud?: string
  prg?: string
  iss?: string
  feed?: Uuid
  /** Sequence of the first event. */
  seq?: number
  /** What the events say of their signal, if it is not what the items say. */
  names?: { signal: Uuid; revision: number }
}

/** A signed and countersigned submission as its recipients get it, one event for each item. */
export async function received(
  node: TestNode,
  { key, info }: TestSource,
  items: readonly string[],
  told: Told = {},
): Promise<Received[]> {
  const { typ = 'aldis-signal+jws', aud = ORIGIN, prg = PROGRAMME, iss = info.uri, feed = FEED, seq = 1 } = told
  const { jws, items: salted } = await signSubmission({ typ, iss, aud, prg, items, key, now: NOON })
  const leaves = salted.map(({ salt, item }) => itemLeaf(Buffer.from(salt, 'base64url'), item))
  const event = newId(NOON)
  const by = { kid: node.receiptKey.kid, iss: ORIGIN, sign: node.receiptKey.sign }
  const acknowledged = { od: digestOfJws(jws), rec: sha256(Buffer.from(event)), payload: jws.payload, now: NOON }
  const countersignature = await countersign(acknowledged, by)
  const proof = { event, source: info.slug, count: items.length, jws, countersignature }
  return salted.map(({ salt, item }, index) => {
    const { signal, revision } = told.names ?? (JSON.parse(item) as { signal: Uuid; revision: number })
    const type =
      told.type ??
      (typ === 'aldis-withdrawal+jws' ? 'signal.withdrawn' : revision === 1 ? 'signal.created' : 'signal.revised')
    const path = toBase64Url(concat(...pathOf(index, leaves)))
    const at = NOON.toISOString()
    const about = { seq: String(seq + index), type, at, feed, source: info.slug, signal, revision, event }
    return { event: { ...about, index, salt, item, path }, proof }
  })
}

/** An append-only log of numbered entries, with the key it signs with. */
export interface TestLog {
  vkey: string
  leaves: Uint8Array[]
  /** The signed note over the first `size` leaves. */
  checkpoint(size?: number): string
  /** The nodes of a consistency proof, base64. */
  consistency(from: number, to: number): string[]
}

export function aLog(size: number, name = 'node.example.org/log'): TestLog {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const leaves: Uint8Array[] = Array.from({ length: size }, (_, i) => leafOf(u64(BigInt(i))))
  return {
    vkey: formatVkey(sha256, name, raw),
    leaves,
    checkpoint: (n = leaves.length) => {
      const text = checkpointText({ origin: name, size: BigInt(n), root: mth(leaves.slice(0, n)) })
      const signature = sign(null, Buffer.from(text), privateKey)
      return formatNote(text, [signatureLine(sha256, { name, publicKey: raw, signature })])
    },
    consistency: (from, to) => proofOf(from, leaves.slice(0, to)).map(toBase64),
  }
}
