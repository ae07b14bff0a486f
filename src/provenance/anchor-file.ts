import { folderGenerations } from '../kernel/generations.ts'
import type { Anchor } from './anchor.ts'
import { checkpointText, parseCheckpoint } from './checkpoint.ts'

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
