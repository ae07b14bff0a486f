import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { feedbackCommands } from '../../../src/cli/participant/feedback.ts'
import { hitsCommand } from '../../../src/cli/participant/hits.ts'
import { verifierFor } from '../../../src/client/connected.ts'
import { syncFeeds } from '../../../src/client/mirror.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { aTestNode, type Member, type TestNode } from '../../support/node.ts'
import { settled } from '../../support/settled.ts'

const SCOPES = [
  ...(['signals:submit', 'feed:read', 'lookup:evaluate', 'feedback:write', 'review:work', 'provenance:read'] as const),
]
const folder = mkdtempSync(join(tmpdir(), 'aldis-acts-'))
let n: TestNode
let apple: Member
let banana: Member
let cherry: Member
let signal: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple', { scopes: SCOPES })
  banana = await n.member('banana', { scopes: SCOPES })
  cherry = await n.member('cherry', { scopes: SCOPES })
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
  signal = item.signal
  // It saw the id of apple's, and chose the same.
  const same = { ...(await banana.item({ type: 'url', raw: 'https://bad.example/b' }, item.audience)), signal }
  for (const [by, one] of [[apple, item] as const, [banana, same] as const]) {
    const { accepted, submission } = await by.client.submit(await by.sign([one]))
    expect(accepted).toBe(1)
    await by.client.receipt(submission ?? '')
  }
  await settled(n.t)
  const { client, home } = cherry
  const dir = join(home.dir, 'feeds')
  await syncFeeds({ client, verifier: await verifierFor(cherry), dir })
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

/** A command as the shell runs it, in this process. */
async function aldis(...line: string[]): Promise<{ code: number; told: Record<string, unknown>[] }> {
  const program = new Command('aldis').exitOverride().option('--json').option('--home <dir>')
  for (const add of [feedbackCommands, hitsCommand]) add(program)
  const told: string[] = []
  const write = process.stdout.write
  process.stdout.write = (text: string | Uint8Array): boolean => told.push(String(text)) > 0
  try {
    await program.parseAsync(['--json', '--home', cherry.home.dir, ...line], { from: 'user' })
    return { code: Number(process.exitCode ?? 0), told: told.map((one) => JSON.parse(one)) }
  } finally {
    process.stdout.write = write
    process.exitCode = 0
  }
}

test('feedback on an id that two sources have, and a dispute of it, goes to the one that is named or to none', async () => {
  const dispute = ['dispute', 'open', signal, '--ground', 'wrong_identifier']
  for (const line of [dispute, ['feedback', signal, 'ingested']]) {
    await expect(aldis(...line)).rejects.toMatchObject({ code: 'validation-failed' })
    await expect(aldis(...line, '--source', 'cherry')).rejects.toMatchObject({ code: 'not-found' })
  }
  await aldis(...dispute, '--source', 'apple')
  await aldis('feedback', signal, 'ingested', '--source', 'banana')
  await settled(n.t)
  const { disputes } = await cherry.client.disputes({ side: 'opened' })
  expect(disputes.map(({ source }) => source)).toEqual(['apple'])
  expect((await cherry.client.opinions('banana', signal)).outcomes).toEqual({ ingested: 1 })
})

test('a hit of an id that two sources have is of the source that its line names, and refused without one', async () => {
  const hit = { signal, count: 1, last_at: '2026-11-26T15:00:00Z' }
  const file = join(folder, 'hits.ndjson')
  const lines = [hit, { ...hit, source: 'banana' }, { ...hit, source: 'cherry' }]
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const { code, told } = await aldis('hits', file)
  expect(told.toSorted((a, b) => Number(a['line']) - Number(b['line']))).toMatchObject([
    { line: 1, outcome: 'refused', code: 'validation-failed' },
    { line: 2, outcome: 'taken', signal, case: expect.any(String) },
    { line: 3, outcome: 'refused', code: 'not-found' },
  ])
  expect(code).toBe(8)
  const { cases } = await cherry.client.cases.list({})
  expect(cases.filter((one) => one.signal === signal && one.source === 'banana')).toHaveLength(1)
})
