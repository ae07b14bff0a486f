import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { cosignatureIn } from '../../src/provenance/add-checkpoint.ts'
import { originHash } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { formatVkey, parseNote, parseVkey } from '../../src/provenance/note.ts'
import { testPki } from '../support/pki.ts'
import { aTree, log, ORIGIN } from '../witness/tree.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')
const ENV = { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' }
const tree = aTree()

let dir: string
let ca: string
let child: ChildProcess
let url: URL
let vkey: string
const options = (): string[] => [
  ...['--json', 'witness', '--dir', join(dir, 'w'), '--log', formatVkey(sha256, log.name, log.publicKey)],
  ...['--port', '0'],
]
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-witness-'))
  const { material, ca: authority } = await testPki()
  ca = authority.root
  writeFileSync(join(dir, 'tls.key'), material.key, { mode: 0o600 })
  writeFileSync(join(dir, 'tls.crt'), material.chain)
  const tls = ['--tls-key', join(dir, 'tls.key'), '--tls-cert', join(dir, 'tls.crt')]
  const named = ['--name', 'witness.example/w1', '--host', '127.0.0.1']
  child = spawn(process.execPath, [MAIN, ...options(), ...named, ...tls], {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], env: ENV },
  })
  for await (const line of createInterface({ input: child.stdout ?? expect.fail('no output') })) {
    const said = JSON.parse(line) as { vkey?: string; url?: string }
    vkey = said.vkey ?? vkey
    if (said.url !== undefined) {
      url = new URL(said.url)
      return
    }
  }
  throw new Error('the witness ended')
}, 60_000)
afterAll(async () => {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  expect((await ended)[0]).toBe(0)
  rmSync(dir, { recursive: true })
})

const call = (method: string, path: string, body?: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const out = request(new URL(path, url), { method, ca, agent: false }, async (answer) => {
      const parts: Buffer[] = await answer.toArray()
      resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() })
    })
    out.on('error', reject).end(body)
  })

test('a witness that is reached over TLS cosigns, and shows what it holds', async () => {
  expect(url.protocol).toBe('https:')
  const { status, body } = await call('POST', '/add-checkpoint', await tree.body(0, 5))
  const key = parseVkey(sha256, vkey) ?? expect.fail('no key')
  const text = parseNote(tree.note(5))?.text ?? ''
  expect([status, cosignatureIn(body, { text, key, verify: verifyEd25519 })]).toEqual([
    200,
    expect.objectContaining({ line: body }),
  ])
  const shown = await call('GET', `/${toHex(originHash(sha256, ORIGIN))}/checkpoint`)
  expect([shown.status, parseNote(shown.body)?.text]).toEqual([200, text])
})

test('and to nobody who speaks plain HTTP, an older TLS, or trusts another authority', async () => {
  await expect(fetch(`http://127.0.0.1:${url.port}/`)).rejects.toThrow('fetch failed')
  const old = connect({ port: Number(url.port), host: '127.0.0.1', ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })
  expect((await once(old, 'error'))[0]).toMatchObject({ code: expect.stringMatching(/SSL|ECONNRESET/) })
  const other = connect({ port: Number(url.port), host: '127.0.0.1', servername: 'localhost' })
  expect((await once(other, 'error'))[0]).toMatchObject({ code: expect.stringMatching(/CERT|SIGNATURE|ISSUER/) })
})

test('it does not start beyond loopback without TLS, nor with half of it: exit code 78', () => {
  const ends = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...options(), ...args], { env: ENV })
    return [status, String(stderr)]
  }
  expect(ends('--host', '0.0.0.0')).toEqual([78, expect.stringContaining('plain HTTP is for loopback alone')])
  expect(ends('--tls-key', join(dir, 'tls.key'))).toEqual([78, expect.stringContaining('give both or none')])
  const missing = ends('--tls-key', join(dir, 'none'), '--tls-cert', join(dir, 'tls.crt'))
  expect(missing).toEqual([78, expect.stringContaining('is missing')])
}, 30_000)
