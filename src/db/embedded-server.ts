import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chown, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { StartRefused } from '../kernel/errors.ts'
import { connect } from './connect.ts'
import type { Binaries } from './embedded-binaries.ts'
import { type Place, SOCKET_PORT } from './embedded-place.ts'
import type { OsUser } from './embedded-user.ts'

const run = promisify(execFile)

/** A server that accepts connections. */
export interface LiveServer {
  pid: number
  socketDir: string
}

export interface Launch {
  place: Place
  binaries: Binaries
  user: OsUser | undefined
  socketDir: string
  settings: Readonly<Record<string, string>>
}

const POLL_MS = 50
const STALE_MS = 30_000
const RECOVERY_MS = 600_000
const STOP_MS = 60_000
/** The dead may be an unreaped zombie, or its children not gone yet: both pass. */
const PASSING = /postmaster\.pid" already exists|pre-existing shared memory block|is still in use/

/** What no caller may set: durability, the socket as the only way in, and what would write values into log files. */
const FIXED: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(SOCKET_PORT),
  unix_socket_permissions: '0700',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}
const DEFAULTS: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgres-%a.log',
  log_truncate_on_rotation: 'on',
  log_rotation_age: '1d',
  log_rotation_size: '0',
}

/** The server that runs on this data folder, if one does and answers. */
export async function findLive(pgdata: string): Promise<LiveServer | undefined> {
  const lines = (await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const [pid, , , , socketDir, , , status] = lines
  if (status?.trim() !== 'ready' || !socketDir) return undefined
  const db = connect({ config: { host: socketDir, port: SOCKET_PORT, user: 'postgres', database: 'postgres' }, max: 1 })
  try {
    const { rows } = await sql<{ dir: string }>`select current_setting('data_directory') as dir`.execute(db)
    const ours = (await realpath(rows[0]?.dir ?? '')) === (await realpath(pgdata))
    return ours ? { pid: Number(pid), socketDir } : undefined
  } catch {
    return undefined
  } finally {
    await db.destroy()
  }
}

/** Makes the cluster unless it is there. An interrupted `initdb` leaves nothing that would be taken for one. */
export async function initialise({ place: { pgdata }, binaries, user }: Launch): Promise<void> {
  if (await stat(pgdata).catch(() => undefined)) return
  const fresh = `${pgdata}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { mode: 0o700 })
  if (user !== undefined) await chown(fresh, user.uid, user.gid)
  const args = ['-D', fresh, '-U', 'postgres', '--locale=C', '--encoding=UTF8', '--data-checksums', '--auth=trust']
  await run(binaries.initdb, [...args, '--no-instructions'], { ...identity(user), cwd: '/', env: environment() }).catch(
    (error: { stderr?: string }) => {
      throw new StartRefused(`initdb failed: ${error.stderr?.trim().split('\n').at(-1) ?? 'it did not run'}`)
    },
  )
  await rename(fresh, pgdata)
  const parent = await open(join(pgdata, '..'))
  await parent.sync().finally(() => parent.close())
}

/**
 * Starts a server and waits until it answers, through crash recovery too. Throws `StartRefused` naming its log file.
 * The child is the leader of its own session: the terminal's SIGINT reaches us, not the database before our drain.
 */
export async function launch(task: Launch): Promise<{ child: ChildProcess; live: LiveServer }> {
  const log = join(task.place.base, 'postgres-start.log')
  const until = performance.now() + STALE_MS
  for (;;) {
    const child = await spawnServer(task, log)
    const live = await untilLive(task.place.pgdata, child)
    if (live !== undefined) return { child, live }
    const said = await readFile(log, 'utf8').catch(() => '')
    if (!PASSING.test(said) || performance.now() > until) {
      throw new StartRefused(`the embedded database did not start: see ${log}`)
    }
    await delay(10 * POLL_MS)
  }
}

/** Fast shutdown, awaited: SIGINT ends sessions and writes a checkpoint. Never harder, whatever it takes. */
export async function stopServer({ pid }: LiveServer, pgdata: string, child: ChildProcess | undefined): Promise<void> {
  // A process id of the past may be anybody's by now.
  if ((await pidIn(pgdata)) !== pid || !signal(pid, 'SIGINT')) return
  const until = performance.now() + STOP_MS
  while (performance.now() < until) {
    const gone =
      child === undefined ? !(await stat(join(pgdata, 'postmaster.pid')).catch(() => undefined)) : hasEnded(child)
    if (gone) return
    await delay(POLL_MS)
  }
  throw new Error('the embedded database is still shutting down; it is left to finish')
}

const pidIn = async (pgdata: string): Promise<number> =>
  Number.parseInt(await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => ''), 10)

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** Throws a TypeError for a setting that is ours to decide. */
export function checkSettings(settings: Launch['settings']): void {
  const ours = Object.keys(settings).find((name) => name in FIXED || name === 'unix_socket_directories')
  if (ours !== undefined) throw new TypeError(`${ours} is not to be set`)
}

function serverArguments({ place, socketDir, settings }: Launch): string[] {
  const all = { ...DEFAULTS, ...settings, ...FIXED, unix_socket_directories: socketDir }
  return ['-D', place.pgdata, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

async function spawnServer(task: Launch, log: string): Promise<ChildProcess> {
  const out = await open(log, 'w', 0o600)
  try {
    const child = spawn(task.binaries.postgres, serverArguments(task), {
      ...identity(task.user),
      detached: true,
      stdio: ['ignore', out.fd, out.fd],
      cwd: '/',
      env: environment(),
    })
    child.on('error', () => {})
    child.unref()
    return child
  } finally {
    await out.close()
  }
}

async function untilLive(pgdata: string, child: ChildProcess): Promise<LiveServer | undefined> {
  const until = performance.now() + RECOVERY_MS
  while (child.pid !== undefined && !hasEnded(child) && performance.now() < until) {
    const live = await findLive(pgdata)
    if (live?.pid === child.pid) return live
    await delay(POLL_MS)
  }
  return undefined
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const identity = (user: OsUser | undefined): { uid?: number; gid?: number } =>
  user === undefined ? {} : { uid: user.uid, gid: user.gid }

const environment = (): NodeJS.ProcessEnv => ({ PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' })
