/** Choices that the same seed makes alike. */
export interface Random {
  readonly seed: number
  /** A whole number from 0 up to `n`, without it. */
  below(n: number): number
  chance(part: number): boolean
  pick<T>(choices: readonly [T, ...T[]]): T
}

/** Seeded by `ALDIS_FAULT_SEED`, or anew; says which, so that a failure can be played again. */
export function seededRandom(what: string): Random {
  const given = Number(process.env['ALDIS_FAULT_SEED'])
  const seed = Number.isSafeInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 2 ** 31)
  process.stderr.write(`${what}: ALDIS_FAULT_SEED=${seed}\n`)
  let state = seed >>> 0
  // mulberry32: small, and good enough to choose moments.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(next() * n)
  return {
    seed,
    below,
    chance: (part) => next() < part,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
  }
}

/** Numbers rounds of faults: as many as usual while there is time, `least` in any case, or `ALDIS_FAULT_ROUNDS` however long they take. */
export function* rounds(usual: number, longestMs: number, least = 1): Generator<number> {
  const given = Number(process.env['ALDIS_FAULT_ROUNDS'])
  const asked = Number.isSafeInteger(given) && given > 0
  const until = performance.now() + longestMs
  for (let round = 0; round < (asked ? given : usual); round++) {
    if (!asked && round >= least && performance.now() > until) return
    yield round
  }
}
