import { concat, toBase64Url, u32 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { NewEvent } from '../provenance/events.ts'
import { leafHash, treeHash } from '../provenance/merkle.ts'
import type { Applied, Judged } from './apply.ts'
import { SIGNAL_TYPE } from './schema.ts'
import type { VerifiedSubmission } from './submission.ts'

const TYPE_NAME: ReadonlyMap<number, string> = new Map(Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name]))

/** Where an event belongs and whose act it is. */
interface Told {
  event: Uuid
  participant: Uuid
  slug: string
  now: Date
  /** The name of a category's number. */
  categorySlug(id: number): string
}

/** What the log says of one accepted submission: counts and digests, never a value. */
export function submissionEvent(
  { event, participant, slug, now, categorySlug }: Told,
  { verified, judged, applied }: { verified: VerifiedSubmission; judged: readonly Judged[]; applied: Applied },
): NewEvent {
  const base = { event_id: event, participant_id: participant, at: now, actor: slug }
  const fields = {
    od: toBase64Url(verified.od),
    n: judged.length,
    root: toBase64Url(verified.root),
    refused: applied.refused.length,
    types: named(applied.types, typeName),
    categories: named(applied.categories, categorySlug),
  }
  const accepted = applied.accepted.flatMap(({ index }) => judged[index] ?? [])
  if (verified.header.typ === 'aldis-withdrawal+jws') {
    const reasons = countsOf(accepted.flatMap((one) => (one.outcome === 'withdrawal' ? [one.item.reason] : [])))
    return { ...base, kind: 'signal.withdrawn', fields: { ...fields, reasons } }
  }
  const items = accepted.flatMap((one) => (one.outcome === 'signal' ? [one.item] : []))
  const region = countsOf(items.map(({ context }) => context.region))
  const basis = countsOf(items.map((item) => item.basis))
  const kind = applied.revised ? 'signal.revised' : 'signal.submitted'
  return { ...base, kind, fields: { ...fields, region, basis } }
}

/** A signal that ran out. */
export interface Expired {
  signal_id: Uuid
  revision: number
  type: number
  category: number
}

/** What the log says of signals that the node ended at their own date: a root over (id, revision) and counts. */
export function expiryEvent(
  { event, participant, slug, now, categorySlug }: Told,
  ended: readonly Expired[],
): NewEvent {
  const leaves = ended.map(({ signal_id, revision }) => leafHash(sha256, concat(uuidBytes(signal_id), u32(revision))))
  return {
    kind: 'signal.expired',
    event_id: event,
    participant_id: participant,
    at: now,
    subject: slug,
    fields: {
      rule: 'expires_at',
      n: ended.length,
      root: toBase64Url(treeHash(sha256, leaves)),
      types: countsOf(ended.map(({ type }) => typeName(type))),
      categories: countsOf(ended.map(({ category }) => categorySlug(category))),
    },
  }
}

const typeName = (id: number): string => TYPE_NAME.get(id) ?? String(id)

const named = (counts: ReadonlyMap<number, number>, name: (id: number) => string): Record<string, number> =>
  Object.fromEntries([...counts].map(([id, n]): [string, number] => [name(id), n]).sort(([a], [b]) => (a < b ? -1 : 1)))

function countsOf(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
