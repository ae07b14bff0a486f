/** A thread that blinds and finalizes: see `createOprfThreads`. */
import { parentPort } from 'node:worker_threads'
import type { Job } from './oprf-threads.ts'
import { workOn } from './oprf-work.ts'

const port = parentPort
if (port === null) throw new Error('this is no program of its own')
port.on('message', (job: Job) => port.postMessage(workOn(job)))
