import { expect, test } from 'vitest'
import { DISPUTING, reasonLabel, triggerLabel, VERDICT_WORDS } from '../../src/console/words.ts'
import { GROUNDS, REASONS, VERDICTS } from '../../src/feedback/schema.ts'
import { TRIGGERS } from '../../src/review/case.ts'

const asWritten = (name: string): string => name.replaceAll('_', ' ')

test('each verdict has a key of its own, in order', () => {
  expect(VERDICTS.map((verdict) => VERDICT_WORDS[verdict].key)).toEqual(['1', '2', '3', '4', '5', '6', '7'])
})

test('each reason and each trigger is said in words', () => {
  const reasons = [...Object.values(REASONS).flat(), 'other']
  for (const reason of reasons) expect(reasonLabel(reason).length, reason).toBeGreaterThan(4)
  for (const trigger of TRIGGERS) expect(triggerLabel(trigger).toLowerCase(), trigger).not.toBe(asWritten(trigger))
})

test('the reasons that are said to open a dispute are those that do', () => {
  expect(REASONS.not_violating.filter((reason) => GROUNDS[reason] !== undefined)).toEqual([...DISPUTING])
})
