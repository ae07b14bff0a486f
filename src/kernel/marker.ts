import { execFile } from 'node:child_process'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Says which process has something for itself: supervises a database, or writes a folder. A second one learns that it is not alone. */
export interface Marker {
  /** True if this process has it from now on; false while another living one does. */
  take(): Promise<boolean>
  release(): Promise<void>
}

/** Marker files that this very process holds, which a mere process id would not tell from a dead predecessor's. */
const held = new Set<string>()
let self: Promise<string> | undefined

export function createMarker(path: string): Marker {
  return {
    async take() {
      if (held.has(path)) return false
      held.add(path)
      const taken = await tryTake(path).catch((error: unknown) => {
        held.delete(path)
        throw error
      })
      if (!taken) held.delete(path)
      return taken
    },
    async release() {
      if (!held.delete(path)) return
      await rm(path, { force: true })
    },
  }
}

async function tryTake(path: string): Promise<boolean> {
  const mine = `${path}.${process.pid}`
  self ??= identityOf(process.pid)
  await writeFile(mine, await self)
  try {
    if (await linked(mine, path)) return true
    const holder = await readFile(path, 'utf8').catch(() => '')
    if (await isAlive(holder)) return false
    // Moved, then looked at again: a rival may have replaced the dead holder's marker in between.
    await rename(path, `${mine}.stale`).catch(() => {})
    const moved = await readFile(`${mine}.stale`, 'utf8').catch(() => '')
    if (await isAlive(moved)) {
      await linked(`${mine}.stale`, path)
      return false
    }
    return await linked(mine, path)
  } finally {
    await rm(mine, { force: true })
    await rm(`${mine}.stale`, { force: true })
  }
}

const linked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )

async function isAlive(holder: string): Promise<boolean> {
  const pid = Number(holder.split(' ')[0])
  return Number.isInteger(pid) && pid > 0 && holder === (await identityOf(pid))
}

/** Process ids come round again, in containers at every start: the start time tells their bearers apart. */
export async function identityOf(pid: number): Promise<string> {
  return `${pid} ${await startOf(pid)}`
}

async function startOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') {
    const listed = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined)
    return listed === undefined ? 'none' : listed.stdout.trim()
  }
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Field 22, counted after the name in brackets, which may hold anything (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || stat === '' ? 'none' : `${boot.trim()} ${fields[19] ?? ''}`
}
