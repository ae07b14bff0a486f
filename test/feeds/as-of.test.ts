import { describe, expect, test } from 'vitest'
import { readAsOf } from '../../src/feeds/as-of.ts'

/** Reads a row at a place while the projector says of itself, try by try, how far it has come. */
const asked = async (row: bigint, places: readonly bigint[]) => {
  const tries: number[] = []
  const read = readAsOf(async (n) => {
    tries.push(n)
    return { as_of: places[n] ?? 0n, placed: [{ log_idx: 1n }, { log_idx: row }] }
  })
  const found = await read.catch((error: { code: string }) => error.code)
  return { tries, found: typeof found === 'string' ? found : found.as_of }
}

describe('an answer as of a place in the log', () => {
  test('is read once where all of its rows are below', async () => {
    expect(await asked(6n, [7n])).toEqual({ tries: [0], found: 7n })
    expect(await readAsOf(async () => ({ as_of: 0n, placed: [] }))).toEqual({ as_of: 0n, placed: [] })
  })
  test('is read anew where a row is at the place or beyond, and then as of the later one', async () => {
    expect(await asked(7n, [7n, 8n])).toEqual({ tries: [0, 1], found: 8n })
    expect(await asked(9n, [7n, 8n, 10n])).toEqual({ tries: [0, 1, 2], found: 10n })
  })
  test('is refused as busy after three reads', async () => {
    expect(await asked(9n, [7n, 8n, 9n, 10n])).toEqual({ tries: [0, 1, 2], found: 'busy' })
  })
})
