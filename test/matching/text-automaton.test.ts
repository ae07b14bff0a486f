import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAutomaton } from '../../src/matching/text-automaton.ts'

const unitsOf = (text: string) => ({
  units: Uint16Array.from(text, (char) => char.charCodeAt(0)),
  length: text.length,
})

/** Every occurrence, as `needle@end`. */
function found(needles: readonly string[], text: string): string[] {
  const all: string[] = []
  createAutomaton(needles).scan(unitsOf(text), (needle, end) => {
    all.push(`${needle}@${end}`)
    return false
  })
  return all.sort()
}

function searched(needles: readonly string[], text: string): string[] {
  const all: string[] = []
  needles.forEach((needle, i) => {
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1))
      all.push(`${i}@${at + needle.length}`)
  })
  return all.sort()
}

test('every occurrence of every needle is told, as a plain search finds it', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 40 }),
      (needles, text) => {
        expect(found(needles, text)).toEqual(searched(needles, text))
      },
    ),
    { numRuns: 500 },
  )
})

test('states without a row of their own find the same', () => {
  // Each of its 20,000 letters makes a column, so that few states have a row.
  const letters = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(0x4e00 + i))
  const chain = letters.slice(0, 400).join('')
  const needles = [...letters.map((letter) => `ab${letter}c`), chain, chain.slice(1, 300), `${chain.slice(100, 200)}b`]
  const text = `ab${letters[7]}c${chain}b ${chain.slice(100, 200)}bab${letters[19_999]}c`
  const automaton = createAutomaton(needles)
  expect(automaton.states).toBeGreaterThan(20_000)
  expect(found(needles, text)).toEqual(searched(needles, text))
})

test('a needle that has been heard enough of is not told again in this text, and is in the next', () => {
  const automaton = createAutomaton(['kite', 'kit'])
  const hits: string[] = []
  const enough = (needle: number, end: number): boolean => {
    hits.push(`${needle}@${end}`)
    return true
  }
  automaton.scan(unitsOf('kite kite kite'), enough)
  expect(hits).toEqual(['1@3', '0@4'])
  automaton.scan(unitsOf('kite'), enough)
  expect(hits).toEqual(['1@3', '0@4', '1@3', '0@4'])
})

test('the same needle may stand in the set twice, and an empty set finds nothing', () => {
  expect(found(['kite', 'kite'], 'a kite')).toEqual(['0@6', '1@6'])
  expect(found([], 'a kite')).toEqual([])
})
