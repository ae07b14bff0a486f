import type { KeyObject } from 'node:crypto'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { currentEpoch, referenceData } from './authority-store.ts'
import { hasMatchKey, mayShare, type Tlp } from './policy.ts'
import { EVALUATIONS_PER_DAY, type EvaluationPurpose } from './schema.ts'
import type { SigningAlg } from './signing-key.ts'
import {
  changedPins,
  type EnrolledCredential,
  holdKey,
  type KnownAudience,
  type KnownFeed,
  type KnownHashProfile,
  type KnownParticipant,
  type KnownPolicy,
  type KnownSigningKey,
  type Snapshot,
  snapshotOf,
} from './snapshot.ts'

const INTERVAL_MS = 2_000

export interface AuthorityOptions {
  /** Logs in as `aldis_app`; selects only. */
  db: Db
  clock: Clock
  /** Milliseconds between two looks at the epoch; 2,000 unless said otherwise. */
  intervalMs?: number
  /** Milliseconds of a clock that nobody sets, for `age`. */
  monotonic?: () => number
  /** Told of a look that failed; the snapshot ages meanwhile. */
  onError?: (error: unknown) => void
}

/** Who may do what, in memory: asked on every request, never waiting for the database. */
export interface Authority {
  /** Looks at the epoch now and reads the tables if it moved. Throws what the database threw. */
  refresh(): Promise<void>
  start(): void
  /** Waits for a look that is under way. */
  stop(): Promise<void>

  /** The credential of a TLS key, by the hex SHA-256 of its SPKI. */
  find(spki: string): EnrolledCredential | undefined
  /** Every credential that was ever enrolled. */
  credentials(): readonly EnrolledCredential[]
  /** Milliseconds since the tables were last known to be current; Infinity before the first time. */
  age(): number
  /** Called with each pin of which anything changed; answers how to stop that. */
  onChange(listener: (spki: string) => void): () => void

  programme(): NonNullable<Snapshot['programme']>
  participantById(id: Uuid): KnownParticipant | undefined
  participantBySlug(slug: string): KnownParticipant | undefined
  participants(): readonly KnownParticipant[]
  /** Throws for a participant that was never admitted. */
  slugOf(id: Uuid): string
  /** A key that may sign now; one that ended verifies what came before, which is not asked here. */
  signingKey(participant: Uuid, kid: string): { alg: SigningAlg; key: KeyObject } | undefined
  signingKeys(participant: Uuid): readonly KnownSigningKey[]

  audience(id: Uuid): KnownAudience | undefined
  /** The audience of a group, by the group's slug. */
  groupAudience(slug: string): KnownAudience | undefined
  /** Audiences of which the participant is a member now. */
  audiencesOf(participant: Uuid): readonly KnownAudience[]
  /** The feed of an audience; throws for an unknown one. */
  feedOf(audience: Uuid): Uuid
  feedsOf(participant: Uuid): readonly KnownFeed[]
  /** Where a participant hears what concerns it alone; throws for one that was never admitted. */
  inboxOf(participant: Uuid): Uuid
  isSealed(feed: Uuid): boolean
  /** Whether two persons have paused the feed. */
  isPaused(feed: Uuid): boolean
  /** The feeds of sealed audiences. */
  sealedFeeds(): readonly Uuid[]
  /** A member of the audience, active, and of a kind that sees signals. */
  mayShareInto(participant: Uuid, audience: Uuid): boolean
  /** Why a participant may not share such a thing into its audience. */
  shareRefusal(
    participant: string,
    item: { audience: Uuid; tlp: Tlp; type: string },
  ): 'audience-unknown' | 'audience-sealed' | 'tlp-refused' | undefined

  /** Retired once its time is over. */
  hashProfile(kid: string): KnownHashProfile | undefined
  hashProfiles(): readonly KnownHashProfile[]
  /** Elements that the participant may have evaluated in a day for the purpose. */
  quota(participant: Uuid, purpose: EvaluationPurpose): number
  /** The newest version of a kind, or the one that is named. */
  policy(kind: string, version?: number): KnownPolicy | undefined
  /** Whether signals of this collection context are held. */
  held(context: { region: string; legal_basis: string; surface: string }): boolean
}

export function createAuthority(options: AuthorityOptions): Authority {
  const { db, clock, intervalMs = INTERVAL_MS, monotonic = () => performance.now(), onError } = options
  const listeners = new Set<(spki: string) => void>()
  let snapshot: Snapshot | undefined
  let current = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined
  let again: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const now = (): Snapshot => {
    if (snapshot === undefined) throw new Error('the authority was not read yet')
    return snapshot
  }

  async function look(): Promise<void> {
    const began = monotonic()
    if (snapshot === undefined || (await currentEpoch(db)) !== snapshot.epoch) {
      const before = snapshot
      snapshot = snapshotOf(await referenceData(db))
      for (const spki of changedPins(before, snapshot)) for (const listener of listeners) listener(spki)
    }
    current = began
  }

  /** One look at a time; who asks during one gets the next, since the one may have begun before the change. */
  function refresh(): Promise<void> {
    if (looking === undefined) {
      looking = look().finally(() => {
        looking = undefined
      })
      return looking
    }
    again ??= looking
      .catch(() => {})
      .then(() => {
        again = undefined
        return refresh()
      })
    return again
  }

  return {
    refresh,
    start() {
      timer ??= setInterval(() => void refresh().catch((error: unknown) => onError?.(error)), intervalMs).unref()
    },
    async stop() {
      clearInterval(timer)
      timer = undefined
      await again?.catch(() => {})
      await looking?.catch(() => {})
    },
    age: () => monotonic() - current,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    find: (spki) => snapshot?.bySpki.get(spki),
    ...queries(now, clock),
  }
}

type Queries = Omit<Authority, 'refresh' | 'start' | 'stop' | 'age' | 'onChange' | 'find'>

function queries(now: () => Snapshot, clock: Clock): Queries {
  const mayShareInto = (participant: Uuid, audience: Uuid): boolean =>
    now().byId.get(participant)?.status === 'active' && now().audiences.get(audience)?.members.has(participant) === true

  return {
    programme() {
      const { programme } = now()
      if (programme === undefined) throw new Error('there is no programme: run aldis init')
      return programme
    },
    credentials: () => [...now().bySpki.values()],
    participantById: (id) => now().byId.get(id),
    participantBySlug: (slug) => now().bySlug.get(slug),
    participants: () => [...now().byId.values()],
    slugOf: (id) => known(now().byId.get(id)).slug,
    signingKey(participant, kid) {
      const key = now()
        .signingKeys.get(participant)
        ?.find((one) => one.kid === kid)
      if (key?.status !== 'active') return undefined
      const at = clock()
      return key.not_before <= at && at < key.not_after ? { alg: key.alg, key: key.key } : undefined
    },
    signingKeys: (participant) => now().signingKeys.get(participant) ?? [],
    audience: (id) => now().audiences.get(id),
    groupAudience(slug) {
      const id = now().groups.get(slug)
      return id === undefined ? undefined : now().audiences.get(id)
    },
    audiencesOf: (participant) => now().audiencesOf.get(participant) ?? [],
    feedOf: (audience) => known(now().feedOf.get(audience)),
    feedsOf: (participant) => now().feedsOf.get(participant) ?? [],
    inboxOf: (participant) =>
      known(
        now()
          .feedsOf.get(participant)
          ?.find(({ kind }) => kind === 'inbox'),
      ).feed_id,
    isPaused: (feed) => now().pausedFeeds.has(feed),
    isSealed: (feed) => now().sealedFeeds.has(feed),
    sealedFeeds: () => [...now().sealedFeeds],
    mayShareInto,
    shareRefusal(participant, { audience, tlp, type }) {
      const source = isUuid(participant) ? now().byId.get(participant) : undefined
      const target = now().audiences.get(audience)
      if (source === undefined || target === undefined || !mayShareInto(source.participant_id, audience))
        return 'audience-unknown'
      if (target.mode === 'sealed' && !hasMatchKey(type)) return 'audience-sealed'
      const sharing = { tlp, type, audienceKind: target.kind, participantKind: source.kind }
      return mayShare(sharing) ? undefined : 'tlp-refused'
    },
    hashProfile: (kid) => asOf(now().hashProfiles.get(kid), clock()),
    hashProfiles: () => [...now().hashProfiles.values()].flatMap((profile) => asOf(profile, clock()) ?? []),
    quota: (participant, purpose) => now().quotas.get(`${participant} ${purpose}`) ?? EVALUATIONS_PER_DAY,
    policy: (kind, version) =>
      version === undefined ? now().policies.get(kind) : now().policyVersions.get(`${kind} ${version}`),
    held: (context) => now().holds.has(holdKey(context)),
  }
}

/** An epoch whose time is over is retired, whether or not anybody said so. */
function asOf(profile: KnownHashProfile | undefined, at: Date): KnownHashProfile | undefined {
  return profile !== undefined && profile.not_after <= at ? { ...profile, status: 'retired' } : profile
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('not in the snapshot of reference data')
  return value
}
