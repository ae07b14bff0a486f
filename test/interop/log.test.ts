import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog } from '../../src/client/log-source.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { Ledger } from '../../src/provenance/ledger.ts'
import type { LogSource } from '../../src/provenance/log-source.ts'
import { parseVkey } from '../../src/provenance/note.ts'
import { flipped } from '../provenance/vectors.ts'
import { aLog, type LogWorld } from '../provenance/world.ts'

/** Three levels of tiles, the last of each partial. */
const SIZE = 70_100
const OLD = 66_000
const GO = ['go', '/usr/local/go/bin/go'].find(works)
const MINUTE = 60_000

function works(go: string): boolean {
  try {
    execFileSync(go, ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const run = promisify(execFile)
const servers: Server[] = []
let folder: string
let dir: string
let old: string
let world: LogWorld
/** Undefined where there is no Go, or none that can build here. */
let foreign: { program: string } | { skipped: string }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-interop-'))
  dir = join(folder, 'log')
  old = join(folder, 'old')
  foreign = await build(join(folder, 'foreign'))
  if ('skipped' in foreign) return void process.stderr.write(`skipped: ${foreign.skipped}\n`)
  world = await aLog()
  await grow(OLD)
  writeFileSync(old, (await world.ledger.checkpoint())?.note ?? '')
  await grow(SIZE - OLD)
  await exportLog({ source: ledgerLog(world.ledger), vkey: world.ledger.vkey(), dir })
}, 10 * MINUTE)
afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections()
  await world?.end()
  rmSync(folder, { recursive: true, force: true })
})

async function build(program: string): Promise<typeof foreign> {
  if (GO === undefined) return { skipped: 'Go is not installed here: nothing foreign verifies the log' }
  const env = { ...process.env, CGO_ENABLED: '0' }
  try {
    await run(GO, ['build', '-buildvcs=false', '-o', program, '.'], { cwd: join(import.meta.dirname, 'go'), env })
    return { program }
  } catch (error) {
    return { skipped: `Go cannot build the foreign verifiers here: ${String((error as { stderr?: string }).stderr)}` }
  }
}

/** So many entries more, by the integrator, under a new checkpoint: of commitments alone, whose records nobody opens here. */
async function grow(count: number): Promise<void> {
  await sql`
    insert into prov_outbox (event_id, participant_id, log_id, at, c, parties)
    select gen_random_uuid(), ${world.ids.apple}::uuid, 1, ${world.clock()}::timestamptz, sha256(uuid_send(gen_random_uuid())), 'apple'
    from generate_series(1, ${count}::int)`.execute(world.t.owner)
  for (const { round } = world.integrator(); (await round()) > 0; );
  await world.publish()
}

/** The tree as the node gives it out. */
const ledgerLog = (ledger: Ledger): LogSource => ({
  async read(path) {
    try {
      return path === 'checkpoint' ? utf8((await ledger.checkpoint())?.note ?? '') : await ledger.tile(path)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'not-found') return undefined
      throw error
    }
  },
})

/** What any web server does with these files. */
async function served(source: LogSource): Promise<string> {
  const server = createServer(async (request, response) => {
    const data = await source.read((request.url ?? '').slice(1), 2 ** 20)
    response.writeHead(data === undefined ? 404 : 200).end(data)
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** `accepted`, or why the verifier refused. */
async function verdict(verifier: string, log: string): Promise<string> {
  if (verifier === 'aldis audit') return ourVerdict(log)
  if ('skipped' in foreign) return foreign.skipped
  const files = [join(dir, 'vkey'), ...(verifier === 'sumdb' ? [old] : [])]
  try {
    return (await run(foreign.program, [verifier, log, ...files], { timeout: MINUTE })).stdout.trim()
  } catch (error) {
    return `refused: ${String((error as { stderr?: string }).stderr)}`
  }
}

async function ourVerdict(log: string): Promise<string> {
  const key = parseVkey(sha256, world.ledger.vkey()) ?? expect.fail('no key')
  const { findings } = await auditLog({
    ...{ hash: sha256, source: folderLog(log), pinned: { key, verify: verifyEd25519 }, now: new Date() },
    kept: [{ name: 'old', note: readFileSync(old, 'utf8') }],
  })
  const failed = findings.find(({ result }) => result === 'FAIL')
  return failed === undefined ? 'accepted' : `refused: ${failed.says}`
}

const needsGo = ({ skip }: TestContext): void => {
  if ('skipped' in foreign) skip(foreign.skipped)
}

test('foreign verifiers are there where it counts', () => {
  if (process.env['CI'] !== undefined) expect('skipped' in foreign ? foreign.skipped : '').toBe('')
})

describe.for(['sumdb', 'fsck'])('%s accepts the log', (verifier) => {
  test('as it was exported', async (context) => {
    needsGo(context)
    expect(await verdict(verifier, dir)).toBe('accepted')
  })
  test('as a web server has it', async (context) => {
    needsGo(context)
    expect(await verdict(verifier, await served(folderLog(dir)))).toBe('accepted')
  })
  test('as the node gives it out', async (context) => {
    needsGo(context)
    expect(await verdict(verifier, await served(ledgerLog(world.ledger)))).toBe('accepted')
  })
})

type Change = (data: Buffer) => Uint8Array
const bit: Change = (data) => flipped(data, 8 * Math.floor(data.length / 2) + 3)
const cut: Change = (data) => data.subarray(0, data.length - 32)

test.for<[what: string, path: string, change: Change]>([
  ['a bit of a tile', 'tile/0/100', bit],
  ['a bit of a tile of the second level', 'tile/1/000', bit],
  ['a bit of a partial tile', 'tile/0/273.p/212', bit],
  ['a bit of a bundle', 'tile/entries/100', bit],
  ['a bit of a partial bundle', 'tile/entries/273.p/212', bit],
  ['a bit of the root', 'checkpoint', (data) => flipped(data, 8 * (data.indexOf('\n70100\n') + 10))],
  ['a bit of the signature', 'checkpoint', (data) => flipped(data, 8 * (data.length - 20))],
  ["a size that is not the root's", 'checkpoint', (data) => utf8(data.toString().replace('70100', '70099'))],
  ['a tile that is cut short', 'tile/0/100', cut],
  ['a bundle that is cut short', 'tile/entries/100', cut],
  ['one tile in the place of another', 'tile/0/100', () => readFileSync(join(dir, 'tile/0/101'))],
  ['one bundle in the place of another', 'tile/entries/100', () => readFileSync(join(dir, 'tile/entries/101'))],
])('all refuse the log for %s', async ([, path, change], context) => {
  needsGo(context)
  const file = join(dir, path)
  const data = readFileSync(file)
  try {
    writeFileSync(file, change(data))
    for (const verifier of ['sumdb', 'fsck', 'aldis audit'])
      expect(await verdict(verifier, dir), verifier).toMatch(/^refused: ./)
  } finally {
    writeFileSync(file, data)
  }
  expect(await verdict('aldis audit', dir)).toBe('accepted')
})

test('the export has no file that the tree does not need', (context) => {
  needsGo(context)
  expect(existsSync(join(dir, 'tile/2/000.p/1'))).toBe(true)
  expect(existsSync(join(dir, 'tile/3'))).toBe(false)
})
