/** How often a pattern hits, as a sample has it: share of its lines, and the interval that holds the true share in 19 of 20 samples. */
export interface HitRate {
  lines: number
  hits: number
  rate: number
  low: number
  high: number
}

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959_963_984_540_054

/** Wilson's score interval, which holds for few hits and none too. Without lines nothing is known: 0 to 1. */
export function hitRate(hits: number, lines: number): HitRate {
  if (lines === 0) return { lines, hits, rate: 0, low: 0, high: 1 }
  const rate = hits / lines
  const spread = Z ** 2 / lines
  const middle = (rate + spread / 2) / (1 + spread)
  const half = (Z / (1 + spread)) * Math.sqrt((rate * (1 - rate)) / lines + spread / (4 * lines))
  return {
    lines,
    hits,
    rate,
    low: hits === 0 ? 0 : Math.max(0, middle - half),
    high: hits === lines ? 1 : Math.min(1, middle + half),
  }
}
