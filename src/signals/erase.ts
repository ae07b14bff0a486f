import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import * as store from './erase-store.ts'
import { type Ended, endedFields } from './event.ts'
import { SIGNAL_STATE } from './schema.ts'
import { valued } from './store.ts'
import { stubOf } from './stub.ts'
import { itemLeaf } from './submission.ts'
import { destroyValues } from './value-store.ts'

/** A stored revision of a signal that is to be erased; the salt is null where it was erased before. */
export interface HeldRevision {
  signal_id: Uuid
  revision: number
  submission_id: Uuid
  /** The ends of holds of it: each gave it to feeds again. */
  releases: readonly Uuid[]
  /** In whose feed it stands: a withdrawal's is that of the revision before. */
  audience: Uuid
  salt: Buffer | null
  item: string
}

/** Signals that stand before their erasure, locked. */
export interface HeldSignals {
  signals: readonly (Ended & { signal_key: Buffer; last_event: Uuid; value_event: Uuid | null })[]
  revisions: readonly HeldRevision[]
}

/** What an erasure does to the source's own rows. */
export interface SignalEraser {
  /** `not-found` if one is not the participant's, `signal-ended` if one was erased before. */
  hold(tx: Tx, participant: Uuid, ids: readonly Uuid[]): Promise<HeldSignals>
  /** Number, root and counts as the log tells them. */
  fields(held: HeldSignals): ReturnType<typeof endedFields>
  erase(tx: Tx, of: { participant: Uuid; event: Uuid; held: HeldSignals }): Promise<void>
  /** Of these signals those that are here and were not erased. */
  unerased(tx: Tx, participant: Uuid, ids: readonly Uuid[]): Promise<Uuid[]>
  /** Of what was erased the revisions that the ends of holds gave to feeds again. */
  erasedReleases(tx: Tx, participant: Uuid): Promise<HeldRevision[]>
  /** The signals that one erasure took, each with every audience that it was ever shared with. */
  erasedBy(tx: Tx, participant: Uuid, event: Uuid): Promise<{ signal_id: Uuid; audiences: Uuid[] }[]>
}

export const createSignalEraser = ({ categorySlug }: { categorySlug(id: number): string }): SignalEraser => ({
  async hold(tx, participant, ids) {
    const signals = await store.signalsForErasure(tx, participant, ids)
    if (signals.length < ids.length) throw new Refusal('not-found', { detail: 'a signal is none of this participant' })
    if (signals.some(({ state }) => state === SIGNAL_STATE.erased))
      throw new Refusal('signal-ended', { detail: 'a signal was erased before' })
    return { signals, revisions: await revisionsOf(tx, participant, ids) }
  },
  fields: ({ signals }) => endedFields(signals, categorySlug),
  async erase(tx, { participant, event, held }) {
    const ids = held.signals.map(({ signal_id }) => signal_id)
    for (const { signal_id, revision, salt, item } of held.revisions) {
      if (salt === null) continue
      const stub = stubOf(item, itemLeaf(salt, item))
      await store.stubRevision(tx, { participant_id: participant, signal_id, revision }, JSON.stringify(stub))
    }
    await destroyValues(tx, participant, valued(held.signals))
    await store.endErased(tx, { participant_id: participant, ids, event, state: SIGNAL_STATE.erased })
  },
  async unerased(tx, participant, ids) {
    const rows = await store.signalsForErasure(tx, participant, ids)
    return rows.flatMap(({ signal_id, state }) => (state === SIGNAL_STATE.erased ? [] : signal_id))
  },
  async erasedReleases(tx, participant) {
    const revisions = await revisionsOf(tx, participant, await store.erasedAndReleased(tx, participant))
    return revisions.filter(({ releases }) => releases.length > 0)
  },
  async erasedBy(tx, participant, event) {
    const ids = await store.erasedIds(tx, participant, { event, state: SIGNAL_STATE.erased })
    const rows = withAudiences(await store.revisionsOf(tx, participant, ids))
    const bySignal = Map.groupBy(rows, ({ signal_id }) => signal_id)
    return ids.map((signal_id) => ({
      signal_id,
      audiences: [...new Set((bySignal.get(signal_id) ?? []).map(({ audience }) => audience))],
    }))
  },
})

async function revisionsOf(tx: Tx, participant: Uuid, ids: readonly Uuid[]): Promise<HeldRevision[]> {
  const rows = withAudiences(await store.revisionsOf(tx, participant, ids))
  const ends = await store.releasesOf(tx, participant, ids)
  const nameOf = (of: { signal_id: Uuid; revision: number }): string => `${of.signal_id}/${of.revision}`
  const byRevision = Map.groupBy(ends, nameOf)
  return rows.map((row) => ({
    ...row,
    releases: (byRevision.get(nameOf(row)) ?? []).map(({ released_event }) => released_event),
  }))
}

function withAudiences(rows: Awaited<ReturnType<typeof store.revisionsOf>>): Omit<HeldRevision, 'releases'>[] {
  const audiences = new Map<Uuid, Uuid>()
  return rows.map((row) => {
    const { audience = audiences.get(row.signal_id) } = JSON.parse(row.item) as { audience?: Uuid }
    if (audience === undefined) throw new Error('a signal that was never shared')
    audiences.set(row.signal_id, audience)
    return { ...row, audience }
  })
}

/** Signals of a source under match keys, whose values were not erased. */
export const keyedSignals = store.keyedSignals
/** Of these signals of a source those whose values were not erased. */
export const unerasedSignals = store.unerasedSignals
