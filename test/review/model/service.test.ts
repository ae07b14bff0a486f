import { afterAll, beforeAll, test } from 'vitest'
import { aReviewWorld } from '../world.ts'
import { type Explored, explore } from './explore.ts'

let of: Explored

beforeAll(async () => {
  const w = await aReviewWorld()
  const [source, recipient, other] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
  const { audience } = await w.group('fruit', [source, recipient, other])
  of = { w, source, recipient, other, audience }
})
afterAll(() => of.w.end())

/** `npm run proof` takes more of them. */
test('whatever analysts, a lead, a source, a disputer and a killed loop do, cases are what a small model says', async () => {
  await explore(of, { runs: 10, length: 12 })
}, 60_000)
