import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { identityOf } from '../kernel/marker.ts'
import { initialise, type Launch, type LiveServer, launch, stopServer } from './embedded-server.ts'

/** The part of a logger that the supervisor uses. */
export interface EmbeddedLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const RESTART_PAUSE_MS = 1_000
const WATCH_MS = 500

/** Starts the server unless it was found alive, and again whenever it ends without being asked to. */
export async function keepAlive(task: Launch, found: LiveServer | undefined, logger: EmbeddedLogger | undefined) {
  let live = found
  let child: ChildProcess | undefined
  let stopping = false
  let starting: Promise<void> = Promise.resolve()

  async function start(): Promise<void> {
    await initialise(task)
    const started = await launch(task)
    live = started.live
    child = started.child
    child.once('exit', () => {
      if (!stopping) starting = restart()
    })
    logger?.info({ dir: task.place.pgdata }, 'the embedded database runs')
  }

  async function restart(): Promise<void> {
    while (!stopping) {
      logger?.error({ dir: task.place.pgdata }, 'the embedded database died; it is started again')
      const done = await start().then(
        () => true,
        () => false,
      )
      if (done) return
      await delay(RESTART_PAUSE_MS)
    }
  }

  /** An adopted server is no child of ours: nobody tells us of its end. */
  async function watch({ pid }: LiveServer): Promise<void> {
    const alive = await identityOf(pid)
    const look = async (): Promise<void> => {
      if (stopping) return
      const lives = !alive.endsWith(' none') && (await identityOf(pid)) === alive
      if (lives) setTimeout(look, WATCH_MS).unref()
      else if (!stopping) starting = restart()
    }
    await look()
  }

  if (live === undefined) await start()
  else {
    logger?.info({ dir: task.place.pgdata }, 'the embedded database was running and is adopted')
    await watch(live)
  }
  return {
    async stop(): Promise<void> {
      stopping = true
      await starting
      if (live !== undefined) await stopServer(live, task.place.pgdata, child)
    },
  }
}
