import { join } from 'node:path'
import type { SignalItem } from '../signals/schema.ts'
import { mirroredEvents, mirroredFeeds } from './mirror-reader.ts'

export interface PatternRevision {
  revision: number
  value: Extract<SignalItem, { type: 'keyword_pattern' }>['value']
}

/** The revisions of a pattern that were received, in their order. Throws `MatchFileRefused` where the mirror is damaged. */
export async function patternRevisions(
  { home, programme }: { home: string; programme: string },
  signal: string,
): Promise<PatternRevision[]> {
  const found = new Map<number, PatternRevision>()
  for (const feed of mirroredFeeds(join(home, 'feeds'))) {
    for await (const { event, item } of mirroredEvents(feed, { after: undefined, programme })) {
      if (event.signal !== signal || item?.['type'] !== 'keyword_pattern') continue
      const { revision, value } = item as unknown as PatternRevision
      found.set(revision, { revision, value })
    }
  }
  return [...found.values()].sort((a, b) => a.revision - b.revision)
}
