import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'

/** A feed as one participant may read it. */
export interface ReadableFeed {
  feed_id: Uuid
  kind: 'audience' | 'inbox'
  audience_id: Uuid | null
  label: string
  /** First and last sequence the participant may see; null while a member. */
  from_seq: bigint
  until_seq: bigint | null
}

/** Seconds after which somebody who found a feed paused asks again. */
export const PAUSED_RETRY_SECONDS = 300

/** Neither pages nor segments leave a paused feed; its cursors stay good. */
export function refusePaused({ isPaused }: Pick<FeedDirectory, 'isPaused'>, feed: Uuid): void {
  if (isPaused(feed)) throw new Refusal('feed-paused', { retryAfter: PAUSED_RETRY_SECONDS })
}

/** What feeds need to know of participants and audiences; a snapshot in memory. */
export interface FeedDirectory {
  /** Reads what changed since the last time: what the log tells of is then known. */
  refresh(): Promise<void>
  slugOf(participant: Uuid): string
  /** The feed of an audience; throws for an unknown one. */
  feedOf(audience: Uuid): Uuid
  feedsOf(participant: Uuid): readonly ReadableFeed[]
  /** Where a participant hears what concerns it alone; throws for one that was never admitted. */
  inboxOf(participant: Uuid): Uuid
  /** Whether the feed is of a sealed audience; a mode never changes. */
  isSealed(feed: Uuid): boolean
  /** Whether two persons of the programme have paused it. */
  isPaused(feed: Uuid): boolean
  sealedFeeds(): readonly Uuid[]
  /** Audiences of which the participant is a member now. */
  audiencesOf(participant: Uuid): readonly { audience_id: Uuid }[]
}
