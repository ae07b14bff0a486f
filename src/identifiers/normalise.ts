import { canonicalAccountId } from './account-id.ts'
import { canonicalDomain, domainExpressions, type UrlExpression } from './domain.ts'
import { canonicalEmail, canonicalProviderEmail } from './email.ts'
import { canonicalIp } from './ip.ts'
import { canonicalPaymentHandle } from './payment-handle.ts'
import { canonicalPhone } from './phone.ts'
import { isIdentifierType, type Normalised, PROFILE, refused } from './profile.ts'
import { canonicalUrl, urlExpressions } from './url.ts'
import { canonicalUsername } from './username.ts'

export interface NormaliseInput {
  /** A signal type; those that are no identifiers are refused. */
  type: string
  raw: string
  /** Slug of the platform or payment service, for usernames, account ids and payment handles. */
  service?: string
  /** ISO 3166-1 alpha-2, for phone numbers in national form. */
  region?: string
  /** Make the second, looser form of the type instead (for e-mail: by the provider's own rules). */
  second?: boolean
}

/** The canonical form and, for links, what is hashed: the first expression is what a source shares by default. */
export type NormalisedValue =
  | { outcome: 'ok'; canonical: string; profile: string; expressions: readonly UrlExpression[] }
  | { outcome: 'refused'; reason: string }

/** An identifier under the profile of its type. Runs where the identifier is at home; reasons never quote it. */
export function normalise(input: NormaliseInput): NormalisedValue {
  const { type, second = false } = input
  if (!isIdentifierType(type)) return refused('a type without identifiers')
  if (second && PROFILE[type].second === undefined) return refused('a type without a second form')
  const normal = canonicalOf(type, input)
  if (normal.outcome === 'refused') return normal
  return { ...normal, expressions: expressionsOf(type, normal.canonical) }
}

function canonicalOf(type: keyof typeof PROFILE, { raw, service, region, second }: NormaliseInput): Normalised {
  switch (type) {
    case 'url':
      return canonicalUrl(raw)
    case 'domain':
      return canonicalDomain(raw)
    case 'email':
      return second === true ? canonicalProviderEmail(raw) : canonicalEmail(raw)
    case 'phone':
      return canonicalPhone(raw, { defaultRegion: region })
    case 'username':
      return canonicalUsername(raw, { service })
    case 'account_id':
      return canonicalAccountId(raw, { service })
    case 'payment_handle':
      return canonicalPaymentHandle(raw, { service })
    case 'ip':
      return canonicalIp(raw)
  }
}

function expressionsOf(type: string, canonical: string): readonly UrlExpression[] {
  if (type === 'url') return urlExpressions(canonical)
  return type === 'domain' ? domainExpressions(canonical) : []
}
