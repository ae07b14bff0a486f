import { readFileSync, statSync } from 'node:fs'
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
