import type { Uuid } from '../kernel/ids.ts'

/** Where a flow is counted. */
export interface ShareKey {
  day: string
  source: string
  recipient: string
  category: string
  audience: Uuid
}

export interface ShareCounts {
  shared: number
  confirmed: number
  not_violating: number
  answered: number
  disputed: number
  waits: number[]
}

export type ShareRow = ShareKey & ShareCounts

/** What was shared and answered in some days, added up by whom. */
export interface SharesTold {
  /** What a source shared in a category: `recent` from a day on, or before it. */
  mixes: { source: string; category: string; recent: boolean; shared: number }[]
  /** What a source was told. */
  answers: { source: string; not_violating: number; answered: number }[]
  /** What a recipient was given up to a day, and how much of it waits for an answer. */
  due: { recipient: string; shared: number; unanswered: number }[]
}
