import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import { StartRefused } from '../kernel/errors.ts'

/** Undefined where there is no such file. */
export const readIfThere = (path: string): string | undefined =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path, 'utf8')

/** The bytes of a file; undefined where there is none. */
export const readBytesIfThere = (path: string): Buffer | undefined =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path)

/** A secret that no other user may read; undefined if it is not there, `StartRefused` if others may. */
export function readSecret(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if ((stat.mode & 0o077) !== 0) throw new StartRefused(`${path}: other users may read it; chmod 600`)
  return readFileSync(path, 'utf8')
}

const NEWLINE = 10

/** Adds a line of its own, also behind one that a crash left without its end; `synced`: it is on the disk afterwards. */
export function appendLine(path: string, line: string, synced: boolean): void {
  const file = openSync(path, 'a+', 0o600)
  try {
    const { size } = fstatSync(file)
    const last = Buffer.alloc(1)
    const torn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE
    writeFileSync(file, `${torn ? '\n' : ''}${line}\n`)
    if (synced) fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
