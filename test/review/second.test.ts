import { expect, test } from 'vitest'
import { VERDICTS } from '../../src/feedback/schema.ts'
import { SEVERITY } from '../../src/review/priority.ts'
import { isOpenEnded, needsSecond } from '../../src/review/second.ts'

test('a second person stands behind confirmations at critical, and behind another’s category at any severity', () => {
  const at = (severity: number): string[] => VERDICTS.filter((verdict) => needsSecond(severity, verdict))
  expect(at(SEVERITY.critical)).toEqual(['confirmed_action_taken', 'confirmed_no_presence', 'disagree_category'])
  expect(at(SEVERITY.high)).toEqual(['disagree_category'])
})

test('two verdicts are no end', () => {
  expect(VERDICTS.filter(isOpenEnded)).toEqual(['seen_here', 'needs_information'])
})
