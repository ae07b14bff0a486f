import { Worker } from 'node:worker_threads'
import { PDQ_BYTES, type PdqMatch } from '../matching/pdq.ts'
import { MatcherFailed } from '../matching/refused.ts'

export interface Questions {
  id: number
  /** 32 bytes each, joined. */
  queries: Uint8Array
}

export interface Answers {
  id: number
  words: Uint32Array
}

/** Nearest hashes that are told of one question. */
export const HITS_MOST = 65_536
/** Questions that the thread is handed at once: what it answers stays small, for a thread without memory ends the process. */
const BATCH = 16

export interface PdqHits {
  /** The nearest first. */
  hits: PdqMatch[]
  /** Whether there are more than `HITS_MOST`. */
  more: boolean
}

export interface PdqThread {
  /** Hashes within 31 bits of the 32 bytes. Throws `MatcherFailed`. */
  search(query: Uint8Array): Promise<PdqHits>
  close(): Promise<void>
}

interface Waiting {
  query: Uint8Array
  resolve(found: PdqHits): void
  reject(error: Error): void
}

const PROGRAM = new URL(`./pdq-worker${import.meta.url.slice(-3)}`, import.meta.url)

/**
 * An index in a thread of its own, begun with the first question: it takes a second or two for a million hashes, and long lists
 * keep nobody else waiting. Questions of one turn go together. A thread that fails takes the questions that it has with it,
 * and the next question begins another one. It keeps a process alive only while something is asked.
 */
export function pdqThread(hashes: Uint8Array, program: URL = PROGRAM): PdqThread {
  const handed = new Map<number, readonly Waiting[]>()
  let queue: Waiting[] = []
  let worker: Worker | undefined
  let id = 0

  const fail = (of: Worker, cause: unknown): void => {
    if (of !== worker) return
    worker = undefined
    const error = new MatcherFailed('the index of PDQ hashes ended; ask again', { cause })
    for (const batch of handed.values()) for (const one of batch) one.reject(error)
    handed.clear()
  }

  const start = (): Worker => {
    const made = new Worker(program, { workerData: hashes })
    made.on('message', (answers: Answers) => {
      const batch = handed.get(answers.id) ?? []
      handed.delete(answers.id)
      if (handed.size === 0) made.unref()
      tell(batch, answers.words)
    })
    made.once('error', (cause) => fail(made, cause))
    made.once('exit', (code) => fail(made, new Error(`exit ${code}`)))
    return made
  }

  const hand = (): void => {
    const all = queue
    queue = []
    worker ??= start()
    worker.ref()
    for (let from = 0; from < all.length; from += BATCH) {
      const batch = all.slice(from, from + BATCH)
      id += 1
      handed.set(id, batch)
      worker.postMessage({ id, queries: joined(batch) } satisfies Questions)
    }
  }

  return {
    search: (query) =>
      new Promise((resolve, reject) => {
        if (query.length !== PDQ_BYTES) throw new RangeError('a PDQ hash has 32 bytes')
        if (queue.length === 0) queueMicrotask(hand)
        queue.push({ query, resolve, reject })
      }),
    async close() {
      const ending = worker
      if (ending === undefined) return
      fail(ending, undefined)
      await ending.terminate()
    },
  }
}

function joined(batch: readonly Waiting[]): Uint8Array {
  const queries = new Uint8Array(batch.length * PDQ_BYTES)
  batch.forEach(({ query }, i) => {
    queries.set(query, i * PDQ_BYTES)
  })
  return queries
}

function tell(batch: readonly Waiting[], words: Uint32Array): void {
  let at = 0
  for (const { resolve } of batch) {
    const found = words[at] ?? 0
    const told = Math.min(found, HITS_MOST)
    const first = at + 1
    const hits = Array.from({ length: told }, (_, i) => ({
      entry: words[first + 2 * i] ?? 0,
      distance: words[first + 2 * i + 1] ?? 0,
    }))
    resolve({ hits, more: found > told })
    at = first + 2 * told
  }
}
