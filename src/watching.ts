import { anchorOf } from './core.ts'
import { poolState } from './db/connect.ts'
import type { Looked, OnLookUps } from './feeds/lookup.ts'
import { LIMITS } from './http/limits.ts'
import type { Metrics } from './http/metrics.ts'
import type { EvaluationService } from './matching/service.ts'
import { HIGH_USE, type HitCounts } from './matching/unusual.ts'
import { createNodeAlarms, type NodeAlarmOptions, type NodeAlarms } from './operations/node-alarms.ts'
import type { Parts } from './parts.ts'
import type { Ledger } from './provenance/ledger.ts'

/** Of the log, as `/metrics` tells it. */
export async function logState({ provenance, pools, clock }: Parts, ledger: Ledger) {
  const state = await provenance.state(pools.integrator)
  const latest = await ledger.checkpoint()
  const checkpointAge = latest === undefined ? 0 : (clock().getTime() - latest.at.getTime()) / 1_000
  return { ...state, signed: latest?.size ?? 0n, checkpointAge, ...(await publicationState(ledger, clock())) }
}

async function publicationState(ledger: Ledger, now: Date) {
  const states = await ledger.witnesses()
  const answering = states.filter((one) => one.cosigned_at !== undefined && one.missing_since === undefined).length
  return { unpublished: await ledger.unpublished(now), witnesses: { wanted: states.length, answering } }
}

interface Counting extends Pick<Parts, 'clock'> {
  metrics: Pick<Metrics, 'lookups'>
  hits: Pick<HitCounts, 'looked'>
  sightings: Pick<Parts['sightings'], 'lookedUp'>
}

/** Metrics count all look-ups that were answered; the alarms and the rules of anomalies, who asks much and finds little. */
export const countLookUps =
  ({ metrics, hits, clock, sightings }: Counting): OnLookUps =>
  (looked, by) => {
    const [keys, matches] = [sumOf(looked, 'keys'), sumOf(looked, 'matches')]
    metrics.lookups({ lookups: looked.length, keys, matches })
    if (by === undefined) return
    hits.looked(by, keys, matches, clock())
    sightings.lookedUp(by, { lookups: looked.length, with_hits: looked.filter((one) => one.matches > 0).length })
  }

const sumOf = (looked: readonly Looked[], of: keyof Looked): number => looked.reduce((sum, one) => sum + one[of], 0)

interface Watched extends Pick<NodeAlarmOptions, 'log' | 'healthy' | 'following' | 'halted' | 'purgeFailing'> {
  ledger: Ledger
  evaluations: Pick<EvaluationService, 'used'>
  hits: HitCounts
}

export async function alarmsOf(parts: Parts, { ledger, evaluations, hits, ...watched }: Watched): Promise<NodeAlarms> {
  const { config, clock, programme, logId, rootCertificate } = parts
  const { chain } = await parts.certificate()
  return createNodeAlarms({
    ...{ settings: config, clock, node: programme.node_origin, ...watched },
    published: () => publicationState(ledger, clock()),
    readAnchor: () => anchorOf(config, logId).read(),
    unusual: {
      evaluations: async () => (await evaluations.used()).some(({ part }) => part >= HIGH_USE),
      lookUps: () => hits.guessing(clock()).length > 0,
    },
    overdue: () => parts.participants.overdueActs(),
    unreviewed: () => parts.participants.overdueReviews(),
    certificates: `${chain}\n${rootCertificate}`,
  })
}

export const poolsOf = ({ pools }: Parts) =>
  Object.fromEntries(Object.entries(pools).map(([name, db]) => [name, poolState(db)]))

/** Whether requests can be answered: `/readyz`. */
export async function readiness({ pools, authority }: Parts, log: boolean) {
  const database = await pools.app
    .selectFrom('authority_epoch')
    .select('epoch')
    .executeTakeFirst()
    .then(
      () => true,
      () => false,
    )
  const checks = { database, log, authority: authority.age() < LIMITS.authority_age_seconds * 1_000 }
  return { ok: Object.values(checks).every((check) => check), checks }
}
