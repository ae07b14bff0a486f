/** Numbers are stored, names travel; neither is ever reused. */
export const CASE_STATE = { open: 1, held: 2, awaiting_second: 3, decided: 4, closed: 5, void: 6 } as const
export type CaseState = keyof typeof CASE_STATE

/** Where a case may go; that somebody works on it is a lease and no state. */
export const MOVES = {
  open: ['held', 'awaiting_second', 'decided', 'void'],
  held: ['open', 'void'],
  awaiting_second: ['decided', 'open', 'closed', 'void'],
  decided: ['open', 'closed', 'held'],
  closed: ['open', 'decided', 'awaiting_second'],
  void: [],
} as const satisfies Record<CaseState, readonly CaseState[]>

/** What may be done to a case, from which states, and where it leads. */
export const ACTS = {
  hold: { from: ['open'], to: 'held' },
  resume: { from: ['held'], to: 'open' },
  decide: { from: ['open'], to: 'decided' },
  propose: { from: ['open'], to: 'awaiting_second' },
  approve: { from: ['awaiting_second'], to: 'decided' },
  refuse: { from: ['awaiting_second'], to: 'open' },
  /** Of a proposed correction: what was decided before stands. */
  refuse_correction: { from: ['awaiting_second'], to: 'closed' },
  undo: { from: ['decided'], to: 'open' },
  undo_correction: { from: ['decided'], to: 'closed' },
  release: { from: ['decided'], to: 'closed' },
  /** Of a verdict that is none yet: the signal is looked into, or its source is asked. */
  release_held: { from: ['decided'], to: 'held' },
  correct: { from: ['closed'], to: 'decided' },
  propose_correction: { from: ['closed'], to: 'awaiting_second' },
  reopen: { from: ['closed'], to: 'open' },
  /** The signal ended before anybody decided. */
  end: { from: ['open', 'held', 'awaiting_second'], to: 'void' },
} as const satisfies Record<string, { from: readonly CaseState[]; to: CaseState }>
export type CaseAct = keyof typeof ACTS

const NAMES = new Map<number, CaseState>(Object.entries(CASE_STATE).map(([name, id]) => [id, name as CaseState]))

/** The name of a stored state; throws for one that was never given out. */
export function stateOf(id: number): CaseState {
  const name = NAMES.get(id)
  if (name === undefined) throw new RangeError('a stored state without a name')
  return name
}

/** The state that an act leads to; undefined where it cannot be done. */
export function after(state: CaseState, act: CaseAct): CaseState | undefined {
  const { from, to } = ACTS[act]
  return from.some((one) => one === state) ? to : undefined
}
