import { type Static, Type } from 'typebox'
import { utf8 } from '../kernel/bytes.ts'
import { InstantSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const

/** Numbers are stored, names travel; neither is ever reused. */
export const PARTICIPANT_KIND = { platform: 1, hotline: 2, financial: 3, observer: 4 } as const
export type ParticipantKind = keyof typeof PARTICIPANT_KIND
export const PARTICIPANT_STATUS = { active: 1, suspended: 2, left: 3 } as const
export type ParticipantStatus = keyof typeof PARTICIPANT_STATUS
export const CREDENTIAL_STATUS = { active: 1, revoked: 2 } as const
export type CredentialStatus = keyof typeof CREDENTIAL_STATUS
export const KEY_STATUS = { pending: 1, active: 2, retired: 3, compromised: 4 } as const
export type KeyStatus = keyof typeof KEY_STATUS
export const AUDIENCE_KIND = { programme: 1, group: 2, named: 3 } as const
export type AudienceKind = keyof typeof AUDIENCE_KIND
export const AUDIENCE_MODE = { full: 1, sealed: 2 } as const
export type AudienceMode = keyof typeof AUDIENCE_MODE
export const FEED_KIND = { audience: 1, inbox: 2 } as const
export const PROFILE_STATUS = { active: 1, retired: 2 } as const
export type ProfileStatus = keyof typeof PROFILE_STATUS
export const PERSON_STATUS = { active: 1, left: 2 } as const
export const VERDICT = { approve: 1, reject: 2 } as const

export const ROLES = ['node_admin', 'governance', 'partner_admin', 'lead', 'analyst', 'observer'] as const
export type Role = (typeof ROLES)[number]

export const SCOPES = [
  'signals:submit',
  'signals:withdraw',
  'feed:read',
  'lookup:evaluate',
  'lookup:open',
  'reveal',
  'feedback:write',
  'review:work',
  'provenance:read',
  'provenance:audit',
  'provenance:witness',
  'governance:read',
  'peers:relay',
] as const
export type Scope = (typeof SCOPES)[number]

export const POLICY_KINDS = ['taxonomy', 'retention', 'review', 'agreement'] as const
export type PolicyKind = (typeof POLICY_KINDS)[number]

/** What a programme asks of a confirmation at severity critical: another person, or that it is marked where there is none. */
export const CRITICAL_SECOND = ['required', 'marked'] as const
export type CriticalSecond = (typeof CRITICAL_SECOND)[number]
/** The body of the policy `review`; without one a second person is required. */
export const ReviewPolicy = Type.Object(
  { v: Type.Literal(1), critical_second: Type.Enum([...CRITICAL_SECOND]) },
  closed,
)
/** The body of the policy `agreement`: which document participants accept from when on. */
export const AgreementPolicy = Type.Object(
  {
    v: Type.Literal(1),
    /** As it is named where it is accepted, such as v3 or 2026-05. */
    label: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$' }),
    /** SHA-256 of the document, lower-case hex. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    effective_from: InstantSchema,
  },
  closed,
)
export type AgreementPolicy = Static<typeof AgreementPolicy>
/** What signals are of, as rules of the programme name it; signals have a number and a shape for each. */
export const SIGNAL_TYPES = [
  ...(['url', 'domain', 'email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'] as const),
  ...(['keyword_pattern', 'media_hash', 'tactic', 'relation'] as const),
] as const
const Version = Type.Integer({ minimum: 1, maximum: 1_000_000 })
/** Of a type that is not to live at all it is 0. */
const Days = Type.Integer({ minimum: 0, maximum: 36_500 })
const DaysOfType = Type.Object({ default: Days, maximum: Days }, closed)
/** The body of the policy `retention`: for how many days signals live, and reads are kept. */
export const RetentionPolicy = Type.Object(
  {
    version: Version,
    signal_days: Type.Object(Object.fromEntries(SIGNAL_TYPES.map((type) => [type, DaysOfType])), closed),
    read_journal_days: Type.Integer(),
  },
  closed,
)
const Words = Type.String({ minLength: 1, maxLength: 1_000 })
/** As a signal names its category. */
const CategorySlug = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
/** The body of the policy `taxonomy`: what signals may be of, by a number that is stored and a name that travels. */
export const TaxonomyPolicy = Type.Object(
  {
    version: Version,
    sources: Type.Optional(Type.Array(Type.Object({ id: SlugSchema, title: Words }, closed))),
    categories: Type.Array(
      Type.Object(
        {
          ...{ id: Type.Integer({ minimum: 1, maximum: 32_767 }), slug: CategorySlug, needs_note: Type.Boolean() },
          definition: Type.Optional(Words),
          severity: Type.Optional(Type.Enum(['low', 'medium', 'high', 'critical'])),
          stix_label: Type.Optional(SlugSchema),
          sources: Type.Optional(Type.Array(SlugSchema)),
        },
        closed,
      ),
    ),
  },
  closed,
)
export const SUITES = ['hmac-sha256', 'oprf-ristretto255-sha512'] as const
export const OPRF_SUITE = 'oprf-ristretto255-sha512'

/** What tokens are made for; each has a quota of its own. */
export const EVALUATION_PURPOSES = ['submit', 'lookup'] as const
export type EvaluationPurpose = (typeof EVALUATION_PURPOSES)[number]
/** Elements that a participant may have evaluated in a day for one purpose, unless two persons agreed on another number. */
export const EVALUATIONS_PER_DAY = 100_000

/** A name for people: an organisation, a group, a credential. Never of a private person. */
export const LabelSchema = Type.String({ minLength: 1, maxLength: 80, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })
const names = <T extends Record<string, number>>(table: T) =>
  Type.Unsafe<keyof T & string>({ type: 'string', enum: Object.keys(table) })
export const ParticipantKindSchema = names(PARTICIPANT_KIND)
export const AudienceModeSchema = names(AUDIENCE_MODE)
export const ScopeSchema = Type.Enum([...SCOPES])
const ParticipantStatusSchema = names(PARTICIPANT_STATUS)
const KeyStatusSchema = names(KEY_STATUS)
const AudienceKindSchema = names(AUDIENCE_KIND)

/** A participant's name in certificates and signatures (SPIFFE X509-SVID section 2). */
export const participantUri = (trust_domain: string, slug: string): string =>
  `spiffe://${trust_domain}/participant/${slug}`

const Coordinate = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const Signature = Type.String({ pattern: '^[A-Za-z0-9_-]{86}$' })
const Kid = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const Pem = Type.String({ minLength: 1, maxLength: 4_096 })
const Instant = Type.String()

/** A public signing key (RFC 8037, RFC 7518 section 6.2), these members and no other. */
export const SigningJwk = Type.Union([
  Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: Coordinate }, closed),
  Type.Object({ kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: Coordinate, y: Coordinate }, closed),
])
export type SigningJwk = Static<typeof SigningJwk>

/** What the signing key signs when its owner enrols: it binds the one-time code and the TLS key's SHA-256 pin (hex). */
export const enrolmentProof = (code: string, spki: string): Uint8Array => utf8(`aldis-enrolment/1\n${code}\n${spki}\n`)

/** What the new key signs, and the old one too: the node's nonce and the new key's thumbprint (RFC 7638). */
export const signingKeyProof = (nonce: string, kid: string): Uint8Array =>
  utf8(`aldis-signing-key/1\n${nonce}\n${kid}\n`)

export const Enrolment = Type.Object(
  {
    code: Type.String({ pattern: '^[0-9a-f]{16}\\.[a-z2-7]{32}$' }),
    csr_pem: Pem,
    signing_jwk: SigningJwk,
    /** Raw signature (RFC 8032, or r || s) over `enrolmentProof`, base64url. */
    proof: Signature,
  },
  closed,
)
export type Enrolment = Static<typeof Enrolment>

/** What the node signs with: a participant pins both when it enrols. */
export const NodeKeys = Type.Object(
  {
    /** Of checkpoints (C2SP signed-note). */
    log_vkey: Type.String(),
    /** Of countersignatures; the kid is the RFC 7638 thumbprint. */
    receipt_keys: Type.Array(
      Type.Object(
        {
          kid: Kid,
          alg: Type.Literal('Ed25519'),
          jwk: Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: Coordinate }, closed),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type NodeKeys = Static<typeof NodeKeys>

const ProgrammeName = Type.Object({ slug: SlugSchema, trust_domain: Type.String(), node_origin: Type.String() }, closed)

export const EnrolmentResult = Type.Object(
  {
    participant: SlugSchema,
    uri: Type.String(),
    credential: UuidSchema,
    scopes: Type.Array(ScopeSchema),
    /** Leaf first, then the issuer: what the TLS client presents. */
    certificate: Type.String(),
    /** The programme's root: what the node's own certificate is checked against from now on. */
    ca: Type.String(),
    not_after: Instant,
    /** Until then the key may renew its certificate; afterwards it enrols anew. */
    pin_not_after: Instant,
    kid: Kid,
    programme: ProgrammeName,
    node: NodeKeys,
    /** The key works once an administrator has typed its fingerprint, which its owner tells by another way. */
    awaits_read_back: Type.Optional(Type.Literal(true)),
  },
  closed,
)
export type EnrolmentResult = Static<typeof EnrolmentResult>

export const Renewal = Type.Object({ csr: Pem }, closed)
export type Renewal = Static<typeof Renewal>
export const RenewalResult = Type.Object({ certificate: Type.String(), not_after: Instant }, closed)
export type RenewalResult = Static<typeof RenewalResult>

export const WhoAmI = Type.Object(
  {
    participant: Type.Object(
      { slug: SlugSchema, name: Type.String(), kind: ParticipantKindSchema, status: ParticipantStatusSchema },
      closed,
    ),
    credential: Type.Object({ id: UuidSchema, scopes: Type.Array(ScopeSchema), not_after: Instant }, closed),
    programme: ProgrammeName,
    time: Instant,
    /** Of a request that carried one: to what it is cut, and until when. */
    access_token: Type.Optional(Type.Object({ scopes: Type.Array(ScopeSchema), expires_at: Instant }, closed)),
  },
  closed,
)
export type WhoAmI = Static<typeof WhoAmI>

export const AUDIENCE_MEMBERS_MAX = 100
/** Signals of one erasure. */
export const ERASURE_SIGNALS_MAX = 100
/** What one of several signals may take out of records: its entry names each, and its receipt holds 60,000 characters. */
export const ERASURE_TARGETS_MAX = 400
export const AudienceParams = Type.Object({ audience: UuidSchema }, closed)
export const NamedAudience = Type.Object(
  {
    label: LabelSchema,
    mode: AudienceModeSchema,
    /** The others; the maker is always a member. */
    members: Type.Array(SlugSchema, { minItems: 1, maxItems: AUDIENCE_MEMBERS_MAX, uniqueItems: true }),
  },
  closed,
)
export type NamedAudience = Static<typeof NamedAudience>

export const AudienceInfo = Type.Object(
  {
    audience: UuidSchema,
    kind: AudienceKindSchema,
    mode: AudienceModeSchema,
    label: Type.String(),
    may_share: Type.Boolean(),
    /** Slugs of the present members: whoever shares into an audience may know whom it reaches. */
    members: Type.Array(SlugSchema),
  },
  closed,
)
export type AudienceInfo = Static<typeof AudienceInfo>
export const AudienceList = Type.Object({ audiences: Type.Array(AudienceInfo) }, closed)
export type AudienceList = Static<typeof AudienceList>

/** What a recipient needs to verify a source, those that left included: their signatures outlive them. */
const SourceInfo = Type.Object(
  {
    slug: SlugSchema,
    uri: Type.String(),
    kind: ParticipantKindSchema,
    status: ParticipantStatusSchema,
    signing_keys: Type.Array(
      Type.Object(
        {
          kid: Kid,
          alg: Type.String(),
          jwk: SigningJwk,
          status: KeyStatusSchema,
          not_before: Instant,
          not_after: Instant,
        },
        closed,
      ),
    ),
  },
  closed,
)

export const SourceList = Type.Object({ participants: Type.Array(SourceInfo) }, closed)
export type SourceList = Static<typeof SourceList>

export const SigningKeyNonce = Type.Object({ nonce: Type.String(), expires_at: Instant }, closed)
export type SigningKeyNonce = Static<typeof SigningKeyNonce>

export const SigningKeyRegistration = Type.Object(
  {
    jwk: SigningJwk,
    nonce: Type.String({ pattern: '^[A-Za-z0-9_-]{54}$' }),
    /** By the new key over `signingKeyProof`. */
    proof: Signature,
    /** The same by a key that is active now; missing only while there is none. */
    previous: Type.Optional(Type.Object({ kid: Kid, proof: Signature }, closed)),
  },
  closed,
)
export type SigningKeyRegistration = Static<typeof SigningKeyRegistration>
export const SigningKeyResult = Type.Object({ kid: Kid, status: KeyStatusSchema }, closed)
export type SigningKeyResult = Static<typeof SigningKeyResult>

/** The name behind a stored number; throws for one that was never given out. */
export function nameOf<T extends Record<string, number>>(table: T, value: number): keyof T & string {
  for (const [name, number] of Object.entries(table)) if (number === value) return name
  throw new RangeError('a stored number without a name')
}

export const ProfileParams = Type.Object({ kid: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }) }, closed)
export const HashProfileList = Type.Object(
  {
    hash_profiles: Type.Array(
      Type.Object(
        {
          kid: Type.String(),
          suite: Type.String(),
          status: names(PROFILE_STATUS),
          not_before: Instant,
          not_after: Instant,
        },
        closed,
      ),
    ),
  },
  closed,
)
export type HashProfileList = Static<typeof HashProfileList>
/** 32 bytes, base64url. Known to every member; not to be logged or passed on. */
export const HashKey = Type.Object({ kid: Type.String(), key: Type.String() }, closed)
export type HashKey = Static<typeof HashKey>

const Element = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })

/** A part of an OPRF key: the node's is the first; a second is held elsewhere, at `origin`, by a TLS key with the pin. */
export const KeyShare = Type.Object(
  {
    index: Type.Integer({ minimum: 1, maximum: 2 }),
    public_key: Element,
    origin: Type.Optional(Type.String()),
    pin: Type.Optional(Type.String()),
  },
  closed,
)
export type KeyShare = Static<typeof KeyShare>

/** Who holds the second part of a key: what `aldis oprf-holder` tells. */
export const KeyHolder = Type.Object(
  {
    public_key: Element,
    origin: Type.String({ pattern: '^https://[A-Za-z0-9.:[\\]-]{1,253}$' }),
    pin: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  closed,
)
export type KeyHolder = Static<typeof KeyHolder>
