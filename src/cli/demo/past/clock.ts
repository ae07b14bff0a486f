import { type Clock, systemClock } from '../../../kernel/clock.ts'

/** A clock that stands until it is driven on, and never goes back. */
export interface DrivenClock {
  readonly clock: Clock
  /** On to a moment; one that is over already changes nothing. */
  to(at: Date): void
  pass(ms: number): void
  /** From now on it is the time; throws where it was driven beyond it. */
  live(): void
}

export function driveClock(from: Date): DrivenClock {
  let now = from.getTime()
  let isLive = false
  return {
    clock: () => (isLive ? systemClock() : new Date(now)),
    to(at) {
      now = Math.max(now, at.getTime())
    },
    pass(ms) {
      if (!(ms >= 0)) throw new RangeError('a clock does not go back')
      now += ms
    },
    live() {
      if (systemClock().getTime() < now) throw new RangeError('the clock was driven into the future')
      isLive = true
    },
  }
}
