import { entryOf } from '../../kernel/entry-of.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { SignalItem } from '../../signals/schema.ts'

/** A value as it stands in a client's request, to be hashed at home. */
export type ThreatValue =
  | { type: 'media_hash'; algorithm: string; hash: string }
  | { type: 'url' | 'domain' | 'email' | 'phone' | 'ip'; value: string }

export interface FromThreat {
  value: ThreatValue
  tlp: SignalItem['tlp']
  basis: SignalItem['basis']
  severity: SignalItem['severity'] | undefined
  confidence: number | undefined
  category: string | undefined
  context: SignalItem['context'] | undefined
  expires_at: string | undefined
  /** Whom it is for: everybody, one group by its number, or participants by theirs. */
  to: { kind: 'programme' } | { kind: 'group'; number: string } | { kind: 'named'; numbers: readonly string[] }
}

const ALGORITHM: Readonly<Record<string, string>> = {
  ...{ HASH_PDQ: 'pdq', HASH_MD5: 'md5', HASH_SHA1: 'sha1', HASH_SHA256: 'sha256', HASH_PHOTODNA: 'photodna' },
  ...{ HASH_TMK: 'tmk', HASH_VIDEO_MD5: 'video_md5' },
}
const RAW: Readonly<Record<string, 'url' | 'domain' | 'email' | 'phone' | 'ip'>> = {
  ...{ URI: 'url', RAW_URI: 'url', DOMAIN: 'domain', EMAIL_ADDRESS: 'email', TELEPHONE: 'phone', IP_ADDRESS: 'ip' },
}
const TLP: Readonly<Record<string, SignalItem['tlp']>> = { WHITE: 'clear', GREEN: 'green', AMBER: 'amber', RED: 'red' }
const SEVERITY: Readonly<Record<string, SignalItem['severity']>> = {
  ...{ INFO: 'low', WARNING: 'medium', SUSPICIOUS: 'medium', SEVERE: 'high', APOCALYPSE: 'critical' },
}

/** The value that a type and an indicator name. Throws `validation-failed` where it has none with us. */
export function valueIn(type: string, indicator: string, tags: readonly string[]): ThreatValue {
  if (indicator === '') throw refused('indicator', 'is missing')
  const algorithm = type === 'HASH_MD5' && tags.includes('media_type_video') ? 'video_md5' : entryOf(ALGORITHM, type)
  if (algorithm !== undefined) return { type: 'media_hash', algorithm, hash: indicator.toLowerCase() }
  const raw = entryOf(RAW, type)
  if (raw !== undefined) return { type: raw, value: indicator }
  throw refused('type', 'has no form here')
}

/** A descriptor's parameters as a signal of ours. `description` is dropped: people write names into it. */
export function fromThreat(given: (name: string) => string | undefined): FromThreat {
  const tags = (given('tags') ?? '').split(',').filter((tag) => tag !== '')
  const tlp = entryOf(TLP, given('share_level') ?? '')
  if (tlp === undefined) throw refused('share_level', 'is none of WHITE, GREEN, AMBER and RED')
  const status = given('status')
  if (status !== 'MALICIOUS' && status !== 'SUSPICIOUS') throw refused('status', 'is none that is submitted')
  return {
    value: valueIn(given('type') ?? '', given('indicator') ?? '', tags),
    tlp: tlp === 'amber' && tags.includes('tlp_amber_strict') ? 'amber+strict' : tlp,
    basis: given('review_status') === 'REVIEWED_MANUALLY' ? 'human_reviewed' : 'automated',
    severity: severityIn(given('severity')),
    confidence: wholeIn('confidence', given('confidence'), 100),
    category: taggedIn(tags, 'aldis_category:'),
    context: contextIn(taggedIn(tags, 'aldis_context:')),
    expires_at: instantIn(wholeIn('expired_on', given('expired_on'), 4_000_000_000)),
    to: audienceIn(given('privacy_type'), given('privacy_members')),
  }
}

const taggedIn = (tags: readonly string[], start: string): string | undefined =>
  tags.find((tag) => tag.startsWith(start))?.slice(start.length)

function severityIn(text: string | undefined): SignalItem['severity'] | undefined {
  if (text === undefined || text === 'UNKNOWN') return undefined
  const severity = entryOf(SEVERITY, text)
  if (severity === undefined) throw refused('severity', 'is none that is known')
  return severity
}

function wholeIn(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined
  const n = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(n <= most)) throw refused(name, 'is no whole number within its bounds')
  return n
}

const instantIn = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`

/** `REGION/legal_basis/surface`, as tags and settings write it. */
export function contextIn(text: string | undefined): SignalItem['context'] | undefined {
  if (text === undefined) return undefined
  const [, region = '', legal_basis = '', surface] =
    /^([A-Z]{2})\/([a-z0-9][a-z0-9_-]{0,62})\/(public|private)$/.exec(text) ?? []
  if (surface !== 'public' && surface !== 'private') throw refused('tags', 'have a context that is none')
  return { region, legal_basis, surface }
}

function audienceIn(type: string | undefined, members = ''): FromThreat['to'] {
  const numbers = members.split(',').filter((one) => one !== '')
  if (type === 'VISIBLE') return { kind: 'programme' }
  const [number, ...more] = numbers
  if (type === 'HAS_PRIVACY_GROUP' && number !== undefined && more.length === 0) return { kind: 'group', number }
  if (type === 'HAS_WHITELIST' && number !== undefined) return { kind: 'named', numbers }
  throw refused('privacy_type', 'names nobody, or more than one group')
}

const refused = (name: string, why: string): Refusal =>
  new Refusal('validation-failed', {
    ...{ detail: `${name} ${why}`, errors: [{ pointer: `/${name}`, code: 'validation-failed', detail: why }] },
  })
