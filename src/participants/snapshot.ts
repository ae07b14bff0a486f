import type { KeyObject } from 'node:crypto'
import { toHex } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { scopesWithin } from './policy.ts'
import {
  AUDIENCE_KIND,
  AUDIENCE_MODE,
  type AudienceKind,
  type AudienceMode,
  CREDENTIAL_STATUS,
  type CredentialStatus,
  FEED_KIND,
  KEY_STATUS,
  type KeyStatus,
  nameOf,
  PARTICIPANT_KIND,
  PARTICIPANT_STATUS,
  type ParticipantKind,
  type ParticipantStatus,
  PROFILE_STATUS,
  type ProfileStatus,
  participantUri,
  type Scope,
} from './schema.ts'
import { readSigningJwk, type SigningAlg } from './signing-key.ts'

export interface KnownParticipant {
  participant_id: Uuid
  slug: string
  name: string
  uri: string
  kind: ParticipantKind
  status: ParticipantStatus
  /** While it is on probation. */
  probation_until: Date | null
}

/** A pinned TLS key of a participant; status and dates are the reader's to judge. */
export interface EnrolledCredential {
  credential: Uuid
  /** As whoever opened the enrolment named it. */
  label: string
  /** SHA-256 of the TLS key, lower-case hex: the pin. */
  spki: string
  participant: Uuid
  slug: string
  status: CredentialStatus
  participant_status: ParticipantStatus
  /** What the credential may do: its own scopes, cut by the kind of its participant. */
  scopes: readonly Scope[]
  not_before: Date
  not_after: Date
}

export interface KnownSigningKey {
  kid: string
  alg: SigningAlg
  key: KeyObject
  /** RFC 7517, canonical text. */
  jwk: string
  status: KeyStatus
  not_before: Date
  not_after: Date
}

export interface KnownAudience {
  audience_id: Uuid
  kind: AudienceKind
  mode: AudienceMode
  label: string
  owner: Uuid | null
  /** Members now. */
  members: ReadonlySet<Uuid>
}

/** Where one participant may read in one feed; a left audience keeps its end. */
export interface KnownFeed {
  feed_id: Uuid
  kind: 'audience' | 'inbox'
  audience_id: Uuid | null
  label: string
  from_seq: bigint
  until_seq: bigint | null
}

export interface KnownHashProfile extends KeyOf {
  kid: string
  suite: string
  status: ProfileStatus
  not_before: Date
  not_after: Date
}

export interface KnownPolicy {
  version: number
  digest: Buffer
  body: string
}

/** The rows of the reference tables at one moment; of hold switches only those that hold. */
export interface ReferenceData {
  epoch: bigint
  programme: Snapshot['programme']
  participants: readonly {
    participant_id: Uuid
    slug: string
    name: string
    kind: number
    status: number
    probation_until: Date | null
  }[]
  credentials: readonly (Dated & {
    credential_id: Uuid
    participant_id: Uuid
    label: string
    spki: Buffer
    scopes: string[]
    status: number
  })[]
  signingKeys: readonly (Dated & { participant_id: Uuid; jwk: string; status: number })[]
  groups: readonly { group_id: Uuid; slug: string }[]
  audiences: readonly AudienceRow[]
  members: readonly { audience_id: Uuid; participant_id: Uuid; from_seq: bigint; until_seq: bigint | null }[]
  feeds: readonly { feed_id: Uuid; kind: number; audience_id: Uuid | null; participant_id: Uuid | null }[]
  hashProfiles: readonly (Dated & KeyOf & { kid: string; suite: string; status: number })[]
  quotas: readonly { participant_id: Uuid; purpose: string; per_day: number }[]
  /** The versions of a kind in rising order. */
  policies: readonly (KnownPolicy & { kind: string })[]
  /** Feeds that give nothing out. */
  pauses: readonly { feed_id: Uuid }[]
  holds: readonly { region: string; legal_basis: string; surface: string }[]
}

/** What was published of an OPRF key. */
interface KeyOf {
  public_key: Buffer | null
  /** JSON. */
  shares: string | null
  published: Uuid | null
}

interface Dated {
  not_before: Date
  not_after: Date
}

interface AudienceRow {
  audience_id: Uuid
  kind: number
  mode: number
  label: string
  owner: Uuid | null
  group_id: Uuid | null
}

/** The reference tables, indexed by what is asked of them. */
export interface Snapshot {
  epoch: bigint
  programme: { programme_id: Uuid; slug: string; trust_domain: string; node_origin: string } | undefined
  byId: ReadonlyMap<Uuid, KnownParticipant>
  bySlug: ReadonlyMap<string, KnownParticipant>
  bySpki: ReadonlyMap<string, EnrolledCredential>
  signingKeys: ReadonlyMap<Uuid, readonly KnownSigningKey[]>
  audiences: ReadonlyMap<Uuid, KnownAudience>
  /** By participant, those of which it is a member now. */
  audiencesOf: ReadonlyMap<Uuid, readonly KnownAudience[]>
  groups: ReadonlyMap<string, Uuid>
  feedOf: ReadonlyMap<Uuid, Uuid>
  feedsOf: ReadonlyMap<Uuid, readonly KnownFeed[]>
  /** The feeds of sealed audiences. */
  sealedFeeds: ReadonlySet<Uuid>
  hashProfiles: ReadonlyMap<string, KnownHashProfile>
  /** By participant and purpose, where it is not the usual one. */
  quotas: ReadonlyMap<string, number>
  /** By kind, the highest version. */
  policies: ReadonlyMap<string, KnownPolicy>
  /** Of a kind and version. */
  policyVersions: ReadonlyMap<string, KnownPolicy>
  holds: ReadonlySet<string>
  pausedFeeds: ReadonlySet<Uuid>
}

export const holdKey = (context: { region: string; legal_basis: string; surface: string }): string =>
  `${context.region} ${context.legal_basis} ${context.surface}`

export function snapshotOf(data: ReferenceData): Snapshot {
  const participants = participantsOf(data)
  const byId = new Map(participants.map((one) => [one.participant_id, one]))
  const audiences = audiencesOf(data)
  return {
    epoch: data.epoch,
    programme: data.programme,
    byId,
    bySlug: new Map(participants.map((one) => [one.slug, one])),
    bySpki: credentialsOf(data, byId),
    signingKeys: signingKeysOf(data),
    audiences,
    audiencesOf: membershipsOf(audiences),
    groups: new Map(data.audiences.flatMap((row) => groupEntry(data, row))),
    feedOf: new Map(
      data.feeds.flatMap(({ audience_id, feed_id }) => (audience_id === null ? [] : [[audience_id, feed_id]])),
    ),
    feedsOf: feedsOf(data, audiences),
    sealedFeeds: new Set(
      data.feeds.flatMap(({ audience_id, feed_id }) =>
        audience_id !== null && audiences.get(audience_id)?.mode === 'sealed' ? [feed_id] : [],
      ),
    ),
    hashProfiles: new Map(
      data.hashProfiles.map((row) => [row.kid, { ...row, status: nameOf(PROFILE_STATUS, row.status) }]),
    ),
    quotas: new Map(
      data.quotas.map(({ participant_id, purpose, per_day }) => [`${participant_id} ${purpose}`, per_day]),
    ),
    policies: new Map(data.policies.map((row) => [row.kind, row])),
    policyVersions: new Map(data.policies.map((row) => [`${row.kind} ${row.version}`, row])),
    holds: new Set(data.holds.map(holdKey)),
    pausedFeeds: new Set(data.pauses.map(({ feed_id }) => feed_id)),
  }
}

const participantsOf = ({ participants, programme }: ReferenceData): KnownParticipant[] =>
  participants.map(({ participant_id, slug, name, kind, status, probation_until }) => ({
    ...{ participant_id, slug, name, probation_until },
    uri: participantUri(programme?.trust_domain ?? '', slug),
    kind: nameOf(PARTICIPANT_KIND, kind),
    status: nameOf(PARTICIPANT_STATUS, status),
  }))

function credentialsOf(
  { credentials }: ReferenceData,
  byId: ReadonlyMap<Uuid, KnownParticipant>,
): Map<string, EnrolledCredential> {
  const found = new Map<string, EnrolledCredential>()
  for (const { credential_id, participant_id, label, scopes, status, not_before, not_after, ...row } of credentials) {
    const owner = byId.get(participant_id)
    if (owner === undefined) continue
    const spki = toHex(row.spki)
    found.set(spki, {
      ...{ credential: credential_id, label, spki, participant: participant_id, slug: owner.slug },
      ...{ not_before, not_after },
      status: nameOf(CREDENTIAL_STATUS, status),
      participant_status: owner.status,
      scopes: scopesWithin(owner.kind, scopes),
    })
  }
  return found
}

function signingKeysOf({ signingKeys }: ReferenceData): Map<Uuid, KnownSigningKey[]> {
  const found = new Map<Uuid, KnownSigningKey[]>()
  for (const { participant_id, jwk, status, not_before, not_after } of signingKeys) {
    // Only what `readSigningJwk` admitted was ever stored.
    const key = readSigningJwk(JSON.parse(jwk))
    if (key === undefined) throw new Error('a stored signing key is none')
    const known = { ...key, jwk, status: nameOf(KEY_STATUS, status), not_before, not_after }
    found.set(participant_id, [...(found.get(participant_id) ?? []), known])
  }
  return found
}

function membershipsOf(audiences: ReadonlyMap<Uuid, KnownAudience>): Map<Uuid, KnownAudience[]> {
  const found = new Map<Uuid, KnownAudience[]>()
  for (const audience of audiences.values()) {
    for (const member of audience.members) {
      const own = found.get(member)
      if (own === undefined) found.set(member, [audience])
      else own.push(audience)
    }
  }
  return found
}

function audiencesOf({ audiences, members }: ReferenceData): Map<Uuid, KnownAudience> {
  const present = new Map<Uuid, Set<Uuid>>(audiences.map(({ audience_id }) => [audience_id, new Set()]))
  for (const { audience_id, participant_id, until_seq } of members) {
    if (until_seq === null) present.get(audience_id)?.add(participant_id)
  }
  return new Map(
    audiences.map(({ audience_id, kind, mode, label, owner }) => [
      audience_id,
      {
        ...{ audience_id, label, owner },
        kind: nameOf(AUDIENCE_KIND, kind),
        mode: nameOf(AUDIENCE_MODE, mode),
        members: present.get(audience_id) ?? new Set(),
      },
    ]),
  )
}

function groupEntry({ groups }: ReferenceData, row: { group_id: Uuid | null; audience_id: Uuid }): [string, Uuid][] {
  const group = groups.find(({ group_id }) => group_id === row.group_id)
  return group === undefined ? [] : [[group.slug, row.audience_id]]
}

function feedsOf(
  { feeds, members }: ReferenceData,
  audiences: ReadonlyMap<Uuid, KnownAudience>,
): Map<Uuid, KnownFeed[]> {
  const found = new Map<Uuid, KnownFeed[]>()
  const add = (participant: Uuid, feed: KnownFeed): void => {
    found.set(participant, [...(found.get(participant) ?? []), feed])
  }
  const feedOf = new Map(feeds.map((row) => [row.audience_id, row.feed_id]))
  for (const { audience_id, participant_id, from_seq, until_seq } of members) {
    const feed_id = feedOf.get(audience_id)
    const label = audiences.get(audience_id)?.label
    if (feed_id === undefined || label === undefined) continue
    add(participant_id, { kind: 'audience', feed_id, audience_id, label, from_seq, until_seq })
  }
  for (const { feed_id, kind, participant_id } of feeds) {
    if (kind !== FEED_KIND.inbox || participant_id === null) continue
    add(participant_id, { kind: 'inbox', feed_id, audience_id: null, label: 'inbox', from_seq: 1n, until_seq: null })
  }
  return found
}

/** Pins of which anything was changed, added or taken away. */
export function changedPins(before: Snapshot | undefined, after: Snapshot): string[] {
  const text = (snapshot: Snapshot | undefined, spki: string): string | undefined =>
    JSON.stringify(snapshot?.bySpki.get(spki))
  const pins = new Set([...(before?.bySpki.keys() ?? []), ...after.bySpki.keys()])
  return [...pins].filter((spki) => text(before, spki) !== text(after, spki))
}
