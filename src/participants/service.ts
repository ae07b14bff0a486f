import { Compile } from 'typebox/compile'
import type { Uuid } from '../kernel/ids.ts'
import type { ActContext } from './act.ts'
import { type Approvals, createApprovals, type Executors, type Preparers } from './approval.ts'
import { type Audiences, createAudiences } from './audience.ts'
import type { Authority } from './authority.ts'
import { type CredentialContext, type Credentials, confirmSigningKey, createCredentials } from './credential.ts'
import { createDirectory, type Directory } from './directory.ts'
import { createDue, type Due } from './due.ts'
import { createEnrolments, type EnrolmentContext, type Enrolments, openEnrolment } from './enrolment.ts'
import { type ErasureContext, erase, scanAhead } from './erasure.ts'
import { createFeedPauses, type FeedPauses, pauseFeed, resumeFeed } from './feed-pause.ts'
import { changeGroup, createGroup, createGroups, endGroup, type Groups } from './group.ts'
import { type HoldContext, releaseHeld } from './hold.ts'
import { createLogins, type Logins } from './login.ts'
import {
  admit,
  confirm,
  createMembers,
  type DepartureContext,
  type MemberContext,
  type Members,
  offboard,
  resume,
} from './member.ts'
import { createOnboardings, type Onboardings } from './onboarding.ts'
import { closeGovernment, holdSource, liftHold, type OversightContext, placeHold, releaseSource } from './oversight.ts'
import { createPeople, grantRole, type People } from './person.ts'
import { seesSignals } from './policy.ts'
import { createPolicyList, type PolicyList } from './policy-list.ts'
import {
  changeQuota,
  holdCollection,
  type PublicationContext,
  publishHashProfile,
  publishPolicy,
  publishReport,
  retireHashProfile,
} from './publication.ts'
import { createReadBacks, type ReadBacks } from './read-back.ts'
import { createRequestList, type RequestList } from './request-list.ts'
import { type RotationContext, rotate } from './rotation.ts'
import type { AudienceInfo, AudienceList, NamedAudience, NodeKeys, SourceList, WhoAmI } from './schema.ts'
import { SCOPES, SigningJwk } from './schema.ts'
import { createUndoing, type Undoing } from './undo.ts'

/** A connection as its certificate proved it. */
export interface ParticipantPeer {
  participant: Uuid
  credential: Uuid
  /** Hex SHA-256 of the key. */
  spki: string
  /** Those of the credential, or of the access token that a request carries. */
  scopes: readonly string[]
  token?: { expires: Date }
}

export interface ParticipantService
  extends People,
    Logins,
    Approvals,
    RequestList,
    Members,
    Credentials,
    Enrolments,
    ReadBacks,
    Onboardings,
    Directory,
    Groups,
    FeedPauses,
    Undoing,
    Due,
    PolicyList,
    Audiences {
  whoami(peer: ParticipantPeer): WhoAmI
  nodeKeys(): NodeKeys
  /** Audiences the participant is in, with their members. */
  audiences(participant: Uuid): AudienceList
  /** Makes a named audience under an id that its maker chose, and answers it as `audiences` would. */
  openAudience(owner: Uuid, audience_id: Uuid, audience: NamedAudience): Promise<OpenedAudience>
  /** Everybody that ever signed, so that recipients can verify. */
  sources(): SourceList
}

export interface OpenedAudience {
  /** False if the very same was there. */
  created: boolean
  audience: AudienceInfo
}

export type ParticipantServiceOptions = Omit<ActContext, 'changed'> &
  Pick<CredentialContext, 'nonceKey' | 'randomBytes'> &
  Pick<EnrolmentContext, 'issue' | 'nodeSpki' | 'rootCertificate' | 'nodeKeys'> &
  Pick<PublicationContext, 'makeHashKey'> &
  RotationContext &
  ErasureContext &
  HoldContext &
  OversightContext &
  Pick<MemberContext, 'conformant'> &
  Pick<DepartureContext, 'forgetValues'> & { authority: Authority }

/** Who takes part, with which keys, on whose word. Every change is logged and shows in `authority` when it is answered. */
export function createParticipantService(options: ParticipantServiceOptions): ParticipantService {
  const { authority, clock } = options
  const context = { ...options, changed: () => authority.refresh() }
  const audiences = createAudiences(context)
  const approvals = createApprovals(context, executorsOf(context), preparersOf(context))
  return {
    ...createPeople(context),
    ...createPolicyList(context),
    ...createLogins(context),
    ...approvals,
    ...createDue(context, approvals),
    ...createRequestList(context),
    ...createMembers(context),
    ...createCredentials(context),
    ...createEnrolments(context),
    ...createReadBacks(context),
    ...createOnboardings(context),
    ...createDirectory(context),
    ...createGroups(context),
    ...createFeedPauses(context),
    ...createUndoing(context),
    ...audiences,
    whoami: (peer) => whoami(authority, peer, clock()),
    nodeKeys: () => options.nodeKeys(),
    audiences: (participant) => ({
      audiences: authority
        .audiencesOf(participant)
        .map(({ audience_id }) => audienceInfo(authority, participant, audience_id)),
    }),
    openAudience: async (owner, audience_id, audience) => {
      const { created } = await audiences.createNamedAudience(owner, audience_id, audience)
      return { created, audience: audienceInfo(authority, owner, audience_id) }
    },
    sources: () => sources(authority),
  }
}

function executorsOf(
  context: CredentialContext &
    EnrolmentContext &
    PublicationContext &
    Pick<MemberContext, 'conformant'> &
    Pick<DepartureContext, 'forgetValues'> &
    RotationContext &
    ErasureContext &
    HoldContext &
    OversightContext,
): Executors {
  return {
    'participant.admit': (tx, payload, act) => admit(context, { tx, act }, payload),
    'participant.confirm': (tx, payload, act) => confirm(context, { tx, act }, payload),
    'participant.resume': (tx, payload, act) => resume(context, { tx, act }, payload),
    'participant.offboard': (tx, payload, act) => offboard(context, { tx, act }, payload),
    'group.create': (tx, payload, act) => createGroup(context, { tx, act }, payload),
    'group.change': (tx, payload, act) => changeGroup(context, { tx, act }, payload),
    'group.end': (tx, payload, act) => endGroup(context, { tx, act }, payload),
    'role.grant': (tx, payload, act) => grantRole(context, { tx, act }, payload),
    'hash-profile.publish': (tx, payload, act) => publishHashProfile(context, { tx, act }, payload),
    'hash-profile.retire': (tx, payload, act) => retireHashProfile(context, { tx, act }, payload),
    'quota.change': (tx, payload, act) => changeQuota(context, { tx, act }, payload),
    'policy.publish': (tx, payload, act) => publishPolicy(context, { tx, act }, payload),
    'collection.hold': (tx, payload, act) => holdCollection(context, { tx, act }, payload),
    'credential.enrol': (tx, payload, act) => openEnrolment(context, { tx, act }, payload),
    'signing-key.confirm': (tx, payload, act) => confirmSigningKey(context, { tx, act }, payload),
    'signals.erase': (tx, payload, act) => erase(context, { tx, act }, payload),
    'signal.release': (tx, payload, act) => releaseHeld(context, { tx, act }, payload),
    'report.publish': (tx, payload, act) => publishReport(context, { tx, act }, payload),
    'hold.place': (tx, payload, act) => placeHold(context, { tx, act }, payload),
    'hold.lift': (tx, payload, act) => liftHold(context, { tx, act }, payload),
    'government.close': (tx, payload, act) => closeGovernment(context, { tx, act }, payload),
    'source.hold': (tx, payload, act) => holdSource(context, { tx, act }, payload),
    'source.release': (tx, payload, act) => releaseSource(context, { tx, act }, payload),
    'feed.pause': (tx, payload, act) => pauseFeed(context, { tx, act }, payload),
    'feed.resume': (tx, payload, act) => resumeFeed(context, { tx, act }, payload),
    'log.rotate': (_tx, payload) => rotate(context, payload),
    'emergency.review': async () => {},
  }
}

const preparersOf = (context: ActContext & ErasureContext & OversightContext): Preparers => ({
  'signals.erase': async (payload) => {
    const scanned = await scanAhead(context, payload)
    return (tx, same, act) => erase(context, { tx, act, scanned }, same)
  },
})

function whoami(authority: Authority, { participant, spki, scopes, token }: ParticipantPeer, now: Date): WhoAmI {
  const credential = authority.find(spki)
  const me = authority.participantById(participant)
  if (credential === undefined || me === undefined) throw new Error('a peer that the authority does not know')
  const { slug, trust_domain, node_origin } = authority.programme()
  return {
    participant: { slug: me.slug, name: me.name, kind: me.kind, status: me.status },
    credential: {
      id: credential.credential,
      scopes: [...credential.scopes],
      not_after: credential.not_after.toISOString(),
    },
    programme: { slug, trust_domain, node_origin },
    time: now.toISOString(),
    ...(token !== undefined && {
      access_token: { scopes: SCOPES.filter((one) => scopes.includes(one)), expires_at: token.expires.toISOString() },
    }),
  }
}

function audienceInfo(authority: Authority, me: Uuid, audience_id: Uuid): AudienceInfo {
  const audience = authority.audience(audience_id)
  const kind = authority.participantById(me)?.kind
  if (audience === undefined || kind === undefined) throw new Error('an audience that the authority does not know')
  return {
    audience: audience_id,
    ...{ kind: audience.kind, mode: audience.mode, label: audience.label },
    may_share: seesSignals(kind) && authority.mayShareInto(me, audience_id),
    members: [...audience.members].map((id) => authority.slugOf(id)).sort(),
  }
}

const JWK = Compile(SigningJwk)

const sources = (authority: Authority): SourceList => ({
  participants: authority.participants().map(({ participant_id, slug, uri, kind, status }) => ({
    ...{ slug, uri, kind, status },
    signing_keys: authority
      .signingKeys(participant_id)
      .filter((key) => key.status !== 'pending')
      .map((key) => ({
        ...{ kid: key.kid, alg: key.alg, status: key.status },
        jwk: JWK.Parse(JSON.parse(key.jwk)),
        not_before: key.not_before.toISOString(),
        not_after: key.not_after.toISOString(),
      })),
  })),
})
