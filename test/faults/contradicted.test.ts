import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNode } from '../../src/app.ts'
import { anchorOf, openBase, resumeLog } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { openParts } from '../../src/parts.ts'
import { SIZE_TYPE } from '../../src/provenance/add-checkpoint.ts'
import { checkpointText } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { judgeEvidence, parseEvidence } from '../../src/provenance/evidence.ts'
import { formatNote, formatVkey, NOTE_TYPE, parseNote, signatureLine } from '../../src/provenance/note.ts'
import { aKey } from '../provenance/signing.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let dir: string
let policy: string
let n: TestNode
let apple: Member
let server: Server
/** What the witness says that it holds; refuses without showing anything until there is something. */
let holds: string | undefined

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-contradicted-'))
  server = createServer((request, response) => {
    if (request.method === 'POST') response.writeHead(409, { 'content-type': SIZE_TYPE }).end('99999\n')
    else if (holds === undefined) response.writeHead(404).end()
    else response.end(holds)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const key = aKey('witness.example/w', new Uint8Array(32).fill(3))
  const vkey = formatVkey(sha256, key.name, key.publicKey, NOTE_TYPE.cosignature)
  policy = join(dir, 'policy')
  writeFileSync(policy, `witness w ${vkey} http://127.0.0.1:${(server.address() as AddressInfo).port}\nquorum none\n`)
  n = await aTestNode({ env: { WITNESS_POLICY: policy } })
  apple = await n.member('apple')
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await n.end()
  rmSync(dir, { recursive: true })
})

const ready = async ({ ops } = n): Promise<boolean> => (await fetch(`${ops}/readyz`)).ok

/** Another tree of a size under the key of the node: what a database that was set back, or a thief of the key, leaves behind. */
async function contradicting({ parts }: TestNode): Promise<string> {
  const { origin, keys, logId, vkey } = parts
  const text = checkpointText({ origin, size: 2n, root: new Uint8Array(32) })
  const signature = await keys.sign(`log-${logId}`, Buffer.from(text))
  return formatNote(text, [signatureLine(sha256, { name: vkey.name, publicKey: vkey.publicKey, signature })])
}

async function until(holdsNow: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holdsNow()); tries++) {
    if (tries === 150) throw new Error('it did not come')
    await delay(200)
  }
}

const share = async (path: string): Promise<unknown> => {
  const item = await apple.item({ type: 'url', raw: `https://bad.example/${path}` }, await apple.everybody())
  return apple.client.submit(await apple.sign([item]))
}

test('a node whose own key contradicts it in a witness stops, serves its tree, and keeps the proof', {
  timeout: 90_000,
}, async () => {
  await share('a')
  await until(() => ready())
  const { origin, logId } = n.parts
  holds = await contradicting(n)
  await until(async () => !(await ready()))

  const [file = ''] = readdirSync(join(n.parts.config.dataDir, 'evidence'))
  const evidence = parseEvidence(readFileSync(join(n.parts.config.dataDir, 'evidence', file), 'utf8'))
  const using = { hash: sha256, key: n.parts.vkey, verify: verifyEd25519 }
  expect(judgeEvidence(evidence ?? expect.fail('no evidence'), using).outcome).toBe('claimed')
  expect(evidence?.notes[1]).toBe(holds)
  await expect(share('b')).rejects.toMatchObject({ status: 503 })
  const checkpoint = await apple.client.checkpoint()
  expect(parseNote(checkpoint)?.text.split('\n')[0]).toBe(origin)

  // The witness forgets; a node that is started anew does not.
  holds = undefined
  const before = await anchorOf(n.parts.config, logId).read()
  const base = await openBase({ config: n.parts.config, clock: systemClock, log: silentLog })
  const again = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } })
  const { ops } = await again.listen()
  expect((await fetch(`${ops}/readyz`)).status).toBe(503)
  await expect(again.parts.signer.round()).rejects.toMatchObject({ reason: 'contradicted' })
  await expect(resumeLog(again.parts)).rejects.toMatchObject({ code: 'state-conflict' })
  expect(await anchorOf(n.parts.config, logId).read()).toEqual(before)
  await stop(again.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
})

test('a node that its own key contradicts stops also where the proof cannot be written down, and says so', {
  timeout: 90_000,
}, async () => {
  holds = undefined
  const other = await aTestNode({ env: { WITNESS_POLICY: policy } })
  try {
    await until(() => ready(other))
    // A file where the folder of the proofs would be.
    writeFileSync(join(other.parts.config.dataDir, 'evidence'), '')
    holds = await contradicting(other)
    await until(async () => other.parts.halts.kept() !== undefined)
    expect(other.parts.halts.kept()).toMatchObject({ reason: 'contradicted' })
    await until(async () => !(await ready(other)))
    await until(async () => other.logged().includes('it could not be written down'))
  } finally {
    holds = undefined
    await other.end()
  }
})

test('a policy that is none is named at the start', async () => {
  const config = { ...n.parts.config, witnessPolicy: join(dir, 'none') }
  const base = await openBase({ config, clock: systemClock, log: silentLog, small: 1 })
  const options = { onWake: () => {}, healthy: () => true }
  await expect(openParts(base, options).finally(() => base.close())).rejects.toThrow('WITNESS_POLICY: names no file')
})
