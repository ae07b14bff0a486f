import type { ErrorCode } from '../kernel/errors.ts'
import type { UploadLine } from './schema.ts'
import { PART_BYTES } from './upload-limits.ts'

/** Items that were taken and refused so far, as the lines of an answer tell. */
export function createCount() {
  let [accepted, refused] = [0, 0]
  return {
    sofar: () => ({ accepted: BigInt(accepted), refused: BigInt(refused) }),
    /** Answers the fault after which the node could not go on. */
    add(text: string): ErrorCode | undefined {
      for (const line of linesIn(text)) {
        if (line.code !== undefined && line.status >= 500) return line.code as ErrorCode
        accepted += line.accepted ?? 0
        refused += refusedBy(line)
      }
      return undefined
    },
  }
}

const linesIn = (text: string): UploadLine[] =>
  text
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => JSON.parse(one) as UploadLine)

/** A submission that is refused as a whole takes its items with it. */
function refusedBy({ line, first, refused, code }: UploadLine): number {
  if (refused !== undefined) return refused
  return code !== undefined && first !== undefined ? line - first : 0
}

/** Between two looks of whoever waits. */
const TOLD_EVERY_MS = 1_000

/**
 * Gathers texts into pieces that fit a row; between them `write` is called without one, so that it is told how far it is. `monotonic`:
 * milliseconds of a clock that nobody sets.
 */
export function createResults(
  write: (content: Buffer | undefined, part: number) => Promise<void>,
  monotonic: () => number,
) {
  let held: string[] = []
  let [size, part, toldAt] = [0, 0, monotonic()]
  const flush = async (): Promise<void> => {
    if (size === 0) return
    await write(Buffer.from(held.join('')), part)
    part += 1
    held = []
    size = 0
  }
  return {
    async add(text: string): Promise<void> {
      held.push(text)
      size += text.length
      if (size >= PART_BYTES) await flush()
      else if (monotonic() - toldAt > TOLD_EVERY_MS) await write(undefined, part)
      else return
      toldAt = monotonic()
    },
    end: flush,
  }
}
