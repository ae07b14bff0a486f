import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { FeedList } from '../../feeds/schema.ts'
import type { LimitList } from '../../usage/schema.ts'
import type { EndpointList } from '../../webhooks/schema.ts'

const DAY_MS = 86_400_000
/** Clocks that differ by more make signatures stale and certificates early. */
const SKEW_MS = 60_000
/** Before a pin ends two administrators have to act. */
const PIN_DAYS = 14

/** What a check says where all is well; each throws what to do where it is not. */

export function certificateText(pem: string, key: string, now: Date): string {
  const leaf = new X509Certificate(pem)
  if (!leaf.checkPrivateKey(createPrivateKey(key)))
    throw new Error('is over another key than tls.key; run aldis enroll with a new code')
  if (leaf.validToDate <= now) throw new Error('has ended; ask two administrators for a new code and run aldis enroll')
  if (leaf.validFromDate > now) throw new Error('is not valid yet; set the clock by NTP')
  return `until ${leaf.validToDate.toISOString()}, renewed by itself while any command runs`
}

/** The key that the node knows us by; certificates under it are renewed until then. */
export function pinText(not_after: string, now: Date): string {
  const days = Math.floor((Date.parse(not_after) - now.getTime()) / DAY_MS)
  if (days < PIN_DAYS)
    throw new Error(`ends on ${not_after.slice(0, 10)}; ask two administrators for a new code and run aldis enroll`)
  return `the key is pinned for ${days} days more`
}

export function clockText(time: string, { before, after }: { before: number; after: number }): string {
  const skew = Math.abs(Date.parse(time) - (before + after) / 2)
  if (skew > SKEW_MS) throw new Error(`${Math.round(skew / 1_000)} seconds from the node's; set the clock by NTP`)
  return `within ${Math.max(1, Math.round(skew / 1_000))} s of the node's`
}

/** What stands in the environment and would come between us and the node. */
export function proxyText(env: Readonly<Record<string, string | undefined>>): string {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    throw new Error('NODE_TLS_REJECT_UNAUTHORIZED=0 takes any certificate for anything; unset it')
  const named = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].filter((name) => (env[name] ?? '') !== '')
  const used = env['NODE_USE_ENV_PROXY'] === '1' || (env['NODE_OPTIONS'] ?? '').includes('--use-env-proxy')
  if (used && named.length > 0)
    throw new Error(
      `${named.join(', ')} is used: a proxy that ends TLS cannot show our certificate; unset NODE_USE_ENV_PROXY`,
    )
  return named.length === 0 ? 'none' : `${named.join(', ')} is set, and not used: the node is reached directly`
}

/** How far the mirror is behind, by feed. */
export function lagText(feeds: FeedList['feeds'], placeOf: (feed: string) => bigint | undefined): string {
  const lag = feeds.map(({ feed, label, from_seq, last_seq }) => {
    const [from, last] = [BigInt(from_seq) - 1n, BigInt(last_seq)]
    const place = placeOf(feed) ?? from
    return { label, mirrored: placeOf(feed) !== undefined, behind: last > place ? last - place : 0n }
  })
  if (lag.every(({ mirrored }) => !mirrored)) return `${feeds.length}, none mirrored here; aldis sync does it`
  const late = lag.filter(({ behind }) => behind > 0n)
  if (late.length === 0) return `${feeds.length}, all of them mirrored to their end`
  return late.map(({ label, behind }) => `${label}: ${behind} behind; run aldis sync`).join('; ')
}

/** Endpoints of programs, and what became of the last message of each. */
export function webhookText(
  endpoints: EndpointList['endpoints'],
  faultOf: (endpoint: string) => string | null | undefined,
): string {
  const own = endpoints.filter(({ feeds }) => feeds.length > 0)
  const failing = own.flatMap(({ url, endpoint }) => {
    const fault = faultOf(endpoint)
    return fault === undefined || fault === null ? [] : [`${url}: ${fault}`]
  })
  if (failing.length > 0) throw new Error(`${failing.join('; ')}; aldis webhooks deliveries ENDPOINT tells more`)
  return own.length === 0 ? 'none' : `${own.length}, and the last message of none failed`
}

/** What is used of quotas and places, and of the bursts of the credential that is used most. */
export function limitText({ credentials, limits }: LimitList): string {
  const spent = limits.find(({ name, used, limit }) => name === 'oprf_elements_per_day' && used >= limit)
  if (spent !== undefined)
    throw new Error(
      `the quota for ${spent.purpose} is used up until ${spent.resets_at}; two administrators may change it (quota.change)`,
    )
  const worst = credentials
    .flatMap(({ label, limits: own }) => own.map((one) => ({ ...one, label })))
    .reduce<LimitUse | undefined>((most, one) => (partOf(one) > partOf(most) ? one : most), undefined)
  const own = limits.map(({ name, purpose, used, limit }) => `${purpose ?? name} ${used} of ${limit}`)
  return [...own, ...(worst === undefined ? [] : [`${worst.name} ${worst.used} of ${worst.limit}`])].join(', ')
}

type LimitUse = LimitList['limits'][number]

const partOf = (one: LimitUse | undefined): number => (one === undefined ? -1 : one.used / Math.max(1, one.limit))

const WITHHELD = /^aldis_bridge_(withheld|formless)_total\{\w+="([\w-]+)"\} (\d+)$/gm
const WHY: Readonly<Record<string, string>> = {
  'no-form': 'without a form there',
  'no-stix-form': 'without a form there',
  'pattern-foreign': 'of patterns that do not hold there',
  'key-epoch-unknown': 'of a key epoch that is not known',
}

/** What a bridge has kept from clients so far, by its metrics: a signal counts each time that it is not told. */
export function withheldText(metrics: string): string {
  const counts = new Map<string, number>()
  for (const [, kind, label = '', n] of metrics.matchAll(WITHHELD)) {
    const why = kind === 'withheld' ? 'at TLP red' : (WHY[label] ?? label)
    counts.set(why, (counts.get(why) ?? 0) + Number(n))
  }
  const told = [...counts].filter(([, n]) => n > 0).map(([why, n]) => `${n} ${why}`)
  return told.length === 0 ? 'nothing withheld' : `withheld since its start: ${told.join(', ')}`
}
