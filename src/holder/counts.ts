import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StartRefused } from '../kernel/errors.ts'

/** One batch as it was counted, before it was evaluated. */
export interface Count {
  /** RFC 3339. */
  at: string
  participant: string
  kid: string
  purpose: string
  n: number
  /** The request's key, and SHA-256 of what it asked for, base64url. */
  key: string
  digest: string
}

/** A file that only grows: a line of JSON for each batch, by one process. */
export interface Counts {
  /** Those that the file holds, in its order. */
  readonly kept: readonly Count[]
  /** On the disk when it returns; nothing of it is when it throws, as for a file that another program wrote too. */
  add(count: Count): void
  close(): void
}

/**
 * Opens the file and reads what it holds. Half a line at its end was never answered for and goes; any other line that is
 * none is `StartRefused`: a ledger that was altered counts too little.
 */
export function openCounts(path: string): Counts {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const file = openSync(path, 'a+', 0o600)
  const bytes = readFileSync(path)
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
  let length = bytes.length
  /** What somebody else wrote stays: to cut it off would count too little. */
  const isOurs = (): boolean => fstatSync(file).size === length
  if (whole.length < length && isOurs()) {
    length = whole.length
    ftruncateSync(file, length)
  }
  const kept = whole
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line, i) => parsed(line, `${path}: line ${i + 1}`))
  return {
    kept,
    add(count) {
      if (!isOurs()) throw new Error('another program writes the counts')
      const line = `${JSON.stringify(count)}\n`
      try {
        writeFileSync(file, line)
        fsyncSync(file)
      } catch (error) {
        // Half a line of a full disk would be one with the next.
        ftruncateSync(file, length)
        throw error
      }
      length += Buffer.byteLength(line)
    },
    close: () => closeSync(file),
  }
}

function parsed(line: string, where: string): Count {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new StartRefused(`${where}: is not JSON`)
  }
  if (isCount(value)) return value
  throw new StartRefused(`${where}: is no count`)
}

function isCount(value: unknown): value is Count {
  const { at, participant, kid, purpose, n, key, digest } = (value ?? {}) as Partial<Record<keyof Count, unknown>>
  const texts = [at, participant, kid, purpose, key, digest].every((text) => typeof text === 'string')
  return texts && !Number.isNaN(Date.parse(String(at))) && Number.isInteger(n) && Number(n) > 0
}
