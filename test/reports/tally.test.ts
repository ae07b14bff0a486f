import { describe, expect, test } from 'vitest'
import { createTally, type ToldEntry } from '../../src/reports/tally.ts'

const DAY = 86_400_000
const FROM = Date.parse('2026-07-01T00:00:00Z')
const PERIOD = { from: FROM, to: FROM + 30 * DAY }

interface Told extends Partial<Omit<ToldEntry, 'fields' | 'time'>> {
  day: number
  fields?: Record<string, unknown>
}

const entry = (kind: string, { day, fields = {}, sources = [], changes = [] }: Told): ToldEntry => ({
  ...{ kind, time: FROM + day * DAY, sources, changes },
  fields: new Map(Object.entries(fields)),
})

function figuresOf(...entries: readonly ToldEntry[]) {
  const tally = createTally(PERIOD)
  for (const one of entries) tally.take(one)
  return new Map(tally.figures().map(({ id, ...figure }) => [id as string, figure]))
}

const shared = (day: number, actor: string, signal: string, types = { url: 1 }, categories = { grooming: 1 }) =>
  entry('signal.submitted', { day, fields: { actor, types, categories }, changes: [{ signal, revision: 1 }] })
const answer = (day: number, actor: string, signal: string, outcome: string, supersedes?: string) =>
  entry('feedback.given', { day, fields: { actor, signal, outcome, ...(supersedes && { supersedes }) } })

describe('the figures of a period', () => {
  test('are of its first moment and not of its last', () => {
    const figures = figuresOf(
      shared(-0.1, 'a', 's1'),
      shared(0, 'a', 's2'),
      shared(29.9, 'b', 's3'),
      shared(30, 'c', 's4'),
    )
    expect(figures.get('signals.shared')).toEqual({
      ...{ value: 2, reporting: 2 },
      by: { type: [{ key: 'url', value: 2 }], category: [{ key: 'grooming', value: 2 }] },
    })
  })

  test('count platforms that took part for a moment, and no observers', () => {
    const admitted = (day: number, participant: string, kind = 'platform') =>
      entry('participant.admitted', { day, fields: { participant, kind } })
    const left = (day: number, participant: string) => entry('participant.left', { day, fields: { participant } })
    const figures = figuresOf(
      ...[admitted(-9, 'gone'), left(-1, 'gone'), admitted(-9, 'leaving'), left(3, 'leaving')],
      ...[admitted(5, 'new'), admitted(5, 'owl', 'observer'), admitted(31, 'later')],
    )
    expect(figures.get('participants.active')).toEqual({ value: 2 })
  })

  test('take the last answer to a signal, the first one’s time, and what replaced another as a correction', () => {
    const figures = figuresOf(
      shared(-1, 'a', 's1'),
      answer(1, 'b', 's1', 'not_violating'),
      answer(2, 'b', 's1', 'confirmed_action_taken', 'f1'),
      answer(3, 'c', 's1', 'outdated'),
    )
    expect(figures.get('answers.given')).toEqual({
      ...{ value: 2, reporting: 2 },
      by: {
        outcome: [
          { key: 'confirmed_action_taken', value: 1 },
          { key: 'outdated', value: 1 },
        ],
      },
    })
    expect(figures.get('answers.corrected')).toEqual({ value: 1, reporting: 1 })
    expect(figures.get('answers.minutes')).toEqual({ value: 3 * 24 * 60, n: 2 })
  })

  test('count no first answer that was given before', () => {
    const figures = figuresOf(
      shared(-9, 'a', 's1'),
      answer(-8, 'b', 's1', 'outdated'),
      answer(1, 'b', 's1', 'seen_here'),
    )
    expect(figures.get('answers.minutes')).toEqual({ value: 0, n: 0 })
  })

  test('sum what was done by decisions that stand, and tell none from not reported', () => {
    const decided = (actor: string, decision: string, counts: object, supersedes?: string, more = {}) =>
      entry('review.decided', {
        day: 1,
        fields: { actor, decision, counts, ...(supersedes && { supersedes }), ...more },
      })
    const proposed = (...[actor, decision, counts, supersedes]: Parameters<typeof decided>) =>
      decided(actor, decision, counts, supersedes, { proposed: true })
    const figures = figuresOf(
      decided('a', 'd1', { accounts_actioned: 7, urls_blocked: 0 }),
      decided('a', 'd2', { accounts_actioned: 2 }, 'd1'),
      decided('b', 'd3', { accounts_actioned: 100 }),
      entry('review.undone', { day: 1, fields: { decision: 'd3' } }),
      decided('c', 'd4', { accounts_actioned: 1, reports_filed: 0 }),
      // Whose correction nobody stands for.
      decided('c', 'd5', { accounts_actioned: 50 }, 'd4'),
      entry('review.undone', { day: 2, fields: { decision: 'd5' } }),
      // Nobody has approved it yet, so what it would correct stands.
      proposed('a', 'd6', { accounts_actioned: 80 }, 'd2'),
    )
    expect(figures.get('outcomes.reported')).toEqual({
      ...{ value: 3, reporting: 2 },
      by: {
        action: [
          { key: 'accounts_actioned', value: 3, reporting: 2 },
          { key: 'reports_filed', value: 0, reporting: 1 },
        ],
      },
    })
  })

  test('time an end to the first acknowledgement of each recipient that covers its source', () => {
    const withdrawn = (day: number, actor: string) =>
      entry('signal.withdrawn', { day, fields: { actor, types: { url: 1 }, categories: {}, reasons: { mistaken: 1 } } })
    const acked = (day: number, actor: string, stage: string, ...parties: string[]) =>
      entry('tombstone.acked', { day, fields: { actor, stage }, sources: parties.map((party) => ({ party, n: 1 })) })
    const figures = figuresOf(
      withdrawn(1, 'a'),
      acked(1.5, 'b', 'received', 'a'),
      acked(2, 'b', 'mirror_removed', 'a'),
      acked(3, 'b', 'mirror_removed', 'a'),
      acked(4, 'c', 'mirror_removed', 'x'),
      acked(6, 'c', 'mirror_removed', 'a', 'x'),
    )
    expect(figures.get('withdrawals.minutes')).toEqual({ value: 3 * 24 * 60, n: 2 })
    expect(figures.get('signals.withdrawn')?.by?.['reason']).toEqual([{ key: 'mistaken', value: 1 }])
  })

  test('know which disputes were open at the end', () => {
    const dispute = (kind: string, day: number, id: string, more: object) =>
      entry(`dispute.${kind}`, { day, fields: { dispute: id, actor: 'a', ...more } })
    const figures = figuresOf(
      dispute('opened', -5, 'x', { ground: 'false_match' }),
      dispute('opened', 2, 'y', { ground: 'appeal_upheld' }),
      dispute('closed', 3, 'x', { result: 'rejected' }),
      dispute('closed', 31, 'y', { result: 'confirmed' }),
    )
    expect([figures.get('disputes.opened')?.value, figures.get('disputes.closed')?.value]).toEqual([1, 1])
    expect(figures.get('disputes.open')).toEqual({ value: 1 })
  })

  test('take a count that is none for none', () => {
    const odd = entry('signal.submitted', {
      day: 1,
      fields: { actor: 'a', types: { url: 1.5, email: -1, phone: 'many', ip: 2 }, categories: 'grooming' },
    })
    expect(figuresOf(odd).get('signals.shared')).toMatchObject({ value: 2 })
  })
})
