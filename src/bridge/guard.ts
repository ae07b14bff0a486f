import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { Refusal, StartRefused } from '../kernel/errors.ts'

export interface Place {
  host: string
  port: number
}

/** `127.0.0.1:8480` or `[::1]:8480`. Throws `StartRefused` for any address that other machines reach. */
export function loopbackPlace(text: string): Place {
  const [, four, six, port] = /^(?:([0-9.]+)|\[([0-9a-f:]+)\]):([0-9]{1,5})$/i.exec(text) ?? []
  const host = four ?? six ?? ''
  if (port === undefined || Number(port) > 65_535)
    throw new StartRefused('--listen: expected 127.0.0.1:PORT or [::1]:PORT')
  const loopback = (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && LOOPBACK_6.test(host))
  if (loopback) return { host, port: Number(port) }
  throw new StartRefused('--listen: not-loopback: the bridge is reached from its own machine alone')
}

const LOOPBACK_6 = /^(?:0{0,4}:){2,7}0{0,3}1$/

export interface Guard {
  /** Where the bridge listens. */
  place: Place
  hasSecret(authorization: string | undefined): boolean
}

/** Headers by which a browser says that a page asks. */
const OF_PAGES = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode', 'access-control-request-method'] as const

/**
 * Lets in who is meant to: a page that a browser loaded elsewhere may reach loopback under a name of its own (DNS rebinding), and
 * any user of the machine the port. Throws `bridge-foreign` or `bridge-secret`; a probe needs no secret.
 */
export function admit(headers: IncomingHttpHeaders, { place, hasSecret }: Guard, probe: boolean): void {
  const named = headers.host?.toLowerCase() ?? ''
  if (!namesOf(place).includes(named) || OF_PAGES.some((name) => headers[name] !== undefined))
    throw new Refusal('bridge-foreign')
  if (probe || hasSecret(headers.authorization)) return
  throw new Refusal('bridge-secret', { detail: 'Authorization: Bearer, and what stands in bridge/secret of the home' })
}

/** What a client on this machine calls it. */
function namesOf({ host, port }: Place): string[] {
  const address = isIPv6(host) ? `[${host.toLowerCase()}]` : host
  const names = [address, 'localhost', isIPv6(host) ? '[::1]' : '127.0.0.1']
  return names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]))
}
