import { expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import { createRequestCounts } from '../../src/http/rate.ts'
import { newId } from '../../src/kernel/ids.ts'
import { createLimitsInUse, type LimitSources } from '../../src/usage/limits.ts'

const NOW = new Date('2026-11-27T12:00:00Z')
const clock = () => NOW
const [apple, banana, key, other] = [newId(NOW), newId(NOW), newId(NOW), newId(NOW)]
const inDays = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000)

type Credential = ReturnType<LimitSources['authority']['credentials']>[number]
const aCredential = (change: Partial<Credential> = {}): Credential => ({
  ...{ credential: key, label: 'main', spki: 'a', participant: apple, slug: 'apple', status: 'active' },
  ...{ participant_status: 'active', scopes: [], not_before: inDays(-1), not_after: inDays(1), ...change },
})

/** Counters of their own kind, so that what they refuse is what is told. */
function sourcesOf(credentials: Credential[] = [aCredential()]) {
  const counts = createRequestCounts(clock, { perSecond: 1, burst: 10 })
  const sources: LimitSources = {
    ...{ clock, counts, authority: { credentials: () => credentials } },
    connections: { under: (spki) => (spki === 'a' ? 3 : 0), limit: 64 },
    streams: { openBy: (credential) => (credential === key ? 2 : 0) },
    uploading: { openBy: (credential) => (credential === key ? 1 : 0) },
    keyed: { usedBy: async () => ({ used: 9, limit: 50_000, resets_at: inDays(0.5) }) },
    evaluations: {
      usedBy: async () => ({
        quotas: [{ purpose: 'lookup', used: 7, limit: 100 }],
        ...{ resets_at: inDays(0.5), burst: { left: 4_000, limit: 5_000 } },
      }),
    },
    reveals: { revealsUsedBy: async () => ({ used: 3, limit: 200, resets_at: inDays(0.5) }) },
    uploads: { live: async () => 2 },
    webhooks: { endpoints: async () => [] },
  }
  return { counts, limits: createLimitsInUse(sources) }
}

test('a credential is told what the buckets hold that refuse it', async () => {
  const { counts, limits } = sourcesOf()
  for (let i = 0; i < 4; i++) counts.requests.take(key)
  counts.refusals.take(key)
  counts.requests.take(other)
  expect((await limits(apple)).credentials).toEqual([
    {
      ...{ credential: key, label: 'main' },
      limits: [
        { name: 'requests_per_credential_burst', used: 4, limit: 10 },
        { name: 'refusals_per_credential_per_minute', used: 1, limit: LIMITS.refusals_per_credential_per_minute },
        { name: 'connections_per_credential', used: 3, limit: 64 },
        { name: 'streams_per_credential', used: 2, limit: LIMITS.streams_per_credential },
        { name: 'uploads_per_credential', used: 1, limit: LIMITS.uploads_per_credential },
      ],
    },
  ])
  while (counts.requests.take(key));
  expect((await limits(apple)).credentials[0]?.limits[0]).toMatchObject({ used: 10, limit: 10 })
})

test('credentials that do not work, and those of others, are not there', async () => {
  const { limits } = sourcesOf([
    aCredential({ status: 'revoked' }),
    aCredential({ not_after: NOW }),
    aCredential({ not_before: inDays(1) }),
    aCredential({ participant: banana }),
  ])
  expect((await limits(apple)).credentials).toEqual([])
})

test('quotas say when they begin anew, and every name is one of the limits', async () => {
  const { limits: own, credentials } = await sourcesOf().limits(apple)
  expect(own).toContainEqual({
    ...{ name: 'oprf_elements_per_day', purpose: 'lookup', used: 7, limit: 100 },
    resets_at: '2026-11-28T00:00:00.000Z',
  })
  expect(own).toContainEqual({
    ...{ name: 'reveals_per_day', used: 3, limit: LIMITS.reveals_per_day },
    resets_at: '2026-11-28T00:00:00.000Z',
  })
  expect(own).toContainEqual({
    ...{ name: 'idempotency_keys_per_day', used: 9, limit: LIMITS.idempotency_keys_per_day },
    resets_at: '2026-11-28T00:00:00.000Z',
  })
  expect(own).toContainEqual({ name: 'oprf_elements_burst', used: 1_000, limit: 5_000 })
  const names = [...own, ...credentials.flatMap(({ limits }) => limits)].map(({ name }) => name)
  expect(Object.keys(LIMITS)).toEqual(expect.arrayContaining(names))
})
