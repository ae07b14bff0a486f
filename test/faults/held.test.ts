import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { checkpointText, originHash } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { type Evidence, judgeEvidence } from '../../src/provenance/evidence.ts'
import { askHeld } from '../../src/provenance/held.ts'
import { formatNote, formatVkey, NOTE_TYPE, signatureLine } from '../../src/provenance/note.ts'
import { parsePolicy } from '../../src/provenance/policy.ts'
import { createSigner } from '../../src/provenance/sign.ts'
import { aKey } from '../provenance/signing.ts'
import { aLog, type LogWorld, ORIGIN } from '../provenance/world.ts'

const PATH = `/${toHex(originHash(sha256, ORIGIN))}/checkpoint`
/** A busy machine is no witness that is late; one that never answers need not be waited for that long. */
const [PATIENT_MS, SILENT_MS] = [20_000, 200]
const OTHER_ROOT = new Uint8Array(32).fill(9)

let w: LogWorld
let ends: (() => void)[] = []
beforeAll(async () => {
  w = await aLog()
  for (let n = 0; n < 3; n++) {
    await w.record('apple')
    await w.publish()
  }
})
afterAll(() => w.end())
afterEach(() => {
  for (const end of ends) end()
  ends = []
  w.halts.lift()
})

/** A line of a policy with a witness that answers the question what it holds as it likes. */
async function shows(name: string, answer: RequestListener): Promise<string> {
  const server = createServer((request, response) =>
    request.url === PATH && request.method === 'GET' ? answer(request, response) : response.writeHead(500).end(),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const { name: named, publicKey } = aKey(`${name}.example/w`, sha256(name))
  const vkey = formatVkey(sha256, named, publicKey, NOTE_TYPE.cosignature)
  return `witness ${name} ${vkey} http://127.0.0.1:${(server.address() as AddressInfo).port}\n`
}

const says =
  (text: string): RequestListener =>
  (_, response) =>
    response.end(text)

async function signed(size: bigint, root: Uint8Array): Promise<string> {
  const text = checkpointText({ origin: ORIGIN, size, root })
  const signature = await w.keys.sign('log-1', Buffer.from(text))
  return formatNote(text, [signatureLine(sha256, { name: ORIGIN, publicKey: w.key.publicKey, signature })])
}

async function ownNote(size: bigint): Promise<string> {
  const row = await w.t.owner.selectFrom('log_checkpoint').select('note').where('size', '=', size).executeTakeFirst()
  return row?.note ?? expect.fail('no such checkpoint')
}

/** Another process that starts over the same log: what it finds, and who showed nothing. */
async function started(
  lines: string,
  answerMs = PATIENT_MS,
): Promise<{ outcome: string; unshown: string[]; evidence: Evidence[] }> {
  const [unshown, evidence]: [string[], Evidence[]] = [[], []]
  const signer = createSigner({
    ...{ db: w.t.signer, clock: w.clock, keys: w.keys, anchor: w.anchor, halts: w.halts },
    ...{ logId: 1, origin: ORIGIN, kid: 'log-1', later: async () => [], refreshMs: 3_600_000 },
    askHeld: () =>
      askHeld({
        ...{ db: w.t.signer, ledger: w.t.ledger, logId: 1, key: w.key },
        policy: parsePolicy(sha256, `${lines}quorum none\n`),
        answerMs,
        onUnshown: (witness, why) => void unshown.push(`${witness} ${why}`),
        onEvidence: (one) => void evidence.push(one),
      }),
  })
  const outcome = await signer.check().then(
    () => 'goes on',
    (error: { reason?: string }) => error.reason ?? String(error),
  )
  return { outcome, unshown, evidence }
}

describe('at the start a witness stops nobody that', () => {
  const cases: readonly (readonly [what: string, why: string, answer: RequestListener])[] = [
    ['holds nothing of the log', 'none', (_, response) => response.writeHead(404).end()],
    ['answers garbage', 'malformed-answer', says('garbage')],
    ['answers nothing', 'malformed-answer', says('')],
    ['answers more than it may', 'malformed-answer', says('x'.repeat(70_000))],
    ['speaks no HTTP', 'malformed-answer', (request) => void request.socket.end('nonsense\r\n\r\n')],
    ['fails', 'refused', (_, response) => response.writeHead(500).end()],
    ['redirects', 'refused', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['hangs up', 'unreachable', (request) => void request.socket.destroy()],
    ['is silent', 'too-late', () => {}],
    ['begins and does not end', 'too-late', (_, response) => void response.write(ORIGIN)],
    [
      'lies, under a key of its own',
      'not-ours',
      says(aKey(ORIGIN, new Uint8Array(32)).note({ origin: ORIGIN, size: 99n, root: OTHER_ROOT })),
    ],
    [
      'shows another log',
      'not-ours',
      says(
        aKey('other.example/1', new Uint8Array(32)).note({ origin: 'other.example/1', size: 99n, root: OTHER_ROOT }),
      ),
    ],
  ]
  test.for(cases)('%s: %s', async ([, why, answer]) => {
    const found = await started(await shows('w', answer), why === 'too-late' ? SILENT_MS : PATIENT_MS)
    expect(found).toEqual({ outcome: 'goes on', unshown: [`w ${why}`], evidence: [] })
  })
  test('holds what we signed, now or before', async () => {
    const lines = [await shows('a', says(await ownNote(3n))), await shows('b', says(await ownNote(1n)))]
    expect(await started(lines.join(''))).toEqual({ outcome: 'goes on', unshown: [], evidence: [] })
  })
  test('holds a tree that was signed and whose row a crash kept from being written', async () => {
    await w.record('apple')
    await w.integrator().round()
    const { size, root } = await w.t.owner.selectFrom('log_fence').selectAll().executeTakeFirstOrThrow()
    const line = await shows('w', says(await signed(size, root)))
    expect(await started(line)).toEqual({ outcome: 'goes on', unshown: [], evidence: [] })
    const other = await shows('x', says(await signed(size, OTHER_ROOT)))
    expect(await started(other)).toMatchObject({ outcome: 'contradicted' })
    w.halts.lift()
    await w.publish()
  })
})

describe('at the start a witness halts the log that holds under our key', () => {
  const using = () => ({ hash: sha256, key: w.key, verify: verifyEd25519 })

  test('more than the database has', async () => {
    const { outcome, evidence } = await started(await shows('w', says(await signed(99n, OTHER_ROOT))))
    expect([outcome, evidence.map(({ notes }) => notes[1])]).toEqual(['witness-ahead', [await signed(99n, OTHER_ROOT)]])
  })
  test('another root of our size, with proof', async () => {
    const { size } = await w.t.owner.selectFrom('log_signed').select('size').executeTakeFirstOrThrow()
    const { outcome, evidence } = await started(await shows('w', says(await signed(size, OTHER_ROOT))))
    expect(outcome).toBe('contradicted')
    expect(evidence.map((one) => judgeEvidence(one, using()).outcome)).toEqual(['proven'])
  })
  test('less, which ours does not continue', async () => {
    const { outcome, evidence } = await started(await shows('w', says(await signed(2n, OTHER_ROOT))))
    expect(outcome).toBe('contradicted')
    expect(evidence.map((one) => judgeEvidence(one, using()).outcome)).toEqual(['claimed'])
  })
  test('another history, though others hold ours or are silent; and the next start halts without asking', async () => {
    const lines = [
      await shows('a', says(await ownNote(3n))),
      await shows('b', says(await signed(2n, OTHER_ROOT))),
      await shows('c', says(await signed(99n, OTHER_ROOT))),
    ]
    expect(await started(lines.join(''))).toMatchObject({ outcome: 'contradicted', unshown: [] })
    expect(await started('')).toEqual({ outcome: 'contradicted', unshown: [], evidence: [] })
    await w.record('apple')
    await w.integrator().round()
    const before = await w.anchor.read()
    await expect(w.signer.round()).rejects.toMatchObject({ reason: 'contradicted' })
    expect(await w.anchor.read()).toEqual(before)
    w.halts.lift()
    expect(await w.signer.round()).toBe(true)
  })
})
