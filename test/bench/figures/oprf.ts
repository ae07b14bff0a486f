import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import { nobleGroup } from '../../../src/client/noble-group.ts'
import { createOprfThreads, type OprfWork, oprfHere } from '../../../src/client/oprf-threads.ts'
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
  return {
    name: 'oprf.evaluate',
    what: `elements evaluated by one thread of the node, ${ELEMENTS} a batch with one proof; median of ${BATCHES} batches`,
    unit: 'elements/s',
    target: 2_500,
    absolute: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      // A thread that is left open keeps the program from ending.
      const pool = createOprfPool({ threads: 1 })
      const evaluated = async (): Promise<void> => void (await pool.evaluate(key, sent))
      // It has started before the clock does.
      await evaluated()
      return medianOf(BATCHES, evaluated)(timed).finally(() => pool.close())
    },
    reference: {
      what: `the same by @noble/curves, median of ${FEWER} batches`,
      run: medianOf(FEWER, async () => void ristretto255_oprf.voprf.blindEvaluateBatch(key, publicKey, elements)),
    },
  }
}

/** Identifiers of a batch, as the client sends them. */
const IDENTIFIERS = 256
/** Of all that the threads could do at best. */
const SHARE = 0.8

/** Identifiers that a client blinds and whose answers it verifies and finalizes, on all cores; the node's part is not timed. */
export function oprfClient({ count }: { count: number }): Spec {
  const key = nobleGroup.scalarFrom(randomBytes(64))
  const public_key = nobleGroup.multiplyBase(key)
  const batches = Math.max(4, Math.ceil(count / 1_000))
  const tokens =
    (open: () => OprfWork, n: number): Run =>
    async (timed) => {
      const [node, work] = [createOprfPool(), open()]
      const inputs = Array.from({ length: n }, () => Array.from({ length: IDENTIFIERS }, () => randomBytes(24)))
      // Threads have started before the clock does.
      await Promise.all(inputs.map((own) => work.blind(own.slice(0, 1))))
      const { result, seconds } = await timed(() => Promise.all(inputs.map((own) => work.blind(own))))
      const answered: Parameters<OprfWork['finalize']>[0][] = []
      for (const [i, blinded] of result.entries()) {
        const answer = await node.evaluate(key, concat(...blinded.map(({ element }) => element)))
        answered.push({ inputs: inputs[i] ?? [], blinded, key: { public_key, parts: [public_key] }, answers: [answer] })
      }
      const { seconds: more } = await timed(() => Promise.all(answered.map((own) => work.finalize(own))))
      await Promise.all([node.close(), work.close()])
      return (n * IDENTIFIERS) / (seconds + more)
    }
  const cores = availableParallelism()
  return {
    name: 'oprf.client',
    what: `identifiers blinded, verified and finalized by a client on ${cores} cores, ${IDENTIFIERS} a batch`,
    unit: 'identifiers/s',
    target: SHARE * cores,
    rounds: 3,
    warmups: 1,
    measured: tokens(createOprfThreads, batches),
    reference: { what: 'the same on one thread', run: tokens(() => oprfHere, Math.ceil(batches / cores)) },
  }
}

/** One batch after the other, without a look at the processes between them. */
function medianOf(batches: number, work: () => Promise<void>): Run {
  return async (timed) => {
    const { result } = await timed(async () => {
      const seconds: number[] = []
      for (let i = 0; i < batches; i++) {
        const began = performance.now()
        await work()
        seconds.push((performance.now() - began) / 1_000)
      }
      return seconds
    })
    return ELEMENTS / quantile(result, 0.5)
  }
}
