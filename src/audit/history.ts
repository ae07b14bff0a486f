import { equal, type Hash } from '../kernel/bytes.ts'
import { consistencyProof, prefixRoot } from '../provenance/proof.ts'
import type { VerifiedLog } from '../provenance/verified-log.ts'
import { type Finding, numbered } from './finding.ts'
import { openSigned, type Pinned, type SignedHead } from './head.ts'

/** A checkpoint from elsewhere, to compare with: what somebody kept, was told, or a witness holds. */
export interface KeptNote {
  /** What the reader knows it by. */
  name: string
  note: string
}

/** Two notes that one key signed and that no append-only log has both; verbatim, the smaller one first. */
export interface Contradiction {
  notes: readonly [string, string]
  /** What the log gives for a proof that the larger continues the smaller, where they differ in size: it does not hold. */
  path: readonly Uint8Array[]
}

/** What the reader knows the checkpoint under audit by. */
const OWN = 'the checkpoint of the log'

interface Named extends SignedHead {
  name: string
}

/** What one comparison came to, and whose it was. */
type Compared =
  | { outcome: 'fits' }
  | { outcome: 'unknown'; why: string }
  | { outcome: 'contradicts'; other: Named; path: readonly Uint8Array[] }

/** Check 4: the log continues every checkpoint that was kept of it, and those do not contradict one another. */
export async function checkHistory(
  on: { hash: Hash; pinned: Pinned; kept: readonly KeptNote[] },
  head: SignedHead | undefined,
  log: VerifiedLog | undefined,
): Promise<{ finding: Finding; contradictions: Contradiction[] }> {
  const check = numbered(4, 'history')
  if (on.kept.length === 0)
    return {
      finding: check.unknown('no checkpoint that was kept earlier is given to compare with'),
      contradictions: [],
    }
  const unsigned: string[] = []
  const opened: Named[] = []
  for (const { name, note } of on.kept) {
    const own = openSigned(note, on.pinned)
    if ('why' in own) unsigned.push(`${name}: ${own.why}`)
    else opened.push({ ...own, name })
  }
  const contradictions: { old: Named; other: Named; path: readonly Uint8Array[] }[] = []
  const unknown = [...unsigned]
  for (const [i, old] of opened.entries()) {
    const compared = await compare(on.hash, old, { others: opened.slice(i + 1), head, log })
    if (compared.outcome === 'contradicts') contradictions.push({ ...compared, old })
    if (compared.outcome === 'unknown') unknown.push(`${old.name}: ${compared.why}`)
  }
  return {
    finding: findingOf(check, { contradictions, unknown, fits: opened.length }),
    contradictions: contradictions.map(({ old, other, path }) => ({
      path,
      notes: old.size <= other.size ? [old.note, other.note] : [other.note, old.note],
    })),
  }
}

async function compare(
  hash: Hash,
  old: Named,
  with_: { others: readonly Named[]; head: SignedHead | undefined; log: VerifiedLog | undefined },
): Promise<Compared> {
  const { head, log } = with_
  const heads = head === undefined ? with_.others : [...with_.others, { ...head, name: OWN }]
  // Two roots of one size need no tree to be seen.
  const twin = heads.find(({ size, root }) => size === old.size && !equal(root, old.root))
  if (twin !== undefined) return { outcome: 'contradicts', other: twin, path: [] }
  if (head === undefined) return { outcome: 'unknown', why: 'there is no signed checkpoint to compare it with' }
  if (old.size > head.size)
    return { outcome: 'unknown', why: `it is of ${old.size} entries, this log has but ${head.size}: take a newer one` }
  if (log === undefined) return { outcome: 'unknown', why: 'the tree between the two cannot be read (check 3)' }
  try {
    const root = await prefixRoot(hash, log.tile, old.size, head.size)
    if (equal(root, old.root)) return { outcome: 'fits' }
    const path = await consistencyProof(hash, log.tile, old.size, head.size)
    return { outcome: 'contradicts', other: { ...head, name: OWN }, path }
  } catch (error) {
    return { outcome: 'unknown', why: numbered(4, 'history').broken(error).says }
  }
}

function findingOf(
  check: ReturnType<typeof numbered>,
  found: { contradictions: readonly { old: Named; other: Named }[]; unknown: readonly string[]; fits: number },
): Finding {
  const [first] = found.contradictions
  if (first !== undefined) {
    const { old, other } = first
    const says = `the log was rewritten: ${old.name}, of ${old.size} entries, and ${other.name}, of ${other.size}, are both signed, and one does not continue the other`
    return check.fail(says, old.name)
  }
  if (found.unknown.length > 0) return check.unknown(found.unknown.join('; '))
  return check.pass(`the log continues what was kept: ${found.fits} ${found.fits === 1 ? 'checkpoint' : 'checkpoints'}`)
}
