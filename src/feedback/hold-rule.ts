import type { Opinion } from './opinion.ts'
import { type DisputeResult, GROUNDS, HOLD_AT, OUTCOME } from './schema.ts'

/**
 * Whether recipients hold a signal together: enough organisations, one voice each, that reviewed a hit of their own and
 * found it not violating. What was said before the last release does not count again.
 */
export function isHeldByOpinions(
  opinions: readonly Opinion[],
  { releasedAt, holdAt = HOLD_AT }: { releasedAt: Date | undefined; holdAt?: number },
): boolean {
  const counted = opinions.filter(
    ({ outcome, independent, at }) =>
      outcome === OUTCOME.not_violating && independent && (releasedAt === undefined || at > releasedAt),
  )
  return counted.length >= holdAt
}

/** Whether a source's own answer holds its signal at once: it confirms a ground that is marked as serious. */
export const isHeldByAnswer = (ground: string, result: DisputeResult): boolean =>
  result === 'confirmed' && GROUNDS[ground]?.serious === true
