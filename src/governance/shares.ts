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
