import type { Clock } from '../kernel/clock.ts'
import { networkOf, plainAddress } from './address.ts'
import { createTokenBuckets, type Rate } from './token-bucket.ts'

/** A token bucket per IPv4 address or IPv6 /64: whether one more connection may come from there now. */
export function createConnectionRate(clock: Clock, rate: Rate): (address?: string) => boolean {
  const isAdmitted = createTokenBuckets(clock, rate)
  return (from) => {
    const address = plainAddress(from)
    return isAdmitted(address.includes(':') ? networkOf(address, 64) : address)
  }
}
