import { concat, toBase64Url, u32 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { NewEvent } from '../provenance/events.ts'
import { leafHash, treeHash } from '../provenance/merkle.ts'
import { changesRoot, type SignalChange } from '../provenance/signal-change.ts'
import type { Applied, Judged } from './apply.ts'
import { SIGNAL_STATE, SIGNAL_TYPE, type WithdrawalItem } from './schema.ts'
import type { VerifiedSubmission } from './submission.ts'

const TYPE_NAME: ReadonlyMap<number, string> = new Map(Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name]))
const STATE_NAME: ReadonlyMap<number, string> = new Map(Object.entries(SIGNAL_STATE).map(([name, id]) => [id, name]))

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
  told: Told & { credential: Uuid },
  { verified, judged, applied }: { verified: VerifiedSubmission; judged: readonly Judged[]; applied: Applied },
): NewEvent {
  const { event, participant, slug, now, categorySlug } = told
  const base = { event_id: event, participant_id: participant, at: now, actor: slug }
  const fields = {
    od: toBase64Url(verified.od),
    n: judged.length,
    root: toBase64Url(verified.root),
    refused: applied.refused.length,
    accepted: toBase64Url(changesRoot(sha256, changesOf(told, { verified, judged, applied }))),
    cred: told.credential,
    kid: verified.header.kid,
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

/** On whose word a signal was ended that nobody's key ended. */
export const NODE_ATTESTED = 'node_attested'

/** What the log says of an end that a person of the source decided: as of a signed one, without signature, key and credential. */
export function attestedWithdrawal(
  told: Told,
  { person, applied, item, leaf }: { person: Uuid; applied: Applied; item: WithdrawalItem; leaf: Uint8Array },
): NewEvent {
  const { event, participant, slug, now, categorySlug } = told
  const changes = applied.accepted.flatMap(({ index, signal_id: signal, revision }) => {
    const stands = applied.changed.get(signal)
    const place = { index, signal, revision, leaf: toBase64Url(leaf) }
    return stands === undefined ? [] : [{ ...place, ...standingOf(stands, categorySlug) }]
  })
  return {
    ...{ kind: 'signal.withdrawn', event_id: event, participant_id: participant, at: now, actor: slug },
    fields: {
      ...{ n: 1, root: toBase64Url(leaf), refused: 0, accepted: toBase64Url(changesRoot(sha256, changes)) },
      ...{ types: named(applied.types, typeName), categories: named(applied.categories, categorySlug) },
      ...{ reasons: { [item.reason]: 1 }, authority: NODE_ATTESTED, person },
    },
  }
}

/** What each accepted item made of its signal, as a recipient of the log can hold it against the rows. */
function changesOf(
  { categorySlug }: Told,
  { verified, judged, applied }: { verified: VerifiedSubmission; judged: readonly Judged[]; applied: Applied },
): SignalChange[] {
  return applied.accepted.map(({ index, signal_id: signal, revision }) => {
    const [one, stands, leaf] = [judged[index], applied.changed.get(signal), verified.leaves[index]]
    if (one === undefined || stands === undefined || leaf === undefined)
      throw new RangeError('an accepted item was not judged')
    const place = { index, signal, revision, leaf: toBase64Url(leaf) }
    if (one.outcome === 'signal') {
      const { audience, type, category, expires_at } = one.item
      // Of a submission that revises one signal twice, `stands` is behind the last.
      const state = stateName(stands.state)
      return { ...place, state, audience, type, category, expires_at: new Date(expires_at).toISOString() }
    }
    return { ...place, ...standingOf(stands, categorySlug) }
  })
}

/** A signal's row, in the names of the log. */
export const standingOf = (
  {
    state,
    audience_id,
    type,
    category,
    expires_at,
  }: { state: number; audience_id: string; type: number; category: number; expires_at: Date },
  categorySlug: Told['categorySlug'],
): Pick<SignalChange, 'state' | 'audience' | 'type' | 'category' | 'expires_at'> => ({
  ...{ state: stateName(state), audience: audience_id as Uuid, type: typeName(type) },
  ...{ category: categorySlug(category), expires_at: expires_at.toISOString() },
})

/** A signal that ran out, or was erased. */
export interface Ended {
  signal_id: Uuid
  revision: number
  type: number
  category: number
}

/** What the log says of signals that the node ended at their own date: a root over (id, revision) and counts. */
export function expiryEvent({ event, participant, slug, now, categorySlug }: Told, ended: readonly Ended[]): NewEvent {
  return {
    kind: 'signal.expired',
    event_id: event,
    participant_id: participant,
    at: now,
    subject: slug,
    fields: { rule: 'expires_at', ...endedFields(ended, categorySlug) },
  }
}

/** What an end of several signals tells of them: a root over (id, revision) and counts. */
export function endedFields(ended: readonly Ended[], categorySlug: Told['categorySlug']) {
  // In an order that everybody can make again.
  const inOrder = ended.toSorted((a, b) => (a.signal_id < b.signal_id ? -1 : 1))
  const leaves = inOrder.map(({ signal_id, revision }) => leafHash(sha256, concat(uuidBytes(signal_id), u32(revision))))
  return {
    n: ended.length,
    root: toBase64Url(treeHash(sha256, leaves)),
    types: countsOf(ended.map(({ type }) => typeName(type))),
    categories: countsOf(ended.map(({ category }) => categorySlug(category))),
  }
}

const typeName = (id: number): string => TYPE_NAME.get(id) ?? String(id)
const stateName = (id: number): string => STATE_NAME.get(id) ?? String(id)

const named = (counts: ReadonlyMap<number, number>, name: (id: number) => string): Record<string, number> =>
  Object.fromEntries([...counts].map(([id, n]): [string, number] => [name(id), n]).sort(([a], [b]) => (a < b ? -1 : 1)))

function countsOf(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
