import type { EventStreams } from '../feeds/event-stream.ts'
import type { Reveals } from '../feeds/reveal.ts'
import { STREAMS_MAX } from '../feeds/schema.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { EvaluationService } from '../matching/service.ts'
import type { Authority } from '../participants/authority.ts'
import type { UploadJobs } from '../signals/upload-jobs.ts'
import { JOBS_LIVE, UPLOADS_OPEN } from '../signals/upload-limits.ts'
import type { UploadStreams } from '../signals/upload-streams.ts'
import { ENDPOINTS_MAX } from '../webhooks/schema.ts'
import type { Webhooks } from '../webhooks/service.ts'
import type { LimitList, LimitUse } from './schema.ts'

export interface LimitSources {
  clock: Clock
  authority: Pick<Authority, 'credentials'>
  /** Requests, and answers 403 or 404: how many might pass now, of how many at once. */
  counts: Record<'requests' | 'refusals', { left(credential: Uuid): number; burst: number }>
  /** Open under a pin, and how many may be. */
  connections: { under(spki: string): number; limit: number }
  /** Event streams. */
  streams: Pick<EventStreams, 'openBy'>
  uploading: Pick<UploadStreams, 'openBy'>
  /** New keys of `Idempotency-Key`. */
  keyed: { usedBy(participant: Uuid): Promise<{ used: number; limit: number; resets_at: Date }> }
  evaluations: Pick<EvaluationService, 'usedBy'>
  reveals: Pick<Reveals, 'revealsUsedBy'>
  uploads: Pick<UploadJobs, 'live'>
  webhooks: Pick<Webhooks, 'endpoints'>
}

/** What is used of limits now, as the counters say that refuse. */
export type LimitsInUse = (participant: Uuid) => Promise<LimitList>

export const createLimitsInUse =
  (sources: LimitSources): LimitsInUse =>
  async (participant) => ({
    at: sources.clock().toISOString(),
    credentials: credentialsOf(sources, participant),
    limits: await ownOf(sources, participant),
  })

type Credential = ReturnType<Authority['credentials']>[number]

/** Of keys that work now. */
function credentialsOf(sources: LimitSources, participant: Uuid): LimitList['credentials'] {
  const now = sources.clock()
  const works = (one: Credential): boolean =>
    one.participant === participant && one.status === 'active' && one.not_before <= now && now < one.not_after
  return sources.authority
    .credentials()
    .filter(works)
    .map(({ credential, label, spki }) => ({ credential, label, limits: limitsOf(sources, credential, spki) }))
}

function limitsOf(sources: LimitSources, credential: Uuid, spki: string): LimitUse[] {
  const { counts, connections, streams, uploading } = sources
  const { requests, refusals } = counts
  return [
    used('requests_per_credential_burst', requests.burst - requests.left(credential), requests.burst),
    used('refusals_per_credential_per_minute', refusals.burst - refusals.left(credential), refusals.burst),
    used('connections_per_credential', connections.under(spki), connections.limit),
    used('streams_per_credential', streams.openBy(credential), STREAMS_MAX),
    used('uploads_per_credential', uploading.openBy(credential), UPLOADS_OPEN),
  ]
}

async function ownOf(
  { evaluations, reveals, uploads, webhooks, keyed }: LimitSources,
  participant: Uuid,
): Promise<LimitUse[]> {
  const { quotas, resets_at, burst } = await evaluations.usedBy(participant)
  const revealed = await reveals.revealsUsedBy(participant)
  const keys = await keyed.usedBy(participant)
  return [
    ...quotas.map(({ purpose, used: n, limit }) => ({
      ...used('oprf_elements_per_day', n, limit),
      ...{ purpose, resets_at: resets_at.toISOString() },
    })),
    used('oprf_elements_burst', burst.limit - burst.left, burst.limit),
    { ...used('reveals_per_day', revealed.used, revealed.limit), resets_at: revealed.resets_at.toISOString() },
    { ...used('idempotency_keys_per_day', keys.used, keys.limit), resets_at: keys.resets_at.toISOString() },
    used('upload_jobs', await uploads.live(participant), JOBS_LIVE),
    used('webhook_endpoints', (await webhooks.endpoints(participant)).length, ENDPOINTS_MAX),
  ]
}

const used = (name: string, n: number, limit: number): LimitUse => ({ name, used: Math.max(0, n), limit })
