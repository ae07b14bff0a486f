import type { Outcome } from '../../feedback/schema.ts'
import { entryOf } from '../../kernel/entry-of.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { EXTENSION, identityId, objectUuid, uuidOf } from './ids.ts'
import type { OpinionObject, SightingObject } from './schema.ts'
import type { StixObject } from './standing.ts'

/** Feedback of ours, with the reason that a verdict has to have. */
export interface Said {
  outcome: Outcome
  reason?: string
}

/** What a sighting may say in our extension; an action taken is the end of a case alone. */
const SEEN: Readonly<Record<string, Said>> = {
  seen_here: { outcome: 'seen_here', reason: 'investigating' },
  confirmed_no_presence: { outcome: 'confirmed_no_presence', reason: 'no_account' },
  needs_information: { outcome: 'needs_information', reason: 'context' },
  ingested: { outcome: 'ingested' },
  already_known: { outcome: 'already_known' },
  in_review: { outcome: 'in_review' },
}
/** And an opinion. */
const THOUGHT: Readonly<Record<string, Said>> = {
  not_violating: { outcome: 'not_violating', reason: 'policy_differs' },
  disagree_category: { outcome: 'disagree_category', reason: 'category' },
  outdated: { outcome: 'outdated', reason: 'inactive' },
}

/** Seen here, or looked for and not found (`count` 0), unless our extension says what else. */
export function sightingOf(
  { count }: Pick<SightingObject, 'count'>,
  disposition: string | undefined,
): Said | { why: string } {
  const word = disposition ?? (count === 0 ? 'confirmed_no_presence' : 'seen_here')
  const isOdd = disposition !== undefined && (count === 0) !== (disposition === 'confirmed_no_presence')
  if (isOdd && count !== undefined) return { why: 'count is 0 only where it was looked for and not found' }
  return entryOf(SEEN, word) ?? { why: `a sighting says one of ${Object.keys(SEEN).join(', ')}` }
}

/** Agreement says nothing that is counted here; the strongest disagreement is that the signal is wrong. */
export function opinionOf(
  { opinion }: Pick<OpinionObject, 'opinion'>,
  disposition: string | undefined,
): Said | { why: string } {
  const word = disposition ?? (opinion === 'strongly-disagree' ? 'not_violating' : '')
  const isAgainst = opinion === 'disagree' || opinion === 'strongly-disagree'
  return (
    (isAgainst ? entryOf(THOUGHT, word) : undefined) ?? {
      why: `an opinion disagrees strongly, or disagrees and says one of ${Object.keys(THOUGHT).join(', ')}`,
    }
  )
}

/** What somebody said of a signal, and when in milliseconds. */
export interface GivenFeedback {
  /** The act, an entry of the log. */
  event: Uuid
  giver: string
  source: string
  signal: Uuid
  outcome: Outcome
  at: number
}

/** Of the object of an act, whichever of the two it is. */
export const feedbackUuid = (event: Uuid): Uuid => uuidOf('feedback', event)

/** Feedback as the object that says it: of it there is one version. */
export function feedbackToStix({ event, giver, source, signal, outcome, at }: GivenFeedback): StixObject {
  const about = `indicator--${objectUuid(source, signal)}`
  const stamp = new Date(at).toISOString()
  const common = (type: string) => ({
    ...{ type, spec_version: '2.1', id: `${type}--${feedbackUuid(event)}`, created_by_ref: identityId(giver) },
    ...{ created: stamp, modified: stamp },
    extensions: {
      [EXTENSION]: { extension_type: 'property-extension', source, signal, event, disposition: outcome },
    },
  })
  if (Object.hasOwn(THOUGHT, outcome)) {
    const opinion = outcome === 'not_violating' ? 'strongly-disagree' : 'disagree'
    return { ...common('opinion'), opinion, object_refs: [about] }
  }
  const count = outcome === 'confirmed_no_presence' ? { count: 0 } : {}
  return { ...common('sighting'), sighting_of_ref: about, ...count }
}
