import { equal, type Hash } from '../kernel/bytes.ts'
import type { LogSource } from '../provenance/log-source.ts'
import { prefixRoot } from '../provenance/proof.ts'
import { TILE_WIDTH } from '../provenance/tile.ts'
import { openVerified, type VerifiedLog } from '../provenance/verified-log.ts'
import { type Finding, numbered } from './finding.ts'
import type { SignedHead } from './head.ts'

/** The first entries of a log, all of which were verified under one root. */
export interface Prefix {
  size: bigint
  root: Uint8Array
}

export interface TreeOptions {
  hash: Hash
  source: LogSource
  /** What an earlier run has verified; used only if this log still begins with it. */
  known?: Prefix | undefined
  /** Told after every so many entries and at the end: what need not be read again. */
  keepEvery: bigint
  keep(prefix: Prefix): void
  onProgress(entries: bigint, size: bigint): void
}

/** Check 3: every tile leads up to the signed root, every entry of every bundle to its tile. */
export async function checkTree(
  options: TreeOptions,
  head: SignedHead | undefined,
): Promise<{ finding: Finding; log?: VerifiedLog }> {
  const check = numbered(3, 'tree')
  if (head === undefined) return { finding: check.unknown('there is no signed root to hold the tree against') }
  const found: { log?: VerifiedLog } = {}
  try {
    const log = await openVerified(options.hash, options.source, head)
    found.log = log
    const from = await startOf(options, log, head)
    await readThrough(options, { log, head, from })
    const before = from === 0n ? '' : `; the first ${from} of them were read on an earlier run`
    return { finding: check.pass(`${head.size} entries and every tile make the signed root${before}`), log }
  } catch (error) {
    return { finding: check.broken(error), ...found }
  }
}

/** Where to go on: only behind a prefix that this tree still has. */
async function startOf({ hash, known }: TreeOptions, log: VerifiedLog, { size }: SignedHead): Promise<bigint> {
  if (known === undefined || known.size > size || known.size % BigInt(TILE_WIDTH) !== 0n) return 0n
  return equal(await prefixRoot(hash, log.tile, known.size, size), known.root) ? known.size : 0n
}

async function readThrough(
  options: TreeOptions,
  { log, head, from }: { log: VerifiedLog; head: SignedHead; from: bigint },
): Promise<void> {
  const { hash, keepEvery, keep, onProgress } = options
  const { size } = head
  const keepAt = async (part: bigint): Promise<void> =>
    keep({ size: part, root: await prefixRoot(hash, log.tile, part, size) })
  let kept = from
  for await (const { entries } of log.walk(from)) {
    onProgress(entries, size)
    if (entries - kept < keepEvery) continue
    kept = entries
    await keepAt(kept - (kept % BigInt(TILE_WIDTH)))
  }
  await keepAt(size - (size % BigInt(TILE_WIDTH)))
}
