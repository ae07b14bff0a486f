import { atControl, atLog } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { randomTextSource } from '../kernel/random.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { Anchor } from './anchor.ts'
import { type BatchEntry, decodeBatch } from './batch.ts'
import type { NewEvent } from './events.ts'
import { formatVkey } from './note.ts'
import { closingOf, openingOf } from './origin.ts'
import * as outboxStore from './outbox-store.ts'
import { prepareRecord } from './record.ts'
import * as recordStore from './record-store.ts'
import { openLog } from './service.ts'
import * as signStore from './sign-store.ts'
import * as store from './store.ts'

/** A log, and the name of the key that signs it. */
interface Named {
  logId: number
  origin: string
  kid: string
}

/** One log's end and the next one's beginning, as two persons decided it. */
export interface Rotation {
  from: Named
  to: Named
  reason: string
  at: Date
  /** When it is carried out: a node that was away may do so months later. */
  now: Date
  /** The executed request, and who asked for it. */
  request: Uuid
  person: Uuid
  programme: Uuid
}

const BATCHES_AT_ONCE = 64

/**
 * Closes a log at its newest signed size and opens the next, whose first entry names the old one, its last checkpoint and
 * the reason, and whose next one says whose key's time is over. Entries that were indexed and never signed wait again. Each step is safe to repeat, and only the last makes
 * the next log the present one.
 */
export async function rotateLog(
  { admin, ledger, keys, anchor }: { admin: Db; ledger: Db; keys: KeyService; anchor: Anchor },
  { from, to, reason, at, now, request, person, programme }: Rotation,
): Promise<void> {
  await keys.create(to.kid, 'ed25519')
  const closed = await atLog(admin, from.logId, (tx) => signStore.closeLog(tx, from.logId))
  if (closed === undefined) throw new Error(`there is no log ${from.logId}`)
  const last = await signStore.latestCheckpoint(ledger, from.logId)
  const event_id = openingOf(sha256, to.origin)
  const previous = { origin: from.origin, checkpoint: last?.note ?? null, reason }
  const recordFor = (event: Pick<NewEvent, 'kind' | 'event_id' | 'after'>, { origin, kid }: Named) =>
    prepareRecord(
      {
        ...{ ...event, participant_id: programme, at },
        fields: {
          // Its key may be what was lost.
          ...{ origin, key: keys.has(kid) ? formatVkey(sha256, origin, keys.publicKey(kid)) : null, previous },
          ...{ person, req: request },
        },
      },
      { keys, logId: to.logId, salt: randomTextSource(32), sealed: now },
    )
  const known = (await recordStore.recordOf(ledger, programme, event_id)) !== undefined
  if (!known) {
    const opened = recordFor({ kind: 'log.opened', event_id }, to)
    const ended = recordFor({ kind: 'log.closed', event_id: closingOf(sha256, from.origin), after: event_id }, from)
    await atControl(admin, (tx) => recordStore.insertRecords(tx, [opened, ended]))
  }
  for await (const entries of unsigned(admin, from.logId, closed)) {
    await atControl(admin, (tx) => outboxStore.waitAgain(tx, from.logId, entries))
  }
  await openLog(admin, { logId: to.logId, origin: to.origin, at, anchor })
}

/** What was indexed beyond the end. */
async function* unsigned(db: Db, logId: number, end: bigint) {
  let from = end
  for (;;) {
    const rows = await store.batches(db, logId, { from, to: 2n ** 62n, limit: BATCHES_AT_ONCE })
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.flatMap(({ n, data }) => decodeBatch(data, n).map(waitingOf))
    from = last.first_idx + BigInt(last.n)
  }
}

const waitingOf = ({ event_id, participant_id, c, chains }: BatchEntry) => ({
  ...{ event_id, participant_id, c },
  parties: chains.map(({ party }) => party).join(' '),
})
