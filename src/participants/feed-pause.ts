import { atControl, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, log } from './act.ts'
import type { PayloadOf } from './action.ts'
import * as pauseStore from './pause-store.ts'
import { AUDIENCE_KIND, type AudienceKind, nameOf } from './schema.ts'

/** A feed of an audience, with what a pause would keep from whom. */
export interface PausableFeed {
  feed: Uuid
  kind: AudienceKind
  label: string
  /** Slugs of whoever is a member now. */
  members: readonly string[]
  /** What stands in it. */
  entries: number
  paused: { reason: string; at: Date } | undefined
}

export interface FeedPauses {
  /** Of the whole programme first, then groups, then audiences that participants named. */
  pausableFeeds(): Promise<PausableFeed[]>
}

export const createFeedPauses = ({ admin }: Pick<ActContext, 'admin'>): FeedPauses => ({
  async pausableFeeds() {
    const { feeds, members } = await atControl(admin, async (tx) => ({
      feeds: await pauseStore.audienceFeeds(tx),
      members: await pauseStore.membersNow(tx),
    }))
    const ids = feeds.map(({ feed_id }) => feed_id)
    const entries = await pauseStore.entriesIn(admin, ids)
    return feeds.map(({ feed_id, audience_id, kind, label, paused, reason, at }) => ({
      ...{ feed: feed_id, label, kind: nameOf(AUDIENCE_KIND, kind), entries: entries.get(feed_id) ?? 0 },
      members: members.filter((one) => one.audience_id === audience_id).map(({ slug }) => slug),
      paused: paused === true && reason !== null && at !== null ? { reason, at } : undefined,
    }))
  },
})

type Within = { tx: Tx; act: Act }

/** Nothing leaves the feed from now on, in whatever process, within two seconds. */
export async function pauseFeed(
  context: ActContext,
  { tx, act }: Within,
  { feed, reason }: PayloadOf<'feed.pause'>,
): Promise<void> {
  if (!(await pauseStore.isOfAudience(tx, feed)))
    throw new Refusal('not-found', { detail: 'there is no feed of an audience of this id' })
  if ((await pauseStore.pauseOf(tx, feed))?.paused === true)
    throw new Refusal('state-conflict', { detail: 'the feed is paused' })
  const event = await log(context, { tx, act }, { kind: 'feed.paused', fields: { feed, reason } })
  await pauseStore.setPause(tx, { feed_id: feed, paused: true, reason, at: act.at, last_event: event })
}

export async function resumeFeed(
  context: ActContext,
  { tx, act }: Within,
  { feed }: PayloadOf<'feed.resume'>,
): Promise<void> {
  const pause = await pauseStore.pauseOf(tx, feed)
  if (pause?.paused !== true) throw new Refusal('state-conflict', { detail: 'the feed is not paused' })
  const { reason } = pause
  const event = await log(context, { tx, act }, { kind: 'feed.resumed', fields: { feed, reason } })
  await pauseStore.setPause(tx, { feed_id: feed, paused: false, reason, at: act.at, last_event: event })
}
