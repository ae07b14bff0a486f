import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ACTS, after, CASE_STATE, type CaseAct, type CaseState, MOVES, stateOf } from '../../src/review/transition.ts'

const STATES = Object.keys(CASE_STATE) as CaseState[]
const acts = Object.keys(ACTS) as CaseAct[]

test('every act leads where its states may go, and no move is without an act', () => {
  const made = new Set<string>()
  for (const act of acts) {
    for (const from of ACTS[act].from) {
      expect(MOVES[from] as readonly CaseState[], `${act} from ${from}`).toContain(ACTS[act].to)
      made.add(`${from} ${ACTS[act].to}`)
    }
  }
  const moves = STATES.flatMap((from) => MOVES[from].map((to) => `${from} ${to}`))
  expect(moves.filter((move) => !made.has(move))).toEqual([])
})

test('nothing leaves what is void, and every other state can still come to an end', () => {
  for (const act of acts) expect(after('void', act)).toBeUndefined()
  const ends = new Set<CaseState>(['void', 'closed'])
  for (let grown = true; grown; ) {
    const found = STATES.filter((one) => !ends.has(one) && MOVES[one].some((to) => ends.has(to)))
    for (const one of found) ends.add(one)
    grown = found.length > 0
  }
  expect([...ends].sort()).toEqual([...STATES].sort())
})

test('numbers are names and names are numbers', () => {
  for (const state of STATES) expect(stateOf(CASE_STATE[state])).toBe(state)
  expect(() => stateOf(7)).toThrow(RangeError)
})

test('however it came there, nothing is closed that nobody decided', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...acts), { maxLength: 30 }), (tried) => {
      let state: CaseState = 'open'
      let decided = false
      for (const act of tried) {
        const next = after(state, act)
        if (next === undefined) continue
        if (next === 'decided') decided = true
        if (act === 'undo') decided = false
        state = next
        if (state === 'closed' && act === 'release') expect(decided).toBe(true)
      }
    }),
  )
})
