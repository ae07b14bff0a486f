import { expect, test } from 'vitest'
import { createTurns } from '../../src/kernel/turns.ts'

test('what need not wait is begun at once', () => {
  const inTurn = createTurns<string>()
  let begun = false
  void inTurn('kite', undefined, async () => {
    begun = true
  })
  expect(begun).toBe(true)
})

test('what comes behind something that waits is begun after it, and not after it is done', async () => {
  const inTurn = createTurns<string>()
  const order: string[] = []
  const ready = Promise.withResolvers<string>()
  const done = Promise.withResolvers<string>()
  const first = inTurn('kite', ready.promise, (bird) => {
    order.push(`first ${bird}`)
    return done.promise
  })
  const second = inTurn('kite', undefined, async () => order.push('second'))
  const third = inTurn('kite', Promise.resolve(3), async (n) => order.push(`third ${n}`))
  const other = inTurn('jay', undefined, async () => order.push('other'))
  await other
  ready.resolve('wren')
  await Promise.all([second, third])
  expect(order).toEqual(['other', 'first wren', 'second', 'third 3'])
  done.resolve('sung')
  expect(await first).toBe('sung')
})

test('one that fails fails alone', async () => {
  const inTurn = createTurns<string>()
  const ready = Promise.withResolvers<number>()
  const first = inTurn('kite', ready.promise, async () => {
    throw new RangeError('a storm')
  })
  const second = inTurn('kite', undefined, async () => 'landed')
  ready.resolve(1)
  await expect(first).rejects.toThrow('a storm')
  expect(await second).toBe('landed')
})
