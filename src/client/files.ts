import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StartRefused } from '../kernel/errors.ts'

/** Write, fsync, rename, fsync the folder: what the node was told, or told us, outlives a crash of this machine. */
export function writeDurably(path: string, data: string | Uint8Array, mode = 0o644): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.new`
  const file = openSync(temporary, 'w', mode)
  // Writes on after a short write, which one writeSync does not.
  writeFileSync(file, data)
  fsyncSync(file)
  closeSync(file)
  chmodSync(temporary, mode)
  renameSync(temporary, path)
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
