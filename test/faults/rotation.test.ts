import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { uuidArray } from '../../src/db/arrays.ts'
import { asParticipant, atLog } from '../../src/db/as-participant.ts'
import { concat, fromBase64Url } from '../../src/kernel/bytes.ts'
import { newId, type Uuid, uuidBytes } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { fileAnchor } from '../../src/provenance/anchor-file.ts'
import { type BatchEntry, decodeBatch } from '../../src/provenance/batch.ts'
import { genesisLink, nextLink } from '../../src/provenance/chain.ts'
import { openCheckpoint } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { fileHalts } from '../../src/provenance/halts.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'
import { formatVkey, parseVkey } from '../../src/provenance/note.ts'
import { placeOf } from '../../src/provenance/origin.ts'
import { clearOutbox } from '../../src/provenance/outbox-store.ts'
import { epochKey, epochOf, openRecord } from '../../src/provenance/record.ts'
import { type Rotation, rotateLog } from '../../src/provenance/rotate.ts'
import { createProvenanceService, logsOf } from '../../src/provenance/service.ts'
import { createSigner } from '../../src/provenance/sign.ts'
import { moveFence } from '../../src/provenance/store.ts'
import { aLog, type LogWorld, NOON, ORIGIN } from '../provenance/world.ts'

const NEXT = 'node.example.org/provenance/2'

let w: LogWorld
let programme: Uuid
let rotation: Omit<Rotation, 'now'>
beforeEach(async () => {
  w = await aLog()
  programme = newId(NOON)
  rotation = {
    from: { logId: 1, origin: ORIGIN, kid: 'log-1' },
    to: { logId: 2, origin: NEXT, kid: 'log-2' },
    ...{ reason: 'database_rollback', at: NOON, request: newId(NOON), person: newId(NOON), programme },
  }
})
afterEach(() => w.end())

const anchor2 = () => fileAnchor(join(w.folder, 'anchor-2'))
const rotate = () =>
  rotateLog({ admin: w.t.admin, ledger: w.t.ledger, keys: w.keys, anchor: anchor2() }, { ...rotation, now: w.clock() })
const integrator2 = () => createIntegrator({ db: w.t.integrator, logId: 2, salt: w.provenance.salt })
const signer2 = () =>
  createSigner({
    ...{ db: w.t.signer, clock: w.clock, keys: w.keys, anchor: anchor2(), logId: 2, origin: NEXT, kid: 'log-2' },
    ...{
      halts: fileHalts(join(w.folder, 'anchor-2')),
      askHeld: async () => {},
      later: async () => [],
      refreshMs: 3_600_000,
    },
  })

async function entriesOf(logId: number): Promise<BatchEntry[]> {
  const db = w.t.owner
  const rows = await db.selectFrom('log_batch').selectAll().where('log_id', '=', logId).orderBy('first_idx').execute()
  return rows.flatMap(({ n, data }) => decodeBatch(data, n))
}
const idsOf = async (logId: number): Promise<Uuid[]> => (await entriesOf(logId)).map(({ event_id }) => event_id)

const grow = async (n: number): Promise<Uuid[]> => {
  const ids: Uuid[] = []
  for (let i = 0; i < n; i++) ids.push(await w.record('apple', { subject: 'plum' }))
  return ids
}

/** Signed entries, entries that were indexed and never signed, and events that wait for their index. */
async function aTroubledLog() {
  const signed = await grow(3)
  await w.publish()
  const indexed = await grow(2)
  await w.integrator().round()
  const waiting = await grow(2)
  return { signed, indexed, waiting }
}

async function openedFields(place = 0): Promise<Map<string, unknown>> {
  const first = (await entriesOf(2))[place]
  if (first === undefined) throw new Error('the next log has no such entry')
  const row = await w.t.owner
    .selectFrom('prov_record')
    .selectAll()
    .where('event_id', '=', first.event_id)
    .executeTakeFirstOrThrow()
  const parts = openRecord(row, first.event_id, w.keys).map(
    ([, text]) => JSON.parse(Buffer.from(fromBase64Url(text ?? '') ?? []).toString()) as [string, string, unknown],
  )
  return new Map(parts.map(([, name, value]) => [name, value]))
}

describe('after a rotation', () => {
  test('what was signed stays, all else is in the next log exactly once, behind the two that tell of both logs', async () => {
    const { signed, indexed, waiting } = await aTroubledLog()
    await rotate()
    await integrator2().round()
    await integrator2().round()
    const [opened, ended, ...rest] = await idsOf(2)
    expect(signed).not.toContain(opened)
    expect(signed).not.toContain(ended)
    expect(new Set(rest)).toEqual(new Set([...indexed, ...waiting]))
    expect(rest).toHaveLength(indexed.length + waiting.length)
    expect(await w.t.owner.selectFrom('prov_outbox').selectAll().execute()).toEqual([])
  })
  test('the first entry names the old log, its last checkpoint, the reason and who decided', async () => {
    await aTroubledLog()
    await rotate()
    await integrator2().round()
    const fields = await openedFields()
    expect(fields.get('type')).toBe('log.opened')
    expect([fields.get('origin'), fields.get('req'), fields.get('person')]).toEqual([
      NEXT,
      rotation.request,
      rotation.person,
    ])
    expect(fields.get('key')).toBe(formatVkey(sha256, NEXT, w.keys.publicKey('log-2')))
    const previous = fields.get('previous') as { origin: string; checkpoint: string; reason: string }
    expect([previous.origin, previous.reason]).toEqual([ORIGIN, 'database_rollback'])
    expect(openCheckpoint(previous.checkpoint, w.key, verifyEd25519)).toMatchObject({ checkpoint: { size: 3n } })
  })
  test('the entry behind it says that the old log ended, with which checkpoint, and whose key is at its end', async () => {
    await aTroubledLog()
    await rotate()
    await integrator2().round()
    await integrator2().round()
    const [opened, ended] = [await openedFields(0), await openedFields(1)]
    expect([ended.get('type'), ended.get('origin')]).toEqual(['log.closed', ORIGIN])
    expect(ended.get('key')).toBe(formatVkey(sha256, ORIGIN, w.keys.publicKey('log-1')))
    expect(ended.get('previous')).toEqual(opened.get('previous'))
    expect([ended.get('req'), ended.get('person')]).toEqual([rotation.request, rotation.person])
  })
  test('a log whose key is lost ends too, and no key is named', async () => {
    await aTroubledLog()
    await w.keys.destroy('log-1')
    await rotate()
    await integrator2().round()
    await integrator2().round()
    const ended = await openedFields(1)
    expect([ended.get('type'), ended.get('key')]).toEqual(['log.closed', null])
  })
  test('the first entry is sealed under the key of the month in which it is made, and tells when it was decided', async () => {
    await aTroubledLog()
    w.pass(62 * 86_400_000)
    await w.keys.create(epochKey(epochOf(w.clock())), 'symmetric')
    await w.keys.destroy(epochKey(epochOf(NOON)))
    await rotate()
    await integrator2().round()
    expect((await openedFields()).get('time')).toBe(NOON.toISOString())
  })
  test('chains restart under the new origin, and the new key signs', async () => {
    await aTroubledLog()
    await rotate()
    await integrator2().round()
    await integrator2().round()
    const links = (await entriesOf(2)).flatMap(({ c, chains }) =>
      chains.filter(({ party }) => party === 'apple').map(({ seq, link }) => ({ seq, link, c })),
    )
    let link = genesisLink(sha256, NEXT, 'apple')
    for (const [i, one] of links.entries()) {
      link = nextLink(sha256, link, BigInt(i + 1), one.c)
      expect([one.seq, Buffer.from(one.link).toString('hex')]).toEqual([
        BigInt(i + 1),
        Buffer.from(link).toString('hex'),
      ])
    }
    expect(links).toHaveLength(4)
    expect(await signer2().round()).toBe(true)
    const { note } = await w.t.owner
      .selectFrom('log_checkpoint')
      .selectAll()
      .where('log_id', '=', 2)
      .executeTakeFirstOrThrow()
    const key = parseVkey(sha256, formatVkey(sha256, NEXT, w.keys.publicKey('log-2'))) ?? expect.fail('no key')
    expect(openCheckpoint(note, key, verifyEd25519)).toMatchObject({ outcome: 'signed', checkpoint: { size: 6n } })
  })
  test('the old log takes nothing more: its integrator and signer are halted', async () => {
    await aTroubledLog()
    await rotate()
    await expect(w.integrator().round()).rejects.toMatchObject({ name: 'LogHalted', reason: 'closed' })
    for (const work of [() => w.signer.round(), () => w.signer.check()])
      await expect(work()).rejects.toMatchObject({ name: 'LogHalted', reason: 'closed' })
    expect(await idsOf(1)).toHaveLength(5)
  })
  test('what a process that still thinks the old log open records goes into the next log', async () => {
    await aTroubledLog()
    await rotate()
    const late = await w.record('fig')
    await integrator2().round()
    await integrator2().round()
    expect(await idsOf(2)).toContain(late)
  })
  test('feeds are given the entries of the old log up to its end, then those of the next, in rising places', async () => {
    const { signed } = await aTroubledLog()
    await rotate()
    await integrator2().round()
    await integrator2().round()
    const first = await w.provenance.entriesFrom(w.t.projector, { logId: 1, from: 0n, limit: 100 })
    expect(new Set(first.map(({ event_id }) => event_id))).toEqual(new Set(signed))
    const next = await w.provenance.entriesFrom(w.t.projector, { logId: 2, from: 0n, limit: 100 })
    expect(next.map(({ event_id }) => event_id)).toEqual(await idsOf(2))
    const places = [...first, ...next].map(({ place }) => place)
    expect(places).toEqual([...places].sort((a, b) => (a < b ? -1 : 1)))
    expect([first[0]?.place, next[0]?.place]).toEqual([0n, placeOf(2, 0n)])
  })
  test('an event that follows one of the old log finds it there', async () => {
    const { signed } = await aTroubledLog()
    await rotate()
    const after = signed[0] ?? expect.fail('nothing signed')
    const event = w.anEvent('apple', { after })
    const service = createProvenanceService({
      ...{ db: w.t.app, ledger: w.t.ledger, clock: w.clock, keys: w.keys, logId: 2, origin: NEXT },
      onWake: () => {},
      healthy: () => true,
    })
    await asParticipant(w.t.app, w.ids.apple, (tx) => service.record(tx, event))
    await integrator2().round()
    await integrator2().round()
    expect(await idsOf(2)).toContain(event.event_id)
  })
})

const asArray = (ids: readonly Uuid[]): Buffer =>
  uuidArray(concat(...ids.map(uuidBytes)), { width: 16, places: [...ids.keys()] })

describe('an integrator of the old log that rests between index and outbox', () => {
  /** Indexed, and still in the outbox. */
  const stalled = async (): Promise<Uuid[]> => {
    const ids = await grow(2)
    await sql.raw('revoke delete on prov_outbox from aldis_integrator').execute(w.t.owner)
    await expect(w.integrator().round()).rejects.toMatchObject({ code: '42501' })
    await sql.raw('grant delete on prov_outbox to aldis_integrator').execute(w.t.owner)
    return ids
  }
  const waiting = async (): Promise<string[]> =>
    (await w.t.owner.selectFrom('prov_outbox').select('event_id').execute()).map(({ event_id }) => event_id)

  test('clears nothing that waits for the next log', async () => {
    await grow(1)
    await w.publish()
    const ids = await stalled()
    const head = await w.t.owner.selectFrom('log_head').selectAll().executeTakeFirstOrThrow()
    await rotate()
    await atLog(w.t.integrator, 1, (tx) => clearOutbox(tx, 1, { ...head, ids: asArray(ids) }))
    expect(await waiting()).toEqual(expect.arrayContaining(ids))
    await integrator2().round()
    await integrator2().round()
    expect(await idsOf(2)).toEqual(expect.arrayContaining(ids))
  })
  test('clears nothing under a head that is not the one it indexed at: a database that was set back has no places', async () => {
    const ids = await grow(2)
    const { size, root } = await w.t.owner.selectFrom('log_head').selectAll().executeTakeFirstOrThrow()
    for (const head of [
      { size: size + 2n, root },
      { size, root: Buffer.alloc(32, 7) },
    ]) {
      await atLog(w.t.integrator, 1, (tx) => clearOutbox(tx, 1, { ...head, ids: asArray(ids) }))
      expect(await waiting()).toEqual(expect.arrayContaining(ids))
    }
  })
  test('leaves rows that are signed there: the next log does not take them a second time', async () => {
    const ids = await stalled()
    const { size, root } = await w.t.owner.selectFrom('log_head').selectAll().executeTakeFirstOrThrow()
    await atLog(w.t.integrator, 1, (tx) => moveFence(tx, 1, size, root))
    expect(await w.signer.round()).toBe(true)
    await rotate()
    const next = integrator2()
    for (let round = 0; round < 3; round++) await next.round()
    expect((await idsOf(2)).filter((id) => ids.includes(id))).toEqual([])
    expect(await waiting()).toEqual([])
  })
})

describe('a rotation that was interrupted', () => {
  test('at any table it writes leaves the old log the present one, and is finished by the next attempt', async () => {
    const { indexed, waiting } = await aTroubledLog()
    const run = (statement: string) => sql.raw(statement).execute(w.t.owner)
    for (const [grant, table] of [
      ['update (closed_size)', 'log_head'],
      ['insert', 'prov_record'],
      ['insert', 'prov_outbox'],
      ['insert', 'log_head'],
      ['insert', 'log_fence'],
      ['insert', 'log_signed'],
    ] as const) {
      await run(`revoke ${grant} on ${table} from aldis_admin`)
      await expect(rotate()).rejects.toMatchObject({ code: '42501' })
      await run(`grant ${grant} on ${table} to aldis_admin`)
      expect((await logsOf(w.t.ledger)).map(({ log_id }) => log_id)).toEqual([1])
    }
    await rotate()
    await integrator2().round()
    await integrator2().round()
    const ids = await idsOf(2)
    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(ids.slice(2))).toEqual(new Set([...indexed, ...waiting]))
  })
  test('between the index and the outbox leaves no event in both logs', async () => {
    await grow(2)
    await w.publish()
    const both = await grow(2)
    await sql.raw('revoke delete on prov_outbox from aldis_integrator').execute(w.t.owner)
    await expect(w.integrator().round()).rejects.toMatchObject({ code: '42501' })
    await sql.raw('grant delete on prov_outbox to aldis_integrator').execute(w.t.owner)
    await rotate()
    await integrator2().round()
    await integrator2().round()
    expect((await idsOf(2)).filter((id) => both.includes(id))).toHaveLength(2)
  })
})
