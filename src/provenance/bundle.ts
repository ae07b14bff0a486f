/** Proofs of several entries in one file: a line of JSON that says of which log, then one for each receipt. */

export const BUNDLE = 'aldis-proofs/1'

export interface BundleHead {
  bundle: typeof BUNDLE
  origin: string
  /** The key of the log, as whoever made the file says: what counts is the one that is pinned. */
  vkey: string
  made_at: string
  /** The filter that the entries fit. */
  filter: string
  /** Lines that follow. */
  entries: number
}

/** An entry with its receipt; without one where it waited for its checkpoint. */
export interface BundleEntry {
  index: string
  event: string
  receipt: string | null
}

/** Bytes that are looked at, and receipts. */
export const BUNDLE_BYTES = 16_777_216
export const BUNDLE_ENTRIES = 1_000

/** The file's receipts; undefined for what is no bundle. Throws `RangeError` beyond the limits. */
export function parseBundle(text: string): { head: BundleHead; entries: BundleEntry[] } | undefined {
  if (text.length > BUNDLE_BYTES) throw new RangeError('the file is larger than 16 MiB')
  const [first = '', ...rest] = text.split('\n')
  const head = jsonOf(first)
  if (!isHead(head)) return undefined
  const lines = rest.filter((line) => line !== '')
  if (lines.length > BUNDLE_ENTRIES) throw new RangeError('the file has more than 1,000 entries')
  const entries = lines.map(jsonOf)
  if (!entries.every(isEntry) || entries.length !== head.entries) return undefined
  return { head, entries }
}

export const formatBundle = (head: BundleHead, entries: readonly BundleEntry[]): string =>
  [head, ...entries].map((line) => `${JSON.stringify(line)}\n`).join('')

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

function isHead(value: unknown): value is BundleHead {
  if (typeof value !== 'object' || value === null) return false
  const { bundle, origin, vkey, entries } = value as Record<string, unknown>
  return bundle === BUNDLE && typeof origin === 'string' && typeof vkey === 'string' && Number.isSafeInteger(entries)
}

function isEntry(value: unknown): value is BundleEntry {
  if (typeof value !== 'object' || value === null) return false
  const { index, event, receipt } = value as Record<string, unknown>
  return typeof index === 'string' && typeof event === 'string' && (receipt === null || typeof receipt === 'string')
}
