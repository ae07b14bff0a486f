import { type Checkpoint, openCheckpoint } from '../provenance/checkpoint.ts'
import { type LogSource, readCheckpoint } from '../provenance/log-source.ts'
import type { VerifierKey, VerifyEd25519 } from '../provenance/note.ts'
import { type Finding, numbered } from './finding.ts'

/** A checkpoint that the log's key signed, with its note verbatim. */
export interface SignedHead extends Checkpoint {
  note: string
}

export interface Pinned {
  key: VerifierKey
  verify: VerifyEd25519
}

/** The head of a note, or why the pinned key does not vouch for it. */
export function openSigned(note: string, { key, verify }: Pinned): SignedHead | { why: string } {
  const opened = openCheckpoint(note, key, verify)
  return opened.outcome === 'signed' ? { ...opened.checkpoint, note } : { why: opened.why }
}

/** Check 1: the note is canonical, the pinned key signed it, and it is of the log that the key names. */
export async function checkHead(source: LogSource, pinned: Pinned): Promise<{ finding: Finding; head?: SignedHead }> {
  const check = numbered(1, 'checkpoint')
  try {
    const head = openSigned(await readCheckpoint(source), pinned)
    if ('why' in head) return { finding: check.fail(`the checkpoint cannot be trusted: ${head.why}`, 'checkpoint') }
    return { finding: check.pass(`${head.origin} signed a log of ${head.size} entries`), head }
  } catch (error) {
    return { finding: check.broken(error) }
  }
}
