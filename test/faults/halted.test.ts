import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNode } from '../../src/app.ts'
import { AldisError } from '../../src/client/errors.ts'
import { anchorOf, openBase } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import type { Anchor } from '../../src/provenance/anchor.ts'
import { approveAs } from '../support/approve.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

const HOUR = 3_600_000

let n: TestNode
let apple: Member
let plum: Member
let audience: Uuid
let anchor: Anchor

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  plum = await n.member('plum')
  audience = await apple.everybody()
  anchor = anchorOf(n.parts.config, n.parts.logId)
})
afterAll(() => n?.end())

const submit = async (raw: string) =>
  apple.client.submit(await apple.sign([await apple.item({ type: 'url', raw }, audience)]))

const codeOf = async (asked: Promise<unknown>): Promise<string> => {
  const error = await asked.then(
    () => new Error('answered'),
    (refusal: unknown) => refusal,
  )
  return error instanceof AldisError ? error.code : String(error)
}

const readiness = async () => (await fetch(`${n.ops}/readyz`)).status

/** Submissions and reads are refused in the name of the halt. */
const halts = () => expect.poll(() => codeOf(plum.client.feeds().then(readAll)), { timeout: 20_000 }).toBe('log-halted')

async function readAll({ feeds }: { feeds: readonly { feed: Uuid }[] }): Promise<void> {
  for (const { feed } of feeds) await plum.client.events(feed, {})
}

describe('a halted log', { shuffle: false }, () => {
  test('a node whose database is older than its anchor takes and gives nothing, and serves the tree', async () => {
    await submit('https://finch.example/1')
    await expect.poll(async () => (await anchor.read())?.size ?? 0n, { timeout: 20_000 }).toBeGreaterThan(3n)
    // The signer moves it too, while it has something to sign.
    const ahead = async (): Promise<unknown> => {
      const before = (await anchor.read()) ?? expect.fail('no anchor')
      return anchor.swap(before, { ...before, size: before.size + 1_000n })
    }
    await expect.poll(ahead).toBe('moved')
    await halts()
    expect(await codeOf(submit('https://finch.example/2'))).toBe('log-halted')
    expect(
      await codeOf(
        plum.client.lookUp({
          purpose: 'investigation',
          queries: [{ type: 'media_hash', profile: 'sha256', keys: ['0'.repeat(64)] }],
        }),
      ),
    ).toBe('log-halted')
    expect(await readiness()).toBe(503)
    const size = Number((await apple.client.checkpoint()).split('\n')[1])
    expect(size).toBeGreaterThan(0)
    expect((await apple.client.consistency(1n, BigInt(size))).path).toBeInstanceOf(Array)
    expect(n.logged()).toContain('anchor-ahead')
  })

  test('a node that is started halted leaves an act undone whose time has come', async () => {
    const { participants } = n.parts
    const effective_at = `${new Date(Date.now() + HOUR).toISOString().slice(0, 19)}Z`
    const payload = { participant: 'plum', purpose: 'lookup', per_day: 7, effective_at } as const
    const { request_id } = await participants.propose('quota.change', payload, n.ada)
    const ben = (await participants.listPeople()).find(({ person_id }) => person_id !== n.ada) ?? expect.fail('nobody')
    await approveAs(participants, request_id, { second: ben.person_id, at: new Date() })

    const clock = () => new Date(Date.now() + HOUR)
    const base = await openBase({ config: n.parts.config, clock, log: silentLog })
    const again = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } })
    try {
      await again.listen()
      // The loops' first rounds are over by then.
      await delay(1_500)
      expect(await again.parts.participants.requestFor(n.ada, request_id)).toMatchObject({ standing: 'ready' })
    } finally {
      await stop(again.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
    }
  })

  test('and goes on by itself once the anchor is right again', async () => {
    const wrong = await anchor.read()
    const { size, root } = await n.t.owner.selectFrom('log_signed').selectAll().executeTakeFirstOrThrow()
    await anchor.swap(wrong, { origin: n.parts.origin, size, root: new Uint8Array(root) })
    await expect.poll(readiness, { timeout: 20_000 }).toBe(200)
    await submit('https://finch.example/3')
    await expect.poll(async () => (await anchor.read())?.size ?? 0n, { timeout: 20_000 }).toBeGreaterThan(size)
  })
})
