import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Write, fsync, rename, fsync the folder: what is said to be written outlives a crash of this machine. */
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

/** Takes a file away for good; nothing happens where there is none. */
export function removeDurably(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return
  rmSync(path)
  syncFolder(dirname(path))
}

/** The content beside its place and on the disk, under a name of this process. */
function temporaryFor(path: string, data: string | Uint8Array, mode: number): string {
  makeOwnFolderDurably(dirname(path))
  const temporary = `${path}.${process.pid}.new`
  // What a crash left behind, perhaps with another mode: a node in a container has the same process id at each start.
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  try {
    // Writes on after a short write, which one writeSync does not.
    writeFileSync(file, data)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  chmodSync(temporary, mode)
  return temporary
}

/** As `writeDurably`, for lines that do not fit into memory; nothing of the file is there until all of them are. */
export async function writeLinesDurably(path: string, lines: AsyncIterable<string>): Promise<void> {
  makeOwnFolderDurably(dirname(path))
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

/** The folder, those above it that are not there, and their names: all outlive a crash. Everybody may read them, unless said otherwise. */
export function makeFolderDurably(folder: string, mode = 0o755): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return
  makeFolderDurably(dirname(folder), mode)
  // Another process may make it at the same time.
  mkdirSync(folder, { recursive: true, mode })
  chmodSync(folder, mode)
  syncFolder(dirname(folder))
}

/** The same for its owner alone. */
export const makeOwnFolderDurably = (folder: string): void => makeFolderDurably(folder, 0o700)

/** The names in a folder outlive a crash. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
