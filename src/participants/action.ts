import { type Static, Type } from 'typebox'
import { InstantSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { REPORT_FORMATS } from '../reports/schema.ts'
import {
  AUDIENCE_MEMBERS_MAX,
  AudienceModeSchema,
  ERASURE_SIGNALS_MAX,
  EVALUATION_PURPOSES,
  KeyHolder,
  LabelSchema,
  ParticipantKindSchema,
  POLICY_KINDS,
  ROLES,
  type Role,
  ScopeSchema,
  SUITES,
} from './schema.ts'

const closed = { additionalProperties: false } as const
const Kid = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const ProfileKid = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' })
const Slugs = Type.Array(SlugSchema, { maxItems: AUDIENCE_MEMBERS_MAX, uniqueItems: true })
const Origin = Type.String({ pattern: '^[a-z0-9.:[\\]-]{1,253}/provenance/[1-9][0-9]{0,8}$' })
/** Of an act that is set for a time: it is part of what is approved. */
const Scheduled = { effective_at: Type.Optional(InstantSchema) }
const Reason = Type.String({ pattern: '^[a-z][a-z0-9_]{1,62}$' })

/** What a legal hold keeps: what an organisation read, the values of its signals, or both. */
export const HOLD_KINDS = ['reads', 'signals', 'all'] as const
/** What came of a request of an authority. */
export const GOVERNMENT_OUTCOMES = ['complied', 'partly', 'refused', 'withdrawn', 'nothing_held'] as const

/** Why a feed gives nothing out for a time. */
export const PAUSE_REASONS = ['anomaly', 'investigation', 'key_theft', 'court_order'] as const

/** What one person alone may do at once; another looks at it afterwards. */
const EMERGENCIES = ['participant.suspend', 'credential.revoke'] as const

const PAYLOADS = {
  'participant.admit': Type.Object(
    {
      ...{ slug: SlugSchema, name: LabelSchema, kind: ParticipantKindSchema },
      /** The checklist that it went through. */
      onboarding: Type.Optional(UuidSchema),
      /** How long it is looked at with more care. */
      probation_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
    },
    closed,
  ),
  'participant.confirm': Type.Object({ participant: SlugSchema, ...Scheduled }, closed),
  'participant.resume': Type.Object({ participant: SlugSchema, ...Scheduled }, closed),
  'participant.offboard': Type.Object({ participant: SlugSchema, reason: Reason }, closed),
  'group.create': Type.Object(
    { slug: SlugSchema, name: LabelSchema, mode: AudienceModeSchema, members: Slugs, ...Scheduled },
    closed,
  ),
  'group.change': Type.Object(
    {
      ...{ group: SlugSchema, join: Slugs, leave: Slugs },
      /** Whoever joins is given what was shared before; without it, a group in which something was shared takes nobody in. */
      history: Type.Optional(Type.Literal('included')),
      ...Scheduled,
    },
    closed,
  ),
  'group.end': Type.Object({ group: SlugSchema, ...Scheduled }, closed),
  'role.grant': Type.Object({ person: UuidSchema, role: Type.Enum([...ROLES]) }, closed),
  'hash-profile.publish': Type.Object(
    {
      ...{ kid: ProfileKid, suite: Type.Enum([...SUITES]), not_before: InstantSchema, not_after: InstantSchema },
      /** Of an OPRF key that is split in two. */
      holder: Type.Optional(KeyHolder),
    },
    closed,
  ),
  'hash-profile.retire': Type.Object({ kid: ProfileKid }, closed),
  'quota.change': Type.Object(
    {
      participant: SlugSchema,
      purpose: Type.Enum([...EVALUATION_PURPOSES]),
      per_day: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
      ...Scheduled,
    },
    closed,
  ),
  'policy.publish': Type.Object(
    {
      kind: Type.Enum([...POLICY_KINDS]),
      version: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      body: Type.String({ minLength: 2, maxLength: 65_536 }),
      ...Scheduled,
    },
    closed,
  ),
  'collection.hold': Type.Object(
    {
      region: Type.String({ pattern: '^[A-Z]{2}$' }),
      legal_basis: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' }),
      surface: Type.Enum(['public', 'private']),
      held: Type.Boolean(),
      ...Scheduled,
    },
    closed,
  ),
  'credential.enrol': Type.Object(
    {
      participant: SlugSchema,
      label: LabelSchema,
      scopes: Type.Array(ScopeSchema, { minItems: 1, uniqueItems: true }),
      /** The key works once its fingerprint was told by another way and typed by an administrator. */
      read_back: Type.Optional(Type.Literal(true)),
    },
    closed,
  ),
  'signing-key.confirm': Type.Object({ participant: SlugSchema, kid: Kid }, closed),
  'signals.erase': Type.Object(
    {
      participant: SlugSchema,
      signals: Type.Array(UuidSchema, { minItems: 1, maxItems: ERASURE_SIGNALS_MAX, uniqueItems: true }),
      basis: Reason,
    },
    closed,
  ),
  'signal.release': Type.Object({ participant: SlugSchema, signal: UuidSchema }, closed),
  'report.publish': Type.Object(
    {
      ...{ from: InstantSchema, to: InstantSchema },
      /** Entries that its figures are made of. */
      log_size: Type.Integer({ minimum: 1 }),
      /** SHA-256 of the report's RFC 8785 form, lower-case hex: `aldis report make` tells it. */
      digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      /** Of the report; the first one where none is named. */
      format: Type.Optional(Type.Enum([...REPORT_FORMATS])),
    },
    closed,
  ),
  'hold.place': Type.Object({ participant: SlugSchema, what: Type.Enum([...HOLD_KINDS]), reason: Reason }, closed),
  'hold.lift': Type.Object({ hold: UuidSchema }, closed),
  'government.close': Type.Object(
    {
      request: UuidSchema,
      outcome: Type.Enum([...GOVERNMENT_OUTCOMES]),
      /** How many things were given out. */
      n: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
    },
    closed,
  ),
  /** Signals that the source shared since a moment are not matched until they are released. */
  'source.hold': Type.Object({ participant: SlugSchema, since: InstantSchema }, closed),
  'source.release': Type.Object({ participant: SlugSchema }, closed),
  /** The feed of an audience gives nothing out until it is resumed. */
  'feed.pause': Type.Object({ feed: UuidSchema, reason: Type.Enum([...PAUSE_REASONS]) }, closed),
  'feed.resume': Type.Object({ feed: UuidSchema }, closed),
  'log.rotate': Type.Object({ log: Origin, next: Origin, reason: Reason }, closed),
  'emergency.review': Type.Object(
    {
      act: Type.Enum([...EMERGENCIES]),
      /** The entry of the act in the log. */
      event: UuidSchema,
      participant: SlugSchema,
      credential: Type.Optional(UuidSchema),
      reason: Reason,
    },
    closed,
  ),
}

export type ActionName = keyof typeof PAYLOADS
export type PayloadOf<A extends ActionName> = Static<(typeof PAYLOADS)[A]>

/** Who may ask for an act and who may grant it. */
export interface ActionRule {
  proposers: readonly Role[]
  approvers: readonly Role[]
  /** Approves only while nobody at all holds an approver's role: a programme that has just begun. */
  standIn?: Role
  /** The approver's organisation must be another than the proposer's. */
  otherOrg: boolean
  /** How many persons besides the proposer. */
  needed: number
  /** Asked for by an act that was done, never by a person; the approval itself ends it. */
  byAct?: true
  payload: (typeof PAYLOADS)[ActionName]
}

const byGovernance = {
  proposers: ['node_admin'],
  approvers: ['governance'],
  standIn: 'node_admin',
  otherOrg: false,
  needed: 1,
} as const
const bySecondAdmin = { proposers: ['node_admin'], approvers: ['node_admin'], otherOrg: false, needed: 1 } as const
const OVERSEERS = ['governance', 'node_admin'] as const
const byOverseers = { ...bySecondAdmin, proposers: OVERSEERS, approvers: OVERSEERS } as const

/** Every act that needs more than one person, and whom it needs. */
export const ACTIONS: Readonly<Record<ActionName, ActionRule>> = {
  'participant.admit': { ...byGovernance, payload: PAYLOADS['participant.admit'] },
  'participant.confirm': { ...byGovernance, payload: PAYLOADS['participant.confirm'] },
  'participant.resume': { ...byGovernance, payload: PAYLOADS['participant.resume'] },
  'participant.offboard': { ...byGovernance, payload: PAYLOADS['participant.offboard'] },
  'group.create': { ...byGovernance, payload: PAYLOADS['group.create'] },
  'group.change': { ...byGovernance, payload: PAYLOADS['group.change'] },
  'group.end': { ...byGovernance, payload: PAYLOADS['group.end'] },
  'hash-profile.publish': { ...byGovernance, payload: PAYLOADS['hash-profile.publish'] },
  'hash-profile.retire': { ...byGovernance, payload: PAYLOADS['hash-profile.retire'] },
  'quota.change': { ...byGovernance, payload: PAYLOADS['quota.change'] },
  'policy.publish': { ...byGovernance, payload: PAYLOADS['policy.publish'] },
  'collection.hold': { ...byGovernance, payload: PAYLOADS['collection.hold'] },
  'role.grant': { ...bySecondAdmin, approvers: OVERSEERS, payload: PAYLOADS['role.grant'] },
  'credential.enrol': { ...bySecondAdmin, payload: PAYLOADS['credential.enrol'] },
  'signing-key.confirm': { ...bySecondAdmin, payload: PAYLOADS['signing-key.confirm'] },
  'signals.erase': { ...byOverseers, payload: PAYLOADS['signals.erase'] },
  'signal.release': { ...byOverseers, payload: PAYLOADS['signal.release'] },
  'report.publish': {
    ...{ proposers: ['governance'], approvers: ['governance'], otherOrg: true, needed: 1 },
    payload: PAYLOADS['report.publish'],
  },
  'hold.place': { ...byOverseers, payload: PAYLOADS['hold.place'] },
  'hold.lift': { ...byOverseers, payload: PAYLOADS['hold.lift'] },
  'government.close': { ...byOverseers, payload: PAYLOADS['government.close'] },
  'source.hold': { ...byOverseers, payload: PAYLOADS['source.hold'] },
  'source.release': { ...byOverseers, payload: PAYLOADS['source.release'] },
  'feed.pause': { ...byOverseers, payload: PAYLOADS['feed.pause'] },
  'feed.resume': { ...byOverseers, payload: PAYLOADS['feed.resume'] },
  'log.rotate': { ...bySecondAdmin, approvers: OVERSEERS, payload: PAYLOADS['log.rotate'] },
  'emergency.review': {
    ...{ ...bySecondAdmin, approvers: OVERSEERS, byAct: true },
    payload: PAYLOADS['emergency.review'],
  },
}

export const isAction = (name: string): name is ActionName => Object.hasOwn(ACTIONS, name)
