import { NEEDS_SERVICE, type Normalised, namedProfile, refused } from './profile.ts'

const LIMIT = 128

/** Ledgers, by the human-readable part of their bech32 addresses; null where they have none. */
const LEDGER: ReadonlyMap<string, string | null> = new Map([
  ['bitcoin', 'bc'],
  ['litecoin', 'ltc'],
  ['bitcoin-cash', null],
  ['dogecoin', null],
  ['ethereum', null],
  ['monero', null],
  ['ripple', null],
  ['solana', null],
  ['tron', null],
])

const HEX_ADDRESS = /^0x[0-9a-f]{40}$/i
const BASE58 = /^[1-9A-HJ-NP-Za-km-z]{25,106}$/
const BECH32_DATA = /^[02-9ac-hj-np-z]{6,}$/

/**
 * `payment/1:<service>`: cashtags and handles in lower case, one `$` or `@` off; of the ledgers named above, base58 as it stands,
 * bech32 and `0x` in lower case. Checksums are not verified: a mistyped address matches nothing.
 */
export function canonicalPaymentHandle(raw: string, { service }: { service?: string | undefined }): Normalised {
  const profile = namedProfile('payment_handle', service)
  if (service === undefined || profile === undefined) return refused(NEEDS_SERVICE)
  const text = raw.trim()
  if (text.length > LIMIT) return refused(`longer than ${LIMIT} characters`)
  if (!/^[\x21-\x7e]+$/.test(text)) return refused('empty, or other characters than printable ASCII')
  const prefix = LEDGER.get(service)
  const canonical = prefix === undefined ? handle(text) : address(text, prefix)
  return canonical === undefined
    ? refused(prefix === undefined ? 'no handle of this service' : 'no address of this ledger, or bech32 in mixed case')
    : { outcome: 'ok', canonical, profile }
}

function handle(text: string): string | undefined {
  const name = text.replace(/^[$@]/, '').toLowerCase()
  // A second sign would make the canonical form of the canonical form another one.
  return name === '' || /^[$@]/.test(name) ? undefined : name
}

function address(text: string, prefix: string | null): string | undefined {
  if (HEX_ADDRESS.test(text)) return text.toLowerCase()
  const lower = text.toLowerCase()
  if (prefix !== null && lower.startsWith(`${prefix}1`)) {
    const mixed = text !== lower && text !== text.toUpperCase()
    return !mixed && BECH32_DATA.test(lower.slice(prefix.length + 1)) ? lower : undefined
  }
  return BASE58.test(text) ? text : undefined
}
