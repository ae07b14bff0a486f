import { equal, fromBase64, type Hash, toBase64 } from '../kernel/bytes.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { openCheckpoint } from './checkpoint.ts'
import { verifyConsistency } from './merkle.ts'
import { parseVkey, type VerifierKey, type VerifyEd25519 } from './note.ts'

/** Characters of a file of evidence at most. */
const EVIDENCE_MAX = 65_536

/** Two signed heads of a log that cannot both be its own. */
export interface Evidence {
  /** The key that signed both (C2SP signed-note). */
  vkey: string
  /** Each with the signature of that key. */
  notes: readonly [kept: string, offered: string]
  /** The consistency proof that was given for heads of different sizes and did not hold, base64. */
  path: readonly string[]
}

/** JSON, so that the notes stand in it byte for byte. */
export const formatEvidence = ({ vkey, notes, path }: Evidence): string =>
  `${JSON.stringify({ v: 1, vkey, notes, path }, undefined, 2)}\n`

/** Evidence in its exact form; undefined for anything else. */
export function parseEvidence(text: string): Evidence | undefined {
  if (text.length > EVIDENCE_MAX) return undefined
  let value: unknown
  try {
    value = parseStrict(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { v, vkey, notes, path, ...rest } = value as Record<string, unknown>
  if (v !== 1 || typeof vkey !== 'string' || !isTexts(notes) || !isTexts(path) || Object.keys(rest).length > 0)
    return undefined
  const [kept, offered, ...more] = notes
  if (kept === undefined || offered === undefined || more.length > 0 || path.length > 63) return undefined
  return { vkey, notes: [kept, offered], path }
}

/**
 * What the evidence shows to anyone who holds the log's key. `proven`: both are signed, of one size, with different roots;
 * no excuse exists. `claimed`: both are signed, of different sizes, and the proof beside them fails; whether there is one
 * that holds only the log can show. `none`: it shows nothing.
 */
export type Finding = { outcome: 'proven' | 'claimed' | 'none'; why: string }

export function judgeEvidence(
  evidence: Evidence,
  using: { hash: Hash; key: VerifierKey; verify: VerifyEd25519 },
): Finding {
  const { hash, key, verify } = using
  const named = parseVkey(hash, evidence.vkey)
  if (named === undefined || !equal(named.publicKey, key.publicKey) || named.name !== key.name)
    return { outcome: 'none', why: 'it is about another key than the pinned one' }
  const [kept, offered] = evidence.notes.map((note) => openCheckpoint(note, key, verify))
  if (kept?.outcome !== 'signed') return { outcome: 'none', why: `the first note: ${kept?.why ?? 'is missing'}` }
  if (offered?.outcome !== 'signed') return { outcome: 'none', why: `the second note: ${offered?.why ?? 'is missing'}` }
  const [a, b] = [kept.checkpoint, offered.checkpoint]
  if (a.size === b.size) {
    if (equal(a.root, b.root)) return { outcome: 'none', why: 'both notes are of the same tree' }
    return { outcome: 'proven', why: `the log signed two trees of size ${a.size}` }
  }
  const [older, newer] = a.size < b.size ? [a, b] : [b, a]
  const path = evidence.path.map((node) => fromBase64(node) ?? new Uint8Array(0))
  const claim = { size1: older.size, root1: older.root, size2: newer.size, root2: newer.root, path }
  if (verifyConsistency(hash, claim)) return { outcome: 'none', why: 'the proof holds: one tree continues the other' }
  return {
    outcome: 'claimed',
    why: `the proof from size ${older.size} to ${newer.size} fails; if the log can give no other, it was rewritten`,
  }
}

/** The evidence of two notes under one key. */
export const evidenceOf = (
  vkey: string,
  kept: string,
  offered: string,
  path: readonly Uint8Array[] = [],
): Evidence => ({
  vkey,
  notes: [kept, offered],
  path: path.map((node) => toBase64(node)),
})

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
