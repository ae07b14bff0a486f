import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { driveClock } from '../../../../src/cli/demo/past/clock.ts'
import { loadConfig } from '../../../../src/config.ts'

const NOON = new Date('2026-01-01T12:00:00Z')
const at = (ms: number): Date => new Date(NOON.getTime() + ms)

test('a driven clock stands until it is driven on, and never goes back', () => {
  const driven = driveClock(NOON)
  expect([driven.clock(), driven.clock()]).toEqual([NOON, NOON])
  driven.to(at(5_000))
  driven.to(at(1_000))
  expect(driven.clock()).toEqual(at(5_000))
  driven.pass(10)
  expect(driven.clock()).toEqual(at(5_010))
  expect(() => driven.pass(-1)).toThrow(RangeError)
  expect(() => driven.pass(Number.NaN)).toThrow(RangeError)
})

test('what was read of it does not change it', () => {
  const driven = driveClock(NOON)
  driven.clock().setFullYear(1999)
  expect(driven.clock()).toEqual(NOON)
})

test('it becomes the time, unless it was driven beyond it', () => {
  const driven = driveClock(NOON)
  const before = Date.now()
  driven.live()
  const told = driven.clock().getTime()
  expect([before <= told, told <= Date.now()]).toEqual([true, true])
  expect(() => driveClock(new Date(Date.now() + 60_000)).live()).toThrow('into the future')
})

test('no setting leads to it, and no program but the demo gives it to a node', () => {
  expect(Object.keys(loadConfig({})).filter((name) => /clock|driven/i.test(name))).toEqual([])
  const root = join(import.meta.dirname, '../../../..')
  const files = globSync('src/**/*.{ts,tsx}', { cwd: root })
  const given = files.filter((path) => /\bdriven: true\b|\bdriveClock\(/.test(readFileSync(join(root, path), 'utf8')))
  expect(given.every((path) => path.startsWith(join('src', 'cli', 'demo')))).toBe(true)
  expect(given.length).toBeGreaterThan(0)
})
