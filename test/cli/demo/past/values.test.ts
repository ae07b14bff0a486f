import { afterAll, expect, test } from 'vitest'
import { createRandom } from '../../../../src/cli/demo/past/random.ts'
import { patternOf, RAW, refined, widened } from '../../../../src/cli/demo/past/values.ts'
import { canonicalIp } from '../../../../src/identifiers/ip.ts'
import { createPatternChecker } from '../../../../src/jobs/pattern-check.ts'

const checker = createPatternChecker()
afterAll(() => checker.close())

test('a pattern does what its strings say, and so does each wider revision of it', async () => {
  const patterns = ['amber', 'teal'].flatMap((colour, i) => {
    const pattern = patternOf(colour, i + 7)
    return [pattern, widened(pattern, 1), widened(widened(pattern, 1), 2)]
  })
  const checked = await checker.check(patterns)
  expect(checked.map(({ outcome }) => outcome)).toEqual(patterns.map(() => 'ok'))
  expect(new Set(patterns.map(({ text }) => text)).size).toBe(patterns.length)
})

test('a tactic gains in detection with each revision', () => {
  const { tactic } = RAW.tactic(createRandom('a'), 1)
  if (tactic === undefined) throw new Error('no tactic')
  expect(refined(refined(tactic, 1), 2).detection).toHaveLength(tactic.detection.length + 2)
})

test('addresses are other ones for each number, and stand as they are', () => {
  const random = createRandom('a')
  const raws = Array.from({ length: 3_000 }, (_, n) => RAW.ip(random, n).raw ?? '')
  expect(new Set(raws).size).toBe(raws.length)
  for (const raw of raws.slice(0, 200)) expect(canonicalIp(raw)).toMatchObject({ outcome: 'ok', canonical: raw })
})
