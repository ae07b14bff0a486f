import { ITEMS_MAX, SUBMISSION_BYTES_MAX } from '../../signals/submission.ts'

/** More than the line with the JWS takes, whose three parts have 1,024 characters at most. */
const HEAD_BYTES = 4_096
/** Of `{"salt":"..","item":..}` and its newline, without the item. */
const FRAME_BYTES = 42

export interface Pack<T> {
  /** Whether one more goes into the same submission; into an empty one any goes. */
  fits(one: T): boolean
  add(one: T): void
  /** What was added, in its order; the pack is empty then. */
  take(): T[]
}

/** Items that are signed together: as many as a submission may hold, by their number and by the bytes of their lines. */
export function createPack<T extends { text: string }>(): Pack<T> {
  let held: T[] = []
  let bytes = HEAD_BYTES
  return {
    fits: (one) => held.length === 0 || (held.length < ITEMS_MAX && bytes + bytesOf(one.text) <= SUBMISSION_BYTES_MAX),
    add(one) {
      held.push(one)
      bytes += bytesOf(one.text)
    },
    take() {
      const taken = held
      held = []
      bytes = HEAD_BYTES
      return taken
    },
  }
}

const bytesOf = (text: string): number => FRAME_BYTES + Buffer.byteLength(JSON.stringify(text))
