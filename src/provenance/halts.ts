import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Clock } from '../kernel/clock.ts'
import { removeDurably, writeDurably } from '../kernel/durable.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { HALTS, type HaltReason, LASTING, LogHalted } from './anchor.ts'

/** Beside the generations of the anchor. */
const FILE = 'halted.json'
const FOUND_MAX = 1_000

const isKept = Compile(
  Type.Object(
    { v: Type.Literal(1), reason: Type.String(), found: Type.String({ maxLength: FOUND_MAX }), at: Type.String() },
    { additionalProperties: false },
  ),
)

/** Remembers outside the database why a log was halted, so that a restart does not sign on. */
export interface Halts {
  /** Undefined where none is kept. Throws where what is there cannot be read: then nothing is signed either. */
  kept(): LogHalted | undefined
  /** On the disk before it returns; the first one stays, unless a contradiction is found, which nothing undoes. */
  keep(halt: LogHalted, at: Date): void
  /** The way back for who has put right what was found. */
  lift(): void
}

/** In the folder of the log's anchor: who opens the next log has another. */
export function fileHalts(dir: string): Halts {
  const path = join(dir, FILE)
  const kept = (): LogHalted | undefined => {
    if (!existsSync(path)) return undefined
    const { reason, found } = parsed(path)
    return new LogHalted(reason, found)
  }
  return {
    kept,
    keep({ reason, found }, at) {
      const before = kept()
      if (before !== undefined && (reason !== 'contradicted' || before.reason === reason)) return
      const text = JSON.stringify({ v: 1, reason, found: found.slice(0, FOUND_MAX), at: at.toISOString() })
      writeDurably(path, `${text}\n`, 0o600)
    },
    lift: () => removeDurably(path),
  }
}

function parsed(path: string): { reason: HaltReason; found: string } {
  let value: unknown
  try {
    value = parseStrict(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`${path}: is not as the node wrote it`, { cause })
  }
  if (isKept.Check(value) && isReason(value.reason)) return { reason: value.reason, found: value.found }
  throw new Error(`${path}: is not as the node wrote it`)
}

const isReason = (text: string): text is HaltReason => Object.hasOwn(HALTS, text)

/** What is found by the work of a signer lasts: here and in the next process, until a person has acted. */
export function haltKeeper(halts: Halts, clock: Clock) {
  const remembered = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof LogHalted && LASTING.has(error.reason)) halts.keep(error, clock())
      throw error
    }
  }
  return {
    remembered,
    unlessKept: async <T>(work: () => Promise<T>): Promise<T> => {
      const kept = halts.kept()
      if (kept !== undefined) throw kept
      return remembered(work)
    },
  }
}
