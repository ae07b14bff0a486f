import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import * as store from './reach-store.ts'
import { ACK_STAGE } from './schema.ts'

/** Whom a signal is for now, but its source, and who of them acknowledged its feed up to what was said of it last. */
export interface Reach {
  members: readonly Uuid[]
  acknowledged: ReadonlySet<Uuid>
}

export type ReachOf = (
  tx: Tx<'participant'>,
  source: Uuid,
  signals: readonly { signal_id: Uuid; signal_key: Uint8Array }[],
) => Promise<Map<Uuid, Reach>>

export interface ReachOptions {
  /** Reads every participant's acknowledgements: sources are given their number alone. */
  ledger: Db
  directory: { audience(id: Uuid): { members: ReadonlySet<Uuid> } | undefined }
}

/** Stages at which a signal is in use no more; a client that cannot remove it does not count. */
const REMOVED = [ACK_STAGE.mirror_removed, ACK_STAGE.client_reached]

/** By signal; absent where no place is known: in sealed audiences, before its entry came to the feed, once it is erased. */
export const createReach =
  ({ ledger, directory }: ReachOptions): ReachOf =>
  async (tx, source, signals) => {
    const wanted = new Set(signals.map(({ signal_id }) => signal_id))
    if (wanted.size === 0) return new Map()
    const keys = signals.map(({ signal_key }) => signal_key)
    const places = (await store.ownPlaces(tx, source, keys)).filter(({ signal_id }) => wanted.has(signal_id))
    const membersOf = new Map<Uuid, Uuid[]>()
    for (const { audience_id } of places) {
      const members = directory.audience(audience_id)?.members ?? []
      membersOf.set(audience_id, membersOf.get(audience_id) ?? [...members].filter((one) => one !== source))
    }
    const participants = [...new Set([...membersOf.values()].flat())]
    const feeds = [...new Set(places.map(({ feed_id }) => feed_id))]
    const acks =
      participants.length === 0 ? [] : await store.acknowledged(ledger, { participants, feeds, stages: REMOVED })
    const upto = new Map(acks.map(({ participant_id, feed_id, seq }) => [`${participant_id} ${feed_id}`, seq]))
    return new Map(
      places.map(({ signal_id, audience_id, feed_id, seq }): [Uuid, Reach] => {
        const members = membersOf.get(audience_id) ?? []
        const has = (member: Uuid): boolean => (upto.get(`${member} ${feed_id}`) ?? 0n) >= seq
        return [signal_id, { members, acknowledged: new Set(members.filter(has)) }]
      }),
    )
  }
