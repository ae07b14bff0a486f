import { link, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeOwnFolderDurably } from './durable.ts'

/** One file a generation, named by its number; the highest counts. */
const NAME = /^[0-9]{19}$/
/** Generations kept below the newest, for whoever looks into what happened, and of two processes one may be so far behind. */
const KEPT = 16n

const nameOf = (generation: bigint): string => String(generation).padStart(19, '0')

/** What a folder holds now. */
export interface Generation {
  generation: bigint
  text: string
  path: string
}

/** One small memory that is moved on by compare-and-swap. */
export interface Generations {
  /** Always read from the disk; undefined before the first. */
  newest(): Promise<Generation | undefined>
  /** From exactly what was read (0: nothing) to the next, durable before it resolves; `lost` where another was quicker. */
  next(from: bigint, text: string): Promise<'kept' | 'lost'>
}

/**
 * A memory as files of `dir`. To move on is to link a new name, which fails if it is there: of two that come from the same
 * generation one wins, also over a shared folder, without a lock that a crash leaves.
 */
export function folderGenerations(dir: string): Generations {
  /** Oldest first: the names have one length. */
  const all = async (): Promise<bigint[]> => {
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return names
      .filter((name) => NAME.test(name))
      .sort()
      .map(BigInt)
  }
  return {
    async newest() {
      const generation = (await all()).at(-1)
      if (generation === undefined) return undefined
      const path = join(dir, nameOf(generation))
      return { generation, path, text: await readFile(path, 'utf8') }
    },
    async next(from, text) {
      makeOwnFolderDurably(dir)
      const generation = from + 1n
      const path = join(dir, nameOf(generation))
      if (!(await linked(path, text))) return 'lost'
      await syncFolder(dir)
      const now = await all()
      // So far behind that the name had been cleared away: the others' newer one counts.
      if (now.some((other) => other > generation)) {
        await rm(path)
        return 'lost'
      }
      for (const old of now) if (old + KEPT < generation) await rm(join(dir, nameOf(old)), { force: true })
      return 'kept'
    },
  }
}

let made = 0

/** Whether the name was free. */
async function linked(path: string, text: string): Promise<boolean> {
  made += 1
  const temporary = `${path}.${process.pid}.${Math.trunc(performance.now() * 1e3)}.${made}`
  try {
    await writeSynced(temporary, text)
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  await folder.sync().finally(() => folder.close())
}
