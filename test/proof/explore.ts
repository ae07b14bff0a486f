import { CLAIMS, type ClaimName } from './claims.ts'
import { endSteps, publisherSteps, restoreSteps, rotationSteps, writerSteps } from './environment.ts'
import { integratorSteps } from './integrator.ts'
import { initialOf, type Model, type Step } from './model.ts'
import { signerSteps, watcherSteps } from './signer.ts'
import { keyOf, type State } from './state.ts'

export interface Violation {
  claim: ClaimName
  what: string
  /** From the beginning, each step and where it led. */
  trace: string[]
}

export interface Explored {
  states: number
  /** Steps to the farthest state. */
  depth: number
  violation: Violation | undefined
}

/** More would not fit into one map. */
const MOST_STATES = 16_000_000

/** Every step that may come next; a halt counts only where nothing may halt. */
function stepsOf(model: Model, state: State, countsHalts: boolean): Step[] {
  if (state.halted !== undefined) return []
  const rotation = rotationSteps(model, state)
  // A node that was stopped to rotate does nothing else.
  if (model.rotation === 'stopped' && state.rotation !== 'none' && state.rotation !== 'done')
    return [...rotation, ...endSteps(state)]
  const steps = [
    ...writerSteps(model, state),
    ...state.integrators.flatMap((_, n) => integratorSteps(model, state, n)),
    ...state.signers.flatMap((_, n) => signerSteps(model, state, n)),
    ...publisherSteps(model, state),
    ...(model.watcher === true ? watcherSteps(model, state) : []),
    ...endSteps(state),
    ...restoreSteps(model, state),
    ...rotation,
  ]
  return countsHalts ? steps : steps.filter(({ next }) => next.halted === undefined)
}

/** All states that can be reached, breadth first, so that a violation has the shortest trace; ends at the first. */
export function explore(model: Model, claims: readonly ClaimName[]): Explored {
  const countsHalts = claims.includes('nothing halts')
  const initial = initialOf(model)
  const numbers = new Map([[keyOf(initial), 0]])
  const parents = [0]
  const broken = (state: State): Pick<Violation, 'claim' | 'what'> | undefined => {
    for (const claim of claims) {
      const what = CLAIMS[claim](state)
      if (what !== undefined) return { claim, what }
    }
    return undefined
  }
  const traceTo = (number: number): string[] => {
    const path: number[] = []
    for (let at = number; at !== 0; at = parents[at] ?? 0) path.unshift(at)
    let state = initial
    return path.map((at) => {
      const step = stepsOf(model, state, countsHalts).find(({ next }) => numbers.get(keyOf(next)) === at)
      if (step === undefined) throw new Error('the way to a state is lost')
      state = step.next
      return `${step.label}: ${pictureOf(state)}`
    })
  }
  let depth = 0
  for (let level: [number, State][] = [[0, initial]]; level.length > 0; depth++) {
    const following: typeof level = []
    for (const [number, state] of level)
      for (const { next } of stepsOf(model, state, countsHalts)) {
        const key = keyOf(next)
        if (numbers.has(key)) continue
        const at = numbers.size
        if (at === MOST_STATES) throw new Error(`more than ${MOST_STATES} states: make the bound smaller`)
        numbers.set(key, at)
        parents.push(number)
        const found = broken(next)
        if (found !== undefined)
          return { states: numbers.size, depth: depth + 1, violation: { ...found, trace: traceTo(at) } }
        following.push([at, next])
      }
    level = following
  }
  return { states: numbers.size, depth: depth - 1, violation: undefined }
}

function pictureOf({ database: { logs, outbox }, anchors, signatures }: State): string {
  const each = logs.map(({ entries, fence, signed, closed }, at) => {
    const end = closed === undefined ? '' : ` closed at ${closed}`
    const outside = `anchor ${anchors[at] || '-'}, signed ever ${signatures[at]?.join(' ') || '-'}`
    return `log ${at + 1}${end}: ${entries || '-'}, fence ${fence || '-'}, signed ${signed || '-'}; ${outside}`
  })
  const waiting = [...'abcdefgh'].filter((_, event) => (outbox >> event) & 1).join('')
  return `${each.join('; ')}; waiting ${waiting || '-'}`
}
