import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { UPLOADS_OPEN } from './upload-limits.ts'

/** Streams of submissions, and uploads on their way: each may hold a whole submission in memory for minutes. */
export interface UploadStreams {
  /** One more of a credential, until the answer is called; throws `stream-limit`. */
  take(credential: Uuid): () => void
  /** How many a credential has open. */
  openBy(credential: Uuid): number
}

export function createUploadStreams(): UploadStreams {
  const open = new Map<Uuid, number>()
  const openBy = (credential: Uuid): number => open.get(credential) ?? 0
  return {
    openBy,
    take(credential) {
      const own = openBy(credential)
      if (own >= UPLOADS_OPEN)
        throw new Refusal('stream-limit', { detail: `a credential has at most ${UPLOADS_OPEN} uploads at a time` })
      open.set(credential, own + 1)
      return () => {
        const left = openBy(credential) - 1
        if (left > 0) open.set(credential, left)
        else open.delete(credential)
      }
    },
  }
}
