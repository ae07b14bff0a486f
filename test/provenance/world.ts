import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { asParticipant } from '../../src/db/as-participant.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { fileAnchor } from '../../src/provenance/anchor-file.ts'
import { createAuditLog } from '../../src/provenance/auditor.ts'
import { type BatchEntry, decodeBatch } from '../../src/provenance/batch.ts'
import type { NewEvent } from '../../src/provenance/events.ts'
import { fileHalts } from '../../src/provenance/halts.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'
import { createLedger, type Holder } from '../../src/provenance/ledger.ts'
import { formatVkey, parseVkey } from '../../src/provenance/note.ts'
import { createOutages } from '../../src/provenance/outage.ts'
import { createPublisher, type PublisherOptions } from '../../src/provenance/publish.ts'
import { epochKey, epochOf } from '../../src/provenance/record.ts'
import { createProvenanceService, openLog } from '../../src/provenance/service.ts'
import { createSigner } from '../../src/provenance/sign.ts'
import { freshDatabase } from '../support/database.ts'

export const NOON = new Date('2026-03-01T12:00:00Z')
export const ORIGIN = 'node.example.org/provenance/1'
const LOG = 1
const KID = 'log-1'
/** Whose acts every member may fetch. */
export const PROGRAMME = '01900000-0000-7000-8000-000000000001' as Uuid

export type LogWorld = Awaited<ReturnType<typeof aLog>>
export type Slug = 'apple' | 'plum' | 'fig' | 'kiwi'

/** An open log on its own database, with its writer, readers and loops, and a clock that is turned by hand. */
export async function aLog() {
  const t = await freshDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
  const keys = fileKeys(folder)
  await keys.create(KID, 'ed25519')
  await keys.create(epochKey(epochOf(NOON)), 'symmetric')
  let now = NOON
  const clock = () => now
  const anchor = fileAnchor(join(folder, 'anchor'))
  const halts = fileHalts(join(folder, 'anchor'))
  await openLog(t.admin, { logId: LOG, origin: ORIGIN, at: NOON, anchor })
  const health = { ok: true, woken: 0 }
  const provenance = createProvenanceService({
    ...{ db: t.app, ledger: t.ledger, clock, keys, logId: LOG, origin: ORIGIN },
    onWake: () => {
      health.woken += 1
    },
    healthy: () => health.ok,
  })
  const disclosed = new Set<string>()
  const ledger = createLedger({
    ...{ db: t.ledger, keys, journal: provenance.journal, logId: LOG, origin: ORIGIN, kid: KID },
    ...{ programme: PROGRAMME, closed: false, auditing: createAuditLog({ app: t.app, clock, provenance }) },
    isRecipient: async (participant, event_id) => disclosed.has(`${participant} ${event_id}`),
    // There are no feeds here: items of look-ups alone are proven.
    shared: { submissions: async () => [], places: async () => [], items: async () => [] },
    itemProofsWaiting: 2,
  })
  const integrator = () => createIntegrator({ db: t.integrator, logId: LOG, salt: provenance.salt })
  const signer = createSigner({
    ...{ db: t.signer, clock, keys, anchor, logId: LOG, origin: ORIGIN, kid: KID },
    ...{ halts, askHeld: async () => {}, later: async () => [], refreshMs: 3_600_000 },
  })
  const key = parseVkey(sha256, formatVkey(sha256, ORIGIN, keys.publicKey(KID)))
  if (key === undefined) throw new Error('the log key is not read')
  const ids: Record<Slug, Uuid> = { apple: newId(NOON), plum: newId(NOON), fig: newId(NOON), kiwi: newId(NOON) }

  const anEvent = (slug: Slug, change: Partial<NewEvent> = {}): NewEvent => ({
    ...{ kind: 'signal.submitted', event_id: newId(now), participant_id: ids[slug], at: now, actor: slug },
    fields: { od: 'digest', n: 1, refused: 0 },
    ...change,
  })
  const record = async (slug: Slug, change: Partial<NewEvent> = {}): Promise<Uuid> => {
    const event = anEvent(slug, change)
    await asParticipant(t.app, ids[slug], (tx) => provenance.record(tx, event))
    return event.event_id
  }
  const loop = integrator()
  const programme = newId(NOON)
  /** Another process's publisher; without a policy unless said otherwise. */
  const publisher = (change: Partial<PublisherOptions> & { text?: string } = {}) =>
    createPublisher({
      ...{ db: t.signer, ledger: t.ledger, clock, logId: LOG, key, policy: undefined, degrade: 'mark' },
      ...{ onLate: () => {}, onMissing: () => {}, onContradiction: () => {}, contradicted: () => false },
      outages: createOutages({
        ...{ db: t.signer, admin: t.admin, ledger: t.ledger, clock, recorder: provenance, programme },
        ...{ logId: LOG, origin: ORIGIN, policy: change.text, onRecorded: () => {} },
      }),
      ...change,
    })
  const publish = publisher()

  return {
    ...{
      t,
      keys,
      anchor,
      halts,
      folder,
      clock,
      provenance,
      ledger,
      integrator,
      signer,
      key,
      ids,
      health,
      disclosed,
      anEvent,
      record,
      publisher,
      programme,
    },
    holder: (slug: Slug, auditor = false): Holder => ({ participant: ids[slug], slug, auditor }),
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms)
    },
    /** Indexes what waits and signs it; answers the entries. */
    publish: async (): Promise<number> => {
      const n = await loop.round()
      await signer.round()
      await publish.round()
      return n
    },
    end: async () => {
      await t.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Every row of the log, as its owner sees them. */
export async function rowsOf({ t }: Pick<LogWorld, 't'>) {
  const db = t.owner
  const head = await db.selectFrom('log_head').selectAll().executeTakeFirstOrThrow()
  const fence = await db.selectFrom('log_fence').selectAll().executeTakeFirstOrThrow()
  const events = await db.selectFrom('log_event').select(['event_id', 'idx']).orderBy('idx').execute()
  const batches = await db.selectFrom('log_batch').selectAll().orderBy('first_idx').execute()
  const tiles = await db.selectFrom('log_tile').selectAll().orderBy('level').orderBy('n').execute()
  const chains = await db.selectFrom('log_chain').selectAll().orderBy('party').execute()
  const segments = await db.selectFrom('log_chain_seg').selectAll().orderBy('party').orderBy('first_seq').execute()
  const outbox = await db.selectFrom('prov_outbox').select('event_id').orderBy('event_id').execute()
  const entries: BatchEntry[] = batches.flatMap(({ n, data }) => decodeBatch(data, n))
  return { head, fence, events, batches, tiles, chains, segments, outbox: outbox.map((row) => row.event_id), entries }
}

/** The log without the outbox and the fence, which a repeated round may move: as text, to be compared. */
export async function logOf(world: Pick<LogWorld, 't'>): Promise<string> {
  const { outbox: _, fence: __, ...rows } = await rowsOf(world)
  return JSON.stringify(rows, (___, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return value instanceof Uint8Array ? toHex(value) : value
  })
}

/** Runs statements as the owner: to take a privilege away, or to change what nobody may change. */
export async function asOwner({ t }: Pick<LogWorld, 't'>, ...statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(t.owner)
}
