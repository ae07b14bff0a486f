import { sha256 } from '../kernel/sha256.ts'
import { formatVkey, type VerifierKey } from '../provenance/note.ts'
import { logIdOf } from '../provenance/origin.ts'
import { AldisError, VerificationFailed } from './errors.ts'
import { formerLogs } from './former-logs.ts'
import { newerHead } from './heads.ts'
import type { HistoryEntry } from './history.ts'
import type { Home } from './home.ts'
import { type KeptHistory, openHistory } from './kept-history.ts'
import { type KeptHead, openHead } from './verify.ts'

/** Our chain in a log that ended, as the folder has it. */
export interface FormerHistory {
  key: VerifierKey
  kept: KeptHistory
  /** What the log ended with, and the node still has; undefined where it had no checkpoint. */
  end: KeptHead | undefined
  /** Entries that it had, as far as we knew it: more than at its end, where the node lost some. Undefined where its end was not noted. */
  size: bigint | undefined
}

/** Our chain in the log of a key. */
export const historyIn = ({ dir, membership }: Pick<Home, 'dir' | 'membership'>, { name }: VerifierKey): KeptHistory =>
  openHistory(dir, { party: membership().participant, origin: name })

/** Of each log that the folder followed before the present one, in their order. */
export const formerHistories = (home: Pick<Home, 'dir' | 'membership'>): FormerHistory[] =>
  formerLogs(home.dir).map(({ key, last, note }) => ({
    key,
    kept: historyIn(home, key),
    end: note === undefined ? undefined : openHead(note, key),
    size: last?.size,
  }))

/** Its links as far as the log goes: what the node lost behind its end is told by the log that followed, or by none. */
export async function* entriesToEnd({ kept, end }: Pick<FormerHistory, 'kept' | 'end'>): AsyncGenerator<HistoryEntry> {
  for await (const entry of kept.entries()) if (entry.index < (end?.size ?? 0n)) yield entry
}

/** Whether the folder lacks a part of it that the node has to have. */
export const isBehind = ({ kept, end }: Pick<FormerHistory, 'kept' | 'end'>): boolean =>
  end !== undefined && kept.place.size < end.size

/**
 * Takes our chain of a log up to the checkpoint that it ended with, as far as the folder lacks it. Throws
 * `VerificationFailed` also where the node no longer gives it out: a log that ended stays served.
 */
export async function extendToEnd(
  { connect }: Pick<Home, 'connect'>,
  { key, kept, end }: Pick<FormerHistory, 'key' | 'kept' | 'end'>,
): Promise<void> {
  if (end === undefined || !isBehind({ kept, end })) return
  const client = connect(logIdOf(key.name))
  try {
    await kept.extend(client, end)
  } catch (error) {
    if (!(error instanceof AldisError && error.code === 'not-found')) throw error
    throw new VerificationFailed('chain head', `the node no longer gives out ${key.name}, which ended at ${end.size}`)
  } finally {
    client.close()
  }
}

/** Holds a checkpoint of it against the one that it ended with. Throws `VerificationFailed` for what does not agree, or is larger. */
export async function compareToEnd(
  { dir, connect }: Pick<Home, 'dir' | 'connect'>,
  { key, end }: Pick<FormerHistory, 'key' | 'end'>,
  note: string,
): Promise<void> {
  const head = openHead(note, key)
  if (end !== undefined && head.size > end.size)
    throw new VerificationFailed('head', `${key.name} had ended at ${end.size}, and this is of ${head.size}`)
  const client = connect(logIdOf(key.name))
  const vkey = formatVkey(sha256, key.name, key.publicKey)
  await newerHead({ dir, vkey, client }, end, head).finally(() => client.close())
}
