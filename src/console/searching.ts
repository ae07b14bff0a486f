import type { FeedbackService } from '../feedback/service.ts'
import type { FeedService } from '../feeds/service.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'

/** A group that a search reaches, or does not since it is sealed. */
export interface SearchedGroup {
  label: string
  sealed: boolean
}

/** What the search stands on. */
export interface Searching extends Pick<FeedService, 'lookUp'>, Pick<FeedbackService, 'sentSignal'> {
  clock: Clock
  groupsOf(participant: Uuid): readonly SearchedGroup[]
  /** How tokens of identifiers are made now; empty before the first key. */
  suites(): readonly string[]
}
