import { type Found, findRaw } from './raw-value.ts'
import { unescapeBytes } from './url.ts'

/** What stands between the parts of a link's path, query and fragment; a link within a link is parts as well. */
const BETWEEN = /[/?#&=;!]+/

/**
 * What of a link looks like a person's own identifier: a user before the host, and any part of path, query and fragment. Host
 * and port are what a link is of. The pointer names the link, never the part; parts are looked at with their escapes undone.
 */
export function findRawInLink(link: string, pointer: string): Found | undefined {
  const rest = link.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
  const end = rest.search(/[/?#]/)
  const [authority, target] = end < 0 ? [rest, ''] : [rest.slice(0, end), rest.slice(end)]
  if (unescaped(authority).includes('@')) return { pointer, kind: 'a link with a user' }
  for (const part of unescaped(target).split(BETWEEN)) {
    const [found] = findRaw(part)
    if (found !== undefined) return { pointer, kind: found.kind }
  }
  return undefined
}

/** Escapes within escapes too; what is no UTF-8 hides nothing beside it. */
const unescaped = (text: string): string =>
  new TextDecoder().decode(Uint8Array.from(unescapeBytes(text), (byte) => byte.charCodeAt(0)))
