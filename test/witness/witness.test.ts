import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { cosignatureIn, formatAddCheckpoint } from '../../src/provenance/add-checkpoint.ts'
import { cosignedAt, originHash } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { formatVkey, parseNote, parseVkey } from '../../src/provenance/note.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { openMemory } from '../../src/witness/memory.ts'
import { startWitness, WITNESS_LIMITS, type WitnessServer } from '../../src/witness/server.ts'
import { type Contradiction, createWitness } from '../../src/witness/witness.ts'
import { aKey } from '../provenance/signing.ts'
import { aTree, log, ORIGIN } from './tree.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const SECONDS = BigInt(NOW.getTime() / 1_000)
const HASH = toHex(originHash(sha256, ORIGIN))
const tree = aTree()

let dir: string
let server: WitnessServer
let found: Contradiction[]
const open = () => openWitnessKey(dir, 'witness.example/w1')
const judge = () =>
  createWitness({ key: open(), logs: [log.vkey], memory: openMemory(dir), clock: () => NOW, verify: verifyEd25519 })
const start = () =>
  startWitness({
    ...{ witness: judge(), host: '127.0.0.1', port: 0 },
    onContradiction: (one) => void found.push(one),
    onFault: (error) => expect.fail(String(error)),
  })
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-witness-'))
  found = []
  server = await start()
})
afterEach(async () => {
  await server.close()
  rmSync(dir, { recursive: true, force: true })
})

const send = async (body: string | Uint8Array<ArrayBuffer>) => {
  const answer = await fetch(`${server.url}/add-checkpoint`, { method: 'POST', body })
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() }
}
const latest = () => fetch(`${server.url}/${HASH}/checkpoint`)
const textOf = (note: string): string => parseNote(note)?.text ?? ''
const taken = (body: string, note: string) =>
  cosignatureIn(body, { text: textOf(note), key: open().key, verify: verifyEd25519 })

describe('a witness answers', () => {
  test('200 with its cosignature: to the first checkpoint, to what continues it, and to the same again', async () => {
    for (const [old, size] of [
      [0, 3],
      [3, 5],
      [5, 5],
      [5, 8],
    ] as const) {
      const { status, body } = await send(await tree.body(old, size))
      expect([status, taken(body, tree.note(size))?.seconds]).toEqual([200, SECONDS])
    }
    const answer = await latest()
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const note = parseNote(await answer.text()) ?? expect.fail('no note')
    expect(note.text).toBe(textOf(tree.note(8)))
    expect(cosignedAt(note, open().key, verifyEd25519)).toBe(SECONDS)
  })
  test('409 with the size it holds, to any other old size', async () => {
    const first = await send(await tree.body(2, 3))
    expect(first).toEqual({ status: 409, type: 'text/x.tlog.size', body: '0\n' })
    await send(await tree.body(0, 5))
    for (const old of [0, 3, 6]) {
      const { status, type, body } = await send(await tree.body(old, 6))
      expect([status, type, body]).toEqual([409, 'text/x.tlog.size', '5\n'])
    }
  })
  test('409 to another root of the size it holds, whatever the old size, and keeps both notes', async () => {
    await send(await tree.body(0, 5))
    const other = aTree('fig').note(5)
    for (const old of [5n, 0n]) {
      const body = formatAddCheckpoint({ old, path: [], checkpoint: other })
      expect(await send(body)).toMatchObject({ status: 409, type: 'text/x.tlog.size', body: '5\n' })
      expect(found.map(({ offered, kept }) => [offered, textOf(kept)])).toEqual([[other, textOf(tree.note(5))]])
      found = []
    }
  })
  test('422 to a proof that does not hold', async () => {
    await send(await tree.body(0, 3))
    const path = await tree.proof(3, 8)
    const offer = (nodes: readonly Uint8Array[], checkpoint = tree.note(8)) =>
      send(formatAddCheckpoint({ old: 3n, path: nodes, checkpoint }))
    expect((await offer(path.slice(1))).status).toBe(422)
    expect((await offer([])).status).toBe(422)
    expect((await offer(path, aTree('fig').note(8))).status).toBe(422)
    expect((await offer(await aTree('fig').proof(3, 8), aTree('fig').note(8))).status).toBe(422)
    expect((await offer(path)).status).toBe(200)
  })
  test('422 to a proof from nothing that is not empty', async () => {
    const body = formatAddCheckpoint({ old: 0n, path: [tree.root(3)], checkpoint: tree.note(3) })
    expect((await send(body)).status).toBe(422)
  })
  test('403 where the pinned key did not sign', async () => {
    const forged = tree.note(3, aKey(ORIGIN, new Uint8Array(32).fill(8)))
    expect((await send(formatAddCheckpoint({ old: 0n, path: [], checkpoint: forged }))).status).toBe(403)
  })
  test('404 to a log that is not pinned', async () => {
    const other = aKey('other.example/provenance/1', new Uint8Array(32).fill(7))
    const note = tree.note(3, other, other.name)
    expect((await send(formatAddCheckpoint({ old: 0n, path: [], checkpoint: note }))).status).toBe(404)
    expect((await fetch(`${server.url}/${toHex(originHash(sha256, other.name))}/checkpoint`)).status).toBe(404)
    expect((await latest()).status).toBe(404)
  })
  test('400 to what is malformed, or to an old size above the checkpoint', async () => {
    const larger = formatAddCheckpoint({ old: 4n, path: [], checkpoint: tree.note(3) })
    const lines = tree.note(3).replace('\n3\n', '\n03\n')
    const bytes = Uint8Array.from([...Buffer.from('old 0\n\n'), 0xff])
    for (const body of ['', 'old 0\n', `old 0\n\n${lines}`, `old 0\n${tree.note(3)}`, larger, bytes])
      expect((await send(body)).status, String(body)).toBe(400)
  })
  test('413 to a body that is too long, 405 and 404 to what is not served', async () => {
    expect((await send('x'.repeat(WITNESS_LIMITS.body_bytes + 1))).status).toBe(413)
    expect((await fetch(`${server.url}/add-checkpoint`)).status).toBe(405)
    expect((await fetch(`${server.url}/`)).status).toBe(404)
    expect((await fetch(`${server.url}/${HASH.toUpperCase()}/checkpoint`)).status).toBe(404)
    await send(await tree.body(0, 3))
    expect((await fetch(`${server.url}/${HASH}/checkpoint`, { method: 'DELETE' })).status).toBe(405)
  })
})

test('a request that stays away ends', { timeout: 30_000 }, async () => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 10\r\n\r\nold')
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 408 /)
  socket.destroy()
})

describe('a witness never cosigns two trees of one size', () => {
  const rival = aTree('fig')

  test('of those offered at once', async () => {
    const bodies = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? tree : rival).body(0, 3)))
    const answers = await Promise.all(bodies.map(send))
    expect(answers.map(({ status }) => status).filter((status) => status === 200).length).toBe(1)
  })
  test('through another process on the same folder', async () => {
    const other = judge()
    expect((await send(await tree.body(0, 3))).status).toBe(200)
    expect(await other.add(await rival.body(0, 3))).toMatchObject({ outcome: 'conflict', size: 3n })
    expect(await other.add(await tree.body(3, 5))).toMatchObject({ outcome: 'cosigned' })
    expect((await send(await tree.body(5, 8))).status).toBe(200)
  })
  test('by writing where another process has written, or has long moved on', async () => {
    const [one, two] = [openMemory(dir), openMemory(dir)]
    expect(await one.keep(ORIGIN, undefined, tree.note(1))).toBe('kept')
    const seen = await two.latest(ORIGIN)
    for (let size = 2; size < 30; size++)
      expect(await one.keep(ORIGIN, await one.latest(ORIGIN), tree.note(size))).toBe('kept')
    expect(await two.keep(ORIGIN, seen, rival.note(2))).toBe('lost')
    expect((await two.latest(ORIGIN))?.checkpoint.size).toBe(29n)
    expect(readdirSync(join(dir, 'logs', HASH)).length).toBe(17)
  })
  test('and refreshes one for many that ask at once, however many', async () => {
    await send(await tree.body(0, 3))
    const body = await tree.body(3, 3)
    const answers = await Promise.all(Array.from({ length: 30 }, () => send(body)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })
  test('after it died between its write and its answer', async () => {
    // Judged and kept, and never answered: what a crash there leaves.
    expect((await judge().add(await tree.body(0, 3))).outcome).toBe('cosigned')
    await server.close()
    server = await start()
    expect((await send(await rival.body(0, 3))).status).toBe(409)
    const again = await send(formatAddCheckpoint({ old: 3n, path: [], checkpoint: rival.note(3) }))
    expect([again.status, found.length]).toEqual([409, 2])
    expect((await send(await tree.body(3, 3))).status).toBe(200)
  })
  test('after SIGKILL in the middle of its work', { timeout: 60_000 }, async () => {
    const cosigned = new Map<number, string>()
    for (let round = 0, held = 0; round < 3; round++) {
      const { child, url } = await spawned()
      const word = round % 2 === 0 ? 'plum' : 'fig'
      const mine = aTree(word)
      const post = (body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body })
      const size = Number(await (await post(await mine.body(200, 201))).text())
      expect(size).toBeGreaterThanOrEqual(held)
      // Of the requests under way some are answered, some kept only, some neither.
      const offers = Array.from({ length: 10 }, async (_, i) => {
        const from = size + i
        const answer = await post(await mine.body(from, from + 1))
        if (answer.status !== 200) return
        const line = await answer.text()
        expect(taken(line, mine.note(from + 1))).toBeDefined()
        expect(cosigned.get(from + 1) ?? word).toBe(word)
        cosigned.set(from + 1, word)
        if (i === 4) child.kill('SIGKILL')
      })
      await Promise.allSettled(offers)
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      held = Math.max(0, ...cosigned.keys())
    }
    expect(cosigned.size).toBeGreaterThan(0)
    const { checkpoint } = (await openMemory(dir).latest(ORIGIN)) ?? expect.fail('nothing is remembered')
    expect(checkpoint.size).toBeGreaterThanOrEqual(BigInt(Math.max(...cosigned.keys())))
  })
})

/** The command, as an operator starts it. */
async function spawned(): Promise<{ child: ChildProcess; url: string }> {
  const vkey = formatVkey(sha256, log.name, log.publicKey)
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../dist/src/cli/main.js'),
      '--json',
      'witness',
      '--dir',
      dir,
      '--log',
      vkey,
      '--port',
      '0',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' } },
  )
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url?: string }
    if (url !== undefined) return { child, url }
  }
  throw new Error('the witness ended')
}

describe('the key of a witness', () => {
  test('is made once, 0600, and stays', () => {
    const path = join(dir, 'witness.key')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const before = readFileSync(path, 'utf8')
    expect(openWitnessKey(dir, undefined).vkey).toBe(open().vkey)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(parseVkey(sha256, open().vkey)).toMatchObject({ name: 'witness.example/w1', type: 4 })
  })
  test('is not made without a name, nor used under another, nor where others may read it', () => {
    const empty = join(dir, 'empty')
    expect(() => openWitnessKey(empty, undefined)).toThrow('--name')
    expect(() => openWitnessKey(empty, 'two words')).toThrow('--name')
    expect(() => openWitnessKey(dir, 'witness.example/w2')).toThrow('another name')
    chmodSync(join(dir, 'witness.key'), 0o644)
    expect(() => open()).toThrow('other users may read it')
  })
})

test('plain HTTP beyond loopback is refused', async () => {
  const options = { witness: judge(), port: 0, onContradiction: () => {}, onFault: () => {} }
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'witness.example'])
    await expect(startWitness({ ...options, host })).rejects.toMatchObject({ name: 'StartRefused' })
})
