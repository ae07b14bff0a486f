import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StartRefused } from '../kernel/errors.ts'

/** Write, fsync, rename, fsync the folder: what the node was told, or told us, outlives a crash of this machine. */
export function writeDurably(path: string, data: string | Uint8Array, mode = 0o644): void {
  const temporary = temporaryFor(path, data, mode)
  renameSync(temporary, path)
  syncFolder(dirname(path))
}

/** As `writeDurably`, for a file that is written once: of two that make it one succeeds, and what is there stays. */
export function createDurably(path: string, data: string | Uint8Array, mode = 0o644): 'made' | 'there' {
  const temporary = temporaryFor(path, data, mode)
  try {
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'there'
    throw error
  } finally {
    rmSync(temporary)
  }
  syncFolder(dirname(path))
  return 'made'
}

/** The content beside its place and on the disk, under a name of this process. */
function temporaryFor(path: string, data: string | Uint8Array, mode: number): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.new`
  const file = openSync(temporary, 'w', mode)
  // Writes on after a short write, which one writeSync does not.
  writeFileSync(file, data)
  fsyncSync(file)
  closeSync(file)
  chmodSync(temporary, mode)
  return temporary
}

/** As `writeDurably`, for lines that do not fit into memory; nothing of the file is there until all of them are. */
export async function writeLinesDurably(path: string, lines: AsyncIterable<string>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    for await (const line of lines) writeFileSync(file, `${line}\n`)
    fsyncSync(file)
  } catch (error) {
    rmSync(temporary)
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncFolder(dirname(path))
}

/** The folder, those above it, and their names: all outlive a crash. Everybody may read them. */
export function makeFolderDurably(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return
  makeFolderDurably(dirname(folder))
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  syncFolder(dirname(folder))
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

export const readIfThere = (path: string): string | undefined =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path, 'utf8')

/** A secret that no other user may read; undefined if it is not there, `StartRefused` if others may. */
export function readSecret(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if ((stat.mode & 0o077) !== 0) throw new StartRefused(`${path}: other users may read it; chmod 600`)
  return readFileSync(path, 'utf8')
}
