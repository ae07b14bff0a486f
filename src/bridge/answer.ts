import type { LookedUp } from '../client/looked-up.ts'
import type { Match } from '../client/matcher.ts'
import type { ErrorCode, Refusal } from '../kernel/errors.ts'
import type { SignalItem } from '../signals/schema.ts'

/** Whom a signal may be passed on to, by its TLP level; the level never widens its audience. */
const RESHARE = {
  red: 'nobody',
  'amber+strict': 'own_organisation',
  amber: 'own_organisation_and_processors',
  green: 'programme',
  clear: 'anybody',
} as const satisfies Record<SignalItem['tlp'], string>

/** A signal that matched, as clients of the bridge are told. */
export interface ToldSignal {
  signal: string
  revision: number
  type: string
  profile: string
  source: string
  categories: string[]
  severity: string
  confidence: number
  basis: string
  handling: { recommended: string; tlp: string; reshare: string }
  expires_at: string
  /** Bits in which a PDQ hash differs. */
  distance?: number
  /** In a text, the place in UTF-16 code units. */
  start?: number
  end?: number
  provenance: {
    /** The submission, an entry of the log, and the item's place in it; where it is mirrored. */
    event: string
    index: number
    feed?: string
    seq?: string
    /** Its source's signature and the node's over it were checked here. */
    verified: true
  }
}

/** What became of one query. `unknown`: it was not, or not everywhere, looked for; `code` says why. */
export interface Told {
  outcome: 'match' | 'none' | 'unknown' | 'refused'
  matches?: ToldSignal[]
  /** Signals at TLP red, which no bridge tells: `aldis match` and `aldis lookup` do, to a person. */
  withheld?: number
  /** More signals match than are told. */
  more?: true
  /** Matches in sealed audiences whose signals were not asked for, or could not be. */
  sealed?: ToldSealed[]
  code?: ErrorCode
  pointer?: string
  detail?: string
}

export interface ToldSealed {
  audience: string
  signal: string
  /** The taxonomy's stable number. */
  category: number
  recommended?: string
  expires_at: string
}

export const toldMatch = (match: Match, place: { start: number; end: number } | undefined = undefined): ToldSignal => {
  const { signal, revision, type, profile, source, category, severity, confidence, basis, expires_at } = match
  const { event, index, feed, seq } = match.provenance
  return {
    ...{ signal, revision, type, profile, source, categories: [category], severity, confidence, basis },
    handling: handlingOf(match),
    expires_at,
    ...(match.distance === 0 ? {} : { distance: match.distance }),
    ...(place === undefined ? {} : { start: place.start, end: place.end }),
    provenance: { event, index, feed, seq, verified: true },
  }
}

/** Of what the node disclosed, once it was verified to be of a key of ours. */
export function toldEvent({ event, item }: Pick<LookedUp, 'event' | 'item'>, profile: string): ToldSignal {
  const own = item as unknown as SignalItem
  const { signal, revision, source, index = 0 } = event
  return {
    ...{ signal, revision, type: own.type, profile, source, categories: [own.category], severity: own.severity },
    ...{ confidence: own.confidence, basis: own.basis, handling: handlingOf(own), expires_at: own.expires_at },
    provenance: { event: event.event, index, verified: true },
  }
}

const handlingOf = ({ handling, tlp }: Pick<SignalItem, 'handling' | 'tlp'>): ToldSignal['handling'] => ({
  recommended: handling,
  tlp,
  reshare: RESHARE[tlp],
})

/** Signals at TLP red are for people: no bridge tells them. */
export const isTold = ({ tlp }: { tlp: string }): boolean => tlp !== 'red'

/** What was found, with why it may not be all. */
export function toldOf(matches: readonly ToldSignal[], lack: Lack | undefined = undefined, more = false): Told {
  const told = matches.filter(({ handling }) => isTold(handling))
  const withheld = matches.length - told.length
  const outcome = told.length > 0 ? 'match' : lack === undefined ? 'none' : 'unknown'
  return {
    outcome,
    ...(told.length === 0 ? {} : { matches: told }),
    ...(withheld === 0 ? {} : { withheld }),
    ...(more ? { more: true } : {}),
    ...(lack === undefined ? {} : lack),
  }
}

export interface Lack {
  code: ErrorCode
  detail: string
}

export function toldRefused({ code, detail, errors }: Refusal): Told {
  const pointer = errors[0]?.pointer
  return {
    outcome: 'refused',
    code,
    ...(pointer === undefined ? {} : { pointer }),
    ...(detail === undefined ? {} : { detail }),
  }
}
