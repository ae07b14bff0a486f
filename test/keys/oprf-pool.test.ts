import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { concat } from '../../src/kernel/bytes.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { createOprfPool, OPRF_QUEUE } from '../../src/keys/oprf-pool.ts'
import { createVoprf } from '../../src/matching/oprf.ts'

const noble = createVoprf({ group: nobleGroup, hash: sha512, random: () => randomBytes(64) })
const elementOf = (word: string): Uint8Array => noble.blind(Buffer.from(word)).element
const key = nobleGroup.scalarFrom(randomBytes(64))
const pool = createOprfPool({ threads: 1 })
afterAll(() => pool.close())

test('what a thread evaluates, the other side verifies', async () => {
  const blinded = ['pear', 'plum', 'finch'].map(elementOf)
  const evaluated = await pool.evaluate(key, concat(...blinded))
  expect(noble.verify(noble.publicKey(key), blinded, evaluated)).toBe(true)
})

test('the first element that is none is named, and so is the identity', async () => {
  const good = elementOf('pear')
  expect(await pool.firstInvalid(concat(good, good))).toBeUndefined()
  expect(await pool.firstInvalid(concat(good, new Uint8Array(32)))).toBe(1)
  expect(await pool.firstInvalid(concat(new Uint8Array(32).fill(255), good))).toBe(0)
})

describe('a thread that dies', () => {
  test('takes its own batch with it, by a named refusal, and the next batches are evaluated', async () => {
    const good = elementOf('pear')
    // Elements of 31 bytes are an error that nobody in the thread catches.
    const outcomes = await Promise.allSettled([
      pool.evaluate(key, good),
      pool.evaluate(key, good.subarray(1)),
      pool.evaluate(key, good),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'evaluation-failed', status: 503 } })
  })

  test('because it was too slow is ended, and the next one serves', async () => {
    const slow = createOprfPool({ threads: 1, jobMs: 1 })
    await expect(
      slow.evaluate(key, concat(...Array.from({ length: 256 }, () => elementOf('pear')))),
    ).rejects.toMatchObject({ code: 'evaluation-failed' })
    await slow.close()
  })
})

test('beyond one batch a thread and 64 that wait, a batch is refused at once', async () => {
  const gate = Promise.withResolvers<void>()
  const held = Array.from({ length: 1 + OPRF_QUEUE }, () => pool.enter(() => gate.promise))
  await expect(pool.enter(async () => 'pear')).rejects.toMatchObject({ code: 'busy', status: 503 })
  gate.resolve()
  await Promise.all(held)
  expect(await pool.enter(async () => 'pear')).toBe('pear')
})

test('a pool that is closed refuses what waits and what comes', async () => {
  const closing = createOprfPool({ threads: 1 })
  const outcomes = Promise.allSettled([1, 2, 3].map(() => closing.evaluate(key, elementOf('pear'))))
  await closing.close()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'evaluation-failed' } })
  await expect(closing.evaluate(key, elementOf('pear'))).rejects.toMatchObject({ code: 'evaluation-failed' })
})
