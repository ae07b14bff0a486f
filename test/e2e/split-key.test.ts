import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { tokenInput } from '../../src/identifiers/token.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { createVoprf } from '../../src/matching/oprf.ts'
import { days } from '../matching/world.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { quietPort } from '../support/quiet-port.ts'

const CLI = join(import.meta.dirname, '../../dist/src/cli/main.js')
const QUOTA = 4
const CONTEXT = ['--region', 'IE', '--legal-basis', 'terms_of_service', '--surface', 'public']

let n: TestNode
let plum: Member
let fig: Member
let dir: string
let holder: ChildProcess | undefined
let port: number
const holderArgs = (): string[] => [
  'oprf-holder',
  '--dir',
  join(dir, 'holder'),
  '--origin',
  `https://127.0.0.1:${port}`,
]

interface Ran {
  code: number | null
  lines: Record<string, unknown>[]
  said: string
}

/** A command of the program as it is shipped, to its end. */
function aldis(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, '--json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 50_000,
    })
    let [out, said] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const lines = out.split('\n').filter((line) => line !== '')
      resolve({ code, said, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) })
    })
  })
}

const servingArgs = (at: number): string[] => [
  ...holderArgs(),
  ...['--participants', join(plum.home.dir, 'ca.crt'), '--trust-domain', 'orchard.example'],
  ...['--port', String(at), '--per-day', String(QUOTA), '--quota', 'fig=100'],
]

/** A process of its own that serves until it is ended. */
async function startHolder(): Promise<void> {
  const child = spawn(process.execPath, [CLI, '--json', ...servingArgs(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  holder = child
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('listening')) return
  throw new Error('the holder ended')
}

async function endHolder(): Promise<void> {
  const ending = holder
  holder = undefined
  if (ending === undefined || ending.exitCode !== null) return
  const ended = new Promise((resolve) => ending.once('close', resolve))
  ending.kill('SIGTERM')
  await ended
}

const raw = (name: string, ...lines: object[]): string => {
  const path = join(dir, name)
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}
const as = (member: Member, ...args: string[]): Promise<Ran> => aldis(['--home', member.home.dir, ...args])

beforeAll(async () => {
  if (!existsSync(CLI)) throw new Error('run npm run build first: processes are tested as they are shipped')
  dir = mkdtempSync(join(tmpdir(), 'aldis-split-'))
  port = await quietPort()
  n = await aTestNode()
  plum = await n.member('plum')
  fig = await n.member('fig')
  const told = await aldis([...holderArgs(), '--kid', 'split-1'])
  expect(told.code, told.said).toBe(0)
  const { public_key, origin, pin } = told.lines[0] as { public_key: string; origin: string; pin: string }
  await n.decide('hash-profile.publish', {
    ...{ kid: 'split-1', suite: 'oprf-ristretto255-sha512', not_before: days(-0.5), not_after: days(365) },
    holder: { public_key, origin, pin },
  })
  await startHolder()
})
afterAll(async () => {
  await endHolder()
  await n.end()
  rmSync(dir, { recursive: true, force: true })
})

describe('a key that is split between the node and another holder', { shuffle: false }, () => {
  const email = { type: 'email', raw: 'plum.finch@example.com' }

  test('makes what the whole key would make, and neither of the two has it', async () => {
    const shared = await as(plum, 'submit', raw('a.ndjson', email, { type: 'domain', raw: 'bad.example' }), ...CONTEXT)
    expect(shared.code, shared.said).toBe(0)
    const voprf = createVoprf({ group: nobleGroup, hash: sha512, random: () => new Uint8Array(64).fill(7) })
    const nodes = readFileSync(join(n.parts.config.dataDir, 'keys/hash-split-1.oprf'))
    const theirs = readFileSync(join(dir, 'holder/keys/part-split-1.oprf'))
    const input = tokenInput('email/1', 'plum.finch@example.com')
    const { blind, element } = voprf.blind(input)
    const [made = new Uint8Array(0)] = voprf.addShares(
      voprf.evaluate(nodes, [element]).elements,
      voprf.evaluate(theirs, [element]).elements,
    )
    const token = toHex(voprf.finalize(input, blind, made).subarray(0, 32))
    const stored = await n.t.owner.selectFrom('signal').select(['profile', 'signal_key']).execute()
    expect(stored.map(({ profile }) => profile).sort()).toEqual(['domain/1', 'email/1@split-1'])
    const items = await n.t.owner.selectFrom('signal_revision').select('item').execute()
    expect(items.some(({ item }) => item?.includes(token))).toBe(true)
  })

  test('is found by another participant, who asks both, under each epoch that runs', async () => {
    const file = raw('b.ndjson', email, { type: 'email', raw: 'other.finch@example.com' })
    await expect
      .poll(async () => (await as(fig, 'lookup', file)).lines.filter(({ outcome }) => outcome === 'match').length, {
        timeout: 20_000,
      })
      .toBe(1)
  })

  test('has one holder a folder: a second one is refused', async () => {
    const second = await aldis(servingArgs(0))
    expect([second.code, second.said]).toEqual([78, expect.stringContaining('another holder')])
  })

  test('is bounded by the quota of each holder for itself', async () => {
    const lines = Array.from({ length: QUOTA + 1 }, (_, i) => ({ type: 'email', raw: `finch${i}@example.com` }))
    const refused = await as(plum, 'lookup', raw('c.ndjson', ...lines))
    expect([refused.code, refused.said]).toEqual([6, expect.stringContaining('quota-exceeded')])
  })

  test('makes nothing without the holder, whose counts are there after a start and name no element', async () => {
    await endHolder()
    const alone = await as(plum, 'submit', raw('d.ndjson', { type: 'phone', raw: '+12025550143' }), ...CONTEXT)
    expect(alone.code).toBe(1)
    const counts = readFileSync(join(dir, 'holder/counts.ndjson'), 'utf8')
    const [first] = counts.split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({ participant: 'plum', kid: 'split-1', purpose: 'submit', n: 1 })
    await startHolder()
    const again = await as(plum, 'submit', raw('e.ndjson', { type: 'phone', raw: '+12025550143' }), ...CONTEXT)
    expect(again.code, again.said).toBe(0)
    expect(readFileSync(join(dir, 'holder/counts.ndjson'), 'utf8').startsWith(counts)).toBe(true)
  })
})
