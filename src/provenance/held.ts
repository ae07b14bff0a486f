import { atLog } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { equal } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { LogHalted } from './anchor.ts'
import { createWitnessClient, type Held, type Missing } from './ask-witness.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { type Evidence, evidenceOf } from './evidence.ts'
import { decodeRange, rangeRoot, verifyConsistency } from './merkle.ts'
import { formatVkey, parseNote, type VerifierKey } from './note.ts'
import type { Policy } from './policy.ts'
import { consistencyProof } from './proof.ts'
import { readBack } from './read-back.ts'
import * as signStore from './sign-store.ts'
import { tilesNow } from './tiles-now.ts'

/** A log as it can be held against what others have of it. */
export interface OwnLog {
  /** Logs in as `aldis_signer`. */
  db: Db
  /** Logs in as `aldis_ledger`: proofs are made from tiles. */
  ledger: Db
  logId: number
  /** The log's own key. */
  key: VerifierKey
}

/** A checkpoint as it was signed; `at` tells one signing of a size from the next. */
export interface Signed extends Checkpoint {
  at: Date
  note: string
  text: string
}

/** The same object while it is the same checkpoint. */
export async function newestSigned(db: Db, logId: number, known: Signed | undefined): Promise<Signed | undefined> {
  const row = await signStore.latestCheckpoint(db, logId)
  if (row === undefined || (known?.size === row.size && known.at.getTime() === row.at.getTime())) return known
  const text = parseNote(row.note)?.text ?? ''
  const checkpoint = parseCheckpoint(text)
  if (checkpoint === undefined) throw new Error('a stored checkpoint is malformed')
  return { ...checkpoint, at: row.at, note: row.note, text }
}

/** What a checkpoint under our key says against the log; without evidence where we know of none that we signed. */
export interface Contradiction {
  reason: 'contradicted' | 'witness-ahead'
  evidence: Evidence | undefined
}

/** Undefined if the log has or continues what a witness holds under our key; read after that was given. */
export async function contradiction(log: OwnLog, held: Held): Promise<Contradiction | undefined> {
  const { db, ledger, logId, key } = log
  const ours = await newestSigned(db, logId, undefined)
  const { size, root } = held.checkpoint
  const evidence = (path: readonly Uint8Array[] = []): Evidence | undefined =>
    ours && evidenceOf(formatVkey(sha256, key.name, key.publicKey), ours.note, held.note, path)
  if (size > (ours?.size ?? 0n)) {
    const beyond = await reaches(log, held.checkpoint)
    return beyond === 'same' ? undefined : { reason: beyond, evidence: evidence() }
  }
  if (ours === undefined) return undefined
  if (size === ours.size) return equal(root, ours.root) ? undefined : { reason: 'contradicted', evidence: evidence() }
  const path = await consistencyProof(sha256, await tilesNow({ db: ledger, logId }), size, ours.size)
  const claim = { size1: size, root1: root, size2: ours.size, root2: ours.root, path }
  return verifyConsistency(sha256, claim) ? undefined : { reason: 'contradicted', evidence: evidence(path) }
}

/** Whether what is committed beyond the newest checkpoint makes a tree that was signed: a crash leaves that before its row. */
function reaches({ db, logId }: OwnLog, held: Checkpoint): Promise<'same' | Contradiction['reason']> {
  return atLog(db, logId, async (tx) => {
    const [signed, fence] = [await signStore.signed(tx, logId), await signStore.fence(tx, logId)]
    if (signed === undefined || fence === undefined || held.size > fence.size) return 'witness-ahead'
    const range = await readBack(tx, logId, { range: decodeRange(signed.range), to: held.size })
    return equal(rangeRoot(sha256, range), held.root) ? 'same' : 'contradicted'
  })
}

export interface HeldOptions extends OwnLog {
  /** Undefined: no witnesses, and nobody to ask. */
  policy: Policy | undefined
  /** Milliseconds in which a witness has to answer; 1,000 unless said otherwise. */
  answerMs?: number
  /** A witness shows nothing that says anything: none, or why not. */
  onUnshown(witness: string, why: Missing | 'none'): void
  /** Does not throw: the log is halted by what is found. */
  onEvidence(evidence: Evidence, witness: string): void
}

/**
 * Asks every witness of the policy what it holds under our key, all at once, and throws `LogHalted` where the log neither
 * has nor continues it. Who does not answer, or shows what we did not sign, stops nobody.
 */
export async function askHeld(options: HeldOptions): Promise<void> {
  const { policy, key, answerMs, onUnshown, onEvidence } = options
  const ask = async ({ name, key: own, url }: Policy['witnesses'][number]): Promise<LogHalted | undefined> => {
    if (url === undefined) throw new TypeError('a witness without URL cannot be asked')
    const client = createWitnessClient(url, own, key, answerMs)
    const shown = await client.latest().finally(() => client.close())
    if (shown.outcome !== 'holds') {
      onUnshown(name, shown.outcome === 'none' ? 'none' : shown.reason)
      return undefined
    }
    const found = await contradiction(options, shown.held)
    if (found === undefined) return undefined
    if (found.evidence !== undefined) onEvidence(found.evidence, name)
    return new LogHalted(found.reason, `the witness ${name} holds ${shown.held.checkpoint.size} entries of it`)
  }
  const halts = (await Promise.all((policy?.witnesses ?? []).map(ask))).flatMap((halt) => halt ?? [])
  // What no restore puts right says more.
  const worst = halts.find(({ reason }) => reason === 'contradicted') ?? halts[0]
  if (worst !== undefined) throw worst
}
