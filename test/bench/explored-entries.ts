import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { NewEvent } from '../../src/provenance/events.ts'

/** An organisation in whose name entries are made. */
export interface Actor {
  participant: Uuid
  slug: string
}

/** What an entry stands among. */
export interface Year {
  actors: readonly Actor[]
  audience: Uuid
  /** Milliseconds of the first entry, and between two. */
  from: number
  step: number
}

/** A signal that an entry shares, with what its source said of it. */
export interface MadeSignal {
  signal: Uuid
  item: string
}

/** What somebody says of another's signal. */
export interface MadeAnswer {
  origin: Uuid
  signal: Uuid
}

export interface Made {
  event: NewEvent
  signal?: MadeSignal
  feedback?: MadeAnswer
  dispute?: MadeAnswer
}

/** Of a hundred entries. */
const MIX = {
  ...{ 'read.batch': 30, 'signal.submitted': 25, 'review.decided': 15, 'feedback.given': 10, 'hit.reported': 8 },
  ...{ 'lookup.evaluated': 6, 'review.moved': 4, 'audit.read': 2 },
} as const
type Kind = keyof typeof MIX | keyof typeof RARE

/** One of so many entries is one of these. */
const RARE = { 'dispute.opened': 1_000, 'credential.enrolled': 10_000, 'hold.placed': 100_000 } as const

const HUNDRED = Object.entries(MIX).flatMap(([kind, n]) => Array.from({ length: n }, () => kind as Kind))
/** Prime to a hundred: kinds come mixed, each block of a hundred alike. */
const STRIDE = 37
const inBlock = (slot: number): Kind => HUNDRED[(slot * STRIDE) % 100] ?? 'read.batch'
const SUBMITTED = Array.from({ length: 100 }, (_, slot) => slot).filter((slot) => inBlock(slot) === 'signal.submitted')

const CATEGORIES = [
  ...['csam_distribution', 'csam_solicitation', 'grooming', 'sextortion_financial', 'sextortion_sexual', 'trafficking'],
  ...['contact_offence', 'minor_sexualisation', 'advertising_of_csam', 'network_hub', 'evasion_tactic'],
]
const DAY_MS = 86_400_000
/** Of base64url, as long as a SHA-256. */
const DIGEST = 'A'.repeat(43)

function kindAt(i: number): Kind {
  for (const [kind, every] of Object.entries(RARE).reverse()) if (i % every === every / 2) return kind as Kind
  return inBlock(i % 100)
}

const hexOf = (i: number): string => i.toString(16).padStart(12, '0')

/** The signal that the i-th entry shares, if it shares one. */
const signalAt = (i: number): Uuid => `018f0000-0000-7000-8000-${hexOf(i)}` as Uuid

/** The number of an entry before the i-th that shares a signal. */
const sharedBefore = (i: number): number =>
  100 * Math.max(0, Math.floor(i / 100) - 1 - (i % 7)) + (SUBMITTED[i % SUBMITTED.length] ?? 0)

/** The signal that an answer at the i-th entry is about. */
export const signalBefore = (i: number): Uuid => signalAt(sharedBefore(i))

const actorAt = (i: number, { actors }: Year): Actor => pick(actors, i + Math.floor(i / 100))

function pick<T>(of: readonly T[], i: number): T {
  const one = of[i % of.length]
  if (one === undefined) throw new RangeError('nothing to choose from')
  return one
}

const FIELDS: Readonly<
  Record<Kind, (i: number, year: Year, actor: Actor) => Partial<NewEvent> & Pick<NewEvent, 'fields'>>
> = {
  'read.batch': (i, year, { slug }) => ({
    fields: { reader: slug, n: 1 + (i % 40), root: DIGEST, from: timeAt(i, year), to: timeAt(i, year) },
    sources: [1, 2].map((next) => {
      const { slug: party } = actorAt(i + next, year)
      return { party, reader: slug, reads: 1 + (i % 20), items: 1 + (i % 50), root: DIGEST }
    }),
  }),
  'signal.submitted': (i) => ({
    fields: {
      ...{ od: DIGEST, n: 1, root: DIGEST, refused: 0, accepted: 1, kid: DIGEST },
      ...{
        types: { email: 1 },
        categories: { [pick(CATEGORIES, i)]: 1 },
        region: { DE: 1 },
        basis: { human_reviewed: 1 },
      },
    },
  }),
  'review.decided': (i) => ({
    fields: {
      ...{ case: signalAt(i), signal: signalBefore(i), decision: signalAt(i), verdict: 'confirmed_action_taken' },
      ...{ reason: 'account_found', counts: { accounts_suspended: 1 }, reviewers: 1, authority: 'node_attested' },
    },
  }),
  'feedback.given': (i, year) => ({
    subject: actorAt(sharedBefore(i), year).slug,
    fields: {
      ...{ signal: signalBefore(i), authority: 'origin_jws', od: DIGEST, kid: DIGEST, revision: 1 },
      outcome: 'confirmed_action_taken',
    },
  }),
  'hit.reported': (i) => ({ fields: { n: 1 + (i % 9), root: DIGEST } }),
  'lookup.evaluated': (i) => ({ fields: { kid: 'epoch-1', n: 1 + (i % 90), purpose: 'enforcement' } }),
  'review.moved': (i) => ({
    fields: { case: signalAt(i), signal: signalBefore(i), from: 'new', to: 'in_review', reason: 'claimed' },
  }),
  'audit.read': () => ({ fields: { range: 'entries 0 to 99', n: '100', purpose: 'explorer' } }),
  'dispute.opened': (i, year) => ({
    subject: actorAt(sharedBefore(i), year).slug,
    fields: {
      ...{ signal: signalBefore(i), authority: 'origin_jws', od: DIGEST, kid: DIGEST, revision: 1 },
      ...{ dispute: signalAt(i), ground: 'false_match' },
    },
  }),
  'credential.enrolled': (_, __, { slug }) => ({
    subject: slug,
    fields: { credential: signalAt(0), spki: DIGEST, use: 'tls', scopes: ['feed:read'], code: signalAt(1) },
  }),
  'hold.placed': (i) => ({ fields: { hold: signalAt(i), reason: 'investigation' } }),
}

const timeAt = (i: number, { from, step }: Year): string => new Date(Math.floor(from + i * step)).toISOString()

/** The i-th entry, with the rows that it tells of. */
export function madeAt(i: number, year: Year): Made {
  const at = new Date(Math.floor(year.from + i * year.step))
  const kind = kindAt(i)
  const origin = actorAt(sharedBefore(i), year)
  const answers = kind === 'feedback.given' || kind === 'dispute.opened'
  // Nobody answers itself.
  const actor = answers && actorAt(i, year) === origin ? actorAt(i + 1, year) : actorAt(i, year)
  const event: NewEvent = {
    ...{ kind, event_id: newId(at), participant_id: actor.participant, at, actor: actor.slug },
    ...FIELDS[kind](i, year, actor),
  }
  const answer = { origin: origin.participant, signal: signalBefore(i) }
  return {
    event,
    ...(kind === 'signal.submitted' && { signal: { signal: signalAt(i), item: itemOf(i, year, at) } }),
    ...(kind === 'feedback.given' && { feedback: answer }),
    ...(kind === 'dispute.opened' && { dispute: answer }),
  }
}

const instant = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

const itemOf = (i: number, { audience }: Year, at: Date): string =>
  `{"v":1,"type":"email","signal":"${signalAt(i)}","revision":1,"audience":"${audience}","tlp":"amber","taxonomy":1,` +
  `"category":"${pick(CATEGORIES, i)}","severity":"high","confidence":80,"basis":"human_reviewed",` +
  `"context":{"region":"DE","legal_basis":"terms_of_service","surface":"public"},"handling":"review",` +
  `"observed_at":"${instant(at)}","expires_at":"${instant(new Date(at.getTime() + 90 * DAY_MS))}",` +
  `"value":{"profile":"email/1","kid":"epoch-1","token":"${'0'.repeat(64)}"}}`
