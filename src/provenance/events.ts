import type { Uuid } from '../kernel/ids.ts'
import { READ } from './commitment.ts'

/**
 * Who may open a field: `A` the actor, `S` the source concerned, `R` organisations the signal was disclosed to, `M` every
 * participant, `P` the parties (A and S). Auditors open all, so `G` alone means nobody else. A field that belongs to one
 * organisation is stored with its name: `S:<slug>`.
 */
export type Audience = string

interface Kind {
  fields: Readonly<Record<string, Audience>>
  /** Sources may have parts of their own in it, each a field `source`. */
  parts?: true
  /** The number of digests is padded to a multiple of 8: it would tell how many sources there are. */
  padded?: true
  /** Fields that are committed as one, of this name: whoever may open one of them may open all. */
  together?: string
  /** Fields that say what signals said: they go once one of the signals is erased. */
  erasable?: readonly string[]
}

const submission = {
  ...{ od: 'AR', n: 'AR', root: 'AR', refused: 'A', accepted: 'A', kid: 'A' },
  ...{ types: 'A', categories: 'A', region: 'A', basis: 'A' },
}
const participant = { participant: 'M', kind: 'M', group: 'M', version: 'M', reason: 'S', signatory: 'S' }
const credential = {
  ...{ credential: 'S', spki: 'S', use: 'S', scopes: 'S', from: 'S', to: 'S', key: 'M' },
  // The code that it was enrolled with, and the keys whose end it brings.
  ...{ code: 'S', replaces: 'S' },
}
const profile = { profile: 'M', kid: 'M', suite: 'M', public_key: 'M', shares: 'M', from: 'M', to: 'M' }
const approval = { request: 'A', action: 'A', digest: 'A', organisation: 'A' }
const change = { whom: 'A', role: 'A', what: 'A', amount: 'A' }
const policy = { policy: 'M', version: 'M', digest: 'M' }
const collection = { region: 'M', legal_basis: 'M', surface: 'M' }
const request = { country: 'M', kind: 'M', asked: 'M', basis: 'M', outcome: 'M', n: 'M', reference: 'G' }
const witness = { text: 'M', since: 'M', missing: 'M', sizes: 'M' }
const node = { version: 'M', sizes: 'M', epoch: 'M', note: 'M', clock: 'M' }
const log = { origin: 'M', key: 'M', previous: 'M' }

const said = { signal: 'AS', authority: 'AS', od: 'AS', kid: 'A' }
const decided = {
  ...{ case: 'A', signal: 'A', decision: 'A', verdict: 'A', reason: 'A', counts: 'A', reviewers: 'A' },
  // `proposed`: a second person is asked for, and nothing is decided before.
  ...{ authority: 'A', supersedes: 'A', job: 'A', single_reviewed: 'A', proposed: 'A' },
}

/** Every kind of event and who may open what of it; undeclared fields are refused. */
export const EVENTS = {
  'signal.submitted': { fields: submission, erasable: ['region', 'basis'] },
  'signal.revised': { fields: submission, erasable: ['region', 'basis'] },
  // Without `od`, `kid` and `cred`, and with `authority`, where a person of the source decided it in the console.
  'signal.withdrawn': { fields: { ...submission, reasons: 'AR', authority: 'AR' } },
  'signal.held': { fields: { signal: 'SR', dispute: 'SR' } },
  'signal.released': { fields: { signal: 'SR', dispute: 'SR' } },
  'signal.expired': { fields: { rule: 'S', n: 'S', root: 'S', types: 'S', categories: 'S' }, padded: true },
  erasure: {
    fields: {
      targets: 'SR',
      n: 'SR',
      root: 'SR',
      basis: 'G',
      approval: 'G',
      notified: 'G',
      types: 'G',
      categories: 'G',
    },
    padded: true,
  },
  'tombstone.acked': { fields: { feed: 'A', upto: 'A', stage: 'A' }, parts: true, padded: true },
  'hit.reported': { fields: { n: 'A', root: 'A' } },
  'review.decided': { fields: decided },
  'review.moved': { fields: { case: 'A', signal: 'A', from: 'A', to: 'A', reason: 'A' } },
  'review.undone': { fields: { case: 'A', decision: 'A', job: 'A' } },
  'review.set': { fields: { hours: 'A', sample_percent: 'A' } },
  // A decision that was made a second time, by somebody who did not see the first.
  'review.sampled': { fields: { case: 'A', decision: 'A', sample: 'A', agreed: 'A', authority: 'A' } },
  // Cases that are decided alike, as a whole; each of them has an entry of its own.
  'review.bulk': {
    fields: {
      ...{ job: 'A', step: 'A', n: 'A', digest: 'A', verdict: 'A', reason: 'A' },
      ...{ authority: 'A', reviewers: 'A', results: 'A' },
    },
  },
  'review.routed': { fields: { rules: 'A' } },
  'feedback.given': {
    fields: { ...said, revision: 'AS', outcome: 'AS', supersedes: 'AS', single_reviewed: 'AS' },
  },
  'dispute.opened': { fields: { ...said, revision: 'AS', dispute: 'AS', ground: 'AS', result: 'ASR' } },
  'dispute.closed': {
    fields: { dispute: 'AS', signal: 'AS', revision: 'AS', ground: 'AS', result: 'ASR', authority: 'AS' },
  },
  'question.answered': { fields: { signal: 'AS', revision: 'AS', authority: 'AS' } },
  'read.batch': { fields: { reader: 'A', n: 'A', root: 'A', from: 'A', to: 'A' }, parts: true, padded: true },
  // The reads of batches, whose time by the retention policy is over.
  'reads.expired': { fields: { rule: 'S', policy: 'G', batches: 'S', n: 'S' } },
  read: {
    fields: { route: 'A', channel: 'A', as_of: 'A', n: 'A', body: 'A', asked: 'A', purpose: 'A', set_salt: 'A' },
    parts: true,
    padded: true,
    together: READ,
  },
  // A raw link beside a signal: a digest of what is stored, which is sealed, and nothing of what it says.
  'value.sealed': { fields: { signal: 'A', revision: 'A', audience: 'A', digest: 'A' } },
  'value.removed': { fields: { signal: 'A', revision: 'A' } },
  'value.rewrapped': { fields: { from: 'S', to: 'S', n: 'S' } },
  'value.revealed': { fields: { signal: 'AS', revision: 'AS', purpose: 'AS', reader: 'AS' } },
  'audit.read': { fields: { range: 'AM', n: 'AM', purpose: 'AM' } },
  'lookup.evaluated': { fields: { kid: 'A', n: 'A', purpose: 'A' } },
  'onboarding.opened': { fields: { onboarding: 'A', participant: 'A', kind: 'A' } },
  'onboarding.moved': { fields: { onboarding: 'A', item: 'A', state: 'A', version: 'A', digest: 'A' } },
  'onboarding.closed': { fields: { onboarding: 'A', outcome: 'A' } },
  'participant.admitted': { fields: { ...participant, probation: 'M' } },
  // Its probation is over.
  'participant.confirmed': { fields: { participant: 'M' } },
  'participant.suspended': { fields: participant },
  'participant.resumed': { fields: participant },
  'participant.left': { fields: participant },
  'group.changed': { fields: { ...participant, joined: 'M', left: 'M', audience: 'M', mode: 'M' } },
  // Everybody left, and nobody joins again.
  'group.ended': { fields: { group: 'M', left: 'M', audience: 'M' } },
  'audience.changed': { fields: { audience: 'A', members: 'A', label: 'A', mode: 'A' } },
  'agreement.accepted': { fields: participant },
  'credential.enrolled': { fields: credential },
  'credential.revoked': { fields: { ...credential, reason: 'S' } },
  'hash_profile.published': { fields: profile },
  'hash_profile.retired': { fields: profile },
  'policy.published': { fields: policy },
  'collection.held': { fields: collection },
  'collection.released': { fields: collection },
  // Of one audience, whose members alone know that there is one: the programme says which by another way.
  'feed.paused': { fields: { feed: 'A', reason: 'A' } },
  'feed.resumed': { fields: { feed: 'A', reason: 'A' } },
  'report.published': { fields: { ...policy, period: 'M', queries: 'M', log_size: 'M' } },
  'approval.requested': { fields: approval },
  'approval.given': { fields: approval },
  'approval.refused': { fields: approval },
  // `due`, and seconds by which it was `late`, of an act that was set for a time.
  'approval.executed': { fields: { ...approval, due: 'A', late: 'A' } },
  'approval.cancelled': { fields: approval },
  'webhook.added': { fields: { endpoint: 'A', host: 'A', kinds: 'A', feeds: 'A' } },
  'webhook.rotated': { fields: { endpoint: 'A', host: 'A', secret_no: 'A' } },
  'webhook.ended': { fields: { endpoint: 'A', host: 'A', kinds: 'A', feeds: 'A' } },
  // How an organisation's programs did when they went through the exchange in a sandbox.
  'conformance.reported': { fields: { run: 'A', passed: 'A', failed: 'A' } },
  'person.added': { fields: { whom: 'A', organisation: 'A' } },
  'person.left': { fields: { whom: 'A', organisation: 'A' } },
  'login.given': { fields: { whom: 'A', login: 'A', digest: 'A' } },
  'login.ended': { fields: { whom: 'A', login: 'A' } },
  'role.changed': { fields: change },
  'quota.changed': { fields: change },
  'hold.placed': { fields: { ...change, hold: 'A', reason: 'A' } },
  'hold.lifted': { fields: { ...change, hold: 'A', reason: 'A' } },
  'anomaly.acted': { fields: { ...change, code: 'A' } },
  'government_request.received': { fields: request },
  'government_request.closed': { fields: request },
  'subject_request.received': { fields: { kind: 'G', due: 'G', outcome: 'G', n: 'G' } },
  'subject_request.closed': { fields: { kind: 'G', due: 'G', outcome: 'G', n: 'G' } },
  'log.opened': { fields: log },
  // The entry behind it: the log that ended, its key and its last checkpoint.
  'log.closed': { fields: log },
  'witness.policy': { fields: witness },
  'witness.degraded': { fields: witness },
  'witness.restored': { fields: witness },
  'node.started': { fields: node },
  'restore.performed': { fields: node },
  'salts.destroyed': { fields: node },
} as const satisfies Record<string, Kind>

export type EventKind = keyof typeof EVENTS

/** Fields that any event may have. */
const COMMON: Readonly<Record<string, Audience>> = {
  type: 'P',
  time: 'P',
  subject: 'P',
  actor: 'A',
  cred: 'A',
  req: 'A',
  person: 'A',
  after: 'P',
}

/** What one source may open of an event that concerns several: its own part. */
export interface SourcePart {
  party: string
  [detail: string]: unknown
}

export interface NewEvent {
  kind: EventKind
  event_id: Uuid
  /** Where the record is placed: the participant whose rows change, or the programme for its own acts. */
  participant_id: Uuid
  at: Date
  /** The acting organisation's slug; `node` where nobody else acts. */
  actor?: string
  /** The organisation that `S` fields are about, where there is one and no parts. */
  subject?: string
  fields: Readonly<Record<string, unknown>>
  sources?: readonly SourcePart[]
  /** An event that must stand before this one in the log. */
  after?: Uuid
}

/** A field with whom it is for. */
export interface AudienceField {
  audience: Audience
  name: string
  value: unknown
}

/** The fields of an event in the order they are committed, and the decoys that hide their number; throws on undeclared ones. */
export function disclosuresOf(event: NewEvent): { disclosures: AudienceField[]; decoys: number } {
  const { kind, at, fields, subject, sources = [], after } = event
  const known = audiencesOf(kind)
  const common =
    kind === 'read' ? {} : { type: kind, time: at.toISOString(), actor: event.actor ?? 'node', subject, after }
  const said: AudienceField[] = []
  for (const [name, value] of Object.entries({ ...common, ...fields })) {
    if (value === undefined) continue
    const audience = known.get(name)
    if (audience === undefined) throw new TypeError(`${kind} has no field ${name}`)
    said.push({ audience: owned(audience, subject), name, value })
  }
  if (sources.length > 0 && !hasParts(kind)) throw new TypeError(`${kind} has no field source`)
  const disclosures = together(kind, said)
  for (const source of sources) disclosures.push({ audience: `S:${source.party}`, name: 'source', value: source })
  return { disclosures, decoys: isPadded(kind) ? (8 - (disclosures.length % 8)) % 8 : 0 }
}

function together(kind: EventKind, said: AudienceField[]): AudienceField[] {
  const name = (EVENTS[kind] as Kind).together
  const [first] = said
  if (name === undefined || first === undefined) return said
  return [{ audience: first.audience, name, value: Object.fromEntries(said.map((one) => [one.name, one.value])) }]
}

const audiences = new Map<EventKind, ReadonlyMap<string, Audience>>()

/** Who may open each field that an event of the kind may have. */
function audiencesOf(kind: EventKind): ReadonlyMap<string, Audience> {
  const known = audiences.get(kind)
  if (known !== undefined) return known
  const made = new Map<string, Audience>(Object.entries({ ...commonOf(kind), ...EVENTS[kind].fields }))
  audiences.set(kind, made)
  return made
}

/** What every participant may open something of says to all of them what it is. */
const commonOf = (kind: EventKind): Readonly<Record<string, Audience>> =>
  isForAll(Object.values<Audience>(EVENTS[kind].fields)) ? { ...COMMON, type: 'PM', time: 'PM' } : COMMON

/** Whether every participant may open something of a record. */
export const isForAll = (audiences: readonly Audience[]): boolean =>
  audiences.some((audience) => audience.split(':', 1)[0]?.includes('M') === true)

/** The organisations whose chains the event moves on: the actor, its subject, its sources; sorted, each once. */
export function partiesOf({ actor, subject, sources = [] }: NewEvent): string[] {
  const parties = new Set([
    actor ?? 'node',
    ...(subject === undefined ? [] : [subject]),
    ...sources.map(({ party }) => party),
  ])
  return [...parties].sort()
}

/** Who asks to open a record. */
export interface Viewer {
  slug: string
  auditor: boolean
  /** Whether the viewer acted. */
  actor: boolean
  /** Whether the event moves on the viewer's chain. */
  party: boolean
  /** Whether a signal of the event was disclosed to the viewer. */
  recipient: boolean
}

/** Whether the viewer may open a field stored with this audience. */
export function mayOpen(audience: Audience, viewer: Viewer): boolean {
  if (viewer.auditor) return true
  const [letters = '', owner] = audience.split(':')
  if (owner !== undefined && viewer.slug === owner && /[SP]/.test(letters)) return true
  if (letters.includes('M')) return true
  if ((letters.includes('A') && viewer.actor) || (letters.includes('P') && viewer.party)) return true
  return letters.includes('R') && viewer.recipient
}

const owned = (audience: Audience, subject: string | undefined): Audience =>
  subject !== undefined && /[SP]/.test(audience) ? `${audience}:${subject}` : audience

/** Whether a field goes with the signals that its event is about. */
export const isErasable = (kind: string, field: string): boolean => erasableOf(kind).includes(field)

/** The fields of a kind that go so; none of a kind that nobody knows. */
export const erasableOf = (kind: string): readonly string[] => (isKind(kind) && (EVENTS[kind] as Kind).erasable) || []

const isKind = (kind: string): kind is EventKind => Object.hasOwn(EVENTS, kind)

/** The names of fields that an event of the kind may have; undefined for a kind that nobody knows. */
export const fieldsOf = (kind: string): ReadonlyMap<string, Audience> | undefined =>
  isKind(kind) ? audiencesOf(kind) : undefined

/** Whether sources may have parts of their own in an event of the kind; false for a kind that nobody knows. */
export const hasParts = (kind: string): boolean => isKind(kind) && (EVENTS[kind] as Kind).parts === true

const isPadded = (kind: EventKind): boolean => (EVENTS[kind] as Kind).padded === true
