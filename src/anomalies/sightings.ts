import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { concat, toHex, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf } from '../kernel/day.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { dayBefore } from './sighting-rules.ts'
import * as store from './sighting-store.ts'
import { NETWORK_DAYS, NETWORKS_A_DAY_MAX, SIGHTINGS_KEPT_DAYS } from './thresholds.ts'

/** Bytes of a keyed hash. */
const NETWORK_BYTES = 16

/** What rules need to know of use that makes no entry: counts, and keyed hashes of networks. */
export interface Sightings {
  /** A key opened a connection from a network in CIDR form, which is not kept itself. */
  seen(of: { participant: Uuid; credential: Uuid; network: string }): void
  lookedUp(participant: Uuid, counts: Pick<store.LookupRow, 'lookups' | 'with_hits'>): void
  /** Writes what waits; answers how many rows. */
  flush(): Promise<number>
  /** Of each key that was used on a day: networks of that day that are new to it, and those of the days before. */
  networks(day: string): Promise<store.NetworksOf[]>
  /** Look-ups by day and organisation, both days included. */
  lookups(range: { from: string; to: string }): Promise<store.LookupRow[]>
  /** Forgets what no rule looks at any more; answers how many rows. */
  forget(now: Date): Promise<number>
}

export interface SightingsOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  /** HMAC-SHA-256 under a key of the node alone. */
  mac(data: Uint8Array): Buffer
}

export function createSightings({ admin, clock, mac }: SightingsOptions): Sightings {
  const today = (): string => dayOf(clock())
  let day = today()
  /** What was taken of the day: each network of a key once. */
  let known = new Set<string>()
  let networks: store.NetworkRow[] = []
  let lookups = new Map<string, store.LookupRow>()

  const add = (row: store.LookupRow): void => {
    const name = `${row.participant_id} ${row.day}`
    const before = lookups.get(name) ?? { ...row, lookups: 0, with_hits: 0 }
    lookups.set(name, {
      ...before,
      lookups: before.lookups + row.lookups,
      with_hits: before.with_hits + row.with_hits,
    })
  }

  return {
    seen({ participant, credential, network: text }) {
      const now = today()
      if (now !== day) known = new Set()
      day = now
      if (known.size >= NETWORKS_A_DAY_MAX) return
      // Of one key: networks of two keys cannot be compared.
      const network = mac(concat(uuidBytes(credential), utf8(text))).subarray(0, NETWORK_BYTES)
      const name = toHex(network)
      if (known.has(name)) return
      known.add(name)
      networks.push({ participant_id: participant, credential_id: credential, day, network })
    },
    lookedUp: (participant_id, counts) => add({ participant_id, day: today(), ...counts }),
    async flush() {
      const [places, counts] = [networks, [...lookups.values()]]
      if (places.length + counts.length === 0) return 0
      networks = []
      lookups = new Map()
      try {
        await atControl(admin, async (tx) => {
          await store.addNetworks(tx, places)
          await store.addLookups(tx, counts)
        })
        return places.length + counts.length
      } catch (error) {
        networks = [...places, ...networks]
        for (const row of counts) add(row)
        throw error
      }
    },
    networks: (on) => store.networksOn(admin, { day: on, since: dayBefore(on, NETWORK_DAYS) }),
    lookups: (range) => store.lookupsBetween(admin, range),
    forget: (now) => atControl(admin, (tx) => store.forget(tx, dayBefore(dayOf(now), SIGHTINGS_KEPT_DAYS))),
  }
}
