import { utf8 } from '../../../kernel/bytes.ts'
import { sha256 } from '../../../kernel/sha256.ts'

/** Draws of a seed: the same seed gives the same draws. */
export interface Random {
  /** At least 0, below 1. */
  next(): number
  /** From 0 on, below the number. */
  int(below: number): number
  /** From the first number to the second, both included. */
  from(least: number, most: number): number
  chance(part: number): boolean
  pick<T>(from: readonly T[]): T
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T
  shuffled<T>(from: readonly T[]): T[]
  hex(digits: number): string
  /** Draws of its own: more of them there change nothing here. */
  named(name: string): Random
}

export function createRandom(seed: string): Random {
  const next = sfc32(sha256(utf8(seed)))
  const int = (below: number): number => Math.floor(next() * below)
  const pick = <T>(from: readonly T[]): T => {
    if (from.length === 0) throw new RangeError('there is nothing to pick from')
    return from[int(from.length)] as T
  }
  return {
    ...{ next, int, pick },
    from: (least, most) => least + int(most - least + 1),
    chance: (part) => next() < part,
    weighted(weights) {
      const all = Object.entries<number>(weights) as [keyof typeof weights, number][]
      let left = next() * all.reduce((sum, [, weight]) => sum + weight, 0)
      const found = all.find(([, weight]) => {
        left -= weight
        return left < 0
      })
      return found === undefined ? pick(all)[0] : found[0]
    },
    shuffled(from) {
      const all = [...from]
      for (let i = all.length - 1; i > 0; i--) {
        const j = int(i + 1)
        const [a, b] = [all[i], all[j]]
        if (a !== undefined && b !== undefined) [all[i], all[j]] = [b, a]
      }
      return all
    },
    hex: (digits) => Array.from({ length: digits }, () => int(16).toString(16)).join(''),
    named: (name) => createRandom(`${seed}/${name}`),
  }
}

/** The generator sfc32 of PractRand over 128 bits of state. */
function sfc32(state: Uint8Array): () => number {
  const view = new DataView(state.buffer, state.byteOffset)
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => view.getUint32(at)) as [number, number, number, number]
  return () => {
    const t = (a + b + d) >>> 0
    d = (d + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + t) >>> 0
    return t / 4_294_967_296
  }
}
