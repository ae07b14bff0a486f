import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../kernel/sha256.ts'
import { type Checkpoint, parseCheckpoint } from '../provenance/checkpoint.ts'
import { emptyRoot } from '../provenance/merkle.ts'
import { parseNote, type VerifierKey } from '../provenance/note.ts'
import { logIdOf } from '../provenance/origin.ts'
import { readIfThere } from './files.ts'
import { HEAD_FILE } from './heads.ts'
import { openVkey } from './verify.ts'

export const VKEY_FILE = 'log.vkey'
/** Of a log that ended: when the folder went over to the next one, and below it the checkpoint that it ended with, if it had one. */
export const ENDED_FILE = 'log.ended'

/** A log that the folder followed before the present one. */
export interface FormerLog {
  key: VerifierKey
  at?: Date
  /** The largest that it had. */
  last?: Pick<Checkpoint, 'size' | 'root'>
  /** The checkpoint that it ended with by the log that followed; the one that we kept where that was not noted. */
  note?: string
}

/** In their order. */
export function formerLogs(dir: string): FormerLog[] {
  const former = join(dir, 'former')
  if (!existsSync(former)) return []
  const logs = readdirSync(former).flatMap((number): FormerLog[] => {
    const vkey = readIfThere(join(former, number, VKEY_FILE))
    // It is not followed yet: a crash was before the switch.
    if (vkey === undefined) return []
    const key = openVkey(vkey)
    const head = readIfThere(join(former, number, HEAD_FILE)) ?? ''
    const ended = readIfThere(join(former, number, ENDED_FILE))
    if (ended === undefined) return [{ key, ...named(head) }]
    const cut = ended.indexOf('\n')
    const note = ended.slice(cut + 1)
    // Of what was lost receipts stay good, as far as we knew it.
    const last = [note, head].map(treeIn).reduce((one, other) => (other.size > one.size ? other : one))
    return [{ key, at: new Date(ended.slice(0, cut)), last, ...named(note) }]
  })
  return logs.sort((a, b) => logIdOf(a.key.name) - logIdOf(b.key.name))
}

const named = (note: string): { note?: string } => (note === '' ? {} : { note })

/** The tree of a note; the empty one where there is none. */
export const treeIn = (note: string): Pick<Checkpoint, 'size' | 'root'> =>
  parseCheckpoint(parseNote(note)?.text ?? '') ?? { size: 0n, root: emptyRoot(sha256) }
