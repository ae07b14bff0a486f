import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a request that changes something comes from a page of the console: browsers say so in `Sec-Fetch-Site`, older
 * ones in `Origin`. One that says neither is refused.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, origin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  return headers.origin === origin
}

/**
 * Whether a text is an address of the console to go to after signing in; anything else would leave it. Of what RFC 3986
 * lets stand in paths and queries: browsers leave much of it unescaped, `kind:signal.*` too.
 */
export const isLocal = (path: string): path is `/${string}` =>
  /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]{0,1000}$/.test(path) && !path.startsWith('//')
