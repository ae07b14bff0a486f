import type { EventType } from '../../feeds/entry.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { EXTENSION, identityId, objectUuid } from './ids.ts'
import { type Pattern, patternOf, type SuiteOf } from './pattern.ts'
import { type StixObject, TLP_MARKING } from './standing.ts'

/** The newest event of a signal as its recipients have it, and the times of its first and its newest version. */
export interface SignalVersion {
  type: EventType
  source: string
  signal: Uuid
  revision: number
  /** The submission, an entry of the log. */
  event: Uuid
  /** What the source signed; absent where the node speaks. */
  item: SignalItem | undefined
  /** What the first version was of; undefined where it is not known any more. */
  firstType: SignalItem['type'] | undefined
  reason: string | undefined
  /** Milliseconds since 1970. */
  created: number
  modified: number
}

/** For whom: what is known of key epochs there. */
export interface Viewer {
  suiteOf: SuiteOf
}

/** Why a signal is not given out as an object. */
export type Withheld = 'no-stix-form' | 'key-epoch-unknown'

const ENDED: Readonly<Partial<Record<EventType, string>>> = {
  'signal.withdrawn': 'withdrawn',
  'signal.expired': 'expired',
  'signal.erased': 'erased',
}

export type Mapped = { object: StixObject } | { withheld: Withheld }

/** A signal as a STIX 2.1 object, or why it has none. Nothing is approximated. */
export function toStix(signal: SignalVersion, { suiteOf }: Viewer): Mapped {
  const ended = signal.reason === 'audience_changed' ? 'audience_changed' : ENDED[signal.type]
  if (HIDDEN.has(signal.item?.type ?? signal.firstType ?? 'url')) return { withheld: 'no-stix-form' }
  if (ended !== undefined) return ending(signal, { revoked: true, says: { state: 'ended', end_reason: ended } })
  // A hold may be lifted, and a revocation may not: the object stays, and matches nothing.
  if (signal.item === undefined)
    return ending(signal, { says: { state: signal.reason === 'erased' ? 'ended' : 'held' } })
  return live(signal, signal.item, suiteOf)
}

/** What has no pattern: it is read by people, or states something of two others. */
const HIDDEN: ReadonlySet<SignalItem['type']> = new Set<SignalItem['type']>(['tactic', 'relation'])

/** What every version says of where it is from. */
interface Origin {
  uuid: Uuid
  created_by_ref: string
  created: string
  modified: string
  says: Readonly<Record<string, unknown>>
}

function originOf({ source, signal, revision, event, created, modified }: SignalVersion): Origin {
  const first = stamp(created)
  return {
    uuid: objectUuid(source, signal),
    created_by_ref: identityId(source),
    created: first,
    modified: created === modified ? first : stamp(modified),
    says: { extension_type: 'property-extension', source, signal, revision, event },
  }
}

/** Without what was shared: a pattern that matches nothing. */
function ending(
  version: SignalVersion,
  { revoked, says }: { revoked?: true; says: Readonly<Record<string, string>> },
): Mapped {
  const { uuid, created_by_ref, created, modified, says: own } = originOf(version)
  const object = {
    ...{ type: 'indicator', spec_version: '2.1', id: `indicator--${uuid}`, created_by_ref, created, modified },
    ...(revoked === undefined ? {} : { revoked }),
    ...{ pattern: `[x-aldis-withdrawn:id = '${uuid}']`, pattern_type: 'stix', valid_from: created },
    extensions: { [EXTENSION]: { ...own, ...says } },
  }
  return { object }
}

/** Thousands a second are made for one page after another: member by member, since to spread takes twice as long. */
function live(version: SignalVersion, item: SignalItem, suiteOf: SuiteOf): Mapped {
  const found = patternOf(item, suiteOf)
  if (found === undefined) return { withheld: 'key-epoch-unknown' }
  const { observed_at, expires_at } = item
  const { uuid, created_by_ref, created, modified, says } = originOf(version)
  const object: Record<string, unknown> & StixObject = {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${uuid}`,
    created_by_ref,
    created,
    modified,
    pattern: found.pattern,
    pattern_type: found.pattern_type,
    valid_from: observed_at,
  }
  // Instants of items are written in one way (`InstantSchema`): their texts are in order.
  if (expires_at > observed_at) object['valid_until'] = expires_at
  object['confidence'] = item.confidence
  object['labels'] = [item.category]
  object['object_marking_refs'] = [TLP_MARKING[item.tlp]]
  object['extensions'] = { [EXTENSION]: extensionOf(item, says, found.says) }
  return { object }
}

function extensionOf(item: SignalItem, origin: Origin['says'], says: Pattern['says']): object {
  const own: Record<string, unknown> = { ...origin, state: 'live', authority: 'origin_jws', signal_type: item.type }
  Object.assign(own, says)
  own['category'] = item.category
  own['taxonomy'] = item.taxonomy
  own['signal_severity'] = item.severity
  own['basis'] = item.basis
  own['context'] = item.context
  own['handling'] = item.handling
  if (item.note !== undefined) own['note'] = item.note
  return own
}

/** As STIX has it: to the millisecond. */
const stamp = (ms: number): string => new Date(ms).toISOString()
