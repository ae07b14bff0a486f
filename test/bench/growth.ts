import { figure } from './measure.ts'

/** A figure at several numbers of signals, and the exponent that its cost grows by. */
export interface Growth {
  name: string
  unit: string
  points: readonly { signals: number; value: number; ratio: number | null }[]
  /** Of the ratio where there is one: of cost ~ signals ^ exponent. */
  exponent: number
}

/** One figure at one number of signals. */
export type Point = Growth['points'][number] & { name: string; unit: string }

/** Each figure's points, in the order in which they were measured. */
export function growthOf(points: readonly Point[]): Growth[] {
  return [...Map.groupBy(points, ({ name }) => name)].map(([name, own]) => ({
    ...{ name, unit: own[0]?.unit ?? '', points: own.map(({ signals, value, ratio }) => ({ signals, value, ratio })) },
    exponent: exponentOf(own.map(({ signals, value, ratio }) => [signals, 1 / (ratio ?? value)])),
  }))
}

/** Slope of a line through the logarithms. */
function exponentOf(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const mean = (at: 0 | 1): number => logs.reduce((sum, one) => sum + one[at], 0) / logs.length
  const [mx, my] = [mean(0), mean(1)]
  const over = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0)
  return over / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
}

export const growthLines = (growth: readonly Growth[]): string[] =>
  growth.map(({ name, unit, points, exponent }) => {
    const all = points.map(({ signals, value, ratio }) => {
      const beside = ratio === null ? '' : ` (${ratio.toFixed(3)})`
      return `${signals.toLocaleString('en')}: ${figure(value)} ${unit}${beside}`
    })
    return `${name}  ${all.join(', ')}; cost grows by signals ^ ${exponent.toFixed(2)}`
  })
