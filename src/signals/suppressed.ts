import type { Gates, Suppressed } from '../matching/suppression.ts'
import type { SignalItem } from './schema.ts'

/** The list on which a signal's value stands, as far as its hash tells: links and media, for tokens are keyed. */
export function suppressedItem({ media, link }: Gates, item: SignalItem): Suppressed | undefined {
  if (item.type === 'url' || item.type === 'domain') return link(item.value.sha256)
  return item.type === 'media_hash' ? media(item.value.algorithm, item.value.hash) : undefined
}

/** Where in an item its suppressed value stands. */
export const suppressedPointer = ({ type }: SignalItem): string =>
  type === 'media_hash' ? '/value/hash' : '/value/sha256'

/** The list is public; the value is not repeated. */
export const suppressedText = ({ list }: Suppressed): string => `on the suppression list ${list}`
