import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { StartRefused } from '../kernel/errors.ts'

const run = promisify(execFile)

/** An operating system account that the database server runs as. */
export interface OsUser {
  name: string
  uid: number
  gid: number
}

const MAKERS: readonly (readonly [string, ...string[]])[] = [
  [
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
  ],
  // BusyBox (Alpine).
  ['adduser', '-S', '-D', '-H', '-s', '/sbin/nologin'],
]
const ENV = { PATH: `/usr/sbin:/sbin:/usr/bin:/bin:${process.env['PATH'] ?? ''}`, LC_ALL: 'C' }

/**
 * PostgreSQL refuses to run as root: then the account `postgres`, made if it is absent. Undefined for anybody else, who
 * runs the server as they are. Throws `StartRefused` if the account cannot be made.
 */
export async function serverUser(name = 'postgres'): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const known = await lookUp(name)
  if (known !== undefined) return known
  for (const [command, ...args] of MAKERS) {
    await run(command, [...args, name], { env: ENV }).catch(() => {})
    const made = await lookUp(name)
    if (made !== undefined) return made
  }
  throw new StartRefused(
    `PostgreSQL does not run as root and the account "${name}" could not be made: ` +
      `run \`useradd --system ${name}\`, start Aldis as another user, or set DATABASE_URL`,
  )
}

/** Whether the account may enter a folder, or execute a file, through all folders above it. */
export const canReach = (user: OsUser, path: string): Promise<boolean> =>
  run('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { uid: user.uid, gid: user.gid, cwd: '/', env: ENV }).then(
    () => true,
    () => false,
  )

async function lookUp(name: string): Promise<OsUser | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name], { env: ENV })).stdout)),
    )
    return uid === undefined || gid === undefined || uid === 0 ? undefined : { name, uid, gid }
  } catch {
    return undefined
  }
}
