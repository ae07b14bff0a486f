/** A host in its one form: an IPv4 address in dotted form, IPv6 in brackets (RFC 5952), or a name in ASCII. */
export interface Host {
  name: string
  ip: boolean
}

const NAME = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/**
 * The WHATWG host parser (UTS #46 to ASCII, numbers in every form to dotted IPv4), after the dots that Safe Browsing
 * removes; undefined for what is no host.
 */
export function canonicalHost(text: string): Host | undefined {
  const trimmed = text
    .replace(/^\.+/, '')
    .replace(/\.+$/, '')
    .replaceAll(/\.{2,}/g, '.')
  if (trimmed === '' || /[\s/?#@\\]/.test(trimmed)) return undefined
  const parsed = URL.parse(`http://${trimmed}/`)
  if (parsed === null || parsed.username !== '' || parsed.port !== '') return undefined
  const name = parsed.hostname
  if (name.startsWith('[')) return { name, ip: true }
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return { name, ip: true }
  return name.length <= 253 && NAME.test(name) ? { name, ip: false } : undefined
}
