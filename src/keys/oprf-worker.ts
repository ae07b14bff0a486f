/** A thread that evaluates: see `createOprfPool`. What it is sent wrongly ends it, and another takes its place. */
import { randomBytes } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { concat } from '../kernel/bytes.ts'
import { sha512 } from '../kernel/sha512.ts'
import { createVoprf, elementsIn } from '../matching/oprf.ts'
import type { Job, Outcome } from './oprf-pool.ts'
import { openSodiumGroup } from './sodium-group.ts'

const port = parentPort
if (port === null) throw new Error('this is no program of its own')
const voprf = createVoprf({ group: await openSodiumGroup(), hash: sha512, random: () => randomBytes(64) })
const tell = (outcome: Outcome): void => port.postMessage(outcome)

port.on('message', (job: Job) => {
  const elements = elementsIn(job.elements)
  if (job.job === 'check') {
    tell({ outcome: 'checked', invalid: elements.findIndex((element) => !voprf.group.isElement(element)) })
    return
  }
  const { elements: evaluated, proof } = voprf.evaluate(job.key, elements)
  tell({ outcome: 'evaluated', elements: concat(...evaluated), proof })
})
