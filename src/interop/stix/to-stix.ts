import type { EventType } from '../../feeds/entry.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { EXTENSION, identityId, objectUuid } from './ids.ts'
import { patternOf, type SuiteOf } from './pattern.ts'
import { TLP_MARKING } from './standing.ts'
import { type StixText, stixText } from './text.ts'

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

export type Mapped = { object: StixText } | { withheld: Withheld }

/** A signal as a STIX 2.1 object, or why it has none. Nothing is approximated. */
export function toStix(signal: SignalVersion, { suiteOf }: Viewer): Mapped {
  const ended = signal.reason === 'audience_changed' ? 'audience_changed' : ENDED[signal.type]
  if (HIDDEN.has(signal.item?.type ?? signal.firstType ?? 'url')) return { withheld: 'no-stix-form' }
  if (ended !== undefined) return ending(signal, { revoked: true, says: { state: 'ended', end_reason: ended } })
  // A hold may be lifted, and a revocation may not: the object stays, and matches nothing.
  if (signal.item === undefined)
    return ending(signal, { says: { state: signal.type === 'signal.held' ? 'held' : 'ended' } })
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
  return {
    uuid: objectUuid(source, signal),
    created_by_ref: identityId(source),
    created: stamp(created),
    modified: stamp(modified),
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
  return { object: stixText(object, modified) }
}

/** Thousands a second are written for one page after another: as text at once, since an object in between takes half as long again. */
function live(version: SignalVersion, item: SignalItem, suiteOf: SuiteOf): Mapped {
  const found = patternOf(item, suiteOf)
  if (found === undefined) return { withheld: 'key-epoch-unknown' }
  const { observed_at, expires_at } = item
  const { uuid, created_by_ref, created, modified, says } = originOf(version)
  const id = `indicator--${uuid}`
  // Instants of items are written in one way (`InstantSchema`): their texts are in order.
  const until = expires_at > observed_at ? `"valid_until":${json(expires_at)},` : ''
  const text =
    `{"type":"indicator","spec_version":"2.1","id":"${id}","created_by_ref":"${created_by_ref}","created":"${created}",` +
    `"modified":"${modified}","pattern":${json(found.pattern)},"pattern_type":"${found.pattern_type}",` +
    `"valid_from":${json(observed_at)},${until}"confidence":${json(item.confidence)},"labels":[${json(item.category)}],` +
    `"object_marking_refs":["${TLP_MARKING[item.tlp]}"],"extensions":{"${EXTENSION}":{${members(says)},` +
    `"state":"live","authority":"origin_jws","signal_type":"${item.type}",${members(found.says)},${members(ownOf(item))}}}}`
  return { object: { id, type: 'indicator', version: modified, text } }
}

/** What is said of a signal in its own words. */
const ownOf = ({ category, taxonomy, severity, basis, context, handling, note }: SignalItem): object => {
  return { category, taxonomy, signal_severity: severity, basis, context, handling, note }
}

const json = (value: unknown): string => JSON.stringify(value)
/** Of an object that has some, without what stands around them. */
const members = (object: object): string => JSON.stringify(object).slice(1, -1)

/** As STIX has it: to the millisecond. What came together has one text. */
function stamp(ms: number): string {
  if (ms !== stamped.ms) stamped = { ms, text: new Date(ms).toISOString() }
  return stamped.text
}

let stamped = { ms: 0, text: '1970-01-01T00:00:00.000Z' }
