import { equal, type Hash, toBase64 } from '../kernel/bytes.ts'
import { chainsHash, entryOf } from './chain.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { commitment, openPayload } from './commitment.ts'
import { leafHash, rootFromPath, verifyConsistency } from './merkle.ts'
import { parseNote, type VerifierKey, type VerifyEd25519 } from './note.ts'
import { type Policy, witnessedBy } from './policy.ts'
import { consistencyProof, inclusionProof, type ReadTile } from './proof.ts'
import { chainDigestsOf, type ReceiptExtra } from './receipt.ts'
import { hashesOf, TILE_WIDTH, tileWidth } from './tile.ts'

/** One step of a proof, as whoever is no engineer can read it. `UNKNOWN`: it could not be checked here. */
export interface ProofStep {
  step: 'leaf' | 'path' | 'signature' | 'witnesses' | 'consistency'
  result: 'PASS' | 'FAIL' | 'UNKNOWN'
  says: string
}

/** A head of the log that was verified and remembered. */
export interface Trusted {
  size: bigint
  root: Uint8Array
}

export interface Proving {
  hash: Hash
  /** Absent where Ed25519 cannot be verified. */
  verify: VerifyEd25519 | undefined
  vkey: VerifierKey
  /** The checkpoint, verbatim. */
  note: string
  /** Whose cosignatures are asked for; absent where the log has no witnesses. */
  policy: Policy | undefined
  index: bigint
  /** What the entry says, as far as it may be opened; absent where it may not be. */
  record: ReceiptExtra | undefined
  /** The audit path, where it came with the record: then no tile is read. */
  path?: readonly Uint8Array[]
  tile: ReadTile | undefined
  trusted: Trusted | undefined
}

/** From what an entry says to what was trusted before, step by step; a step never hides another. */
export async function proofSteps(proving: Proving): Promise<ProofStep[]> {
  const head = headOf(proving.note)
  const tree = await treeOf(proving, head)
  const made = proving.record === undefined ? undefined : leafMade(proving.hash, proving.record)
  return [
    leafStep(proving, made, tree),
    pathStep(proving, made, { head, tree }),
    signatureStep(proving),
    witnessStep(proving),
    await consistencyStep(proving, head),
  ]
}

const headOf = (note: string): Checkpoint | undefined => parseCheckpoint(parseNote(note)?.text ?? '')

interface Tree {
  /** As it stands in the tree; absent where only a path was given. */
  leaf: Uint8Array | undefined
  path: readonly Uint8Array[]
}

async function treeOf({ hash, index, path, tile }: Proving, head: Checkpoint | undefined): Promise<Tree | string> {
  if (head === undefined) return 'the checkpoint cannot be read'
  if (index >= head.size) return `the checkpoint has ${head.size} entries, and this one is not among them`
  if (path !== undefined || tile === undefined) return { leaf: undefined, path: path ?? [] }
  try {
    const width = BigInt(TILE_WIDTH)
    const data = await tile(0, index / width, tileWidth(head.size, 0, index / width))
    return { leaf: hashesOf(data)[Number(index % width)], path: await inclusionProof(hash, tile, index, head.size) }
  } catch {
    return 'the tree could not be read'
  }
}

/** The leaf hash that a record makes; a text says why it makes none. */
function leafMade(hash: Hash, record: ReceiptExtra): Uint8Array | string {
  const opened = openPayload(hash, record.payload, record.disclosures)
  if (opened.outcome === 'failed') return opened.why
  const digests = chainDigestsOf(hash, record)
  if (digests === undefined) return 'a chain digest is malformed'
  return leafHash(hash, entryOf(hash, commitment(hash, record.payload), chainsHash(hash, digests)))
}

type Made = Uint8Array | string | undefined

function leafStep({ index }: Proving, made: Made, tree: Tree | string): ProofStep {
  const step = 'leaf' as const
  if (made === undefined)
    return {
      step,
      result: 'UNKNOWN',
      says: 'What this entry says is not yours to open, so only its hash is checked below.',
    }
  if (typeof made === 'string')
    return { step, result: 'FAIL', says: `What is shown of the entry is not what was written into the log: ${made}.` }
  const stands = typeof tree === 'string' ? undefined : tree.leaf
  if (stands !== undefined && !equal(stands, made))
    return {
      ...{ step, result: 'FAIL' },
      says: `What is shown was hashed again, and the log holds another hash for entry ${index}: one of the two was changed.`,
    }
  return {
    step,
    result: 'PASS',
    says: `Every field shown was hashed again, and makes the leaf that begins with ${short(made)}.`,
  }
}

function pathStep(
  { hash, index }: Proving,
  made: Made,
  { head, tree }: { head: Checkpoint | undefined; tree: Tree | string },
): ProofStep {
  const step = 'path' as const
  if (typeof tree === 'string' || head === undefined)
    return { step, result: 'FAIL', says: `The place of the entry could not be shown: ${String(tree)}.` }
  const leaf = tree.leaf ?? (made instanceof Uint8Array ? made : undefined)
  if (leaf === undefined) return { step, result: 'UNKNOWN', says: 'There is no hash of the entry to begin from.' }
  const root = rootFromPath(hash, { leaf, index, size: head.size, path: tree.path })
  const says = `${tree.path.length} hashes lead from the entry to the root`
  return root !== undefined && equal(root, head.root)
    ? {
        step,
        result: 'PASS',
        says: `${says} that begins with ${short(root)}, of the checkpoint over ${head.size} entries.`,
      }
    : { step, result: 'FAIL', says: `${says}, but to another one than the checkpoint has: the log was changed.` }
}

function signatureStep({ verify, vkey, note }: Proving): ProofStep {
  const step = 'signature' as const
  if (verify === undefined)
    return {
      step,
      result: 'UNKNOWN',
      says: 'This browser cannot verify Ed25519; use a newer one, or the command below.',
    }
  const signed = openCheckpoint(note, vkey, verify)
  return signed.outcome === 'signed'
    ? { step, result: 'PASS', says: `The checkpoint is signed by the key of ${vkey.name}.` }
    : { step, result: 'FAIL', says: `The checkpoint is not signed as it must be: ${signed.why}.` }
}

function witnessStep({ verify, policy, note }: Proving): ProofStep {
  const step = 'witnesses' as const
  if (policy === undefined || policy.witnesses.length === 0)
    return {
      ...{ step, result: 'UNKNOWN' },
      says: 'No witnesses are known here: two histories would be noticed only by participants who compare what they hold.',
    }
  if (verify === undefined) return { step, result: 'UNKNOWN', says: 'This browser cannot verify Ed25519.' }
  const parsed = parseNote(note)
  if (parsed === undefined) return { step, result: 'FAIL', says: 'The checkpoint cannot be read.' }
  const { cosigned, quorum, missing } = witnessedBy(policy, parsed, verify)
  const count = `${cosigned.size} of ${policy.witnesses.length} witnesses cosigned`
  return quorum
    ? { step, result: 'PASS', says: `${count} (${[...cosigned.keys()].join(', ')}), as the policy asks.` }
    : { step, result: 'FAIL', says: `${count}, fewer than the policy asks; missing or wrong: ${missing.join(', ')}.` }
}

async function consistencyStep({ hash, tile, trusted }: Proving, head: Checkpoint | undefined): Promise<ProofStep> {
  const step = 'consistency' as const
  if (trusted === undefined)
    return {
      step,
      result: 'UNKNOWN',
      says: 'Nothing was remembered of this log before: there is nothing to compare with.',
    }
  if (head === undefined) return { step, result: 'FAIL', says: 'The checkpoint cannot be read.' }
  const { size, root } = trusted
  if (head.size < size)
    return {
      ...{ step, result: 'FAIL' },
      says: `This browser has seen ${size} entries, and is now shown ${head.size}: the log went back, or this is another one.`,
    }
  if (head.size === size || size === 0n) return sameStep(equal(head.root, root) || size === 0n, size)
  if (tile === undefined)
    return {
      step,
      result: 'UNKNOWN',
      says: 'Without the tree it cannot be told whether this continues what was seen before.',
    }
  try {
    const path = await consistencyProof(hash, tile, size, head.size)
    const holds = verifyConsistency(hash, { size1: size, size2: head.size, root1: root, root2: head.root, path })
    return holds
      ? {
          step,
          result: 'PASS',
          says: `The ${head.size} entries continue the ${size} seen before, by ${path.length} hashes: nothing of them was changed.`,
        }
      : {
          step,
          result: 'FAIL',
          says: `The ${head.size} entries do not continue the ${size} that were seen before: the past was rewritten.`,
        }
  } catch {
    return { step, result: 'FAIL', says: 'The tree that would show it could not be read.' }
  }
}

const sameStep = (same: boolean, size: bigint): ProofStep =>
  same
    ? { step: 'consistency', result: 'PASS', says: `It is the checkpoint of ${size} entries that was seen before.` }
    : {
        ...{ step: 'consistency', result: 'FAIL' },
        says: `Two checkpoints of ${size} entries have different roots: the log has two histories.`,
      }

const short = (hash: Uint8Array): string => toBase64(hash).slice(0, 8)

/** Without these nothing is shown: anybody can make a record, or a tree around it. */
const NEEDED: readonly ProofStep['step'][] = ['path', 'signature']

/** Of several steps the worst: one that failed fails all, and where a needed one could not be done nothing is verified. */
export function verdictOf(steps: readonly Pick<ProofStep, 'step' | 'result'>[]): ProofStep['result'] {
  if (steps.some(({ result }) => result === 'FAIL')) return 'FAIL'
  const isDone = (needed: ProofStep['step']): boolean =>
    steps.some(({ step, result }) => step === needed && result === 'PASS')
  return NEEDED.every(isDone) ? 'PASS' : 'UNKNOWN'
}
