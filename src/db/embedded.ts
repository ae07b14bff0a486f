import { rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StartRefused } from '../kernel/errors.ts'
import { createMarker, type Marker } from '../kernel/marker.ts'
import { type EmbeddedLogger, keepAlive } from './embedded-alive.ts'
import { findBinaries } from './embedded-binaries.ts'
import {
  choosePlace,
  openFolder,
  type Place,
  placeOf,
  SHARED_BASE,
  SOCKET_PORT,
  socketFolder,
} from './embedded-place.ts'
import { checkSettings, findLive, type Launch, type LiveServer } from './embedded-server.ts'
import { type OsUser, serverUser } from './embedded-user.ts'

export interface EmbeddedOptions {
  /** Holds the database, or the file `LOCATION` that says where it had to go. */
  dataDir: string
  logger?: EmbeddedLogger
  /** Server settings; those that decide durability and access are not among them. */
  settings?: Readonly<Record<string, string>>
}

export interface EmbeddedPostgres {
  /** A connection URL. `postgres` is the superuser; the socket's folder admits nobody else's processes. */
  url(role: string, database: string): string
  /** Whether the server was running already. */
  adopted: boolean
  /** Whether `stop` stops the server: false as long as another living process supervises it. */
  readonly supervised: boolean
  /** The PostgreSQL data folder, where it really is. */
  dir: string
  /** Stops the server if this process supervises it, after all pools were closed. Safe to call twice. */
  stop(): Promise<void>
  /** Stops it and deletes the database; for throw-away ones. */
  destroy(): Promise<void>
}

const SUPERVISOR_WAIT_MS = 60_000
const SUPERVISOR_POLL_MS = 100
const WATCH_MS = 500

/**
 * Runs the bundled PostgreSQL on a data folder, over a Unix socket alone. A server that runs there already is adopted;
 * one that dies is started again, and so is one that ends with the process that it was adopted from. Works as root, through
 * the account `postgres`. Throws `StartRefused` with the remedy.
 */
export async function startEmbedded({ dataDir, logger, settings = {} }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') throw new StartRefused('there is no embedded database on Windows: set DATABASE_URL')
  // Before anything is made.
  checkSettings(settings)
  const user = await serverUser()
  const asked = await openFolder(dataDir, user)
  const marker = createMarker(join(asked, 'postgres.supervisor'))
  const until = performance.now() + SUPERVISOR_WAIT_MS
  while (!(await marker.take())) {
    const place = await placeOf(asked)
    const live = await findLive(place.pgdata)
    if (live !== undefined) return adoptedServer({ asked, user, settings, marker, logger }, place, live)
    if (performance.now() > until) throw new StartRefused('another process is starting this database, without an end')
    await delay(SUPERVISOR_POLL_MS)
  }
  return supervise({ asked, user, settings, marker, logger })
}

interface Supervision {
  asked: string
  user: OsUser | undefined
  settings: Readonly<Record<string, string>>
  marker: Marker
  logger: EmbeddedLogger | undefined
  /** Where its socket's folder stands already; else among the temporary files. */
  socketBase?: string
}

/** Another living process started it and will stop it. Once that one has ended, this one keeps the server alive. */
function adoptedServer(like: Supervision, place: Place, { socketDir }: LiveServer): EmbeddedPostgres {
  const { marker, logger } = like
  const stopped = new AbortController()
  let own: EmbeddedPostgres | undefined
  const inherit = async (): Promise<void> => {
    if (!(await marker.take())) return
    logger?.warn({ dir: place.pgdata }, 'who started the embedded database has ended; it is kept alive here')
    own = await supervise({ ...like, socketBase: dirname(socketDir) })
  }
  const wait = async (): Promise<void> => {
    while (own === undefined) {
      await delay(WATCH_MS, undefined, { ref: false, signal: stopped.signal }).catch(() => {})
      // A database that was deleted is nobody's any more.
      if (stopped.signal.aborted || !(await stat(place.pgdata).catch(() => undefined))) return
      await inherit().catch((error: unknown) =>
        logger?.error({ dir: place.pgdata, error }, 'the embedded database could not be taken over'),
      )
    }
  }
  const waiting = wait()
  const end = async (): Promise<EmbeddedPostgres | undefined> => {
    stopped.abort()
    await waiting
    return own
  }
  return {
    url: urlAt(socketDir),
    adopted: true,
    get supervised() {
      return own !== undefined
    },
    dir: place.pgdata,
    stop: async () => void (await (await end())?.stop()),
    destroy: async () => void (await (await end())?.destroy()),
  }
}

const supervise = (supervision: Supervision): Promise<EmbeddedPostgres> =>
  supervised(supervision).catch(async (error: unknown) => {
    await supervision.marker.release()
    throw error
  })

async function supervised(supervision: Supervision): Promise<EmbeddedPostgres> {
  const { asked, user, settings, marker, logger, socketBase } = supervision
  const place = await choosePlace(asked, user)
  if (place.leftover !== undefined) logger?.warn({ dir: place.leftover }, 'a database of a removed data folder is left')
  const found = await findLive(place.pgdata)
  const copies = user === undefined ? place.base : SHARED_BASE
  const task: Launch = {
    place,
    user,
    settings,
    binaries: await findBinaries(user, copies),
    socketDir: found?.socketDir ?? (await socketFolder(place.pgdata, user, socketBase)),
  }
  const server = await keepAlive(task, found, logger)
  let stopped: Promise<void> | undefined
  const stopOnce = async () => {
    await server.stop()
    await rmdir(task.socketDir).catch(() => {})
    await marker.release()
  }
  const stop = () => {
    stopped ??= stopOnce()
    return stopped
  }
  return {
    url: urlAt(task.socketDir),
    adopted: found !== undefined,
    supervised: true,
    dir: place.pgdata,
    stop,
    destroy: async () => {
      await stop()
      // By now it may be another's again.
      if (!(await marker.take())) return
      await rm(place.pgdata, { recursive: true, force: true })
      await rm(join(place.base, 'postgres-start.log'), { force: true })
      if (place.base !== place.asked) await rm(place.base, { recursive: true, force: true })
      await rm(join(place.asked, 'LOCATION'), { force: true })
      await marker.release()
    },
  }
}

const urlAt =
  (socketDir: string) =>
  (role: string, database: string): string =>
    `postgres://${encodeURIComponent(role)}@${encodeURIComponent(socketDir)}:${SOCKET_PORT}/${encodeURIComponent(database)}`
