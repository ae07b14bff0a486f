/** A thread that verifies: see `createSegmentThreads`. */
import { parentPort, workerData } from 'node:worker_threads'
import { handedOver, type SegmentJob, workOn } from './segment-work.ts'
import { createVerifier, type VerifiedBy } from './verify.ts'

const port = parentPort
if (port === null) throw new Error('this is no program of its own')

const { sources, home } = workerData as VerifiedBy
const verifier = createVerifier(sources, home)
port.on('message', (segment: SegmentJob) => {
  const outcome = workOn(segment, verifier)
  port.postMessage(outcome, handedOver(outcome))
})
