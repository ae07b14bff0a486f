import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkReceipt, openVkey } from '../../src/client/verify.ts'
import { openPolicy } from '../../src/client/witnessed.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { formatVkey, parseNote } from '../../src/provenance/note.ts'
import { parsePolicy, witnessedBy } from '../../src/provenance/policy.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { quietPort } from '../support/quiet-port.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')

let dir: string
let n: TestNode
let apple: Member
let text: string
const children: ChildProcess[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-witnesses-'))
  const places = await Promise.all(['a', 'b', 'c'].map(async (name) => ({ name, port: await quietPort() })))
  const lines = places.map(({ name, port }) => {
    const { vkey } = openWitnessKey(join(dir, name), `${name}.example/w`)
    return `witness ${name} ${vkey} http://127.0.0.1:${port}\n`
  })
  text = `${lines.join('')}group two 2 a b c\nquorum two\n`
  const policy = join(dir, 'policy')
  writeFileSync(policy, text)
  n = await aTestNode({ env: { WITNESS_POLICY: policy } })
  writeFileSync(join(dir, 'log.vkey'), `${formatVkey(sha256, n.parts.vkey.name, n.parts.vkey.publicKey)}\n`)
  for (const { name, port } of places.slice(0, 2)) children.push(await aWitness(name, port))
  apple = await n.member('apple')
})
afterAll(async () => {
  for (const child of children) child.kill('SIGTERM')
  await n.end()
  rmSync(dir, { recursive: true })
})

/** A witness as its operator starts it, in a process of its own. */
async function aWitness(name: string, port: number): Promise<ChildProcess> {
  const options = ['--dir', join(dir, name), '--log', join(dir, 'log.vkey'), '--port', String(port)]
  const child = spawn(process.execPath, [MAIN, '--json', 'witness', ...options], {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' } },
  })
  for await (const line of createInterface({ input: child.stdout ?? ([] as never) }))
    if ((JSON.parse(line) as { url?: string }).url !== undefined) return child
  throw new Error('the witness ended')
}

const read = async (path: string) => {
  const { body, headers } = await apple.client.transport.call({ method: 'GET', path, idempotent: true })
  return { text: body.toString(), headers }
}
const cosigners = (note: string): string[] => [
  ...witnessedBy(parsePolicy(sha256, text), parseNote(note) ?? expect.fail('no note'), verifyEd25519).cosigned.keys(),
]

/** What comes of it once the rounds under way are over: a witness that was late for one of them cosigns a later one. */
const until = <T>(ask: () => Promise<T | undefined>): Promise<T> =>
  vi.waitFor(async () => (await ask()) ?? expect.fail('it did not come'), { timeout: 45_000, interval: 200 })

describe('a node of three witnesses, of which two answer,', { shuffle: false, timeout: 120_000 }, () => {
  test('publishes what both cosigned, and says who is missing', async () => {
    const audience = await apple.everybody()
    const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, audience)
    const { submission } = await apple.client.submit(await apple.sign([item]))
    const key = openVkey(await apple.client.logKey())
    await until(async () => {
      const { steps } = checkReceipt((await apple.client.receipt(submission ?? '')) ?? '', key, openPolicy(text, key))
      expect(steps.filter(({ result }) => result !== 'PASS')).toEqual([])
      return steps
    })
    const { text: note, headers } = await until(async () => {
      const answer = await read('/provenance/1/checkpoint')
      return cosigners(answer.text).length === 2 ? answer : undefined
    })
    expect([cosigners(note), headers['provenance-witnessed']]).toEqual([['a', 'b'], undefined])
    expect((await read('/provenance/1/policy')).text).toBe(text)
    await until(async () => {
      const { witnesses } = JSON.parse((await read('/provenance/1/witnesses')).text)
      const told = witnesses.map((one: Record<string, unknown>) => [one['name'], 'size' in one, 'missing_since' in one])
      expect(told).toEqual([
        ['a', true, false],
        ['b', true, false],
        ['c', false, true],
      ])
      const metrics = await (await fetch(`${n.ops}/metrics`)).text()
      expect(metrics).toMatch(/^aldis_witnesses 3$/m)
      expect(metrics).toMatch(/^aldis_witnesses_answering 2$/m)
      return metrics
    })
  })
  test('gives a head to who pinned the policy, and none that only one cosigned', async () => {
    apple.home.pinPolicy(text)
    const before = await until(() => apple.home.advance(apple.client))
    children[1]?.kill('SIGKILL')
    const audience = await apple.everybody()
    await apple.client.submit(
      await apple.sign([await apple.item({ type: 'url', raw: 'https://bad.example/b' }, audience)]),
    )
    await until(async () => {
      const { headers } = await read('/provenance/1/checkpoint')
      expect(headers['provenance-witnessed']).toBe('1/3')
      return headers
    })
    await expect(apple.home.advance(apple.client)).rejects.toMatchObject({ step: 'witnesses' })
    expect(apple.home.pinned().head).toEqual(before)
  })
})
