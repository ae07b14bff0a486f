import { type Cpu, databaseCpu, generatorCpu } from './machine.ts'
import { shed } from './wire.ts'
import type { World } from './world.ts'

/** What one side of a figure used while its clock ran. */
export interface Used extends Cpu {
  seconds: number
  /** Largest resident memory of the node, bytes. */
  peak: number
  /** What was done in that time, in the figure's unit. */
  done: number
}

/** Runs work under the clock; what stands outside it is not measured. */
export type Timed = <T>(work: () => Promise<T>) => Promise<{ result: T; seconds: number }>

/** One round of one side: prepares, works under the clock, answers its value. */
export type Run = (timed: Timed) => Promise<number>

export interface Spec {
  name: string
  what: string
  unit: string
  target: number
  /** Whether less is better; more is, unless said. */
  less?: boolean
  /** Whether the target is of the value itself, though there is a reference to compare it with. */
  absolute?: boolean
  /** Rounds that count, after the warm-up. */
  rounds: number
  warmups: number
  /** In each round first the one, then the other. */
  measured: Run
  reference?: { what: string; run: Run }
}

/** One line of the table. */
export interface Row {
  name: string
  what: string
  unit: string
  /** Median. */
  value: number
  reference: number | null
  /** Median of the rounds' ratios. */
  ratio: number | null
  target: number
  less: boolean
  absolute: boolean
  met: boolean
  runs: number
  /** Least and most: of the ratio where there is one, of the value where there is none. */
  spread: [number, number]
  against: string
  cpu: { measured: Used; reference?: Used }
  /** Microseconds of CPU that node and database took for one of the unit: steadier than time on a busy machine. Null where the unit is no work. */
  cost: { measured: number; reference?: number } | null
}

export interface Meter {
  timed: Timed
  used: Used
}

export function createMeter(world: World): Meter {
  const used: Used = { seconds: 0, node: 0, database: 0, generator: 0, peak: 0, done: 0 }
  const read = async (): Promise<Cpu & { peak: number }> => {
    const { cpu, peak } = await world.node().usage()
    return { node: cpu, database: databaseCpu(world.pgdata), generator: generatorCpu(), peak }
  }
  return {
    used,
    timed: async (work) => {
      const before = await read()
      const began = performance.now()
      const result = await work()
      const seconds = (performance.now() - began) / 1_000
      const now = await read()
      used.seconds += seconds
      used.node += now.node - before.node
      used.generator += now.generator - before.generator
      used.peak = Math.max(used.peak, now.peak)
      used.database =
        used.database === null || now.database === null || before.database === null
          ? null
          : used.database + now.database - before.database
      return { result, seconds }
    },
  }
}

/** Rounds of measured and reference in turn: what else the machine does falls on both. */
export async function compare(world: World, spec: Spec, onRound: (text: string) => void): Promise<Row> {
  const { name, rounds, warmups, measured, reference } = spec
  const [one, other] = [createMeter(world), createMeter(world)]
  const idle = createMeter(world)
  const values: number[] = []
  const references: number[] = []
  for (let round = -warmups; round < rounds; round++) {
    const counts = round >= 0
    const value = await counted(measured, counts ? one : idle)
    const beside = reference === undefined ? undefined : await counted(reference.run, counts ? other : idle)
    const ratio = beside === undefined ? '' : `  ratio ${(value / beside).toFixed(3)}`
    const refused = shed.count === 0 ? '' : `, ${shed.count} times busy`
    shed.count = 0
    onRound(`${name} ${counts ? `round ${round + 1}` : 'warm-up'}: ${figure(value)} ${spec.unit}${ratio}${refused}`)
    if (!counts) continue
    values.push(value)
    if (beside !== undefined) references.push(beside)
  }
  return rowOf(spec, { values, references, measured: one.used, reference: other.used })
}

async function counted(run: Run, { timed, used }: Meter): Promise<number> {
  const before = used.seconds
  const value = await run(timed)
  used.done += value * (used.seconds - before)
  return value
}

export interface Measured {
  values: readonly number[]
  /** As many as values, or none. */
  references: readonly number[]
  measured: Used
  reference: Used
}

export function rowOf(
  spec: Omit<Spec, 'measured' | 'rounds' | 'warmups' | 'reference'> & Partial<Spec>,
  all: Measured,
): Row {
  const { name, what, unit, target, less = false, absolute = false, reference } = spec
  const { values, references, measured } = all
  const ratios = references.map((beside, i) => (values[i] ?? 0) / beside)
  const counted = ratios.length > 0 ? ratios : values
  // An absolute target is met by the best round (a busy machine makes none better); a ratio by its median.
  const best = less ? Math.min(...values) : Math.max(...values)
  const held = ratios.length > 0 && !absolute ? median(ratios) : best
  return {
    ...{ name, what, unit, target, less, absolute },
    value: median(values),
    reference: references.length > 0 ? median(references) : null,
    ratio: ratios.length > 0 ? median(ratios) : null,
    met: less ? held <= target : held >= target,
    runs: values.length,
    spread: [Math.min(...counted), Math.max(...counted)],
    against: reference?.what ?? '',
    cpu: references.length > 0 ? { measured, reference: all.reference } : { measured },
    cost: less ? null : costsOf(all),
  }
}

function costsOf({ references, measured, reference }: Measured): Row['cost'] {
  const own = { measured: costOf(measured) }
  return references.length > 0 ? { ...own, reference: costOf(reference) } : own
}

const costOf = ({ node, database, done }: Used): number => (1e6 * (node + (database ?? 0))) / done

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The value below which this share of all lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

/** Three figures that count. */
export const figure = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
