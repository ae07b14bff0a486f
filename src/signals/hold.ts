import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import type { Recorder } from '../provenance/service.ts'
import { SIGNAL_STATE } from './schema.ts'
import * as store from './store.ts'

/** Whose signal, within the transaction of its source. */
export interface HeldSignal {
  participant: Uuid
  slug: string
  signal: Uuid
  now: Date
  /** Who of the source decided it in the console. */
  person?: Uuid | undefined
}

export interface Holds {
  /** Part of a larger change: recipients are told not to use the signal. False, and nothing done, unless it is live. */
  hold(tx: Tx, of: HeldSignal & { dispute: Uuid | undefined; request?: Uuid }): Promise<boolean>
  /**
   * Recipients may use it again: by its source's own act, or by two persons whose `request` was approved. `not-found` and
   * `state-conflict` where there is nothing to release, `signal-held` for a source whose signal two persons hold.
   */
  release(tx: Tx, of: HeldSignal & { request?: Uuid }): Promise<Date>
  /** When the signal was last released, if it ever was; what two persons held is none. */
  releasedAt(tx: Tx<'participant'>, of: Pick<HeldSignal, 'participant' | 'signal'>): Promise<Date | undefined>
  /** The audience and state of the source's own signal, locked. */
  standing(
    tx: Tx<'participant'>,
    of: Pick<HeldSignal, 'participant' | 'signal'>,
  ): Promise<{ audience_id: Uuid; revision: number; live: boolean; ended: boolean } | undefined>
}

/** What holds a signal and lets it go again; who may do so is decided by whoever calls. */
export function createHolds(provenance: Recorder): Holds {
  return {
    async hold(tx, { participant, slug, signal, dispute, now, request }) {
      const [row] = await store.signalsForUpdate(tx, participant, [signal])
      if (row?.state !== SIGNAL_STATE.live) return false
      const at = timeAfter([row.last_event], now)
      const event_id = newId(at)
      await provenance.record(tx, {
        ...{ kind: 'signal.held', event_id, participant_id: participant, at, subject: slug, after: row.last_event },
        fields: { signal, dispute, req: request },
      })
      await store.insertHold(tx, {
        ...{ participant_id: participant, held_event: event_id, signal_id: signal, revision: row.revision },
        ...{ dispute_id: dispute ?? null, held_at: at, request: request ?? null },
      })
      return true
    },
    async release(tx, { participant, slug, signal, now, request, person }) {
      const [row] = await store.signalsForUpdate(tx, participant, [signal])
      if (row === undefined) throw new Refusal('not-found')
      if (row.state !== SIGNAL_STATE.held) throw new Refusal('state-conflict', { detail: 'the signal is not held' })
      const hold = await store.lastHold(tx, participant, signal)
      if (hold === undefined) throw new Error('a held signal without its hold')
      if (hold.request !== null && request === undefined)
        throw new Refusal('signal-held', {
          detail: 'two persons of the programme hold it: ask them to release it, or withdraw it',
        })
      const at = timeAfter([row.last_event], now)
      const released_event = newId(at)
      await provenance.record(tx, {
        ...{ kind: 'signal.released', event_id: released_event, participant_id: participant, at },
        ...{ actor: request === undefined ? slug : 'node', subject: slug, after: row.last_event },
        fields: { signal, dispute: hold.dispute_id ?? undefined, req: request, person },
      })
      const { held_event } = hold
      const signal_id = signal
      await store.endHold(tx, { participant_id: participant, signal_id, held_event, released_event, released_at: at })
      return at
    },
    releasedAt: async (tx, { participant, signal }) =>
      (await store.lastRelease(tx, participant, signal))?.released_at ?? undefined,
    async standing(tx, { participant, signal }) {
      const [row] = await store.signalsForUpdate(tx, participant, [signal])
      if (row === undefined) return undefined
      const { audience_id, revision, state } = row
      const live = state === SIGNAL_STATE.live
      return { audience_id, revision, live, ended: !live && state !== SIGNAL_STATE.held }
    },
  }
}
