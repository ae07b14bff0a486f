import type { SignalItem, SignalType } from '../../../signals/schema.ts'
import type { Planned, PlannedLine, SignalName } from './act.ts'
import { AUDIENCE_NAMES, type AudienceName, audienceOf, CAST, HABITS, type Party } from './cast.ts'
import type { Random } from './random.ts'
import { RAW } from './values.ts'

type Valued = keyof typeof RAW
type Severity = SignalItem['severity']

const TYPES: Readonly<Record<Valued, number>> = {
  ...{ url: 24, username: 16, email: 10, account_id: 9, media_hash: 9, phone: 8, domain: 8, ip: 7 },
  ...{ payment_handle: 6, keyword_pattern: 2, tactic: 1 },
}
const WORDS: readonly SignalType[] = ['keyword_pattern', 'tactic']

const CATEGORIES = {
  ...{ grooming: 20, sextortion_financial: 22, sextortion_sexual: 8, advertising_of_csam: 14, network_hub: 9 },
  ...{ csam_distribution: 8, csam_solicitation: 5, minor_sexualisation: 5, trafficking: 2, contact_offence: 2 },
  ...{ evasion_tactic: 4, other: 1 },
}
const OF_MEDIA = { csam_distribution: 8, minor_sexualisation: 2 }
const OF_WORDS = { evasion_tactic: 5, grooming: 3, sextortion_financial: 2 }
const SEVERITIES: Readonly<Record<Severity, number>> = { low: 8, medium: 26, high: 46, critical: 20 }
const SEVERE: Readonly<Record<Severity, number>> = { low: 0, medium: 5, high: 35, critical: 60 }
const GRAVE: ReadonlySet<string> = new Set(['csam_distribution', 'trafficking', 'contact_offence'])

const REACH: Readonly<Record<AudienceName, number>> = { programme: 60, chat: 18, video: 8, games: 7, ads: 7 }
const REGIONS = ['IE', 'DE', 'FR', 'NL', 'US', 'CA'] as const

/** Every eighth signal ends within the past. */
const BRIEF = 0.12
/** Days after the past for which signals live on at least: whoever plays the story then is not told of ends. */
const AFTER = 21
const WEEKEND = 0.35

export interface Shared {
  planned: Planned
  line: PlannedLine
}

/** What is shared on each day, in submissions of one source to one audience. */
export function planSignals(random: Random, { days, signals }: { days: number; signals: number }): Shared[] {
  const byDay = spread(random.named('days'), days, signals)
  const shared: Shared[] = []
  for (const [day, n] of byDay.entries()) {
    const sources = active(random, n)
    for (let i = 0; i < n; i++) {
      const { source, audience } = sources[i % sources.length] ?? { source: 'apple', audience: 'programme' }
      shared.push(oneSignal(random, { n: shared.length, day, days, source, audience }))
    }
  }
  return shared
}

/** How many signals each day has; fewer at weekends, and none on the last. */
function spread(random: Random, days: number, signals: number): number[] {
  const weights = Array.from(
    { length: Math.max(1, days - 1) },
    (_, day) => (day % 7 < 5 ? 1 : WEEKEND) * (0.7 + random.next()),
  )
  const total = weights.reduce((sum, one) => sum + one, 0)
  let [owed, given] = [0, 0]
  return weights.map((weight, day) => {
    owed += (weight / total) * signals
    const n = day === weights.length - 1 ? signals - given : Math.round(owed) - given
    given += n
    return n
  })
}

/** Who shares something on a day, and with whom. */
function active(random: Random, n: number): { source: Party; audience: AudienceName }[] {
  const left = new Set<Party>(CAST)
  const most = Math.min(n, random.from(2, 4))
  return Array.from({ length: most }, () => {
    const weights = Object.fromEntries([...left].map((party) => [party, HABITS[party].part])) as Record<Party, number>
    const source = random.weighted(weights)
    left.delete(source)
    const reach = AUDIENCE_NAMES.filter((name) => audienceOf(name).members.includes(source))
    const audience = random.weighted(
      Object.fromEntries(reach.map((name) => [name, REACH[name]])) as Record<AudienceName, number>,
    )
    return { source, audience }
  })
}

interface Making {
  n: number
  day: number
  days: number
  source: Party
  audience: AudienceName
}

function oneSignal(random: Random, { n, day, days, source, audience }: Making): Shared {
  const all = Object.keys(TYPES) as Valued[]
  // The first few are of every type: a short past has them too.
  const type = all[n] ?? random.weighted(TYPES)
  const name: SignalName = `s${n}`
  const category = random.weighted<string>(
    WORDS.includes(type) ? OF_WORDS : type === 'media_hash' ? OF_MEDIA : CATEGORIES,
  )
  const severity = random.weighted(GRAVE.has(category) ? SEVERE : SEVERITIES)
  const lifetime = lifetimeOf(random, { type, day, days, audience })
  const line = {
    ...{ ...RAW[type](random, n), category, severity, confidence: random.from(8, 19) * 5 },
    basis: random.chance(0.6) || WORDS.includes(type) ? 'human_reviewed' : 'automated',
    handling: handlingOf(random, type),
    tlp:
      audience === 'programme'
        ? random.weighted({ green: 3, amber: 7 })
        : random.weighted({ amber: 7, 'amber+strict': 3 }),
    context: {
      ...{ region: random.pick(REGIONS), legal_basis: random.pick(['terms_of_service', 'user_report']) },
      surface: random.pick(['public', 'private']),
    },
    ...(category === 'other' ? { note: 'a kind of offer that no other category names' } : {}),
  } as PlannedLine['line']
  const recipients = audienceOf(audience).members.filter((party) => party !== source)
  return {
    line: { signal: name, line, days: lifetime },
    planned: { name, source, audience, recipients, day, type, severity, lives: day + lifetime - 1 },
  }
}

function lifetimeOf(
  random: Random,
  { type, day, days, audience }: Pick<Making, 'day' | 'days' | 'audience'> & { type: SignalType },
) {
  const left = days - day
  // Where none of the story's platforms but Damson and Elder receive, ends may come soon after the past.
  if (audience === 'games' && random.chance(0.4)) return left + random.from(1, 7)
  if (left > 6 && random.chance(BRIEF)) return random.from(3, Math.max(3, Math.min(45, left - 2)))
  const usual = type === 'url' || type === 'domain' ? 90 : WORDS.includes(type) || type === 'media_hash' ? 365 : 180
  return Math.max(usual, left + AFTER + random.int(30))
}

const handlingOf = (random: Random, type: SignalType) =>
  type === 'url' || type === 'domain'
    ? random.weighted({ block_link: 7, review: 3 })
    : random.weighted({ review: 7, limit_recommendation: 2, monitor: 1 })
