import type { Uuid } from '../kernel/ids.ts'
import type { SignalItem } from '../signals/schema.ts'

export const WORDS_TYPES = ['keyword_pattern', 'tactic'] as const
export type WordsType = (typeof WORDS_TYPES)[number]

/** What a pattern or tactic is by its codes; its words are an event of its feed, which is revealed for itself. */
export interface WordsInfo {
  source: string
  signal: Uuid
  type: WordsType
  revision: number
  category: string
  severity: SignalItem['severity']
  basis: SignalItem['basis']
  confidence: number
  observed_at: string
  expires_at: string
  /** Of a pattern. */
  kind?: 'literal' | 're2'
  language?: string
}

export interface WordsQuery {
  type?: WordsType | undefined
  source?: string | undefined
  cursor?: string | undefined
}

export interface WordsList {
  patterns: WordsInfo[]
  next: string | null
}

/** Where a revision stands, for who may see that part of the feed. */
export interface RevisionPlace {
  revision: number
  at: Date
  feed: Uuid
  seq: bigint
}
