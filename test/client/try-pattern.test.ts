import { afterAll, expect, test } from 'vitest'
import { dryRun, triedPattern, tryPattern } from '../../src/client/try-pattern.ts'
import { createPatternChecker } from '../../src/jobs/pattern-check.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import { anItem } from '../signals/factory.ts'

const checker = createPatternChecker({ deadlineMs: 10_000 })
afterAll(() => checker.close())

const kite = anItem({}, 'keyword_pattern').value

test('a pattern is tried at home as the node would try it, its form first', async () => {
  const tried = (change: object, basis: 'automated' | 'human_reviewed' = 'automated') =>
    tryPattern({ value: { ...kite, ...change }, basis }, checker)
  expect(await tried({})).toBeUndefined()
  expect(await tried({ must_match: ['blue kite'] })).toMatchObject({
    ...{ code: 'validation-failed', pointer: '/value/must_match' },
  })
  expect(await tried({ kind: 're2', text: 'blue kite(' })).toMatchObject({
    ...{ code: 'pattern-syntax', pointer: '/value/text' },
  })
  const broad = { text: 'ent', must_match: ['entry', 'the ent', 'cent'] }
  expect(await tried(broad)).toMatchObject({ code: 'pattern-broad', pointer: '/basis' })
  expect(await tried(broad, 'human_reviewed')).toBeUndefined()
  expect(await tryPattern({ value: undefined, basis: 'automated' }, checker)).toMatchObject({
    code: 'validation-failed',
  })
})

test('only patterns are tried before they are signed, and what the node would refuse is not signed', async () => {
  const url = { outcome: 'item', item: anItem() } as const
  expect(await triedPattern(url, { check: async () => Promise.reject(new Error('asked')) })).toBe(url)
  const good = { outcome: 'item', item: anItem({}, 'keyword_pattern') } as const
  expect(await triedPattern(good, checker)).toBe(good)
  const bad = { ...good, item: { ...good.item, value: { ...kite, text: 'ki' } } }
  expect(await triedPattern(bad, checker)).toEqual({
    outcome: 'refused',
    reason: 'pattern-literals  /value/text  fewer than 3 literal characters in every match',
  })
})

test('a dry run counts the lines that each pattern hits, and tells which only to who asks at home', async () => {
  const patterns = ['kite', 'jay'].map((text, i) => ({ signal: text, revision: i, value: { ...kite, text } }))
  const sample = async function* (): AsyncGenerator<Uint8Array> {
    yield utf8(`a kite\nnothing\na jay and a kite\n${'x'.repeat(70_000)}\nkite kite`)
  }
  const hits: string[] = []
  const run = await dryRun(patterns, sample(), (line, signals) => hits.push(`${line} ${signals.join(' ')}`))
  expect(run.tooLong).toBe(1)
  expect(run.rates.get('kite')).toMatchObject({ lines: 4, hits: 3, rate: 0.75 })
  expect(run.rates.get('jay')).toMatchObject({ lines: 4, hits: 1 })
  expect(hits).toEqual(['1 kite', '3 jay kite', '5 kite'])
})
