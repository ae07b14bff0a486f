import { Compile } from 'typebox/compile'
import { firstFault } from '../kernel/schema.ts'
import { type HitRate, hitRate } from '../matching/hit-rate.ts'
import type { PatternChecker } from '../matching/pattern.ts'
import { createTextMatcher, type TextPattern } from '../matching/text-match.ts'
import { PatternValue, type SignalItem } from '../signals/schema.ts'
import { patternFault } from '../signals/try-patterns.ts'
import type { Derived } from './derive.ts'
import { matchLines } from './match-text.ts'

type PatternItem = Extract<SignalItem, { type: 'keyword_pattern' }>

/** Why a pattern would be refused: code, where in the item, and what to do. */
export interface PatternTrouble {
  code: string
  pointer: string
  detail: string
}

const SHAPE = Compile(PatternValue)

/** What the node would say of a pattern, found out here: its form first, then whether it is safe and does what it should. */
export async function tryPattern(
  { value, basis }: { value: unknown; basis: PatternItem['basis'] },
  { check }: Pick<PatternChecker, 'check'>,
): Promise<PatternTrouble | undefined> {
  if (!SHAPE.Check(value)) {
    const { pointer, detail = 'of another form' } = firstFault(SHAPE, value)
    return { code: 'validation-failed', pointer: `/value${pointer}`, detail }
  }
  const [checked] = await check([value])
  const fault = patternFault({ basis }, checked)
  return fault === undefined ? undefined : { code: fault.code, pointer: fault.pointer, detail: fault.detail ?? '' }
}

/** A derived item as it is, unless it is a pattern that the node would refuse. */
export async function triedPattern(derived: Derived, checker: Pick<PatternChecker, 'check'>): Promise<Derived> {
  if (derived.outcome === 'refused' || derived.item.type !== 'keyword_pattern') return derived
  const trouble = await tryPattern(derived.item, checker)
  if (trouble === undefined) return derived
  return { outcome: 'refused', reason: [trouble.code, trouble.pointer, trouble.detail].join('  ') }
}

/** How often each pattern hits in a text of one's own, before anybody else has it. */
export interface DryRun {
  /** By signal. */
  rates: ReadonlyMap<string, HitRate>
  /** Lines that were longer than 64 KiB and were not looked at. */
  tooLong: number
}

/** `onHit` hears of each line in which something was found; nothing of it goes anywhere. */
export async function dryRun(
  patterns: readonly TextPattern[],
  sample: AsyncIterable<Uint8Array>,
  onHit: (line: bigint, signals: readonly string[]) => void = () => {},
): Promise<DryRun> {
  const matcher = createTextMatcher(patterns)
  const hits = new Map(patterns.map(({ signal }) => [signal, 0]))
  const count = { lines: 0, tooLong: 0 }
  for await (const one of matchLines(matcher, sample)) {
    if (one.outcome === 'too-long') {
      count.tooLong += 1
      continue
    }
    count.lines += 1
    for (const { signal } of one.hits) hits.set(signal, (hits.get(signal) ?? 0) + 1)
    if (one.hits.length > 0)
      onHit(
        one.line,
        one.hits.map(({ signal }) => signal),
      )
  }
  const rates = new Map([...hits].map(([signal, n]) => [signal, hitRate(n, count.lines)]))
  return { rates, tooLong: count.tooLong }
}
