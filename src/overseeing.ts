import type { Anomalies } from './anomalies/service.ts'
import { createLoop, type Loop } from './jobs/loop.ts'
import type { Log } from './kernel/log.ts'
import { createOversightReads, type OversightReads } from './oversight/service.ts'
import type { Parts } from './parts.ts'
import { createAuditLog } from './provenance/auditor.ts'
import type { Ledger } from './provenance/ledger.ts'
import { keptFacts } from './publishing/facts.ts'
import { createPublishing, type Publishing } from './publishing/service.ts'
import { type Registers, registersOf } from './registering.ts'
import { createRetention, type Retention } from './retention.ts'
import { createSourceHolds, type SourceHolds } from './signals/source-hold.ts'

/** What governance works with, beside the log itself. */
export interface Overseeing {
  publishing: Publishing
  anomalies: Anomalies
  sourceHolds: Pick<SourceHolds, 'pending'>
  retention: Retention
  registers: Registers
  /** The same for programs, to be read. */
  reads: OversightReads
  loops: readonly Loop[]
}

/** Between two portions of a report that is computed: requests come first. */
const DRAFT_REST_MS = 5
const DRAFT_IDLE_MS = 1_000
/** What is unusual by the hour need not be found by the minute. */
const LOOK_MS = 5 * 60_000
const HOUR_MS = 3_600_000
/** What is over need not go at once. */
const PURGE_REST_MS = 1_000

/** While the log is halted, what makes entries of itself waits. */
export function createOverseeing(parts: Parts, ledger: Ledger, log: Log, halted: () => boolean): Overseeing {
  const publishing = publishingOf(parts, ledger)
  const draft = createLoop({
    ...{ round: publishing.round, idleMs: DRAFT_IDLE_MS, restMs: DRAFT_REST_MS },
    onError: (error) => log.error({ name: 'report', error }, 'a loop failed'),
  })
  const look = createLoop({
    ...{ round: async () => !halted() && (await parts.anomalies.look()) > 0, idleMs: LOOK_MS, restMs: LOOK_MS },
    onError: (error) => log.error({ name: 'anomalies', error }, 'a loop failed'),
  })
  const retention = createRetention(parts)
  const purge = createLoop({
    ...{ round: async () => !halted() && (await retention.round()) > 0, idleMs: HOUR_MS, restMs: PURGE_REST_MS },
    onError: (error) => log.error({ name: 'retention', error }, 'a loop failed'),
  })
  const registers = registersOf(parts)
  return {
    ...{ retention, registers, reads: readsOf(parts, { retention, registers }) },
    anomalies: parts.anomalies,
    sourceHolds: createSourceHolds(parts.provenance),
    publishing: {
      ...publishing,
      async begin(by, asked) {
        await publishing.begin(by, asked)
        draft.wake()
      },
    },
    loops: [draft, look, purge],
  }
}

const readsOf = (
  { participants, anomalies, erasures, authority, pools, clock, provenance }: Parts,
  { retention, registers: { subjects, government, holds } }: Pick<Overseeing, 'retention' | 'registers'>,
): OversightReads =>
  createOversightReads({
    ...{ participants, anomalies, erasures, subjects, government, holds, retention },
    members: () => authority.participants(),
    auditing: createAuditLog({ app: pools.app, clock, provenance }),
  })

function publishingOf({ pools, clock, logId, provenance }: Parts, ledger: Ledger): Publishing {
  const { ledger: db } = pools
  return createPublishing({
    ...{ admin: pools.admin, clock, auditing: createAuditLog({ app: pools.app, clock, provenance }) },
    checkpoint: () => ledger.checkpoint(),
    facts: (from) => keptFacts(db, logId, from),
  })
}
