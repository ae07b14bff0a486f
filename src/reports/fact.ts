import type { ToldEntry } from './tally.ts'

/** What figures are made of in one entry, and nothing else of it. */
export interface Fact {
  kind: string
  /** Milliseconds. */
  time: number
  /** Those of `READS`, as far as the entry tells them; null is told by nobody. */
  fields: ReadonlyMap<string, unknown>
  /** Whom its parts are of, if the kind has parts. */
  parties: readonly string[]
  /** Signals that it shared for the first time. */
  shared: readonly string[]
}

const COUNTED = ['actor', 'types', 'categories'] as const

/**
 * Of each kind that figures are made of the fields that a figure reads: a fold sees no others. Facts are kept in this order: what no
 * entry has had may come behind it, and whoever changes it otherwise empties `report_facts` in a migration, and they are made anew.
 */
export const READS = {
  // Says whether a period reaches back into a log that this one continues.
  'log.opened': [],
  'participant.admitted': ['participant', 'kind'],
  'participant.left': ['participant'],
  'signal.submitted': COUNTED,
  'signal.revised': COUNTED,
  'signal.withdrawn': [...COUNTED, 'reasons'],
  'signal.expired': ['subject', 'types', 'categories'],
  erasure: ['types', 'categories'],
  'tombstone.acked': ['actor', 'stage'],
  'feedback.given': ['actor', 'signal', 'outcome', 'supersedes'],
  'review.decided': ['actor', 'decision', 'supersedes', 'counts', 'proposed'],
  'review.undone': ['decision'],
  'dispute.opened': ['actor', 'dispute', 'ground'],
  'dispute.closed': ['dispute', 'result'],
  'signal.held': [],
  'signal.released': [],
  'government_request.received': ['country', 'kind'],
  'government_request.closed': ['outcome'],
  'read.batch': ['reader', 'n'],
} as const satisfies Readonly<Record<string, readonly string[]>>

const readsOf = (kind: string): readonly string[] | undefined =>
  Object.hasOwn(READS, kind) ? READS[kind as keyof typeof READS] : undefined

/** Undefined of an entry that no figure is made of, such as one without a time. */
export function factOf({ kind, time, fields, sources, changes }: ToldEntry): Fact | undefined {
  const reads = readsOf(kind)
  if (reads === undefined || !Number.isFinite(time)) return undefined
  return {
    ...{ kind, time, fields: told(reads, (name) => fields.get(name)) },
    parties: kind === 'tombstone.acked' ? sources.map(({ party }) => String(party)) : [],
    shared: changes.flatMap(({ signal, revision }) => (revision === 1 ? [signal] : [])),
  }
}

function told(reads: readonly string[], fieldOf: (name: string, i: number) => unknown): Map<string, unknown> {
  const fields = new Map<string, unknown>()
  for (const [i, name] of reads.entries()) {
    const value = fieldOf(name, i)
    if (value !== undefined && value !== null) fields.set(name, value)
  }
  return fields
}

/** JSON of a fact, with its place among others; values stand in the order of `READS`. */
export function packFact(place: number, { kind, time, fields, parties, shared }: Fact): string {
  const values = readsOf(kind)?.map((name) => fields.get(name) ?? null)
  return JSON.stringify([place, kind, time, values, ...(parties.length + shared.length > 0 ? [parties, shared] : [])])
}

type Packed = [place: number, kind: string, time: number, values: unknown[], parties?: string[], shared?: string[]]

/** Facts that were packed, each with its place. */
export const unpackFacts = (text: string): { place: number; fact: Fact }[] =>
  (JSON.parse(text) as Packed[]).map(([place, kind, time, values, parties = [], shared = []]) => ({
    place,
    fact: { kind, time, fields: told(readsOf(kind) ?? [], (_, i) => values[i]), parties, shared },
  }))
