import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { writeKnown } from '../../../src/bridge/known.ts'
import { secretFile } from '../../../src/bridge/secret.ts'
import { matchFileOf } from '../../../src/client/match-mirror.ts'
import { compare } from '../../../src/kernel/bytes.ts'
import { writeDurably } from '../../../src/kernel/durable.ts'
import { newId } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { encodeMatchFile } from '../../../src/matching/match-file.ts'
import { createDictionary, encodeRecord, RECORD_BYTES } from '../../../src/matching/record.ts'
import { drawSecret, KEY_BYTES } from '../../../src/matching/tag.ts'
import { aHome, aKnown } from '../../bridge/home.ts'
import { FEED } from '../../client/source.ts'
import { idOf, PROGRAMME } from '../../signals/factory.ts'
import type { Spec } from '../measure.ts'
import { ROOT } from '../root.ts'

const LOOKUPS = 20_000
const HITS = 0.1
const YEAR_S = 31_536_000

interface Started {
  child: ChildProcess
  dir: string
  ask(key: Uint8Array): Promise<void>
}

export interface BridgeProcess {
  /** Look-ups by token, one after the other on one connection, at a bridge in a process of its own, without its node. */
  lookup(of: { signals: number }): Spec
  end(): void
}

/** A bridge that begins with the first look-up. */
export function createBridge(): BridgeProcess {
  let started: Started | undefined
  return {
    lookup: ({ signals }) => lookupOf(signals, async (keys) => (started ??= await start(keys, signals))),
    end: () => started && end(started),
  }
}

function lookupOf(signals: number, open: (keys: Uint8Array) => Promise<Started>): Spec {
  const keys = randomBytes(signals * KEY_BYTES)
  return {
    name: 'bridge.lookup',
    what: `99th percentile of look-ups at a bridge on loopback, ${signals.toLocaleString('en')} signals mirrored, 10 % of them there`,
    unit: 'ms',
    target: 2,
    less: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      const { ask } = await open(keys)
      const took: number[] = []
      const all = async (): Promise<void> => {
        for (let i = 0; i < LOOKUPS; i++) {
          const at = (i % signals) * KEY_BYTES
          const key = i % (1 / HITS) === 0 ? keys.subarray(at, at + KEY_BYTES) : randomBytes(KEY_BYTES)
          const began = performance.now()
          await ask(key)
          took.push(performance.now() - began)
        }
      }
      await timed(all)
      took.sort((a, b) => a - b)
      return took[Math.floor(took.length * 0.99)] ?? 0
    },
  }
}

async function start(keys: Uint8Array, signals: number): Promise<Started> {
  const home = await aHome()
  writeDurably(matchFileOf(home.dir), matchFile(keys, signals))
  writeKnown(home.dir, aKnown(['spring'], new Date()))
  const main = join(ROOT, 'dist/src/cli/main.js')
  const args = [main, '--home', home.dir, '--json', 'bridge', '--listen', '127.0.0.1:0', '--interval', '86400']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const origin = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as { what: string; origin: string }
      if (told.what === 'listening') resolve(told.origin)
    })
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const secret = readFileSync(secretFile(home.dir), 'utf8').trim()
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
  const ask = (key: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const token = Buffer.from(key).toString('hex')
      const out = request(`${origin}/v1/lookup`, { method: 'POST', agent, headers }, (message) => {
        if (message.statusCode !== 200) reject(new Error(`answered ${message.statusCode}`))
        message.resume().once('end', resolve)
      })
      out.once('error', reject)
      out.end(JSON.stringify({ queries: [{ type: 'email', profile: 'email/1', kid: 'spring', token }] }))
    })
  return { child, dir: home.dir, ask }
}

function end({ child, dir }: Started): void {
  child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
}

/** As a synchronisation would leave it. */
function matchFile(keys: Uint8Array, signals: number): Uint8Array {
  const dictionary = createDictionary()
  const now = new Date()
  const expires = Math.floor(now.getTime() / 1_000) + YEAR_S
  const words = {
    source: 'apple',
    kind: 'email email/1@spring',
    category: 'grooming',
    severity: 'high',
    handling: 'review',
  }
  const all = Array.from({ length: signals }, (_, i) => {
    const key = keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)
    const place = { event: idOf(2), index: i % 1_000, feed: FEED, seq: BigInt(i + 1), held: false }
    const record = {
      ...words,
      ...place,
      key,
      signal: newId(now),
      tlp: 'amber',
      basis: 'automated',
      revision: 1,
      expires,
      confidence: 80,
    }
    const bytes = encodeRecord(record, dictionary)
    if (bytes === undefined) throw new RangeError('the dictionary is full')
    return bytes
  }).sort(compare)
  const records = new Uint8Array(signals * RECORD_BYTES)
  all.forEach((bytes, i) => {
    records.set(bytes, i * RECORD_BYTES)
  })
  return encodeMatchFile({
    ...{ programme: PROGRAMME, made_at: now.toISOString(), records, words: dictionary.words, patterns: new Map() },
    ...{ feeds: [{ feed: FEED, seq: String(signals), bytes: 1 }], hash: sha256 },
    secret: drawSecret(() => randomBytes(4).readUInt32LE()),
  })
}
