import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import { CONFORMANCE_STEPS, type ConformanceSteps } from '../../src/sandbox/schema.ts'
import { latestConformance } from '../../src/sandbox/store.ts'
import { type Caller, callerOf } from '../security/world.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { testPki } from '../support/pki.ts'

const SCOPES = [
  ...(['signals:submit', 'signals:withdraw', 'feed:read', 'lookup:evaluate', 'provenance:read'] as const),
  'feedback:write',
] as const

let n: TestNode
let apple: Member
let by: Caller
let receiver: Server
let folder: string

beforeAll(async () => {
  const pki = await testPki()
  folder = mkdtempSync(join(tmpdir(), 'aldis-sandbox-'))
  writeFileSync(join(folder, 'ca.crt'), pki.ca.root)
  receiver = createServer({ key: pki.material.key, cert: pki.material.chain }, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  n = await aTestNode({
    env: {
      ...{ SANDBOX: 'on', WEBHOOK_HOSTS: 'apple=localhost', WEBHOOK_INSIDE: 'allow' },
      WEBHOOK_CA: join(folder, 'ca.crt'),
    },
  })
  apple = await n.member('apple', { scopes: SCOPES })
  by = callerOf(n, apple)
})
afterAll(async () => {
  by.close()
  await n.end()
  receiver.close()
  receiver.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})

const aldis = (...args: string[]): Promise<{ code: number; lines: Record<string, unknown>[] }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, '--json', '--home', apple.home.dir, ...args], (error, stdout) =>
      resolve({
        code: Number(error?.code ?? 0),
        lines: stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : [])),
      }),
    )
  })
const steps = (outcome: 'pass' | 'fail'): ConformanceSteps =>
  Object.fromEntries(CONFORMANCE_STEPS.map((step) => [step, outcome])) as ConformanceSteps
const anId = (): Uuid => randomUUID() as Uuid

describe('a run', { shuffle: false }, () => {
  test('goes through every step against the simulated participant, and is recorded by the node', async () => {
    const { port } = receiver.address() as AddressInfo
    await aldis('webhooks', 'add', `https://localhost:${port}/`, '--feed', '*')
    const { code, lines } = await aldis('conformance')
    expect(lines.filter(({ passed }) => passed === false)).toEqual([])
    expect(lines.flatMap(({ step }) => step ?? [])).toEqual(CONFORMANCE_STEPS)
    expect(code).toBe(0)
    const told = await apple.client.conformance.latest()
    expect(told).toMatchObject({ passed: true, steps: steps('pass') })
    const participant = n.parts.authority.participantBySlug('apple')?.participant_id ?? anId()
    expect(await latestConformance(n.parts.pools.app, participant)).toMatchObject({ run_id: told.run, passed: true })
  }, 90_000)
  test('notes every read, as many as our history has', async () => {
    const noted = readFileSync(join(apple.home.dir, 'reads.ndjson'), 'utf8').trimEnd().split('\n').length
    // Waits for the batch of the last one.
    expect(await aldis('history', '--verify')).toMatchObject({ code: 0 })
    const { lines } = await aldis('history')
    const own = lines.flatMap(({ kind, fields }) =>
      kind === 'read.batch' ? [fields as { reader?: string; n?: number }] : [],
    )
    const read = own.filter(({ reader }) => reader === 'apple').reduce((sum, { n: of = 0 }) => sum + of, 0)
    expect([read > 0, read]).toEqual([true, noted])
  }, 60_000)
  test('enrols the simulated participant with a signing key that waits for no confirmation', () => {
    const [own = ''] = readdirSync(join(n.parts.config.dataDir, 'sandbox'))
    const files = readdirSync(join(n.parts.config.dataDir, 'sandbox', own))
    expect(files).toContain('signing.jwk')
    expect(files).not.toContain('signing.next.jwk')
  })
  test('is reported once: repeated it is the same, with other results it is refused', async () => {
    const run = anId()
    const first = await apple.client.conformance.report(run, steps('fail'))
    expect(first).toMatchObject({ run, passed: false })
    expect(await apple.client.conformance.report(run, steps('fail'))).toMatchObject({ at: first.at })
    await expect(apple.client.conformance.report(run, steps('pass'))).rejects.toMatchObject({ code: 'state-conflict' })
    const reversed = Object.fromEntries(Object.entries(steps('fail')).reverse()) as ConformanceSteps
    expect(await apple.client.conformance.report(run, reversed)).toMatchObject({ at: first.at })
    const { clock: _, ...missing } = steps('pass')
    await expect(apple.client.conformance.report(anId(), missing as ConformanceSteps)).rejects.toMatchObject({
      code: 'validation-failed',
    })
  })
})

test('of a run that is reported twice at once, both are answered alike', async () => {
  const run = anId()
  const twice = await Promise.all([1, 2].map(() => apple.client.conformance.report(run, steps('pass'))))
  expect(twice[0]).toEqual(twice[1])
})

describe('a sandbox', () => {
  test('answers with any refusal, as late as it is asked to', async () => {
    const { status, text, headers } = await by.ask({ path: '/v1/sandbox/refusals/rate-limited?retry_after=7' })
    expect([status, headers['retry-after'], JSON.parse(text).code]).toEqual([429, '7', 'rate-limited'])
    const begun = performance.now()
    expect((await by.ask({ path: '/v1/sandbox/refusals/state-conflict?seconds=1' })).status).toBe(409)
    expect(performance.now() - begun).toBeGreaterThan(900)
    for (const path of ['none', 'toString'])
      expect((await by.ask({ path: `/v1/sandbox/refusals/${path}` })).status).toBe(404)
    expect((await by.ask({ path: '/v1/sandbox/refusals/busy?seconds=31' })).status).toBe(400)
  })
  test('does nothing with signals of others', async () => {
    const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
    await apple.client.submit(await apple.sign([item]))
    const ask = (what: string) =>
      by.ask({
        ...{ method: 'POST', path: '/v1/sandbox/asks', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ do: what, signal: item.signal }),
      })
    for (const what of ['withdrawal', 'revision']) expect((await ask(what)).status, what).toBe(404)
    expect((await ask('plunder')).status).toBe(422)
  })
})

describe('the quickstart', () => {
  const text = readFileSync('docs/quickstart.md', 'utf8')
  const fences = [...text.matchAll(/^```(\S+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, kind, name, body = '']) => ({
    ...{ kind, name, body },
  }))

  test('runs as it stands, for whoever has a code', async () => {
    await n.decide('participant.admit', { slug: 'plum', name: 'Plum Social', kind: 'platform' })
    const opened = await n.decide('credential.enrol', { participant: 'plum', label: 'main', scopes: [...SCOPES] })
    const words = new Map([
      ['CODE', (opened as { code: string }).code],
      ['https://node.exchange.example:8444', n.enrol],
      ['https://node.exchange.example:8443', n.partner],
    ])
    let ran = 0
    for (const { kind, name, body } of fences) {
      if (name !== undefined) writeFileSync(join(folder, name), body)
      if (kind === 'js') expect(await ranScript(folder, body)).toMatch(/^[^\n]+ [0-9]+\n/)
      if (kind !== 'console') continue
      for (const line of body.split('\n').filter((one) => one.startsWith('$ '))) {
        const [program, ...args] = line
          .slice(2)
          .split(' ')
          .map((word) => words.get(word) ?? word)
        expect(program).toBe('aldis')
        const { code, says } = await ranIn(folder, args)
        expect([code, says], line).toEqual([0, expect.anything()])
        ran += 1
      }
    }
    expect(ran).toBeGreaterThan(7)
  }, 120_000)
})

/** The command line in a folder of its own, as somebody types it. */
const ranIn = (cwd: string, args: readonly string[]): Promise<{ code: number; says: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, ALDIS_HOME: join(cwd, 'home') }
    execFile(process.execPath, [CLI, ...args], { cwd, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), says: `${stdout}${stderr}` }),
    )
  })

/** A program of a participant, which finds the client as a package. */
const ranScript = (folder: string, script: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ALDIS_HOME: join(folder, 'home') }
    execFile(process.execPath, ['--input-type=module', '--eval', script], { env }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
  })
