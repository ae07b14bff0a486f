import type { Clock } from '../kernel/clock.ts'
import { networkOf, plainAddress } from './address.ts'

/** How often connections from one place failed for one reason within one minute. */
export interface HandshakeRefusal {
  minute: Date
  /** An address, its network in CIDR form once there are many, `*` once there are very many, or `unknown`. */
  address: string
  /** A code of OpenSSL or Node, or a `PeerFault`; never a name from the certificate. */
  reason: string
  count: number
}

/** Takes the rows of a minute that is over. Must not throw. */
export type HandshakeRefusalSink = (row: HandshakeRefusal) => void

export interface HandshakeRefusals {
  add(address: string | undefined, reason: string): void
  /** Hands over the rows of past minutes; to be called every few seconds. */
  tick(): void
  /** Hands over everything, the present minute included. */
  flush(): void
}

/** Rows of a minute; scanners can fill no more. */
export const REFUSAL_ROWS_MAX = 1_000
const BY_ADDRESS = 700
const BY_NETWORK = 900
const REASON = /^[A-Za-z0-9_-]{1,64}$/

/** Counts refused connections by minute, place and reason. */
export function createHandshakeRefusals(clock: Clock, sink: HandshakeRefusalSink): HandshakeRefusals {
  let minute = minuteOf(clock())
  let rows = new Map<string, HandshakeRefusal>()

  const flush = (): void => {
    const full = rows
    rows = new Map()
    minute = minuteOf(clock())
    for (const row of full.values()) sink(row)
  }
  const tick = (): void => {
    if (minuteOf(clock()) !== minute) flush()
  }
  const count = (address: string, reason: string, most: number): boolean => {
    const key = `${address} ${reason}`
    const row = rows.get(key)
    if (row === undefined && rows.size >= most) return false
    if (row === undefined) rows.set(key, { minute: new Date(minute), address, reason, count: 1 })
    else row.count += 1
    return true
  }

  return {
    tick,
    flush,
    add(from, why) {
      tick()
      const address = plainAddress(from)
      const reason = REASON.test(why) ? why : 'other'
      if (count(address, reason, BY_ADDRESS) || count(networkOf(address), reason, BY_NETWORK)) return
      if (!count('*', reason, REFUSAL_ROWS_MAX - 1)) count('*', 'other', REFUSAL_ROWS_MAX)
    },
  }
}

const minuteOf = (date: Date): number => date.getTime() - (date.getTime() % 60_000)
