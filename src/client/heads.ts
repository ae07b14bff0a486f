import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { writeDurably } from '../kernel/durable.ts'
import { Refusal } from '../kernel/errors.ts'
import { createMarker } from '../kernel/marker.ts'
import type { Client } from './client.ts'
import { AldisError, LogContradicted } from './errors.ts'
import { keepEvidence } from './evidence-file.ts'
import { readIfThere } from './files.ts'
import { advanceHead, type KeptHead, openHead, openVkey } from './verify.ts'
import { expectWitnessed, openPolicy } from './witnessed.ts'

export const HEAD_FILE = 'log.checkpoint'
/** Held by whoever replaces the head or what it is of. */
export const HEAD_LOCK = `${HEAD_FILE}.lock`
const POLICY_FILE = 'witness.policy'
const WHOM = "send it to the programme's governance and to other members, who can check it with aldis evidence"

/** How a home follows the log. */
export interface Heads {
  /**
   * Keeps the newest head of the log that is proven to continue the last one, and that a pinned policy accepts. Throws
   * `LogContradicted` where neither of two continues the other, after it has written them into the folder as evidence.
   */
  advance(client: Client): Promise<KeptHead>
  /** Holds a head that somebody else was shown against ours, as `advance` does; keeps neither. */
  compare(client: Client, note: string): Promise<KeptHead>
  /** From now on no head is kept that these witnesses did not cosign (C2SP tlog-policy). */
  pinPolicy(text: string): void
  /** The pinned policy, verbatim; undefined without one. */
  pinnedPolicy(): string | undefined
}

/** It is held while little is written. */
const LOCKED_FOR_MS = 10_000
const LOCK_PAUSE_MS = 10

/** Takes the lock that others hold for moments; what a killed process left is taken over. Throws `home-in-use` if it is held on. */
export async function lockOf(path: string): Promise<() => Promise<void>> {
  const marker = createMarker(path)
  for (let waited = 0; waited < LOCKED_FOR_MS; waited += LOCK_PAUSE_MS) {
    if (await marker.take()) return () => marker.release()
    await delay(LOCK_PAUSE_MS)
  }
  throw new Refusal('home-in-use', { detail: 'another process is keeping what the log says: run it again' })
}

/** The newer of two heads, as `advanceHead` finds it; before it tells of a contradiction it keeps what shows it in the folder. */
export async function newerHead(
  { dir, vkey, client }: { dir: string; vkey: string; client: Pick<Client, 'consistency'> },
  head: KeptHead | undefined,
  next: KeptHead,
): Promise<KeptHead> {
  const path = async (from: bigint, to: bigint) => {
    try {
      return (await client.consistency(from, to)).path
    } catch (error) {
      // A log that signed both has a proof: what it does not have shows as much as one that fails.
      if (error instanceof AldisError && error.code === 'not-found') return []
      throw error
    }
  }
  try {
    return await advanceHead(head, next, path)
  } catch (error) {
    if (!(error instanceof LogContradicted)) throw error
    const { found, detail } = error
    const file = keepEvidence(join(dir, 'evidence'), { vkey: vkey.trim(), ...found })
    throw new LogContradicted(`${detail}. ${file} holds both: ${WHOM}`, found)
  }
}

export function createHeads(dir: string, pinned: () => { vkey: string; head: KeptHead | undefined }): Heads {
  const policyFile = join(dir, POLICY_FILE)

  /** Keeps a head in the place of the one that it was held against; false where that is no longer the kept one. */
  const replace = async (before: ReturnType<typeof pinned>, { note }: KeptHead): Promise<boolean> => {
    const letGo = await lockOf(join(dir, HEAD_LOCK))
    try {
      const { vkey, head } = pinned()
      if (vkey !== before.vkey || head?.note !== before.head?.note) return false
      writeDurably(join(dir, HEAD_FILE), note)
      return true
    } finally {
      await letGo()
    }
  }

  return {
    async advance(client) {
      const note = await client.checkpoint()
      for (;;) {
        const before = pinned()
        const { vkey, head } = before
        const newest = await newerHead({ dir, vkey, client }, head, openHead(note, openVkey(vkey)))
        if (newest === head) return newest
        const policy = readIfThere(policyFile)
        // Compared before it is refused: also what no witness saw is evidence.
        if (policy !== undefined) expectWitnessed(newest.note, openPolicy(policy, openVkey(vkey)))
        // Another process may have kept a newer one meanwhile: then ours is held against that.
        if (await replace(before, newest)) return newest
      }
    },
    async compare(client, note) {
      const { vkey, head } = pinned()
      return newerHead({ dir, vkey, client }, head, openHead(note, openVkey(vkey)))
    },
    pinPolicy(text) {
      openPolicy(text, openVkey(pinned().vkey))
      writeDurably(policyFile, text)
    },
    pinnedPolicy: () => readIfThere(policyFile),
  }
}
