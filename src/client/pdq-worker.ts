/** The thread of a PDQ index: see `pdqThread`. */
import { parentPort, workerData } from 'node:worker_threads'
import { createPdqIndex, PDQ_BYTES } from '../matching/pdq.ts'
import { type Answers, HITS_MOST, type Questions } from './pdq-thread.ts'

const port = parentPort
if (port === null) throw new Error('this is no program of its own')

const index = createPdqIndex(workerData as Uint8Array)

/** Of each question the number of hashes within the distance, and entry and distance of the nearest of them. */
function answer(queries: Uint8Array): Uint32Array<ArrayBuffer> {
  const all = Array.from({ length: queries.length / PDQ_BYTES }, (_, i) =>
    index.search(queries.subarray(i * PDQ_BYTES, (i + 1) * PDQ_BYTES), { tell: HITS_MOST }),
  )
  const words = new Uint32Array(all.reduce((n, { nearest }) => n + 1 + 2 * nearest.length, 0))
  let at = 0
  const put = (word: number): void => {
    words[at] = word
    at += 1
  }
  for (const { found, nearest } of all) {
    put(found)
    for (const { entry, distance } of nearest) {
      put(entry)
      put(distance)
    }
  }
  return words
}

port.on('message', ({ id, queries }: Questions) => {
  const words = answer(queries)
  port.postMessage({ id, words } satisfies Answers, [words.buffer])
})
