import { atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId, type Uuid, uuidBytes } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import * as store from './erase-store.ts'
import { epochKey, epochOf, monthOf, nextGeneration, openUnlessLost, recordUnlessLost, sealRecord } from './record.ts'
import type { Recorder } from './service.ts'

export interface KeyRetirementOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  keys: KeyService
  recorder: Recorder
  programme: Uuid
  participants(): readonly { participant_id: Uuid }[]
}

const DAY_MS = 86_400_000
/** As long as backups are kept: until then one of them can be restored and read. */
export const KEPT_MS = 35 * DAY_MS
const ROWS_AT_ONCE = 256
const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

/**
 * Moves what is sealed under a month's key to the next key of that month once something of it was erased, and destroys the
 * old one 35 days later: what backups hold of the erased can then be read by nobody. What the key does not open was sealed
 * under another one, which is lost: it stays, and loses nothing with this key. Safe to repeat after any failure.
 */
export const createKeyRetirement = (options: KeyRetirementOptions): { round(): Promise<number> } => ({
  /** Answers how many keys moved on by a step. */
  async round() {
    let steps = 0
    for (const key of await atControl(options.admin, store.staleKeys)) if (await step(options, key)) steps += 1
    return steps
  },
})

type StaleKey = Awaited<ReturnType<typeof store.staleKeys>>[number]

/** Whether the key moved on. */
async function step(options: KeyRetirementOptions, { epoch, rewrapped_at, destroyed_at }: StaleKey): Promise<boolean> {
  const { admin, clock, keys } = options
  const now = clock()
  if (destroyed_at !== null) {
    // A crash came between the entry and the file.
    const left = keys.has(epochKey(epoch))
    if (left) await keys.destroy(epochKey(epoch))
    return left
  }
  if (rewrapped_at !== null) {
    const due = now.getTime() >= rewrapped_at.getTime() + KEPT_MS
    if (due) await destroy(options, epoch, now)
    return due
  }
  // Until its month is over, and a day longer, the key still seals. One that is not there may be put back.
  if (monthOf(epoch) >= epochOf(new Date(now.getTime() - DAY_MS)) || !keys.has(epochKey(epoch))) return false
  await sealAnew(options, epoch)
  await atControl(admin, (tx) => store.noteKey(tx, epoch, { rewrapped_at: now }))
  return true
}

async function destroy({ admin, keys, recorder, programme }: KeyRetirementOptions, epoch: number, at: Date) {
  await atControl(admin, async (tx) => {
    await recorder.record(tx, {
      ...{ kind: 'salts.destroyed', event_id: newId(at), participant_id: programme, at },
      fields: { epoch: epochKey(epoch) },
    })
    await store.noteKey(tx, epoch, { destroyed_at: at })
  })
  await keys.destroy(epochKey(epoch))
}

async function sealAnew({ admin, keys, programme, participants }: KeyRetirementOptions, epoch: number): Promise<void> {
  const to = nextGeneration(epoch)
  await keys.create(epochKey(to), 'symmetric')
  for (const participant of [programme, ...participants().map(({ participant_id }) => participant_id)]) {
    await pages(
      (after: Uuid) => atControl(admin, (tx) => moveRecords(tx, keys, { participant, epoch, to, after })),
      FIRST,
    )
    const start = { day: '0001-01-01', journal_id: FIRST }
    await pages(
      (after: store.JournalPlace) => atControl(admin, (tx) => moveReads(tx, keys, { participant, epoch, to, after })),
      start,
    )
  }
}

/** A page a transaction, until one finds no more. */
async function pages<P>(page: (after: P) => Promise<P | undefined>, start: P): Promise<void> {
  for (let after: P | undefined = start; after !== undefined; ) after = await page(after)
}

interface Move<P> {
  participant: Uuid
  epoch: number
  to: number
  after: P
}

async function moveRecords(tx: Tx, keys: KeyService, move: Move<Uuid>): Promise<Uuid | undefined> {
  const { participant, epoch, to, after } = move
  const rows = await store.recordsUnder(tx, participant, { epoch, after, limit: ROWS_AT_ONCE })
  for (const { event_id, ...row } of rows) {
    const opened = recordUnlessLost(row, event_id, keys)
    if (opened === undefined) continue
    const body = sealRecord({ c: row.c, epoch: to }, opened, { event_id, keys })
    await store.sealAgain(tx, { participant_id: participant, event_id }, { body, epoch: to })
  }
  return rows.at(-1)?.event_id
}

async function moveReads(
  tx: Tx,
  keys: KeyService,
  { participant, epoch, to, after }: Move<store.JournalPlace>,
): Promise<store.JournalPlace | undefined> {
  const rows = await store.journalUnder(tx, participant, { epoch, after, limit: ROWS_AT_ONCE })
  for (const { day, journal_id, body } of rows) {
    const aad = uuidBytes(journal_id)
    const opened = openUnlessLost(keys, { epoch, sealed: body }, aad)
    if (opened === undefined) continue
    const moved = keys.seal(epochKey(to), opened, aad)
    await store.sealJournalAgain(tx, { participant_id: participant, day, journal_id }, { body: moved, epoch: to })
  }
  return rows.at(-1)
}
