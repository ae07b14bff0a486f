/** A thread that synchronises: see `createRounds`. */
import { parentPort } from 'node:worker_threads'
import { type RoundJob, syncRound } from './round.ts'

const port = parentPort
if (port === null) throw new Error('this is no program of its own')
port.on('message', async (job: RoundJob) => port.postMessage(await syncRound(job)))
