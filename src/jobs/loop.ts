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
   * Milliseconds at least from the begin of one round to that of the next, unless the first was full. Longer after a round that
   * took long, so that a loop that rests is at work a third of the time: on a busy machine more is done in each round.
   */
  restMs?: number
  /** Told of each round that failed; the next ones come ever later, up to five seconds. */
  onError(error: unknown): void
}

const LONGEST_MS = 5_000
/** From begin to begin, in times of what the round took, and no longer than this for it. */
const REST_SHARE = 3
const LONGEST_REST_MS = 500
const FIRST_MS = 100

export function createLoop({ round, idleMs, restMs = 0, onError }: LoopOptions): Loop {
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = true
  let woken = false
  let failures = 0
  let wellAt = performance.now()
  let dueAt = Number.NEGATIVE_INFINITY

  const plan = (ms: number): void => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(run, Math.max(ms, dueAt - performance.now(), 0))
  }

  const restAfter = (tookMs: number): number =>
    restMs === 0 ? 0 : Math.max(restMs, Math.min(REST_SHARE * tookMs, LONGEST_REST_MS))

  const once = async (): Promise<void> => {
    const begunAt = performance.now()
    woken = false
    try {
      const found = await round()
      failures = 0
      wellAt = performance.now()
      dueAt = found === 'full' ? begunAt : begunAt + restAfter(wellAt - begunAt)
      plan(found || woken ? 0 : idleMs)
    } catch (error) {
      failures += 1
      dueAt = begunAt + restMs
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
