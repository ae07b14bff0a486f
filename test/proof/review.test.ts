import { afterAll, beforeAll, test } from 'vitest'
import { type Explored, explore } from '../review/model/explore.ts'
import { aReviewWorld } from '../review/world.ts'

let of: Explored

beforeAll(async () => {
  const w = await aReviewWorld()
  const [source, recipient, other] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
  const { audience } = await w.group('fruit', [source, recipient, other])
  of = { w, source, recipient, other, audience }
}, 120_000)
afterAll(() => of.w.end())

test('a case is what the small model says, in long histories of several analysts', async () => {
  await explore(of, { runs: 200, length: 30 })
}, 1_800_000)
