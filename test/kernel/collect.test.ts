import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const COLLECT = new URL('../../src/kernel/collect.ts', import.meta.url).href

/** Tells the MB of the young generation once it has grown, and after each way to collect; `first` is done at the beginning. */
const program = (first = '') => `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { collect, keepYoungSmall, release } from '${COLLECT}'
  ${first}
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

async function run(text: string, ...flags: string[]): Promise<Record<'grown' | 'collected' | 'released', number>> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', text])
  return JSON.parse(stdout)
}

test('collecting leaves the young generation as large as it grew, and releasing gives it back', async () => {
  const { grown, collected, released } = await run(program(), '--expose-gc', '--max-semi-space-size=16')
  expect(grown).toBeGreaterThan(16)
  expect(collected).toBe(grown)
  expect(released).toBeLessThan(4)
})

test('in a process that may not collect, neither does anything', async () => {
  const { grown, collected, released } = await run(program(), '--max-semi-space-size=16')
  expect([collected, released]).toEqual([grown, grown])
})

test('a young generation that is kept small does not grow, in a process that was started without options', async () => {
  expect((await run(program())).grown).toBeGreaterThan(16)
  expect((await run(program('keepYoungSmall()'))).grown).toBeLessThan(4)
})
