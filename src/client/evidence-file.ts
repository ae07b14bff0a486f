import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { createDurably } from '../kernel/durable.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Evidence, formatEvidence } from '../provenance/evidence.ts'
import { formatNote, lineBy, parseNote, parseVkey } from '../provenance/note.ts'

/** Writes evidence into the folder; what is there is never written over. Answers its path. */
export function keepEvidence(dir: string, found: Evidence): string {
  const [kept, offered] = found.notes
  const evidence = { ...found, notes: [signedAlone(kept, found.vkey), signedAlone(offered, found.vkey)] as const }
  // Named by what was signed: notes can be had with other signatures without end.
  const signed = evidence.notes.map((note) => note.slice(0, note.lastIndexOf('\n\n')))
  const name = createHash('sha256').update(JSON.stringify(signed)).digest('hex').slice(0, 16)
  const path = join(dir, `${name}.json`)
  createDurably(path, formatEvidence(evidence), 0o600)
  return path
}

/** With the log's own signature and no other: whoever gives a note out can add lines until nobody reads the evidence. */
function signedAlone(text: string, vkey: string): string {
  const [note, key] = [parseNote(text), parseVkey(sha256, vkey)]
  const line = note && key && lineBy(note, key)
  return line === undefined ? text : formatNote(note?.text ?? '', [line])
}
