import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { Core } from './core.ts'
import type { Log } from './kernel/log.ts'
import { createLogLoops, type LogEvents } from './loops.ts'
import type { HaltReason } from './provenance/anchor.ts'

/** The loops of the log, wherever they run. */
export interface Background {
  /** Resolves once they run. */
  start(): Promise<void>
  /** Something was committed that the log must tell of. */
  wake(): void
  /** Milliseconds since the log could last be written and signed. */
  age(): number
  /** Milliseconds since feeds and look-ups last followed the log. */
  projectAge(): number
  stop(): Promise<void>
}

export type StartBackground = (core: Core, events: LogEvents, log: Log) => Background

/** In this thread. */
export const backgroundHere: StartBackground = (core, events, log) => {
  const loops = createLogLoops(core, events, log)
  const all = Object.values(loops)
  return {
    async start() {
      for (const loop of all) loop.start()
    },
    wake: loops.integrate.wake,
    age: () => Math.max(loops.integrate.age(), loops.sign.age(), loops.publish.age()),
    projectAge: loops.project.age,
    stop: async () => void (await Promise.all(all.map((loop) => loop.stop()))),
  }
}

/** What the thread is told, and tells. */
export type Order = 'start' | 'wake' | 'stop'
export type News =
  | { news: 'started' }
  | { news: 'age'; ms: number; projectMs: number }
  | { news: 'published' }
  | { news: 'halted'; reason: HaltReason | undefined }
  | { news: 'carried'; carried: Parameters<LogEvents['onCarried']>[0] }

export interface Handed {
  /** Of the database that this process has opened. */
  url: string
  config: Core['config']
}

const PROGRAM = new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url)
/** A thread that does not end by itself is ended: everything it does is safe to repeat. */
const STOP_MS = 10_000
/** MB of each half of its young generation: unlike requests that wait for their commit, little is under way in it at once. */
const SEMI_SPACE_MB = 4

/**
 * In a thread of its own, so that neither planning feeds nor sealing segments keeps a request waiting. A thread that fails
 * ends the process like any error that nobody caught.
 */
export const backgroundThread: StartBackground = ({ config, database }, { onCarried, onPublished, onHalted }) => {
  // Read by V8 where a thread begins, this one and later ones; `resourceLimits` give way to what the process was started with.
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MB}`)
  const worker = new Worker(PROGRAM, { workerData: { url: database.url, config } satisfies Handed })
  const order = (one: Order): void => worker.postMessage(one)
  let heard = { at: performance.now(), ms: 0, projectMs: 0 }
  let woken = false
  let stopping = false
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const started = Promise.withResolvers<void>()
  worker.on('message', (told: News) => {
    if (told.news === 'carried') onCarried(told.carried)
    else if (told.news === 'published') onPublished()
    else if (told.news === 'halted') onHalted(told.reason)
    else if (told.news === 'started') started.resolve()
    else heard = { at: performance.now(), ms: told.ms, projectMs: told.projectMs }
  })
  worker.on('exit', (code) => {
    if (!stopping) throw new Error(`the thread of the log's loops ended with ${code}`)
  })
  return {
    start() {
      order('start')
      return started.promise
    },
    wake() {
      if (woken) return
      woken = true
      // Many commits of one turn are one message.
      setImmediate(() => {
        woken = false
        order('wake')
      })
    },
    age: () => heard.ms + performance.now() - heard.at,
    projectAge: () => heard.projectMs + performance.now() - heard.at,
    async stop() {
      stopping = true
      order('stop')
      await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })])
      await worker.terminate()
    },
  }
}
