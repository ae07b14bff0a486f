import { equal, toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { sha256 } from '../kernel/sha256.ts'
import { parseAddCheckpoint } from '../provenance/add-checkpoint.ts'
import { type Checkpoint, originHash, parseCheckpoint } from '../provenance/checkpoint.ts'
import { emptyRoot, verifyConsistency } from '../provenance/merkle.ts'
import {
  formatNote,
  lineBy,
  type Note,
  parseNote,
  type VerifierKey,
  type VerifyEd25519,
  verifyNote,
} from '../provenance/note.ts'
import type { WitnessKey } from './key.ts'
import type { Memory, Remembered } from './memory.ts'

/** What comes of a request; `size` is what the witness holds. */
export type Verdict =
  | { outcome: 'cosigned'; line: string; checkpoint: Checkpoint }
  | { outcome: 'malformed' | 'unknown-log' | 'unsigned' | 'bad-proof' }
  | { outcome: 'conflict'; size: bigint; contradicts?: Contradiction }

/** Two notes of one size under the log's key with different roots. */
export interface Contradiction {
  log: VerifierKey
  kept: string
  offered: string
}

export interface Witness {
  readonly vkey: string
  /** Judges the body of an `add-checkpoint`; what it cosigns is on the disk before it answers. */
  add(body: string): Promise<Verdict>
  /** The newest note cosigned, by the hex SHA-256 of its origin. */
  latest(hexHash: string): Promise<string | undefined>
}

export interface WitnessOptions {
  key: WitnessKey
  /** The logs that are witnessed, one key for each origin. */
  logs: readonly VerifierKey[]
  memory: Memory
  clock: Clock
  verify: VerifyEd25519
}

/** Each try is a write that another process made first. */
const TRIES = 8

/** A witness (C2SP tlog-witness v1.0.0): it cosigns what continues the last checkpoint that it saw, and forgets none. */
export function createWitness({ key, logs, memory, clock, verify }: WitnessOptions): Witness {
  const byOrigin = new Map(logs.map((log) => [log.name, log]))
  const known = new Set(logs.map(({ name }) => toHex(originHash(sha256, name))))

  const judge = async (request: Judged): Promise<Verdict | 'lost'> => {
    const { checkpoint, note, old, path, log } = request
    const held = await memory.latest(log.name)
    const size = held?.checkpoint.size ?? 0n
    const root = held?.checkpoint.root ?? emptyRoot(sha256)
    // Whatever was asked of it: two trees of one size are no misunderstanding.
    if (checkpoint.size === size && !equal(checkpoint.root, root)) return conflict(request, size, held)
    if (old !== size) return { outcome: 'conflict', size }
    const claim = { size1: size, root1: root, size2: checkpoint.size, root2: checkpoint.root, path }
    if (!verifyConsistency(sha256, claim)) return { outcome: 'bad-proof' }
    const line = key.line(note.text, BigInt(Math.floor(clock().getTime() / 1_000)))
    const kept = await memory.keep(log.name, held, formatNote(note.text, [lineBy(note, log) ?? '', line]))
    return kept === 'lost' ? 'lost' : { outcome: 'cosigned', line, checkpoint }
  }

  const settled = async (request: Judged): Promise<Verdict> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const verdict = await judge(request)
      if (verdict !== 'lost') return verdict
    }
    throw new Error('another process writes the same memory without end')
  }

  /** One after the other: those of this process would only make each other lose. */
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = (origin: string, work: () => Promise<Verdict>): Promise<Verdict> => {
    const next = (turns.get(origin) ?? Promise.resolve()).then(work, work)
    turns.set(origin, next)
    return next
  }

  return {
    vkey: key.vkey,
    latest: async (hexHash) => (known.has(hexHash) ? memory.noteOf(hexHash) : undefined),
    async add(body) {
      const request = opened(body)
      if (request === undefined) return { outcome: 'malformed' }
      const { checkpoint, note, old } = request
      const log = byOrigin.get(checkpoint.origin)
      if (log === undefined) return { outcome: 'unknown-log' }
      if (!verifyNote(note, log, verify)) return { outcome: 'unsigned' }
      if (old > checkpoint.size) return { outcome: 'malformed' }
      return inTurn(log.name, () => settled({ ...request, log }))
    },
  }
}

interface Judged {
  checkpoint: Checkpoint
  note: Note
  /** The note, verbatim. */
  text: string
  log: VerifierKey
  old: bigint
  path: readonly Uint8Array[]
}

function opened(body: string): Omit<Judged, 'log'> | undefined {
  const request = parseAddCheckpoint(body)
  const note = request === undefined ? undefined : parseNote(request.checkpoint)
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note.text)
  if (request === undefined || note === undefined || checkpoint === undefined) return undefined
  return { checkpoint, note, text: request.checkpoint, old: request.old, path: request.path }
}

function conflict({ log, text }: Judged, size: bigint, held: Remembered | undefined): Verdict {
  const contradicts = held === undefined ? undefined : { log, kept: held.note, offered: text }
  return { outcome: 'conflict', size, ...(contradicts === undefined ? {} : { contradicts }) }
}
