import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VERDICTS } from '../../src/feedback/schema.ts'
import { SEVERITY } from '../../src/review/priority.ts'
import { compare, isOpenEnded, needsSecond, personsFor } from '../../src/review/second.ts'

test('a second person stands behind confirmations at critical, and behind another’s category at any severity', () => {
  const at = (severity: number): string[] => VERDICTS.filter((verdict) => needsSecond(severity, verdict, 'required'))
  expect(at(SEVERITY.critical)).toEqual(['confirmed_action_taken', 'confirmed_no_presence', 'disagree_category'])
  expect(at(SEVERITY.high)).toEqual(['disagree_category'])
})

test('where the programme lets it pass, one person confirms at critical alone and marked; nothing else changes', () => {
  const at = (severity: number) =>
    VERDICTS.map((verdict) => [verdict, personsFor({ severity, verdict, escalate: false }, 'marked')])
  expect(at(SEVERITY.critical).filter(([, persons]) => persons === 'marked')).toEqual([
    ['confirmed_action_taken', 'marked'],
    ['confirmed_no_presence', 'marked'],
  ])
  expect(at(SEVERITY.high).filter(([, persons]) => persons !== 'one')).toEqual([['disagree_category', 'two']])
  const asked = { severity: SEVERITY.critical, verdict: 'confirmed_action_taken', escalate: true }
  expect(personsFor(asked, 'marked')).toBe('two')
})

test('two verdicts are no end', () => {
  expect(VERDICTS.filter(isOpenEnded)).toEqual(['seen_here', 'needs_information'])
})

describe('whether two names are two persons', () => {
  const attested = (who: string) => ({ who, authority: 'attested' as const })
  const signedIn = (who: string) => ({ who, authority: 'reviewed_here' as const })
  const persons = (who: string): boolean => ['4F2Q', '7KXA'].includes(who)

  test.each([
    ['two names of one tool are', attested('ann'), attested('bob'), 'two'],
    ['two that signed in here are', signedIn('4F2Q'), signedIn('7KXA'), 'two'],
    ['one name is one, however it is written', attested('ann'), attested('Ann'), 'same'],
    ['one name is one on whoever’s word', attested('4f2q'), signedIn('4F2Q'), 'same'],
    ['a name of a tool says nothing of who signed in here', attested('ann'), signedIn('4F2Q'), 'unknown'],
    ['and the other way round', signedIn('4F2Q'), attested('bob'), 'unknown'],
    ['unless it is that of a person of the programme', attested('7KXA'), signedIn('4F2Q'), 'two'],
    ['in either order', signedIn('4F2Q'), attested('7KXA'), 'two'],
  ])('%s', (_, a, b, told) => {
    expect(compare(a, b, persons)).toBe(told)
  })

  test('it does not matter who is named first', () => {
    const name = fc.constantFrom('ann', 'Ann', 'bob', '4F2Q', '7KXA')
    const named = fc.record({ who: name, authority: fc.constantFrom('attested' as const, 'reviewed_here' as const) })
    fc.assert(
      fc.property(named, named, (a, b) => {
        expect(compare(a, b, persons)).toBe(compare(b, a, persons))
      }),
    )
  })
})
