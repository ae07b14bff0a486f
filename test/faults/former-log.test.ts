import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNode, type Node } from '../../src/app.ts'
import { anchorSays } from '../../src/cli/node/anchor-says.ts'
import { anchorOf, openBase } from '../../src/core.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { backup } from '../../src/operations/backup.ts'
import { verifiedManifest } from '../../src/operations/folder.ts'
import { contentsOf, restore } from '../../src/operations/refill.ts'
import type { Parts } from '../../src/parts.ts'
import { logStandings } from '../../src/provenance/standing.ts'
import { restoring, unmade } from '../cli/world.ts'
import { approveAs } from '../support/approve.ts'
import { aTestNode, type TestNode } from '../support/node.ts'

const target = unmade()
let dir: string
let n: TestNode
let running: Node | undefined
let restored: Db

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-former-'))
  n = await aTestNode()
  running = n.node
})
afterAll(async () => {
  await ended()
  await restored?.destroy()
  await target.drop()
  // Its node was stopped, and cannot be once more.
  await n.end().catch(() => {})
  rmSync(dir, { recursive: true, force: true })
})

async function ended(): Promise<void> {
  const ending = running
  running = undefined
  if (ending !== undefined) await stop(ending.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
}

/** The node in another process, over a database; its probe. */
async function started(databaseUrl = n.parts.config.databaseUrl): Promise<{ parts: Parts; ready(): Promise<boolean> }> {
  const base = await openBase({ config: { ...n.parts.config, databaseUrl }, clock: systemClock, log: silentLog })
  const node = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } }).catch(async (error) => {
    await base.close()
    throw error
  })
  running = node
  const { ops } = await node.listen()
  return { parts: node.parts, ready: async () => (await fetch(`${ops}/readyz`)).ok }
}

async function rotate({ participants }: Parts, payload: { log: string; next: string }): Promise<void> {
  const { request_id } = await participants.propose('log.rotate', { ...payload, reason: 'key_compromise' }, n.ada)
  const ben = (await participants.listPeople()).find(({ person_id }) => person_id !== n.ada) ?? expect.fail('nobody')
  await approveAs(participants, request_id, { second: ben.person_id, at: new Date() })
  await participants.execute(request_id, n.ada)
}

const newestOf = async (db: Db) => (await logStandings(db)).at(-1) ?? expect.fail('no log')
const anchored = (logId: number) => anchorOf(n.parts.config, logId).read()

/** Everything that was recorded is signed. */
const settled = async (db: Db): Promise<void> => {
  const standing = async () => {
    const { size, signed } = await newestOf(db)
    const waiting = await db.selectFrom('prov_outbox').select('event_id').execute()
    return size > 0n && size === signed && waiting.length === 0
  }
  await expect.poll(standing).toBe(true)
}

describe('a rotation and the database from before it', { shuffle: false }, () => {
  const folder = () => join(dir, 'before')

  test('a rotation that was broken off once the next log had its anchor is finished by the next start', async () => {
    const { origin, next } = await n.parts.nextLog()
    await settled(n.t.owner)
    await backup({
      ...{ db: n.t.owner, dir: folder(), clock: systemClock, release: '0.1.0', beside: [] },
      ...{ standings: logStandings, onTable: () => {} },
    })
    await rotate(n.parts, { log: origin, next })
    await ended()
    // The last step of a rotation, which comes after the anchor.
    await sql.raw('revoke insert on log_head from aldis_admin').execute(n.t.owner)
    await expect(started()).rejects.toMatchObject({ code: '42501' })
    await sql.raw('grant insert on log_head to aldis_admin').execute(n.t.owner)
    expect(await anchored(2)).toMatchObject({ origin: next, size: 0n })
    const broken = await newestOf(n.t.owner)
    expect(broken.log_id).toBe(1)
    expect((await anchorSays(n.parts.config, broken)).state).not.toBe('halted')

    const { parts, ready } = await started()
    expect(parts.logId).toBe(2)
    await settled(n.t.owner)
    await expect.poll(ready).toBe(true)
    await ended()
  })

  test('the log that ended is not signed again: the node is halted, and so says the restore', async () => {
    const manifest = await verifiedManifest(folder())
    const whole = await target.open()
    const logs = await restore(contentsOf(folder(), manifest), restoring(whole))
    await whole.close()
    restored = connect({ url: target.url, max: 1 })
    const later = (await anchored(2))?.size ?? 0n
    expect(later).toBeGreaterThan(0n)
    const says = await anchorSays(n.parts.config, logs.at(-1))
    expect(says).toMatchObject({ state: 'halted', behind: String(later) })
    expect(says.says).toContain('node.example.org/provenance/2 was opened')

    const [before, anchor] = [await newestOf(restored), await anchored(1)]
    const { parts, ready } = await started(target.url)
    await delay(1_500)
    expect(await ready()).toBe(false)
    await expect(parts.signer.round()).rejects.toMatchObject({ name: 'LogHalted', reason: 'anchor-ahead' })
    expect(await newestOf(restored)).toEqual(before)
    expect(await anchored(1)).toEqual(anchor)
  })

  test('the rotation out of that opens a log under a number that has no anchor, and is refused under one that has', async () => {
    const parts = running?.parts ?? expect.fail('no node')
    const log = 'node.example.org/provenance/1'
    const later = await anchored(2)
    expect(await parts.nextLog()).toEqual({ origin: log, next: 'node.example.org/provenance/3' })
    await expect(rotate(parts, { log, next: 'node.example.org/provenance/2' })).rejects.toMatchObject({
      code: 'state-conflict',
    })
    await rotate(parts, { log, next: 'node.example.org/provenance/3' })
    await ended()

    const again = await started(target.url)
    expect(again.parts.logs.map(({ log_id }) => log_id)).toEqual([1, 3])
    await settled(restored)
    await expect.poll(again.ready).toBe(true)
    expect(await anchored(2)).toEqual(later)
    expect((await anchored(3))?.size).toBeGreaterThan(0n)
  })
})
