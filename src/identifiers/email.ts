import { utf8 } from '../kernel/bytes.ts'
import { asciiHost, isHostName } from './domain.ts'
import { looseIpv4 } from './ip.ts'
import { type Normalised, PROFILE, refused } from './profile.ts'
import { foldNfc, isHiding, textFault } from './unicode.ts'

/** Bytes of an address (RFC 5321, section 4.5.3.1.3, without the angle brackets). */
const LIMIT = 254

interface Provider {
  /** The domain under which all its addresses are written. */
  domain: string
  /** What of the local part the provider does not read. */
  ignores: RegExp
}

const PLUS = /\+.*$/
const PLUS_AND_DOTS = /\+.*$|\./g

/** Providers that publish which spellings reach one mailbox. Part of `email-provider/1`: never edited. */
const PROVIDERS: ReadonlyMap<string, Provider> = new Map([
  ['gmail.com', { domain: 'gmail.com', ignores: PLUS_AND_DOTS }],
  ['googlemail.com', { domain: 'gmail.com', ignores: PLUS_AND_DOTS }],
  ['outlook.com', { domain: 'outlook.com', ignores: PLUS }],
  ['hotmail.com', { domain: 'hotmail.com', ignores: PLUS }],
  ['live.com', { domain: 'live.com', ignores: PLUS }],
  ['icloud.com', { domain: 'icloud.com', ignores: PLUS }],
  ['fastmail.com', { domain: 'fastmail.com', ignores: PLUS }],
])

/** `email/1`: local part in NFC and case-folded, its plus tag kept, nothing in it that cannot be seen; domain in ASCII without end dot. */
export function canonicalEmail(raw: string): Normalised {
  const text = raw.trim()
  const fault = textFault(text)
  if (fault !== undefined) return refused(fault)
  const at = text.lastIndexOf('@')
  const local = foldNfc(text.slice(0, Math.max(at, 0)))
  if (isHiding(local)) return refused('a character in the local part that cannot be seen')
  if (local.startsWith('"')) return refused('a quoted local part')
  if (local === '' || /[\s@<>()[\],;:\\"]/.test(local)) return refused('no usable local part')
  const domain = asciiHost(text.slice(at + 1))?.replace(/\.$/, '')
  if (domain === undefined || !isHostName(domain)) return refused('no usable domain')
  if (looseIpv4(domain) !== undefined) return refused('an IP address for a domain')
  const canonical = `${local}@${domain}`
  if (utf8(canonical).length > LIMIT) return refused(`longer than ${LIMIT} bytes`)
  return { outcome: 'ok', canonical, profile: PROFILE.email.first }
}

/** `email-provider/1`: the mailbox by its provider's own rules (dots, plus tag); for a second, looser token. */
export function canonicalProviderEmail(raw: string): Normalised {
  const exact = canonicalEmail(raw)
  if (exact.outcome === 'refused') return exact
  const at = exact.canonical.lastIndexOf('@')
  const provider = PROVIDERS.get(exact.canonical.slice(at + 1))
  if (provider === undefined) return refused('a domain whose provider publishes no such rule')
  const mailbox = exact.canonical.slice(0, at).replace(provider.ignores, '')
  if (mailbox === '') return refused('no usable local part')
  return { outcome: 'ok', canonical: `${mailbox}@${provider.domain}`, profile: 'email-provider/1' }
}
