import { expect, test } from 'vitest'
import { createConnectionRate } from '../../src/http/connection-rate.ts'

const at = (start = 0) => {
  let now = start
  return { clock: () => new Date(now), advance: (ms: number) => (now += ms) }
}
const LIMITS = { perSecond: 20, burst: 50 }

test('an address opens fifty connections at once and twenty a second after that', () => {
  const { clock, advance } = at()
  const admits = createConnectionRate(clock, LIMITS)
  const admitted = (tries: number): number =>
    Array.from({ length: tries }, () => admits('192.0.2.7')).filter(Boolean).length
  expect(admitted(60)).toBe(50)
  advance(1_000)
  expect(admitted(60)).toBe(20)
  advance(60_000)
  expect(admitted(60)).toBe(50)
})

test('addresses do not share, the mapped form and a subscriber’s /64 do', () => {
  const admits = createConnectionRate(at().clock, { perSecond: 0, burst: 1 })
  expect([admits('192.0.2.7'), admits('192.0.2.8'), admits('::ffff:192.0.2.7')]).toEqual([true, true, false])
  expect([admits('2001:db8::1'), admits('2001:db8::2'), admits('2001:db8:0:1::1')]).toEqual([true, false, true])
})

test('many addresses neither fill the memory nor refresh the one that is held back', () => {
  const { clock, advance } = at()
  const admits = createConnectionRate(clock, { perSecond: 1, burst: 1 })
  for (let i = 0; i < 9_999; i++) admits(`10.0.${i >> 8}.${i & 255}`)
  advance(999)
  expect([admits('192.0.2.7'), admits('192.0.2.7')]).toEqual([true, false])
  advance(1)
  for (let i = 0; i < 5_000; i++) admits(`10.1.${i >> 8}.${i & 255}`)
  expect(admits('192.0.2.7')).toBe(false)
})

test('a clock that steps back gives nothing away', () => {
  const { clock, advance } = at(10_000)
  const admits = createConnectionRate(clock, { perSecond: 1, burst: 1 })
  admits('192.0.2.7')
  advance(-5_000)
  expect(admits('192.0.2.7')).toBe(false)
})
