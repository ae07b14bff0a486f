import { afterAll, expect, test } from 'vitest'
import { createPatternChecker } from '../../src/jobs/pattern-check.ts'
import type { Pattern, PatternChecked } from '../../src/matching/pattern.ts'

const re2 = (text: string, change: Partial<Pattern> = {}): Pattern => ({
  ...{ kind: 're2', text, language: 'en', case_sensitive: false, whole_word: false },
  ...{ must_match: ['the blue kite sings'], must_not_match: ['a sky'] },
  ...change,
})
/** Compiles within its limit, and takes long on each of many long strings. */
const bomb = re2('(?:[a-z]*x[a-z]*y[a-z]*){30}kite', {
  must_match: [`${'xy'.repeat(30)}kite`],
  must_not_match: Array.from({ length: 50_000 }, (_, i) => `${'xyz'.repeat(85)}${i}`),
})
const says = (checked: readonly PatternChecked[]): string[] =>
  checked.map((one) => (one.outcome === 'ok' ? 'ok' : `${one.code} ${one.pointer}`))

const checker = createPatternChecker({ deadlineMs: 5_000 })
afterAll(() => checker.close())

test('patterns are tried each for itself, in their order', async () => {
  const patterns = [re2('blue kite'), re2('(kite'), re2('kite', { must_not_match: ['kites'] }), re2('\\w+')]
  expect(says(await checker.check(patterns))).toEqual([
    'ok',
    'pattern-syntax /text',
    'pattern-samples /must_not_match/0',
    'pattern-literals /text',
  ])
  expect(await checker.check([])).toEqual([])
})

test('callers at once have their own answers', async () => {
  const all = await Promise.all(['kite', 'kite(', 'blue'].map((text) => checker.check([re2(text)])))
  expect(all.map(says)).toEqual([['ok'], ['pattern-syntax /text'], ['ok']])
})

test('one that takes too long is refused, and the next is tried in another thread', async () => {
  const strict = createPatternChecker({ deadlineMs: 30 })
  const [slow] = says(await strict.check([bomb]))
  expect(slow).toBe('pattern-cost /text')
  await strict.close()
  const calm = createPatternChecker({ deadlineMs: 100 })
  expect(says(await calm.check([bomb]))).toEqual(['pattern-cost /text'])
  await calm.close()
  expect(says(await checker.check([re2('blue kite')]))).toEqual(['ok'])
})

test('one that takes too much memory ends its thread and not the process', async () => {
  const small = createPatternChecker({ deadlineMs: 10_000 })
  const sky = 'sky '.repeat(60)
  const hungry = re2('blue kite', { must_not_match: Array.from({ length: 300_000 }, (_, i) => `${sky}${i}`) })
  expect(says(await small.check([hungry]))).toEqual(['pattern-cost /text'])
  await small.close()
})

test('a submission whose patterns used up their time has the rest of them refused untried', async () => {
  const short = createPatternChecker({ deadlineMs: 100, totalMs: 50 })
  expect(says(await short.check([bomb, re2('blue kite')]))).toEqual(['pattern-cost /text', 'pattern-cost /text'])
  expect(says(await short.check([]))).toEqual([])
  await short.close()
})

test('who comes when too many wait, or after the end, is told to come again', async () => {
  const narrow = createPatternChecker({ waiting: 1, deadlineMs: 5_000 })
  const first = narrow.check([re2('blue kite')])
  await expect(narrow.check([re2('blue kite')])).rejects.toMatchObject({ code: 'busy' })
  expect(says(await first)).toEqual(['ok'])
  await narrow.close()
  await expect(narrow.check([re2('blue kite')])).rejects.toMatchObject({ code: 'busy' })
})

test('participants take turns, so that one of them waits for one submission of another and not for all', async () => {
  const fair = createPatternChecker({ deadlineMs: 5_000 })
  const order: string[] = []
  const asked = ['apple', 'apple', 'apple', 'apple', 'banana', 'apple', 'banana'].map((by, i) =>
    fair.check([re2('blue kite')], by).then(() => order.push(`${by} ${i}`)),
  )
  await Promise.all(asked)
  expect(order).toEqual(['apple 0', 'apple 1', 'banana 4', 'apple 2', 'banana 6', 'apple 3', 'apple 5'])
  await fair.close()
})

test('of one participant no more wait than have their places, and others find theirs', async () => {
  const fair = createPatternChecker({ each: 1, deadlineMs: 5_000 })
  const own = [1, 2].map(() => fair.check([re2('blue kite')], 'apple'))
  await expect(fair.check([re2('blue kite')], 'apple')).rejects.toMatchObject({ code: 'busy' })
  expect(says(await fair.check([re2('blue kite')], 'banana'))).toEqual(['ok'])
  expect((await Promise.all(own)).map(says)).toEqual([['ok'], ['ok']])
  await fair.close()
})
