import type { FeedService } from '../feeds/service.ts'
import type { Clock } from '../kernel/clock.ts'

/** What the board of tactics stands on. */
export interface Tactics extends Pick<FeedService, 'patterns' | 'pattern' | 'revisions' | 'event'> {
  clock: Clock
  /** Participants whose signals there may be. */
  sources(): readonly string[]
}
