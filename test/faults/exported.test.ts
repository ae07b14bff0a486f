import { afterAll, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { auditedWorld } from './audited.ts'

const SIZES = [1, 600, 600, 3, 1_000, 2]

const story = await auditedWorld(async (w) => {
  const [apple, banana] = [await w.admit('apple'), await w.admit('banana')]
  const audience = newId(w.now())
  await w.participants.openAudience(apple.participant, audience, { label: 'pair', mode: 'full', members: ['banana'] })
  for (const [i, n] of SIZES.entries())
    await w.submit(
      i % 2 === 0 ? apple : banana,
      Array.from({ length: n }, () => w.item({ audience })),
    )
  await w.project()
})
afterAll(() => story.w.end())

test('an export tells of each submission its own changes, however many items a run of entries has', async () => {
  const { records } = await story.given()
  const changed = records.flatMap((line) => {
    const { changes } = JSON.parse(line) as { changes?: { index: number }[] }
    return changes === undefined ? [] : [changes.map(({ index }) => index)]
  })
  expect(changed).toEqual(SIZES.map((n) => Array.from({ length: n }, (_, i) => i)))
})
