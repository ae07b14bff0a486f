import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Anchor, Anchored } from './anchor.ts'
import { checkpointText, parseCheckpoint } from './checkpoint.ts'

/** One file a generation, named by its number; the highest counts. */
const NAME = /^[0-9]{19}$/
/** Generations kept below the newest, for whoever looks into what happened. */
const KEPT = 16n

const nameOf = (generation: bigint): string => String(generation).padStart(19, '0')

/**
 * The anchor as files of `dir`, each with the three lines of a checkpoint. To swap is to link a new name, which fails if it
 * is there: of two that come from the same generation one wins, also over a shared folder, without a lock that a crash leaves.
 */
export function fileAnchor(dir: string): Anchor {
  /** Oldest first: the names have one length. */
  const generations = async (): Promise<bigint[]> => {
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return names
      .filter((name) => NAME.test(name))
      .sort()
      .map(BigInt)
  }

  const read = async (): Promise<Anchored | undefined> => {
    const generation = (await generations()).at(-1)
    if (generation === undefined) return undefined
    const path = join(dir, nameOf(generation))
    const checkpoint = parseCheckpoint(await readFile(path, 'utf8'))
    if (checkpoint === undefined) throw new Error(`${path}: is no anchor`)
    return { ...checkpoint, generation }
  }

  return {
    read,
    async swap(from, to) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const generation = (from?.generation ?? 0n) + 1n
      const temporary = join(dir, `.${nameOf(generation)}.${process.pid}.${Math.trunc(performance.now() * 1e3)}`)
      try {
        await writeSynced(temporary, checkpointText(to))
        await link(temporary, join(dir, nameOf(generation)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'lost'
        throw error
      } finally {
        await rm(temporary, { force: true })
      }
      await syncFolder(dir)
      for (const old of await generations())
        if (old + KEPT < generation) await rm(join(dir, nameOf(old)), { force: true })
      return 'moved'
    },
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
