import { getDomain } from 'tldts'
import { looseIpv4 } from './ip.ts'
import { type Normalised, PROFILE, refused } from './profile.ts'
import { textFault } from './unicode.ts'

/** Which hosts and paths an expression stands for; the names are those of a signal's `scope`. */
export interface UrlScope {
  /** `exact`: this host alone; `suffix`: it and every host below it. */
  host: 'exact' | 'suffix'
  /** `query`, `exact`: this path with or without its query; `prefix`: what is below it; `root`: the whole host. */
  path: 'query' | 'exact' | 'prefix' | 'root'
}

/** What is hashed, and what the hash then stands for. A signal matches where hash and scope both do. */
export interface UrlExpression {
  expression: string
  scope: UrlScope
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
/** Octets of a name as it is written, and of one label (RFC 1035 section 2.3.4). */
const HOST_LIMIT = 253
const LABEL_LIMIT = 63
/** Besides the host itself (Safe Browsing, "Suffix/prefix expressions"). */
const SUFFIX_LIMIT = 4
/** Whoever owns a name under `github.io` owns that name alone. */
const BY_OWNER = { allowPrivateDomains: true } as const

/**
 * `domain/1`: the host as the URL standard's domainToASCII gives it, without end dots. Refused are addresses, anything
 * around the name, and public suffixes, under which everyone is somebody else.
 */
export function canonicalDomain(raw: string): Normalised {
  const text = raw.trim()
  const fault = textFault(text)
  if (fault !== undefined) return refused(fault)
  if (/[\s/\\:@?#[\]%]/.test(text)) return refused('a name alone, without scheme, port or path')
  const host = asciiHost(text)?.replace(/\.+$/, '')
  if (host === undefined || !isHostName(host)) return refused('not a domain name')
  if (looseIpv4(host) !== undefined) return refused('an IP address, which has its own type')
  if (getDomain(host, BY_OWNER) === null) return refused('a public suffix or a single label')
  return { outcome: 'ok', canonical: host, profile: PROFILE.domain.first }
}

/** The expressions of a canonical domain. The first is what a source shares unless it says another. */
export const domainExpressions = (canonical: string): readonly UrlExpression[] =>
  hostSuffixes(canonical).map(({ host, scope }) => ({ expression: `${host}/`, scope: { host: scope, path: 'root' } }))

/**
 * The host itself, then the registrable domain and what is one, two, three labels longer. Which domain is registrable
 * follows the shipped public suffix list: a newer list may add or drop suffixes, never change the host itself.
 */
export function hostSuffixes(host: string): readonly { host: string; scope: UrlScope['host'] }[] {
  const exact = { host, scope: 'exact' } as const
  const registrable = host.startsWith('[') || looseIpv4(host) !== undefined ? null : getDomain(host, BY_OWNER)
  if (registrable === null) return [exact]
  const labels = host.split('.')
  const fewest = registrable.split('.').length
  const most = Math.min(labels.length, fewest + SUFFIX_LIMIT - 1)
  const suffixes = Array.from({ length: most - fewest + 1 }, (_, i) => labels.slice(-(fewest + i)).join('.'))
  return [exact, ...suffixes.map((suffix) => ({ host: suffix, scope: 'suffix' as const }))]
}

/** Lower-case ASCII of a host (UTS #46, as the URL standard applies it); undefined where it has none. */
export function asciiHost(host: string): string | undefined {
  if (/^\p{ASCII}*$/u.test(host)) return host.toLowerCase()
  if (textFault(host) !== undefined || /[\s/\\:@?#[\]%]/.test(host)) return undefined
  return URL.parse(`http://${host}/`)?.hostname
}

/** Whether the name system could hold a host that is given as one character an octet, whatever they are. */
export const isOfHostLength = (host: string): boolean =>
  host.length <= HOST_LIMIT && host.split('.').every((label) => label.length <= LABEL_LIMIT)

/** Letters, digits, hyphens and underscores, at least two labels. */
export const isHostName = (host: string): boolean =>
  isOfHostLength(host) && host.includes('.') && host.split('.').every((label) => LABEL.test(label))
