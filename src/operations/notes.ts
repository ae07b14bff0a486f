import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { readIfThere } from '../client/files.ts'
import { writeDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { UuidSchema } from '../kernel/schema.ts'
import { parseStrict } from '../kernel/strict-json.ts'

/** What the operator's commands tell a node in `DATA_DIR`. */
const RESTORED = 'restored.json'
const BACKED_UP = 'last-backup.json'

const Restored = Compile(
  Type.Object(
    {
      event_id: UuidSchema,
      made_at: Type.String({ maxLength: 30 }),
      sizes: Type.Array(Type.String({ maxLength: 19 })),
    },
    { additionalProperties: false },
  ),
)
const BackedUp = Compile(Type.Object({ at: Type.String({ maxLength: 30 }) }, { additionalProperties: false }))

/** A restore that the log has not been told of; the id makes telling it twice one entry. */
export interface RestoredNote {
  event_id: Uuid
  made_at: string
  /** Of the logs, as decimals. */
  sizes: string[]
}

export const noteRestored = (dataDir: string, note: RestoredNote): void =>
  writeDurably(join(dataDir, RESTORED), `${JSON.stringify(note)}\n`, 0o600)

/** Undefined if there was none, or the log was told; `StartRefused` if the file is damaged. */
export function restoredNote(dataDir: string): RestoredNote | undefined {
  const path = join(dataDir, RESTORED)
  const value = parsedIfThere(path)
  if (value === undefined || Restored.Check(value)) return value
  throw new StartRefused(`${path}: is not as aldis restore wrote it; remove it, and tell your auditors of the restore`)
}

export const forgetRestored = (dataDir: string): void => rmSync(join(dataDir, RESTORED), { force: true })

export const noteBackup = (dataDir: string, at: string): void =>
  writeDurably(join(dataDir, BACKED_UP), `${JSON.stringify({ at })}\n`, 0o600)

/** When `aldis backup` last finished on this node; undefined if it never did, or nobody can tell. */
export function lastBackup(dataDir: string): Date | undefined {
  const value = parsedIfThere(join(dataDir, BACKED_UP))
  return BackedUp.Check(value) ? new Date(value.at) : undefined
}

/** Undefined if there is no such file; null for what is no JSON. */
function parsedIfThere(path: string): unknown {
  const text = readIfThere(path)
  if (text === undefined) return undefined
  try {
    return parseStrict(text)
  } catch {
    return null
  }
}
