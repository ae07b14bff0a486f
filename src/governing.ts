import { type Anomalies, createAnomalies } from './anomalies/service.ts'
import type { Sightings } from './anomalies/sightings.ts'
import type { Looking } from './console/looking.ts'
import type { Core } from './core.ts'
import { createEventsOf } from './governance/count.ts'
import { createGovernance, type GovernanceService } from './governance/service.ts'
import { createWhoRead } from './governance/who-read.ts'
import { LIMITS } from './http/limits.ts'
import type { Uuid } from './kernel/ids.ts'
import type { HandshakeAudit } from './participants/handshake-audit.ts'
import { seesSignals } from './participants/policy.ts'
import type { Parts } from './parts.ts'
import { createAuditLog } from './provenance/auditor.ts'
import { verifyEd25519 } from './provenance/ed25519.ts'
import { createExplorer, type Explorer } from './provenance/explorer.ts'
import type { Ledger } from './provenance/ledger.ts'
import { longestGap } from './provenance/opened.ts'
import { rulesOf } from './signals/rules.ts'

/** What the whole programme does, counted. */
export function governanceOf({ pools, clock, logId, provenance, authority }: Core): GovernanceService {
  const participants = () => authority.participants().filter(({ kind }) => seesSignals(kind))
  return createGovernance({
    ...{ db: pools.ledger, clock, logId, authority, timeoutMs: LIMITS.sql_cases_ms },
    auditing: createAuditLog({ app: pools.app, clock, provenance }),
    directory: {
      participants,
      groups: () => [...new Set(participants().flatMap(({ participant_id }) => authority.audiencesOf(participant_id)))],
    },
  })
}

/** What is unusual in what the log tells. */
export const anomaliesOf = (
  core: Core,
  handshakes: Pick<HandshakeAudit, 'byDay'>,
  sightings: Pick<Sightings, 'networks' | 'lookups'>,
): Anomalies => {
  const { pools, clock, logId, provenance, programme, authority } = core
  const named = <T extends { participant_id: Uuid }>(rows: readonly T[]) =>
    rows.map(({ participant_id, ...row }) => ({ ...row, actor: authority.slugOf(participant_id) }))
  return createAnomalies({
    ...{ admin: pools.admin, ledger: pools.ledger, clock, logId, programme: programme.programme_id },
    ...{ recorder: provenance, shares: governanceOf(core).shares, refused: handshakes.byDay },
    longestGap: (range) => longestGap({ db: pools.ledger, logId }, range),
    used: async (day) => named(await sightings.networks(day)),
    looked: async (range) => named(await sightings.lookups(range)),
  })
}

/** What the screens over the log stand on. */
export function lookingOf(parts: Parts, ledger: Ledger): Looking {
  const explorer = explorerOf(parts, ledger)
  const { clock, origin, logId, programme, config, pools, provenance, authority } = parts
  return {
    ...{ explorer, ledger, clock, verify: verifyEd25519, origin, logId },
    ...{ programme: programme.programme_id, contact: config.operatorContact, suppressBelow: config.suppressBelow },
    governance: governanceOf(parts),
    whoRead: createWhoRead({
      ...{ projector: pools.projector, explorer, ledger },
      auditing: createAuditLog({ app: pools.app, clock, provenance }),
      participants: () => authority.participants(),
    }),
    categories: rulesOf(authority).categoriesNow,
  }
}

/** The explorer of the present log. */
export const explorerOf = (
  {
    pools,
    clock,
    keys,
    logId,
    provenance,
    authority,
  }: Pick<Core, 'pools' | 'clock' | 'keys' | 'logId' | 'provenance' | 'authority'>,
  ledger: Pick<Ledger, 'checkpoint' | 'receipt'>,
): Explorer =>
  createExplorer({
    ...{ db: pools.ledger, keys, logId, ledger },
    auditing: createAuditLog({ app: pools.app, clock, provenance }),
    eventsOf: createEventsOf(pools.projector, () => authority.participants()),
    timeoutMs: LIMITS.sql_cases_ms,
  })
