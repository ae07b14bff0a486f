import { randomBytes } from 'node:crypto'
import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import { nobleGroup } from '../../../src/client/noble-group.ts'
import { concat } from '../../../src/kernel/bytes.ts'
import { createOprfPool } from '../../../src/keys/oprf-pool.ts'
import type { Run, Spec } from '../measure.ts'
import { quantile } from '../measure.ts'

const ELEMENTS = 100
const BATCHES = 40
/** Of the reference, which is several times slower. */
const FEWER = 6

/** Blinded elements under a key with the proof of the batch, by one thread of the node's pool. */
export function oprfEvaluate(): Spec {
  const key = nobleGroup.scalarFrom(randomBytes(64))
  const publicKey = nobleGroup.multiplyBase(key)
  const elements = Array.from({ length: ELEMENTS }, () => nobleGroup.elementFrom(randomBytes(64)))
  const sent = concat(...elements)
  const pool = createOprfPool({ threads: 1 })
  return {
    name: 'oprf.evaluate',
    what: `elements evaluated by one thread of the node, ${ELEMENTS} a batch with one proof; median of ${BATCHES} batches`,
    unit: 'elements/s',
    target: 2_500,
    absolute: true,
    rounds: 5,
    warmups: 1,
    measured: medianOf(BATCHES, async () => void (await pool.evaluate(key, sent))),
    reference: {
      what: `the same by @noble/curves, median of ${FEWER} batches`,
      run: medianOf(FEWER, async () => void ristretto255_oprf.voprf.blindEvaluateBatch(key, publicKey, elements)),
    },
  }
}

function medianOf(batches: number, work: () => Promise<void>): Run {
  return async (timed) => {
    const seconds: number[] = []
    for (let i = 0; i < batches; i++) seconds.push((await timed(work)).seconds)
    return ELEMENTS / quantile(seconds, 0.5)
  }
}
