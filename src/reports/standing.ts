/** The decisions of a period, as far as they stand. */
export interface Standing<T> {
  /** A decision, again where a second person approved it, and the one that it corrects, if it does. */
  decide(id: string, what: T, corrects: string): void
  /** It is as if it had not been: what it corrected stands again. */
  undo(id: string): void
  /** What stands, and whether it corrects another. */
  all(): { what: T; corrects: boolean }[]
}

export function createStanding<T>(): Standing<T> {
  const decided = new Map<string, { what: T; corrects: string }>()
  return {
    decide: (id, what, corrects) => void decided.set(id, { what, corrects }),
    undo: (id) => void decided.delete(id),
    all() {
      const corrected = new Set([...decided.values()].map(({ corrects }) => corrects))
      return [...decided].flatMap(([id, { what, corrects }]) =>
        corrected.has(id) ? [] : [{ what, corrects: corrects !== '' }],
      )
    },
  }
}
