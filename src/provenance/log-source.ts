import { decodeBundle, tilePath } from './tile.ts'

/** The files of one log, as C2SP tlog-tiles lays them out: a folder, a web server, a node. */
export interface LogSource {
  /**
   * The bytes at a path below the log's address; undefined where there is nothing. Throws `LogFault` rather than read more
   * than `most`, `LogUnreadable` where it cannot tell.
   */
  read(path: string, most: number): Promise<Uint8Array | undefined>
}

/** Bytes of a checkpoint with all its signatures. */
const CHECKPOINT_MOST = 65_536
const HASH = 32
/** An entry with its length, at the longest that the format knows. */
const ENTRY_MOST = 2 + 65_535

const FAULTS = {
  missing: 'is not there',
  oversize: 'is longer than it may be',
  truncated: 'ends too early',
  malformed: 'is not of its format',
  differs: 'is not what was signed',
} as const

/** A file of a log that cannot be part of it, by its path; for a bundle the first entry that is wrong. */
export class LogFault extends Error {
  readonly kind: keyof typeof FAULTS
  readonly path: string
  readonly entry: bigint | undefined

  constructor(kind: keyof typeof FAULTS, path: string, { entry, why }: { entry?: bigint; why?: string } = {}) {
    super(`${path} ${why ?? FAULTS[kind]}${entry === undefined ? '' : ` (entry ${entry})`}`)
    this.name = 'LogFault'
    this.kind = kind
    this.path = path
    this.entry = entry
  }
}

/** Nothing is known about the log: whoever holds its files did not answer. */
export class LogUnreadable extends Error {
  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`${path} cannot be read: ${why}`, options)
    this.name = 'LogUnreadable'
  }
}

/** The signed note under `checkpoint`, as text. */
export async function readCheckpoint(source: LogSource): Promise<string> {
  const path = 'checkpoint'
  const bytes = await present(source, path, CHECKPOINT_MOST)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new LogFault('malformed', path)
  }
}

/** Exactly `width` hashes. */
export async function readTile(source: LogSource, level: number, n: bigint, width: number): Promise<Uint8Array> {
  const path = tilePath(level, n, width)
  const bytes = await present(source, path, HASH * width)
  if (bytes.length < HASH * width) throw new LogFault('truncated', path)
  return bytes
}

/** The bytes of a bundle, as many as `width` entries may have; `entriesOf` opens them. */
export const readBundle = (source: LogSource, n: bigint, width: number): Promise<Uint8Array> =>
  present(source, tilePath(-1, n, width), ENTRY_MOST * width)

/** The entries of bundle `n`. Throws `LogFault` where they are not `width`. */
export function entriesOf(bundle: Uint8Array, n: bigint, width: number): Uint8Array[] {
  const entries = decodeBundle(bundle)
  if (entries === undefined || entries.length < width) throw new LogFault('truncated', tilePath(-1, n, width))
  if (entries.length > width) throw new LogFault('oversize', tilePath(-1, n, width))
  return entries
}

/** Whether no later size of the log changes the file. */
export const isFinal = (path: string): boolean => path.startsWith('tile/') && !path.includes('.p/')

async function present(source: LogSource, path: string, most: number): Promise<Uint8Array> {
  const bytes = await source.read(path, most)
  if (bytes === undefined) throw new LogFault('missing', path)
  if (bytes.length > most) throw new LogFault('oversize', path)
  return bytes
}
