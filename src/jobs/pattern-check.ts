import { Worker } from 'node:worker_threads'
import { Refusal } from '../kernel/errors.ts'
import type { Pattern, PatternChecked, PatternChecker, PatternRefused } from '../matching/pattern.ts'

/** Of one pattern, to compile it and try its strings. */
export const PATTERN_MS = 250
/** Of the thread in which patterns are tried. */
export const PATTERN_HEAP_MB = 64
/** Of the patterns that were handed over together: those that the time does not reach are refused. */
export const PATTERNS_MS = 5_000
/** Who may wait for the thread; and of one participant, as many as eight streams verify ahead. */
export const PATTERNS_WAITING = 64
export const PATTERNS_WAITING_EACH = 40
const YOUNG_MB = 16
const STACK_MB = 4
/** A busy machine may starve a thread: what took too long is tried once more, in another. */
const TRIES = 2
const START_MS = 10_000

export interface PatternCheckOptions {
  deadlineMs?: number
  totalMs?: number
  waiting?: number
  each?: number
}

const PROGRAM = new URL(`./pattern-worker${import.meta.url.slice(-3)}`, import.meta.url)

/**
 * Tries patterns in a thread with little memory, which is ended when one takes too long and replaced for the next: neither
 * time, memory nor a crash that a pattern causes is the caller's. Participants take turns, so that nobody waits for all that another
 * one sent. The thread starts with the first pattern and keeps no process alive while it has none.
 */
export function createPatternChecker(options: PatternCheckOptions = {}): PatternChecker {
  const { deadlineMs = PATTERN_MS, totalMs = PATTERNS_MS } = options
  const { waiting = PATTERNS_WAITING, each = PATTERNS_WAITING_EACH } = options
  let thread: Thread | undefined
  /** What waits of each participant, in the order of their turns. */
  const lanes = new Map<string, (() => Promise<void>)[]>()
  let turns: Promise<void> | undefined
  let callers = 0
  let closed = false

  async function checkOne(pattern: Pattern): Promise<PatternChecked> {
    for (let tries = 0; tries < TRIES; tries++) {
      if (closed) throw busy('the node is shutting down')
      thread ??= await startThread()
      const checked = await thread.check(pattern, deadlineMs)
      if (checked !== undefined) return checked
      await thread.end()
      thread = undefined
    }
    return costly(`takes more than ${deadlineMs} ms or ${PATTERN_HEAP_MB} MB to compile and try`)
  }

  async function checkAll(patterns: readonly Pattern[]): Promise<PatternChecked[]> {
    const until = performance.now() + totalMs
    const all: PatternChecked[] = []
    for (const pattern of patterns) {
      all.push(
        performance.now() < until
          ? await checkOne(pattern)
          : costly(`the patterns before it in this submission took ${totalMs / 1_000} s; send it in another`),
      )
    }
    return all
  }

  async function takeTurns(): Promise<void> {
    for (;;) {
      const [lane] = lanes
      if (lane === undefined) break
      const [by, [first, ...rest]] = lane
      lanes.delete(by)
      if (rest.length > 0) lanes.set(by, rest)
      await first?.()
    }
    turns = undefined
  }

  return {
    async check(patterns, by = '') {
      if (closed || callers === waiting) throw busy('patterns of others are being tried')
      const own = lanes.get(by) ?? []
      if (own.length === each) throw busy('patterns of yours wait to be tried')
      callers += 1
      const { promise, resolve, reject } = Promise.withResolvers<PatternChecked[]>()
      lanes.set(by, [...own, () => checkAll(patterns).then(resolve, reject)])
      turns ??= takeTurns()
      return promise.finally(() => {
        callers -= 1
      })
    },
    async close() {
      closed = true
      await thread?.end()
      await turns
      // One that was being started meanwhile.
      await thread?.end()
    },
  }
}

interface Thread {
  /** Undefined if it did not answer in time, or ended. */
  check(pattern: Pattern, deadlineMs: number): Promise<PatternChecked | undefined>
  end(): Promise<void>
}

async function startThread(): Promise<Thread> {
  const worker = new Worker(PROGRAM, {
    // Nothing of the process' settings is needed there.
    env: {},
    resourceLimits: {
      ...{
        maxOldGenerationSizeMb: PATTERN_HEAP_MB - YOUNG_MB,
        maxYoungGenerationSizeMb: YOUNG_MB,
        stackSizeMb: STACK_MB,
      },
    },
  })
  /** Why it ended is of no account: it is replaced. */
  worker.on('error', () => {})
  const ended = new Promise<undefined>((resolve) => worker.once('exit', () => resolve(undefined)))
  let answered = Promise.withResolvers<unknown>()
  worker.on('message', (message) => answered.resolve(message))

  /** The thread's next answer; undefined where there is none. */
  async function answer(deadlineMs: number): Promise<unknown> {
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), deadlineMs)
    const told = await Promise.race([answered.promise, late.promise, ended])
    clearTimeout(timer)
    answered = Promise.withResolvers<unknown>()
    return told
  }

  if ((await answer(START_MS)) !== 'ready') {
    await worker.terminate()
    throw busy('the thread that tries patterns did not start')
  }
  worker.unref()
  return {
    async check(pattern, deadlineMs) {
      worker.ref()
      worker.postMessage(pattern)
      const checked = await answer(deadlineMs)
      worker.unref()
      return checked as PatternChecked | undefined
    },
    end: async () => void (await worker.terminate()),
  }
}

const costly = (reason: string): PatternRefused => ({
  ...{ outcome: 'refused', code: 'pattern-cost', pointer: '/text', reason },
})

const busy = (detail: string): Refusal => new Refusal('busy', { detail, retryAfter: 1 })
