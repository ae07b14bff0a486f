import { join } from 'node:path'
import { Refusal } from '../kernel/errors.ts'
import type { SignalItem } from '../signals/schema.ts'
import { mirroredEvents, mirroredFeeds } from './mirror-reader.ts'

export interface PatternRevision {
  revision: number
  value: Extract<SignalItem, { type: 'keyword_pattern' }>['value']
}

/**
 * The revisions of a pattern that were received, in their order. Throws `MatchFileRefused` where the mirror is damaged, and
 * `validation-failed` where several sources have one of this id and none is named, since ids are their choice.
 */
export async function patternRevisions(
  { home, programme, source }: { home: string; programme: string; source?: string | undefined },
  signal: string,
): Promise<PatternRevision[]> {
  const found = new Map<string, Map<number, PatternRevision>>()
  for (const feed of mirroredFeeds(join(home, 'feeds'))) {
    for await (const { event, item } of mirroredEvents(feed, { after: undefined, programme })) {
      if (event.signal !== signal || item?.['type'] !== 'keyword_pattern') continue
      const { revision, value } = item as unknown as PatternRevision
      found.set(event.source, (found.get(event.source) ?? new Map()).set(revision, { revision, value }))
    }
  }
  const [one, ...others] = source === undefined ? found.values() : [found.get(source)]
  if (others.length > 0)
    throw new Refusal('validation-failed', { detail: 'several sources have a pattern of this id: name its source' })
  return [...(one?.values() ?? [])].sort((a, b) => a.revision - b.revision)
}
