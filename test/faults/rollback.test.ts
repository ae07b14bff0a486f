import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { resumeLog } from '../../src/core.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { type Anchor, type LaterLog, LogHalted } from '../../src/provenance/anchor.ts'
import { parseCheckpoint } from '../../src/provenance/checkpoint.ts'
import { parseNote } from '../../src/provenance/note.ts'
import { createSigner } from '../../src/provenance/sign.ts'
import { aLog, type LogWorld, ORIGIN } from '../provenance/world.ts'

const TABLES = [
  ...['prov_record', 'prov_outbox', 'log_head', 'log_fence', 'log_event', 'log_batch', 'log_chain', 'log_chain_seg'],
  ...['log_tile', 'log_signed', 'log_checkpoint'],
]

let w: LogWorld
/** Every checkpoint that was ever signed, whatever became of the database: `<size> <root>` to the notes. */
let signed: Map<string, Set<string>>

beforeEach(async () => {
  w = await aLog()
  signed = new Map()
})
afterEach(() => w.end())

async function recordSigned(): Promise<void> {
  for (const { note } of await w.t.owner.selectFrom('log_checkpoint').select('note').execute()) {
    const { size = 0n, root = new Uint8Array(0) } = parseCheckpoint(parseNote(note)?.text ?? '') ?? {}
    const roots = signed.get(String(size)) ?? new Set()
    signed.set(String(size), roots.add(Buffer.from(root).toString('hex')))
  }
}

/** The rows as they are now, to be put back: a backup and its restore. */
async function backUp(): Promise<() => Promise<void>> {
  const run = (statement: string) => sql.raw(statement).execute(w.t.owner)
  for (const table of TABLES) await run(`create table backup_${table} as table ${table}`)
  return async () => {
    await recordSigned()
    for (const table of TABLES) {
      await run(`delete from ${table}`)
      await run(`insert into ${table} select * from backup_${table}`)
    }
  }
}

const grow = async (n: number): Promise<Uuid[]> => {
  const ids: Uuid[] = []
  for (let i = 0; i < n; i++) ids.push(await w.record('apple', { subject: 'plum' }))
  return ids
}

/** A signer in another process: with the same anchor unless another is given. */
const another = (anchor: Anchor = w.anchor, later: readonly LaterLog[] = []) =>
  createSigner({
    ...{ db: w.t.signer, clock: w.clock, keys: w.keys, anchor, logId: 1, origin: ORIGIN, kid: 'log-1' },
    ...{ halts: w.halts, askHeld: async () => {}, later: async () => later, refreshMs: 3_600_000 },
  })

describe('a database that was set back', () => {
  test('to fewer entries than were signed is halted, at the start and at every round', async () => {
    await grow(3)
    await w.publish()
    const restore = await backUp()
    await grow(4)
    await w.publish()
    await restore()
    for (const signer of [w.signer, another()]) {
      await expect(signer.check()).rejects.toMatchObject({ name: 'LogHalted', reason: 'anchor-ahead' })
      await expect(signer.round()).rejects.toMatchObject({ name: 'LogHalted', reason: 'anchor-ahead' })
    }
  })
  test('to before a rotation is halted, though its own anchor is equal; one that is closed says that', async () => {
    await grow(3)
    await w.publish()
    const next = { logId: 2, origin: 'node.example.org/provenance/2', size: 0n, root: new Uint8Array(32) }
    const signer = another(w.anchor, [next])
    await grow(1)
    await w.integrator().round()
    for (const work of [() => signer.check(), () => signer.round()])
      await expect(work()).rejects.toMatchObject({ name: 'LogHalted', reason: 'anchor-ahead' })
    await sql`update log_head set closed_size = 3`.execute(w.t.owner)
    await expect(signer.check()).rejects.toMatchObject({ reason: 'closed' })
  })
  test('and grew again to as many or more entries is halted: no second root of a size is signed', async () => {
    await grow(3)
    await w.publish()
    const restore = await backUp()
    await grow(4)
    await w.publish()
    await restore()
    for (const n of [4, 1, 5]) {
      await grow(n)
      await w.integrator().round()
      await expect(w.signer.round()).rejects.toMatchObject({ reason: 'anchor-differs' })
    }
    await recordSigned()
    expect([...signed.values()].every((roots) => roots.size === 1)).toBe(true)
  })
  test('without its anchor would be signed twice: the detector of second roots detects', async () => {
    const forgetful: Anchor = {
      read: async () => ({ ...(await standing()), generation: 1n }),
      swap: async () => 'moved',
    }
    const standing = async () => {
      const { size, root } = await w.t.owner.selectFrom('log_signed').selectAll().executeTakeFirstOrThrow()
      return { origin: ORIGIN, size, root: new Uint8Array(root) }
    }
    await grow(3)
    await w.publish()
    const restore = await backUp()
    for (let branch = 0; branch < 2; branch++) {
      await grow(4)
      await w.integrator().round()
      expect(await another(forgetful).round()).toBe(true)
      await restore()
    }
    expect([...signed.values()].some((roots) => roots.size > 1)).toBe(true)
  })
  test('to the very tree that was signed goes on', async () => {
    await grow(3)
    await w.publish()
    const restore = await backUp()
    await restore()
    await w.signer.check()
    await grow(1)
    await w.publish()
    expect((await w.anchor.read())?.size).toBe(4n)
  })
})

describe('a crash', () => {
  test('after the anchor moved and before the checkpoint was written is made good: the same root is signed', async () => {
    await grow(2)
    await w.publish()
    await grow(3)
    await w.integrator().round()
    // All that the signer writes comes after the anchor.
    await sql.raw('revoke insert on log_checkpoint from aldis_signer').execute(w.t.owner)
    await expect(w.signer.round()).rejects.toMatchObject({ code: '42501' })
    await sql.raw('grant insert on log_checkpoint to aldis_signer').execute(w.t.owner)
    const anchored = await w.anchor.read()
    expect(anchored?.size).toBe(5n)
    await grow(2)
    await w.integrator().round()
    await another().check()
    expect(await another().round()).toBe(true)
    expect((await w.anchor.read())?.size).toBe(7n)
    await recordSigned()
    expect([...signed.keys()].sort()).toEqual(['2', '7'])
  })
})

describe('a tree that its rows do not make', () => {
  const flip = async (): Promise<() => Promise<void>> => {
    const { first_idx, data } = await w.t.owner
      .selectFrom('log_batch')
      .select(['first_idx', 'data'])
      .orderBy('first_idx', 'desc')
      .executeTakeFirstOrThrow()
    const put = async (bytes: Uint8Array): Promise<void> => {
      await sql`update log_batch set data = ${Buffer.from(bytes)} where first_idx = ${first_idx}`.execute(w.t.owner)
    }
    await put(data.map((byte, i) => (i === 40 ? byte ^ 1 : byte)))
    return () => put(data)
  }
  const resume = () => resumeLog({ pools: { signer: w.t.signer }, logId: 1, halts: w.halts, signer: another() })

  test('stays halted in the next process, though it was put right, until that is shown', async () => {
    await grow(2)
    await w.publish()
    await expect(resume()).rejects.toMatchObject({ code: 'state-conflict' })
    await grow(2)
    await w.integrator().round()
    const restore = await flip()
    await expect(w.signer.round()).rejects.toMatchObject({ reason: 'root-differs' })
    await expect(another().check()).rejects.toMatchObject({ reason: 'root-differs' })
    await expect(resume()).rejects.toMatchObject({ name: 'LogHalted', reason: 'root-differs' })
    await restore()
    await expect(another().check()).rejects.toMatchObject({ reason: 'root-differs' })
    await expect(another().round()).rejects.toMatchObject({ reason: 'root-differs' })
    expect(await resume()).toBe('root-differs')
    expect(await another().round()).toBe(true)
  })
  test('is not lifted from a log that was contradicted', async () => {
    await grow(1)
    await w.publish()
    w.halts.keep(new LogHalted('contradicted', 'the witness w holds another history'), w.clock())
    await expect(resume()).rejects.toMatchObject({ code: 'state-conflict' })
    await expect(another().round()).rejects.toMatchObject({ reason: 'contradicted' })
  })
})

describe('the anchor', () => {
  test('that is lost halts, and is never made anew by itself', async () => {
    await grow(1)
    await w.publish()
    const gone: Anchor = { ...w.anchor, read: async () => undefined }
    await expect(another(gone).check()).rejects.toMatchObject({ reason: 'anchor-missing' })
    await expect(another(gone).round()).rejects.toMatchObject({ reason: 'anchor-missing' })
  })
  test('that is out of reach lets nothing be signed, and is no halt', async () => {
    await grow(1)
    await w.integrator().round()
    const away = async (): Promise<never> => {
      throw new Error('out of reach')
    }
    for (const anchor of [
      { ...w.anchor, read: away },
      { ...w.anchor, swap: away },
    ]) {
      await expect(another(anchor).round()).rejects.toThrow('out of reach')
    }
    expect(await w.t.owner.selectFrom('log_checkpoint').selectAll().execute()).toEqual([])
    expect(await w.signer.round()).toBe(true)
  })
  test('that another moved meanwhile lets nothing be signed', async () => {
    await grow(1)
    await w.integrator().round()
    const overtaken: Anchor = { ...w.anchor, swap: async () => 'lost' }
    await expect(another(overtaken).round()).rejects.toThrow('another signer moved the anchor')
    expect(await w.t.owner.selectFrom('log_checkpoint').selectAll().execute()).toEqual([])
  })
  test('that was set back goes on if it names a tree that was signed, and halts if not', async () => {
    await grow(2)
    await w.publish()
    const older = await w.anchor.read()
    w.pass(1_000)
    await grow(2)
    await w.publish()
    const setBack: Anchor = { ...w.anchor, read: async () => older }
    await another(setBack).check()
    const foreign = older === undefined ? undefined : { ...older, size: 3n }
    await expect(another({ ...w.anchor, read: async () => foreign }).check()).rejects.toMatchObject({
      reason: 'anchor-differs',
    })
  })
  test('of another log halts', async () => {
    const foreign = { origin: 'other.example/provenance/1', size: 0n, root: new Uint8Array(32), generation: 1n }
    await expect(another({ ...w.anchor, read: async () => foreign }).check()).rejects.toMatchObject({
      reason: 'anchor-foreign',
    })
  })
})
