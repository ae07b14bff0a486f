import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { CaseInfo } from '../../src/review/schema.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

const SCOPES = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'provenance:read'] as const),
  ...(['feedback:write', 'review:work'] as const),
]

let n: TestNode
let apple: Member
let others: Member[]
let item: SignalItem
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-review-'))
  n = await aTestNode({ env: { REVIEW_GRACE_SECONDS: '0' } })
  apple = await n.member('apple', { scopes: SCOPES })
  others = []
  for (const slug of ['banana', 'cherry', 'date']) others.push(await n.member(slug, { scopes: SCOPES }))
  item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
  const { submission } = await apple.client.submit(await apple.sign([item]))
  await apple.client.receipt(submission ?? '')
  await settled(n.t)
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  code: number
  out: string
  err: string
}

/** The command line as a process of its own, in the folder of a member. */
const aldis = ({ home }: Member, ...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const all = [CLI, '--json', '--home', home.dir, ...args]
    execFile(process.execPath, all, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
  })
const linesOf = ({ out }: Ran): Record<string, unknown>[] =>
  out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))

/** What comes within the loops' own time; undefined if it does not. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let tries = 0; tries < 150; tries++) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    await delay(100)
  }
  return undefined
}

const party = (i: number): Member => {
  const one = others[i]
  if (one === undefined) throw new Error('no such party')
  return one
}

/** Synchronised, reported and decided on the command line. */
async function disagreed(by: Member): Promise<Uuid> {
  expect(await aldis(by, 'sync')).toMatchObject({ code: 0 })
  const file = join(folder, `${by.slug}.ndjson`)
  writeFileSync(file, `${JSON.stringify({ signal: item.signal, count: 1, last_at: '2026-11-26T15:00:00Z' })}\n`)
  const [taken] = linesOf(await aldis(by, 'hits', file))
  expect(taken).toMatchObject({ outcome: 'taken', signal: item.signal, case: expect.any(String) })
  const id = String(taken?.['case']) as Uuid
  const words = ['--as', 'ann', '--reason', 'policy_differs', '--count', 'accounts_actioned=0']
  const decided = await aldis(by, 'cases', 'decide', id, 'not_violating', ...words)
  expect(decided).toMatchObject({ code: 0, err: '' })
  return id
}

/** The same by the SDK. */
async function disagrees({ client }: Member): Promise<Uuid> {
  const key = item.type === 'url' ? item.value.sha256 : ''
  const hit = { source: 'apple', signal: item.signal, key, count: 1, last_at: '2026-11-26T15:00:00Z' }
  const { results } = await client.reportHits({ hits: [hit] })
  const id = results[0]?.case as Uuid
  const { token, version } = await client.cases.claim(id, { operator: 'ann' })
  const decision = {
    decision: newId(new Date()),
    token,
    version,
    verdict: 'not_violating',
    reason: 'shared_host',
  } as const
  await client.cases.decide(id, { operator: 'ann', ...decision })
  return id
}

describe('review from the command line', { timeout: 240_000 }, () => {
  test('three organisations disagree, the signal is held for all, and its source withdraws it', async () => {
    const id = await disagreed(party(0))
    for (const one of others.slice(1)) await disagrees(one)
    const closed = await eventually(async () => {
      const one = await party(0).client.cases.one(id)
      return one.state === 'closed' ? one : undefined
    })
    expect(closed).toMatchObject({ decisions: [{ standing: 'released', authority: 'attested', decided_by: 'ann' }] })
    const held = await eventually(async () => {
      const own = await apple.client.own(item.signal)
      return own.state === 'held' ? own : undefined
    })
    expect(held).toBeDefined()
    const [told] = linesOf(await aldis(party(0), 'opinions', 'apple', item.signal))
    expect(told).toMatchObject({ standing: 'negative', outcomes: { not_violating: 3 } })

    const given = await aldis(party(0), 'feedback', item.signal, 'outdated', '--reason', 'inactive')
    expect(given).toMatchObject({ code: 0, err: '' })
    expect(await party(0).client.receipt(String(linesOf(given)[0]?.['event']))).toContain('tlog-proof')
    const opened = await aldis(party(0), 'dispute', 'open', item.signal, '--ground', 'wrong_identifier')
    const dispute = /[0-9a-f-]{36}/.exec(String(linesOf(opened)[0]?.['outcome']))?.[0] ?? ''
    await eventually(async () => {
      const { disputes } = await apple.client.disputes({ side: 'received' })
      return disputes.some((one) => one.dispute === dispute) ? true : undefined
    })
    const inbox = linesOf(await aldis(apple, 'sync')).map(({ type }) => type)
    expect(inbox).toContain('feedback.received')
    expect(await aldis(apple, 'release', item.signal)).toMatchObject({ code: 5 })
    expect(await aldis(apple, 'dispute', 'answer', dispute, 'confirmed')).toMatchObject({ code: 0 })
    expect(await aldis(apple, 'withdraw', item.signal, '--reason', 'mistaken')).toMatchObject({ code: 0 })
    const feed = (await party(2).client.feeds()).feeds.find(({ kind }) => kind === 'audience')?.feed as Uuid
    const types = await eventually(async () => {
      const { events } = await party(2).client.events(feed, {})
      const own = events.filter(({ signal }) => signal === item.signal).map(({ type }) => type)
      return own.includes('signal.withdrawn') ? own : undefined
    })
    expect(types).toEqual(['signal.created', 'signal.held', 'signal.withdrawn'])
  })

  test('what was held and said passes an audit of the whole log', async () => {
    const owl = await n.member('owl', { kind: 'observer' as never, scopes: ['provenance:read', 'provenance:audit'] })
    const dir = join(folder, 'log')
    expect(await aldis(owl, 'log', 'export', dir, '--records')).toMatchObject({ code: 0 })
    const policy = join(folder, 'policy')
    writeFileSync(policy, `log ${owl.home.pinned().vkey.trim()}\nquorum none\n`)
    const audit = await aldis(owl, 'audit', '--log', dir, '--policy', policy)
    const checks = (linesOf(audit)[0] as { checks: { check: number; result: string; says?: string }[] }).checks
    expect(checks.filter(({ result }) => result === 'FAIL')).toEqual([])
    expect(checks.find(({ check }) => check === 13)).toMatchObject({ result: 'PASS' })
  })

  test('a queue is shown with its reasons', async () => {
    const { out } = await aldis(party(0), 'cases', 'list', '--state', 'closed')
    const { cases } = JSON.parse(out) as { cases: CaseInfo[] }
    expect(cases.every(({ priority }) => priority.length > 1)).toBe(true)
  })
})
