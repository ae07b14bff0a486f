/** The identifier types that have a normalisation; the names are those of signals. */
export const IDENTIFIER_TYPE = [
  'url',
  'domain',
  'email',
  'phone',
  'username',
  'account_id',
  'payment_handle',
  'ip',
] as const
export type IdentifierType = (typeof IDENTIFIER_TYPE)[number]

interface ProfileRule {
  /** The profile a source uses unless it says another. */
  readonly first: string
  /** A second, looser profile under which a second token may be made. */
  readonly second?: string
  /** The profile is followed by `:` and the slug of the platform or service. */
  readonly named: boolean
}

/** A profile is never edited: another rule or other tables are another version, and both run for a time. */
export const PROFILE: Readonly<Record<IdentifierType, ProfileRule>> = {
  url: { first: 'url/1', named: false },
  domain: { first: 'domain/1', named: false },
  email: { first: 'email/1', second: 'email-provider/1', named: false },
  phone: { first: 'phone/1', named: false },
  username: { first: 'username/1', named: true },
  account_id: { first: 'account-id/1', named: true },
  payment_handle: { first: 'payment/1', named: true },
  ip: { first: 'ip/1', named: false },
}

/** What a normalisation answers. A reason never quotes the identifier. */
export type Normalised = { outcome: 'ok'; canonical: string; profile: string } | { outcome: 'refused'; reason: string }

export const refused = (reason: string): { outcome: 'refused'; reason: string } => ({ outcome: 'refused', reason })

export const isIdentifierType = (type: string): type is IdentifierType => Object.hasOwn(PROFILE, type)

const SLUG = /^[a-z0-9][a-z0-9._-]{0,40}$/

/** `username/1:<slug>`, or undefined where the slug of the platform or service is missing or malformed. */
export function namedProfile(type: IdentifierType, service: string | undefined): string | undefined {
  return service !== undefined && SLUG.test(service) ? `${PROFILE[type].first}:${service}` : undefined
}

export const NEEDS_SERVICE = 'needs the slug of its platform or service: lower-case letters, digits, `.`, `_`, `-`'
