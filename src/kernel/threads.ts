import { Worker } from 'node:worker_threads'

export interface ThreadsOptions {
  /** What a thread runs: for each message it posts one. */
  program: URL
  /** What each thread begins with, as its `workerData`. */
  data?: unknown
  threads: number
  /** Milliseconds within which a thread answers; one that does not is ended. */
  jobMs: number
  /** What a job is refused with whose thread has died, or that came too late. */
  failed(cause?: unknown): Error
}

export interface Threads<Job, Outcome> {
  run(job: Job): Promise<Outcome>
  /** Ends every thread; what waits is refused, and what comes. */
  close(): Promise<void>
}

interface Waiting<Job, Outcome> {
  job: Job
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

interface Thread<Job, Outcome> {
  worker: Worker
  waiting: Waiting<Job, Outcome> | undefined
  timer: NodeJS.Timeout | undefined
}

/**
 * Threads of one program, made when they are first needed, each with one job at a time. One that dies takes its own job with
 * it and no other; the next job has a new one. They keep no process alive.
 */
export function createThreads<Job, Outcome>(options: ThreadsOptions): Threads<Job, Outcome> {
  const { program, data, threads, jobMs, failed } = options
  const all = new Set<Thread<Job, Outcome>>()
  const queue: Waiting<Job, Outcome>[] = []
  let closed = false

  /** The thread's job, which it has no longer. */
  const freed = (thread: Thread<Job, Outcome>): Waiting<Job, Outcome> | undefined => {
    const { waiting, timer } = thread
    clearTimeout(timer)
    thread.waiting = undefined
    return waiting
  }

  const start = (): Thread<Job, Outcome> => {
    const thread: Thread<Job, Outcome> = {
      worker: new Worker(program, { workerData: data }),
      waiting: undefined,
      timer: undefined,
    }
    thread.worker.unref()
    thread.worker.on('message', (outcome: Outcome) => {
      freed(thread)?.resolve(outcome)
      next()
    })
    const end = (cause: unknown): void => {
      if (!all.delete(thread)) return
      freed(thread)?.reject(failed(cause))
      next()
    }
    thread.worker.once('error', end)
    thread.worker.once('exit', end)
    all.add(thread)
    return thread
  }

  const next = (): void => {
    if (queue.length === 0) return
    const idle = [...all].find(({ waiting }) => waiting === undefined)
    const thread = idle ?? (all.size < threads ? start() : undefined)
    const waiting = thread === undefined ? undefined : queue.shift()
    if (thread === undefined || waiting === undefined) return
    thread.waiting = waiting
    thread.timer = setTimeout(() => void thread.worker.terminate(), jobMs)
    thread.worker.postMessage(waiting.job)
  }

  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(failed())
        queue.push({ job, resolve, reject })
        next()
      }),
    async close() {
      closed = true
      for (const { reject } of queue.splice(0)) reject(failed())
      await Promise.all([...all].map(({ worker }) => worker.terminate()))
    },
  }
}
