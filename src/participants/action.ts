import { type Static, Type } from 'typebox'
import { SlugSchema, UuidSchema } from '../kernel/schema.ts'
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
const Instant = Type.String({ pattern: '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$' })
const Slugs = Type.Array(SlugSchema, { maxItems: AUDIENCE_MEMBERS_MAX, uniqueItems: true })
const Origin = Type.String({ pattern: '^[a-z0-9.:[\\]-]{1,253}/provenance/[1-9][0-9]{0,8}$' })
const Reason = Type.String({ pattern: '^[a-z][a-z0-9_]{1,62}$' })

const PAYLOADS = {
  'participant.admit': Type.Object({ slug: SlugSchema, name: LabelSchema, kind: ParticipantKindSchema }, closed),
  'participant.resume': Type.Object({ participant: SlugSchema }, closed),
  'participant.offboard': Type.Object({ participant: SlugSchema, reason: Reason }, closed),
  'group.create': Type.Object(
    { slug: SlugSchema, name: LabelSchema, mode: AudienceModeSchema, members: Slugs },
    closed,
  ),
  'group.change': Type.Object({ group: SlugSchema, join: Slugs, leave: Slugs }, closed),
  'role.grant': Type.Object({ person: UuidSchema, role: Type.Enum([...ROLES]) }, closed),
  'hash-profile.publish': Type.Object(
    {
      ...{ kid: ProfileKid, suite: Type.Enum([...SUITES]), not_before: Instant, not_after: Instant },
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
    },
    closed,
  ),
  'policy.publish': Type.Object(
    {
      kind: Type.Enum([...POLICY_KINDS]),
      version: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      body: Type.String({ minLength: 2, maxLength: 65_536 }),
    },
    closed,
  ),
  'collection.hold': Type.Object(
    {
      region: Type.String({ pattern: '^[A-Z]{2}$' }),
      legal_basis: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' }),
      surface: Type.Enum(['public', 'private']),
      held: Type.Boolean(),
    },
    closed,
  ),
  'credential.enrol': Type.Object(
    {
      participant: SlugSchema,
      label: LabelSchema,
      scopes: Type.Array(ScopeSchema, { minItems: 1, uniqueItems: true }),
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
  'log.rotate': Type.Object({ log: Origin, next: Origin, reason: Reason }, closed),
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

/** Every act that needs more than one person, and whom it needs. */
export const ACTIONS: Readonly<Record<ActionName, ActionRule>> = {
  'participant.admit': { ...byGovernance, payload: PAYLOADS['participant.admit'] },
  'participant.resume': { ...byGovernance, payload: PAYLOADS['participant.resume'] },
  'participant.offboard': { ...byGovernance, payload: PAYLOADS['participant.offboard'] },
  'group.create': { ...byGovernance, payload: PAYLOADS['group.create'] },
  'group.change': { ...byGovernance, payload: PAYLOADS['group.change'] },
  'hash-profile.publish': { ...byGovernance, payload: PAYLOADS['hash-profile.publish'] },
  'hash-profile.retire': { ...byGovernance, payload: PAYLOADS['hash-profile.retire'] },
  'quota.change': { ...byGovernance, payload: PAYLOADS['quota.change'] },
  'policy.publish': { ...byGovernance, payload: PAYLOADS['policy.publish'] },
  'collection.hold': { ...byGovernance, payload: PAYLOADS['collection.hold'] },
  'role.grant': { ...bySecondAdmin, approvers: ['governance', 'node_admin'], payload: PAYLOADS['role.grant'] },
  'credential.enrol': { ...bySecondAdmin, payload: PAYLOADS['credential.enrol'] },
  'signing-key.confirm': { ...bySecondAdmin, payload: PAYLOADS['signing-key.confirm'] },
  'signals.erase': {
    ...bySecondAdmin,
    proposers: ['governance', 'node_admin'],
    approvers: ['governance', 'node_admin'],
    payload: PAYLOADS['signals.erase'],
  },
  'signal.release': {
    ...bySecondAdmin,
    proposers: ['governance', 'node_admin'],
    approvers: ['governance', 'node_admin'],
    payload: PAYLOADS['signal.release'],
  },
  'log.rotate': { ...bySecondAdmin, approvers: ['governance', 'node_admin'], payload: PAYLOADS['log.rotate'] },
}

export const isAction = (name: string): name is ActionName => Object.hasOwn(ACTIONS, name)
