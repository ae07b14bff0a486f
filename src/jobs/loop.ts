/** Work that goes on for the life of the process: rounds, one at a time. */
export interface Loop {
  start(): void
  /** There is something to do: the next round begins at once, or right after the one that runs. */
  wake(): void
  /**
   * One round at once, after the one that runs and whether the loop was started or not: for whoever drives the clock, and does
   * not wait for time to pass. Answers whether it found work; throws what the round threw.
   */
  turn(): Promise<boolean>
  /** Waits for the round that runs; starts no other. */
  stop(): Promise<void>
  /** Milliseconds since a round last ended well; before the first, since the start. */
  age(): number
}

/** `full`: as much as a round takes, so that more is there. */
export type Found = boolean | 'full'

export interface LoopOptions {
  /** Answers whether it found work, so that the next round follows: at once if it was full, else after the rest. */
  round(): Promise<Found>
  /** Milliseconds between rounds that found nothing. */
  idleMs: number
  /**
   * Milliseconds at least from the begin of one round to that of the next, unless the first was full; six times as long as it
   * took, up to 600, where that is more.
   */
  restMs?: number
  /** Told of each round that failed; the next ones come ever later, up to five seconds. */
  onError(error: unknown): void
}

const LONGEST_MS = 5_000
const FIRST_MS = 100
/** Rounds are longest where the machine is full, and cost about as much for little as for more: there more shares one. */
const SHARE = 6
const SHARED_MS = 600

export function createLoop({ round, idleMs, restMs = 0, onError }: LoopOptions): Loop {
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = true
  let woken = false
  let failures = 0
  let wellAt = performance.now()
  let begunAt = Number.NEGATIVE_INFINITY
  let rest = restMs

  const plan = (ms: number): void => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(run, Math.max(ms, begunAt + rest - performance.now(), 0))
  }

  const once = async (): Promise<void> => {
    begunAt = performance.now()
    woken = false
    try {
      const found = await round()
      failures = 0
      wellAt = performance.now()
      rest = restMs === 0 || found === 'full' ? 0 : Math.max(restMs, Math.min(SHARED_MS, SHARE * (wellAt - begunAt)))
      plan(found || woken ? 0 : idleMs)
    } catch (error) {
      failures += 1
      rest = restMs
      onError(error)
      plan(Math.min(LONGEST_MS, FIRST_MS * 2 ** failures))
    }
  }

  function run(): void {
    if (running !== undefined) return
    running = once().finally(() => {
      running = undefined
    })
  }

  return {
    start() {
      stopped = false
      wellAt = performance.now()
      plan(0)
    },
    wake() {
      woken = true
      if (running === undefined && failures === 0) plan(0)
    },
    async turn() {
      while (running !== undefined) await running
      const one = round()
      running = one
        .then(() => {
          wellAt = performance.now()
        })
        .finally(() => {
          running = undefined
        })
      await running
      return (await one) !== false
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
      clearTimeout(timer)
    },
    age: () => performance.now() - wellAt,
  }
}
