import { chmod, chown, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { toHex, utf8 } from '../kernel/bytes.ts'
import { StartRefused } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { canReach, type OsUser } from './embedded-user.ts'

/** Where one embedded database lives. */
export interface Place {
  /** The folder that was asked for, real path. */
  asked: string
  /** The folder that holds `pgdata`: the asked one, unless the server's account cannot enter it. */
  base: string
  pgdata: string
  /** A database of an asked folder that was since removed; left alone. */
  leftover?: string
}

/** Where databases and programs go that the server's account could not reach otherwise. Of root. */
export const SHARED_BASE = '/var/lib/aldis'

const LOCATION = 'LOCATION'
/** `sun_path` is 108 bytes on Linux, 104 on the BSDs, with the final zero. */
const SOCKET_PATH_LIMIT = process.platform === 'linux' ? 107 : 103
export const SOCKET_PORT = 5432

/** Makes the data folder unless it is there; its real path. */
export async function openFolder(dataDir: string, user: OsUser | undefined): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: user === undefined ? 0o700 : 0o711 })
  return realpath(dataDir)
}

/** Where the database of a data folder is, or will be unless `choosePlace` says otherwise. */
export async function placeOf(asked: string): Promise<Place> {
  const named = await readFile(join(asked, LOCATION), 'utf8').catch(() => undefined)
  return named === undefined ? { asked, base: asked, pgdata: join(asked, 'pgdata') } : elsewhere(asked, named.trim())
}

/**
 * Decides once, for the supervisor alone, where the database of a data folder goes: elsewhere, named by the file
 * `LOCATION`, only if the server's account (`user`, when started as root) cannot enter the folder itself.
 */
export async function choosePlace(asked: string, user: OsUser | undefined): Promise<Place> {
  const place = await placeOf(asked)
  if (place.base !== asked || user === undefined || (await isThere(place.pgdata))) return place
  return (await canReach(user, asked)) ? place : moveOut(asked)
}

/** A folder for the socket that only the server's account may enter; short, for the path of a socket is limited. */
export async function socketFolder(pgdata: string, user: OsUser | undefined, base = tmpdir()): Promise<string> {
  const name = `aldis-${shortHash(pgdata)}`
  const wanted = join(await realpath(base), name)
  const path = Buffer.byteLength(`${wanted}/.s.PGSQL.${SOCKET_PORT}`) > SOCKET_PATH_LIMIT ? join('/tmp', name) : wanted
  const made = await mkdir(path, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
  if (made) await chmod(path, 0o700)
  const { uid } = await lstat(path)
  // Root may find its own of an interrupted start; anybody else's is a trap.
  if (user !== undefined && uid === 0) await chown(path, user.uid, user.gid)
  await assertOurs(path, user?.uid ?? process.getuid?.() ?? 0)
  return path
}

async function assertOurs(path: string, owner: number): Promise<void> {
  const found = await lstat(path)
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o777) !== 0o700) {
    throw new StartRefused(`the socket folder ${path} is not a folder of the server's account alone: remove it`)
  }
}

function elsewhere(asked: string, base: string): Place {
  if (!isAbsolute(base)) throw new StartRefused(`${join(asked, LOCATION)} does not name an absolute path`)
  return { asked, base, pgdata: join(base, 'pgdata') }
}

/** The folder's hash names the place; if an earlier folder of the same path left a database there, the next free one. */
async function moveOut(asked: string): Promise<Place> {
  await mkdir(SHARED_BASE, { recursive: true, mode: 0o755 })
  const first = join(SHARED_BASE, shortHash(asked))
  let base = first
  for (let n = 2; await isThere(base); n++) base = `${first}-${n}`
  await mkdir(base, { mode: 0o711 })
  await chmod(base, 0o711)
  await writeFile(join(asked, LOCATION), `${base}\n`, { mode: 0o644, flush: true })
  const place = elsewhere(asked, base)
  return base === first ? place : { ...place, leftover: first }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

const shortHash = (path: string): string => toHex(sha256(utf8(path))).slice(0, 12)
