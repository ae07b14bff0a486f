import { expect, test } from 'vitest'
import { randomSource } from '../../src/kernel/random.ts'

test('no draw comes twice, nor changes once it was given', () => {
  const next = randomSource(12)
  const drawn = Array.from({ length: 3_000 }, next)
  const seen = drawn.map((own) => own.toString('hex'))
  expect(drawn.every(({ length }) => length === 12)).toBe(true)
  expect(new Set(seen).size).toBe(seen.length)
  next()
  expect(drawn.map((own) => own.toString('hex'))).toEqual(seen)
})
