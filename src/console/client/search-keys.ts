import { canonicalDomain, domainExpressions } from '../../identifiers/domain.ts'
import { canonicalUrl, urlExpressions } from '../../identifiers/url.ts'

/** What leaves the tab: of the value itself nothing does. */
export type Prepared = { outcome: 'keys'; profile: string; keys: string[] } | { outcome: 'refused'; reason: string }

const HEX = /^(?:[0-9a-f]{2}){4,512}$/

/** The keys of a link or domain, one for each expression it is matched by; of a media hash the one it is shared under. */
export async function keysOf(type: string, raw: string, algorithm: string): Promise<Prepared> {
  if (type === 'media_hash') return mediaKeys(raw.trim().toLowerCase(), algorithm)
  const normal = type === 'url' ? canonicalUrl(raw) : canonicalDomain(raw)
  if (normal.outcome === 'refused') return normal
  const all = type === 'url' ? urlExpressions(normal.canonical) : domainExpressions(normal.canonical)
  // Two scopes may stand for one expression.
  const expressions = new Set(all.map(({ expression }) => expression))
  return { outcome: 'keys', profile: normal.profile, keys: await Promise.all([...expressions].map(hashed)) }
}

async function mediaKeys(hash: string, algorithm: string): Promise<Prepared> {
  if (!HEX.test(hash)) return { outcome: 'refused', reason: 'a hash in hexadecimal digits' }
  return {
    outcome: 'keys',
    profile: algorithm,
    keys: [hash.length === 64 ? hash : await hashed(`${algorithm}\0${hash}`)],
  }
}

async function hashed(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
