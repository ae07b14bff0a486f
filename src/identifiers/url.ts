import { utf8 } from '../kernel/bytes.ts'
import { asciiHost, hostSuffixes, isOfHostLength, type UrlExpression, type UrlScope } from './domain.ts'
import { ipv6Host, looseIpv4 } from './ip.ts'
import { type Normalised, PROFILE, refused } from './profile.ts'

/** Characters; a longer link is no link that people follow. */
const LIMIT = 8192
/** Besides the path with its query and the path without: the root and three folders. */
const FOLDER_LIMIT = 4

/**
 * `url/1`: Safe Browsing's canonical form ("URLs and Hashing"): escapes undone until none is left and then made anew,
 * user, port and fragment dropped, dot segments and double slashes resolved, host in ASCII. The scheme stays in the
 * canonical form and is in no expression.
 */
export function canonicalUrl(raw: string): Normalised {
  if (!raw.isWellFormed()) return refused('not well-formed Unicode')
  if (raw.length > LIMIT) return refused(`longer than ${LIMIT} characters`)
  const text = raw.replace(/[\t\r\n]/g, '').replace(/^ +| +$/g, '')
  const [withoutFragment = ''] = text.split('#', 1)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(withoutFragment)
  const name = scheme?.[1]?.toLowerCase() ?? 'http'
  if (!['http', 'https', 'ftp'].includes(name)) return refused('another scheme than http, https or ftp')
  const rest = withoutFragment.slice(scheme?.[0].length ?? 0)
  const end = rest.search(/[/?]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  // `mailto:someone@host` is no link to a host.
  if (scheme === null && /@|:$/.test(authority)) return refused('a user or an empty port, and no scheme')
  const host = canonicalHost(authority)
  if (host === undefined) return refused('no usable host')
  const target = end < 0 ? '' : canonicalTarget(rest.slice(end))
  return { outcome: 'ok', canonical: `${name}://${host}${target || '/'}`, profile: PROFILE.url.first }
}

/**
 * Every expression under which a canonical link is looked up: at most five hosts by six paths. The first, the exact
 * host with the exact path and query, is what a source shares unless it says another. One expression may stand twice,
 * under two scopes: `host/` is both the exact front page and the whole host.
 */
export function urlExpressions(canonical: string): readonly UrlExpression[] {
  const [scheme = '', , host = ''] = canonical.split('/', 3)
  const target = canonical.slice(`${scheme}//${host}`.length)
  const paths = pathPrefixes(target)
  return hostSuffixes(host).flatMap(({ host: suffix, scope }) =>
    paths.map(({ path, scope: kind }) => ({ expression: `${suffix}${path}`, scope: { host: scope, path: kind } })),
  )
}

function pathPrefixes(target: string): { path: string; scope: UrlScope['path'] }[] {
  const [path = '/'] = target.split('?', 1)
  const folders = path
    .split('/')
    .slice(1, -1)
    .slice(0, FOLDER_LIMIT - 1)
  return [
    ...(path === target ? [] : [{ path: target, scope: 'query' as const }]),
    { path, scope: 'exact' },
    { path: '/', scope: 'root' },
    ...folders.map((_, i) => ({ path: `/${folders.slice(0, i + 1).join('/')}/`, scope: 'prefix' as const })),
  ]
}

function canonicalHost(authority: string): string | undefined {
  const hostPort = authority.slice(authority.lastIndexOf('@') + 1)
  const found = /^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$/.exec(hostPort)?.[1]
  if (found === undefined || found === '') return undefined
  const bytes = unescapeBytes(found)
  if (bytes.startsWith('[')) {
    const address = bytes.endsWith(']') ? ipv6Host(bytes.slice(1, -1)) : undefined
    return address?.includes(':') ? `[${address}]` : address
  }
  // A delimiter that was escaped would move the end of the host when the canonical form is read again.
  if (/[/\\?@:[\]]/.test(bytes)) return undefined
  const decoded = decodeUtf8(bytes)
  // Bytes are no text: a lower case beyond ASCII would turn one byte into another.
  const lowerAscii = bytes.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  const ascii = decoded === undefined ? lowerAscii : asciiHost(decoded)
  const host = ascii?.replace(/\.{2,}/g, '.').replace(/^\.|\.$/g, '')
  if (host === undefined || host === '') return undefined
  return looseIpv4(host) ?? nameOf(host)
}

const nameOf = (host: string): string | undefined => (isOfHostLength(host) ? escapeBytes(host) : undefined)

/** Path and query. What was an escaped question mark is a question mark now, so the query is found after unescaping. */
function canonicalTarget(raw: string): string {
  const target = unescapeBytes(raw)
  const at = target.indexOf('?')
  const path = at < 0 ? target : target.slice(0, at)
  return escapeBytes(resolveDots(path) + (at < 0 ? '' : target.slice(at)))
}

function resolveDots(path: string): string {
  const out: string[] = []
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '..') out.pop()
    else if (segment !== '' && segment !== '.') out.push(segment)
  }
  const folder = ['', '.', '..'].includes(segments.at(-1) ?? '') && out.length > 0
  return `/${out.join('/')}${folder ? '/' : ''}`
}

/**
 * The bytes of UTF-8, one per character, with every escape undone until none is left. One pass with the output as a
 * stack gives what repeated passes would, without their cost.
 */
export function unescapeBytes(text: string): string {
  const out: string[] = []
  for (const byte of utf8(text)) {
    out.push(String.fromCharCode(byte))
    for (let tail = out.slice(-3).join(''); /^%[0-9a-f]{2}$/i.test(tail); tail = out.slice(-3).join('')) {
      out.splice(-3, 3, String.fromCharCode(Number.parseInt(tail.slice(1), 16)))
    }
  }
  return out.join('')
}

const escapeBytes = (bytes: string): string =>
  Array.from(bytes, (byte) =>
    byte <= ' ' || byte >= '\x7f' || byte === '#' || byte === '%' ? escaped(byte) : byte,
  ).join('')

const escaped = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** Undefined where the bytes are no UTF-8: then they stay bytes, and are escaped. */
function decodeUtf8(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    )
  } catch {
    return undefined
  }
}
