import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { derivedId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { EventKind } from './events.ts'
import { recordOf } from './record-store.ts'
import type { Recorder } from './service.ts'
import * as kept from './witness-store.ts'

export interface OutageOptions {
  /** Logs in as `aldis_signer`. */
  db: Db
  /** Logs in as `aldis_admin`: the node's own records are the programme's. */
  admin: Db
  /** Logs in as `aldis_ledger`. */
  ledger: Db
  clock: Clock
  recorder: Recorder
  programme: Uuid
  logId: number
  origin: string
  /** The policy, verbatim; undefined without one. */
  policy: string | undefined
  onRecorded(): void
}

/** Tells the log which policy it is published under, and of each time that the quorum was missing: once, whatever crashes. */
export interface Outages {
  /** Records what a crash left unrecorded, and the policy if it is another than the last recorded one. */
  begin(witnessed: boolean): Promise<void>
  /** Since when the quorum is missing; undefined if no outage is open. */
  since(): Date | undefined
  start(found: { since: Date; missing: readonly string[]; sizes: Readonly<Record<string, string>> }): Promise<void>
  end(sizes: Readonly<Record<string, string>>): Promise<void>
}

const NONE = 'quorum none\n'

export function createOutages(options: OutageOptions): Outages {
  const { db, clock, logId } = options
  let row: kept.OutageRow = { policy: null, policy_at: null, since: null, ended: null }
  /** The begin or end that was recorded last; what failed is tried again with the next round. */
  let told: Date | undefined
  const keep = async (change: Partial<kept.OutageRow>): Promise<void> => {
    const next = { ...row, ...change }
    await kept.keepOutage(db, logId, next)
    row = next
  }
  const isOpen = (): boolean => row.since !== null && row.ended === null

  return {
    since: () => (isOpen() ? (row.since ?? undefined) : undefined),
    async begin(witnessed) {
      row = (await kept.outage(db, logId)) ?? row
      told = await tellOutage(options, row)
      const text = options.policy ?? NONE
      const digest = toHex(sha256(text))
      // A node that never had witnesses has nothing to say of them.
      if (row.policy === null && !witnessed) return
      if (row.policy !== digest) await keep({ policy: digest, policy_at: clock() })
      if (row.policy_at !== null) await tell(options, 'witness.policy', row.policy_at, { text })
    },
    async start({ since: begun, missing, sizes }) {
      if (!isOpen()) await keep({ since: begun, ended: null })
      const { since } = row
      if (since === null || told === since) return
      await tell(options, 'witness.degraded', since, { since: since.toISOString(), missing, sizes })
      told = since
    },
    async end(sizes) {
      if (isOpen()) await keep({ ended: clock() })
      const { since, ended } = row
      if (since === null || ended === null || told === ended) return
      // Where its beginning could not be recorded while it lasted.
      await tell(options, 'witness.degraded', since, { since: since.toISOString() })
      await tell(options, 'witness.restored', ended, { since: since.toISOString(), sizes })
      told = ended
    },
  }
}

/** What of the last outage a process before this one may have left untold; answers the newest of it. */
async function tellOutage(options: OutageOptions, { since, ended }: kept.OutageRow): Promise<Date | undefined> {
  if (since === null) return undefined
  await tell(options, 'witness.degraded', since, { since: since.toISOString() })
  if (ended === null) return since
  await tell(options, 'witness.restored', ended, { since: since.toISOString() })
  return ended
}

/** Under an id of what it tells: a second time it is found, and left. */
async function tell(
  { admin, ledger, recorder, programme, origin, onRecorded }: OutageOptions,
  kind: EventKind,
  at: Date,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const event_id = derivedId(sha256(`prov-witness/v1\n${origin}\n${kind}\n${at.toISOString()}\n`))
  if ((await recordOf(ledger, programme, event_id)) !== undefined) return
  await atControl(admin, (tx) => recorder.record(tx, { kind, event_id, participant_id: programme, at, fields }))
  onRecorded()
}
