import { type Counts, count, countAll, medianOf, textIn, toRows } from './counts.ts'
import { type Fact, factOf, type READS } from './fact.ts'
import type { MetricId } from './metric.ts'
import type { Figure } from './schema.ts'
import { createStanding, type Standing } from './standing.ts'

/** An entry of the log as far as figures are made of it; its fields were opened and its commitment checked before. */
export interface ToldEntry {
  kind: string
  /** Milliseconds. */
  time: number
  fields: ReadonlyMap<string, unknown>
  sources: readonly Readonly<Record<string, unknown>>[]
  changes: readonly { signal: string; revision: number }[]
}

/** Milliseconds; from, to and not including. */
export interface Period {
  from: number
  to: number
}

export interface Tally {
  /** In the order of the log, from its first entry on. */
  take(entry: ToldEntry): void
  /** The same of an entry whose fact was kept. */
  takeFact(fact: Fact): void
  /** Nothing withheld. */
  figures(): Figure[]
}

interface Counted {
  value: number
  by: Map<string, Counts>
  from: Set<string>
}

interface Decision {
  actor: string
  counts: Record<string, unknown>
}

const MINUTE_MS = 60_000

/** The figures of a period, entry by entry. What was before it counts as far as later entries go on from it. */
export function createTally(period: Period): Tally {
  const state = emptyState()
  const takeFact = (fact: Fact): void => {
    if (fact.time >= period.to) return
    FOLDS[fact.kind as keyof typeof READS](state, fact, fact.time >= period.from)
    for (const signal of fact.shared) state.shared.set(signal, fact.time)
  }
  return {
    take(entry) {
      const fact = factOf(entry)
      if (fact !== undefined) takeFact(fact)
    },
    takeFact,
    figures: () => figuresOf(state, period),
  }
}

interface State {
  counted: Map<MetricId, Counted>
  /** Platforms with when they left, if they did. */
  platforms: Map<string, number | undefined>
  /** When each signal was shared. */
  shared: Map<string, number>
  /** The last answer in the period by organisation and signal, and who answered at all. */
  answers: Map<string, { actor: string; outcome: string }>
  answered: Set<string>
  answerMinutes: number[]
  /** When signals of a party were withdrawn in the period. */
  ends: Map<string, number[]>
  /** How many ends of a party a reader has acknowledged. */
  acked: Map<string, number>
  ackMinutes: number[]
  decisions: Standing<Decision>
  openDisputes: Set<string>
}

const emptyState = (): State => ({
  ...{ counted: new Map(), platforms: new Map(), shared: new Map(), answers: new Map(), answered: new Set() },
  ...{
    answerMinutes: [],
    ends: new Map(),
    acked: new Map(),
    ackMinutes: [],
    decisions: createStanding(),
    openDisputes: new Set(),
  },
})

type Fold = (state: State, fact: Fact, inPeriod: boolean) => void

function countedOf(state: State, id: MetricId): Counted {
  const known = state.counted.get(id) ?? { value: 0, by: new Map(), from: new Set() }
  state.counted.set(id, known)
  return known
}

interface Added {
  n: number
  from?: string
  by?: Readonly<Record<string, unknown>>
}

/** `by`: of each dimension the counts that an entry tells, or the one key that it falls under. */
function add(state: State, id: MetricId, { n, from, by = {} }: Added): void {
  const known = countedOf(state, id)
  known.value += n
  if (from !== undefined) known.from.add(from)
  for (const [dimension, told] of Object.entries(by)) {
    const counts = known.by.get(dimension) ?? new Map()
    known.by.set(dimension, counts)
    if (typeof told === 'string') count(counts, told, n)
    else countAll(counts, told)
  }
}

const sumOf = (told: unknown): number => [...countAll(new Map(), told).values()].reduce((sum, n) => sum + n, 0)

/** Adds what an entry tells of signals, if it is of the period. */
const signals =
  (id: MetricId, dimensions: Readonly<Record<string, string>>, from?: 'actor' | 'subject'): Fold =>
  (state, { fields }, inPeriod) => {
    if (!inPeriod) return
    const by = Object.fromEntries(Object.entries(dimensions).map(([name, field]) => [name, fields.get(field)]))
    const who = from === undefined ? {} : { from: textIn(fields, from) }
    add(state, id, { n: sumOf(fields.get('types')), by, ...who })
  }

/** Adds one, by the fields named. */
const one =
  (id: MetricId, dimensions: Readonly<Record<string, string>> = {}, from?: 'actor'): Fold =>
  (state, { fields }, inPeriod) => {
    if (!inPeriod) return
    const by = Object.fromEntries(Object.entries(dimensions).map(([name, field]) => [name, textIn(fields, field)]))
    add(state, id, { n: 1, by, ...(from === undefined ? {} : { from: textIn(fields, from) }) })
  }

const both =
  (...folds: readonly Fold[]): Fold =>
  (...told) => {
    for (const fold of folds) fold(...told)
  }

const feedback: Fold = (state, { fields, time }, inPeriod) => {
  const [actor, signal] = [textIn(fields, 'actor'), textIn(fields, 'signal')]
  const key = `${actor} ${signal}`
  const isFirst = !state.answered.has(key)
  state.answered.add(key)
  if (!inPeriod) return
  state.answers.set(key, { actor, outcome: textIn(fields, 'outcome') })
  const shared = state.shared.get(signal)
  if (isFirst && shared !== undefined) state.answerMinutes.push((time - shared) / MINUTE_MS)
  if (fields.has('supersedes')) add(state, 'answers.corrected', { n: 1, from: actor })
}

const ended: Fold = (state, { fields, time }, inPeriod) => {
  if (!inPeriod) return
  const party = textIn(fields, 'actor')
  const known = state.ends.get(party) ?? []
  known.push(time)
  state.ends.set(party, known)
}

const acknowledged: Fold = (state, { fields, parties, time }) => {
  if (fields.get('stage') !== 'mirror_removed') return
  for (const party of parties) {
    const key = `${textIn(fields, 'actor')} ${party}`
    const ends = state.ends.get(party) ?? []
    for (const end of ends.slice(state.acked.get(key) ?? 0)) state.ackMinutes.push((time - end) / MINUTE_MS)
    state.acked.set(key, ends.length)
  }
}

const decided: Fold = (state, { fields }, inPeriod) => {
  if (!inPeriod || fields.get('proposed') === true) return
  const counts = Object(fields.get('counts')) as Record<string, unknown>
  const what = { actor: textIn(fields, 'actor'), counts }
  state.decisions.decide(textIn(fields, 'decision'), what, textIn(fields, 'supersedes'))
}

const FOLDS: Readonly<Record<keyof typeof READS, Fold>> = {
  'log.opened': () => {},
  'participant.admitted': (state, { fields }) => {
    if (fields.get('kind') === 'platform') state.platforms.set(textIn(fields, 'participant'), undefined)
  },
  'participant.left': (state, { fields, time }) => {
    const slug = textIn(fields, 'participant')
    if (state.platforms.has(slug)) state.platforms.set(slug, time)
  },
  'signal.submitted': signals('signals.shared', { type: 'types', category: 'categories' }, 'actor'),
  'signal.revised': signals('signals.revised', {}, 'actor'),
  'signal.withdrawn': both(
    signals('signals.withdrawn', { type: 'types', category: 'categories', reason: 'reasons' }, 'actor'),
    ended,
  ),
  'signal.expired': signals('signals.expired', { type: 'types', category: 'categories' }, 'subject'),
  erasure: signals('signals.erased', { type: 'types', category: 'categories' }),
  'tombstone.acked': acknowledged,
  'feedback.given': feedback,
  'review.decided': decided,
  'review.undone': (state, { fields }) => state.decisions.undo(textIn(fields, 'decision')),
  'dispute.opened': both(one('disputes.opened', { ground: 'ground' }, 'actor'), (state, { fields }) => {
    state.openDisputes.add(textIn(fields, 'dispute'))
  }),
  'dispute.closed': both(one('disputes.closed', { result: 'result' }), (state, { fields }) => {
    state.openDisputes.delete(textIn(fields, 'dispute'))
  }),
  'signal.held': one('holds.placed'),
  'signal.released': one('holds.lifted'),
  'government_request.received': one('government.received', { country: 'country', kind: 'kind' }),
  'government_request.closed': one('government.closed', { outcome: 'outcome' }),
  'read.batch': (state, { fields }, inPeriod) => {
    if (inPeriod) add(state, 'reads.recorded', { n: Number(fields.get('n')) || 0, from: textIn(fields, 'reader') })
  },
}

function figuresOf(state: State, period: Period): Figure[] {
  const took = [...state.platforms.values()].filter((left) => left === undefined || left >= period.from)
  const of = (id: MetricId): Figure => {
    const { value, by, from } = countedOf(state, id)
    return {
      ...{ id, value },
      ...(from.size === 0 ? {} : { reporting: from.size }),
      ...(by.size === 0 ? {} : { by: Object.fromEntries([...by].map(([name, counts]) => [name, toRows(counts)])) }),
    }
  }
  return [
    { id: 'participants.active', value: took.length },
    ...(['signals.shared', 'signals.revised', 'signals.withdrawn', 'signals.expired', 'signals.erased'] as const).map(
      of,
    ),
    { id: 'withdrawals.minutes', ...medianOf(state.ackMinutes) },
    answersOf(state),
    of('answers.corrected'),
    { id: 'answers.minutes', ...medianOf(state.answerMinutes) },
    outcomesOf(state),
    ...(['disputes.opened', 'disputes.closed'] as const).map(of),
    { id: 'disputes.open', value: state.openDisputes.size },
    ...(['holds.placed', 'holds.lifted', 'government.received', 'government.closed', 'reads.recorded'] as const).map(
      of,
    ),
  ]
}

function answersOf({ answers }: State): Figure {
  const counts: Counts = new Map()
  for (const { outcome } of answers.values()) count(counts, outcome, 1)
  const reporting = new Set([...answers.values()].map(({ actor }) => actor)).size
  return { id: 'answers.given', value: answers.size, reporting, by: { outcome: toRows(counts) } }
}

/** Null is not reported, and 0 is none: an organisation counts where it reported the member at least once. */
function outcomesOf({ decisions }: State): Figure {
  const [counts, actors]: [Counts, Map<string, Set<string>>] = [new Map(), new Map()]
  for (const { actor, counts: told } of decisions.all().map(({ what }) => what)) {
    for (const [key, n] of Object.entries(told)) {
      if (typeof n !== 'number') continue
      count(counts, key, n)
      actors.set(key, (actors.get(key) ?? new Set()).add(actor))
    }
  }
  const rows = toRows(counts).map((row) => ({ ...row, reporting: actors.get(row.key)?.size ?? 0 }))
  const reporting = new Set([...actors.values()].flatMap((some) => [...some])).size
  const value = rows.reduce((sum, row) => sum + (row.value ?? 0), 0)
  return { id: 'outcomes.reported', value, reporting, by: { action: rows } }
}
