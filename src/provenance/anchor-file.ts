import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { folderGenerations } from '../kernel/generations.ts'
import type { Anchor, LaterLog } from './anchor.ts'
import { checkpointText, parseCheckpoint } from './checkpoint.ts'

/** A log's folder among others of what is remembered. */
const NUMBER = /^[1-9][0-9]{0,8}$/

/** The anchor as files of `dir`, each with the three lines of a checkpoint. */
export function fileAnchor(dir: string): Anchor {
  const memory = folderGenerations(dir)
  return {
    async read() {
      const newest = await memory.newest()
      if (newest === undefined) return undefined
      const checkpoint = parseCheckpoint(newest.text)
      if (checkpoint === undefined) throw new Error(`${newest.path}: is no anchor`)
      return { ...checkpoint, generation: newest.generation }
    },
    async swap(from, to) {
      const outcome = await memory.next(from?.generation ?? 0n, checkpointText(to))
      return outcome === 'kept' ? 'moved' : 'lost'
    },
  }
}

/** The logs after this one whose anchors are in numbered folders of `dir`, in their order. */
export async function anchoredAfter(dir: string, logId: number): Promise<LaterLog[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const numbers = names.filter((name) => NUMBER.test(name)).map(Number)
  const later: LaterLog[] = []
  for (const number of numbers.filter((one) => one > logId).sort((a, b) => a - b)) {
    const anchored = await fileAnchor(join(dir, String(number))).read()
    if (anchored !== undefined) later.push({ ...anchored, logId: number })
  }
  return later
}
