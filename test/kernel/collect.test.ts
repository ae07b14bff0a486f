import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const COLLECT = new URL('../../src/kernel/collect.ts', import.meta.url).href

/** Tells the MB of the young generation once it has grown, and after each way to collect. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { collect, release } from '${COLLECT}'
  const young = () =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20
  let held = []
  for (let i = 0; i < 3_000_000; i++) {
    if (held.length > 60_000) held = []
    held.push({ i, pair: [i, i] })
  }
  const grown = young()
  collect()
  const collected = young()
  release()
  console.log(JSON.stringify({ grown, collected, released: young() }))`

async function run(...flags: string[]): Promise<Record<'grown' | 'collected' | 'released', number>> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[...flags, '--max-semi-space-size=16', '--input-type=module', '--eval', PROGRAM],
  ])
  return JSON.parse(stdout)
}

test('collecting leaves the young generation as large as it grew, and releasing gives it back', async () => {
  const { grown, collected, released } = await run('--expose-gc')
  expect(grown).toBeGreaterThan(16)
  expect(collected).toBe(grown)
  expect(released).toBeLessThan(4)
})

test('in a process that may not collect, neither does anything', async () => {
  const { grown, collected, released } = await run()
  expect([collected, released]).toEqual([grown, grown])
})
