import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { createDurably } from '../kernel/durable.ts'
import { type Evidence, formatEvidence } from '../provenance/evidence.ts'

/** Writes evidence into the folder; what is there is never written over. Answers its path. */
export function keepEvidence(dir: string, evidence: Evidence): string {
  // Named by what was signed: notes can be had with other signatures without end.
  const signed = evidence.notes.map((note) => note.slice(0, note.lastIndexOf('\n\n')))
  const name = createHash('sha256').update(JSON.stringify(signed)).digest('hex').slice(0, 16)
  const path = join(dir, `${name}.json`)
  createDurably(path, formatEvidence(evidence), 0o600)
  return path
}
