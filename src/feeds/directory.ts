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
  sealedFeeds(): readonly Uuid[]
  /** Audiences of which the participant is a member now. */
  audiencesOf(participant: Uuid): readonly { audience_id: Uuid }[]
}
