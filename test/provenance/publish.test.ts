import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { SIZE_TYPE } from '../../src/provenance/add-checkpoint.ts'
import { checkpointText, cosignatureBytes, cosignedText, originHash } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { type Evidence, judgeEvidence } from '../../src/provenance/evidence.ts'
import { formatNote, formatVkey, NOTE_TYPE, parseNote, signatureLine } from '../../src/provenance/note.ts'
import { parsePolicy, witnessedBy } from '../../src/provenance/policy.ts'
import type { Publisher, PublisherOptions } from '../../src/provenance/publish.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { openMemory } from '../../src/witness/memory.ts'
import { startWitness } from '../../src/witness/server.ts'
import { createWitness } from '../../src/witness/witness.ts'
import { aKey } from './signing.ts'
import { aLog, asOwner, type LogWorld, ORIGIN } from './world.ts'

/** A busy machine is no witness that is late; one that never answers need not be waited for that long. */
const [PATIENT_MS, SILENT_MS] = [20_000, 500]

let w: LogWorld
let ends: (() => Promise<void> | void)[]
beforeAll(async () => {
  w = await aLog()
})
afterAll(() => w.end())
beforeEach(() => {
  ends = []
})
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  await w.t.owner.deleteFrom('log_published').execute()
  await w.t.owner.deleteFrom('log_witness').execute()
  await w.t.owner.deleteFrom('log_outage').execute()
})

interface Standing {
  line: string
  /** Ends it, as a machine that is gone. */
  end(): Promise<void>
  /** Starts it again where it was. */
  start(): Promise<void>
}

let count = 0
/** A witness of the log with a folder of its own; its line of a policy. */
async function aWitness(name: string): Promise<Standing> {
  const dir = mkdtempSync(join(tmpdir(), 'aldis-witness-'))
  count += 1
  const key = openWitnessKey(dir, `${name}.example/${count}`)
  const witness = createWitness({
    ...{ key, logs: [w.key], memory: openMemory(dir), clock: w.clock, verify: verifyEd25519 },
  })
  let port = 0
  const begin = () =>
    startWitness({
      ...{ witness, host: '127.0.0.1', port },
      onContradiction: () => {},
      onFault: (error) => expect.fail(String(error)),
    })
  let server = await begin()
  port = Number(new URL(server.url).port)
  ends.push(async () => {
    await server.close()
    rmSync(dir, { recursive: true })
  })
  return {
    line: `witness ${name} ${key.vkey} ${server.url}\n`,
    end: () => server.close(),
    start: async () => {
      server = await begin()
    },
  }
}

/** A server that answers whatever it likes under a key that we hold. */
async function aStranger(
  name: string,
  answer: RequestListener,
): Promise<{ line: string; key: ReturnType<typeof aKey> }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  count += 1
  const key = aKey(`${name}.example/${count}`, sha256(`${name} ${count}`))
  const vkey = formatVkey(sha256, key.name, key.publicKey, NOTE_TYPE.cosignature)
  return { key, line: `witness ${name} ${vkey} http://127.0.0.1:${(server.address() as AddressInfo).port}\n` }
}

interface Watched {
  publisher: Publisher
  missing: string[]
  evidence: Evidence[]
  policy: ReturnType<typeof parsePolicy>
}

function published(text: string, change: Partial<PublisherOptions> = {}): Watched {
  const policy = parsePolicy(sha256, text)
  const [missing, evidence]: [string[], Evidence[]] = [[], []]
  const publisher = w.publisher({
    ...{ policy, text, answerMs: PATIENT_MS },
    onMissing: (witness, reason) => void missing.push(`${witness} ${reason}`),
    onContradiction: ({ evidence: one }) => void evidence.push(one ?? expect.fail('without evidence')),
    ...change,
  })
  ends.push(() => publisher.close())
  return { publisher, missing, evidence, policy }
}

/** The log, longer by an entry and signed. */
async function grow(): Promise<bigint> {
  await w.record('apple')
  await w.integrator().round()
  await w.signer.round()
  const { size } = await w.t.owner.selectFrom('log_signed').select('size').executeTakeFirstOrThrow()
  return size
}

const namesIn = async ({ policy }: Watched): Promise<string[]> => {
  const note = parseNote((await w.ledger.checkpoint())?.note ?? '') ?? expect.fail('no note')
  return [...witnessedBy(policy, note, verifyEd25519).cosigned.keys()]
}
const sizeNow = async (): Promise<bigint | undefined> => (await w.ledger.checkpoint())?.size
const eventsOf = async (kind: string): Promise<number> => {
  const rows = await w.t.owner.selectFrom('prov_record').select('kind').where('kind', '=', kind).execute()
  return rows.length
}

describe('without witnesses', () => {
  test('what is signed is published, and nothing is said of witnesses', async () => {
    const before = await eventsOf('witness.policy')
    const size = await grow()
    expect(await w.publisher().round()).toBe(true)
    expect(await w.ledger.checkpoint()).toMatchObject({ size, witnessed: { cosigned: 0, wanted: 0, quorum: true } })
    expect(await w.publisher().round()).toBe(false)
    expect(await eventsOf('witness.policy')).toBe(before)
  })
  test('nothing is published once a process before this one found that the log was contradicted', async () => {
    const size = await grow()
    let contradicted = true
    const publisher = w.publisher({ contradicted: () => contradicted })
    expect([await publisher.round(), await sizeNow()]).toEqual([false, undefined])
    contradicted = false
    expect([await publisher.round(), await sizeNow()]).toEqual([true, size])
  })
  test('what is signed and not published is not given out', async () => {
    const size = await grow()
    await w.publisher().round()
    await grow()
    expect([await sizeNow(), await w.ledger.unpublished(new Date(w.clock().getTime() + 2_000))]).toEqual([size, 2])
    await expect(w.ledger.consistency(1n, size + 1n)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('with witnesses', () => {
  test('a checkpoint carries the cosignature of each, and each is remembered', async () => {
    const [a, b] = [await aWitness('a'), await aWitness('b')]
    const late: number[] = []
    const all = published(`${a.line}${b.line}group both all a b\nquorum both\n`, { onLate: () => void late.push(1) })
    for (let i = 0; i < 3; i++) {
      const size = await grow()
      expect(await all.publisher.round()).toBe(true)
      expect([await sizeNow(), await namesIn(all)]).toEqual([size, ['a', 'b']])
      const rows = await w.t.owner.selectFrom('log_cosignature').select('size').where('size', '=', size).execute()
      expect(rows.length).toBe(2)
    }
    expect(await all.publisher.round()).toBe(false)
    await all.publisher.close()
    expect([all.missing, late]).toEqual([[], []])
  })
  test('one that was signed anew is cosigned anew', async () => {
    const a = await aWitness('a')
    const all = published(`${a.line}quorum a\n`)
    await grow()
    await all.publisher.round()
    w.pass(3_600_000)
    expect(await w.signer.round()).toBe(true)
    expect(await all.publisher.round()).toBe(true)
    const note = parseNote((await w.ledger.checkpoint())?.note ?? '') ?? expect.fail('no note')
    const seconds = BigInt(w.clock().getTime()) / 1_000n
    expect([...witnessedBy(all.policy, note, verifyEd25519).cosigned]).toEqual([['a', seconds]])
  })
  test('the quorum does not wait for one that is silent, whose answer is added when it comes', async () => {
    const a = await aWitness('a')
    const silent = Promise.withResolvers<void>()
    const slow = await aStranger('slow', (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const text = `${Buffer.concat(parts).toString().split('\n\n')[1]}\n`
        const signature = cosignatureBytes(7n, slow.key.sign(cosignedText(text, 7n)))
        const { name, publicKey } = slow.key
        const line = signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature })
        void silent.promise.then(() => response.end(line))
      })
    })
    const late = Promise.withResolvers<void>()
    const all = published(`${a.line}${slow.line}group one any a slow\nquorum one\n`, { onLate: () => late.resolve() })
    const size = await grow()
    await all.publisher.round()
    expect([await sizeNow(), await namesIn(all)]).toEqual([size, ['a']])
    silent.resolve()
    await late.promise
    expect(await all.publisher.round()).toBe(true)
    expect([await sizeNow(), await namesIn(all)]).toEqual([size, ['a', 'slow']])
  })
  test('one that holds less or the same than we think is asked again with what it says', async () => {
    const a = await aWitness('a')
    const one = published(`${a.line}quorum a\n`)
    const first = await grow()
    await one.publisher.round()
    await w.t.owner
      .updateTable('log_witness')
      .set({ size: first - 1n })
      .execute()
    await grow()
    const other = published(`${a.line}quorum a\n`)
    expect(await other.publisher.round()).toBe(true)
    expect(other.missing).toEqual([])
    // It cosigned, and we never heard of it.
    await w.t.owner.updateTable('log_witness').set({ size: first }).execute()
    const third = published(`${a.line}quorum a\n`)
    await third.publisher.round()
    expect([third.missing, await namesIn(third)]).toEqual([[], ['a']])
  })
})

describe('a witness is missing, and stops nobody, that', () => {
  const cases: readonly (readonly [what: string, reason: string, answer: RequestListener])[] = [
    ['answers garbage', 'wrong-cosignature', (_, response) => response.end('garbage')],
    ['answers nothing', 'wrong-cosignature', (_, response) => response.end()],
    ['answers 500', 'refused', (_, response) => response.writeHead(500).end()],
    ['answers 403', 'refused', (_, response) => response.writeHead(403).end()],
    ['answers 409 without a size', 'refused', (_, response) => response.writeHead(409).end()],
    [
      'answers 409 with a size of another type',
      'refused',
      (_, response) => response.writeHead(409, { 'content-type': 'text/plain' }).end('1\n'),
    ],
    [
      'answers 409 without end',
      'refused',
      (_, response) => response.writeHead(409, { 'content-type': SIZE_TYPE }).end('0\n'),
    ],
    [
      'claims to hold more, and cannot show it',
      'refused',
      (_, response) => response.writeHead(409, { 'content-type': SIZE_TYPE }).end('99999\n'),
    ],
    ['redirects', 'refused', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['answers more than it may', 'malformed-answer', (_, response) => response.end('x'.repeat(70_000))],
    ['speaks no HTTP', 'malformed-answer', (request) => void request.socket.end('nonsense\r\n\r\n')],
    ['hangs up', 'unreachable', (request) => void request.socket.destroy()],
    ['is silent', 'too-late', () => {}],
  ]
  test.for(cases)('%s: %s', async ([_, reason, answer]) => {
    const [a, bad] = [await aWitness('a'), await aStranger('bad', answer)]
    const answerMs = reason === 'too-late' ? SILENT_MS : PATIENT_MS
    const all = published(`${a.line}${bad.line}group both all a bad\nquorum both\n`, { answerMs })
    await grow()
    expect(await all.publisher.round()).toBe(false)
    expect([all.missing, all.evidence, await sizeNow()]).toEqual([[`bad ${reason}`], [], undefined])
    const one = published(`${a.line}${bad.line}quorum a\n`, { answerMs })
    await one.publisher.round()
    expect(await namesIn(one)).toEqual(['a'])
  })
  test('cosigns with another key, or tomorrow', async () => {
    const at = (seconds: () => bigint, by?: ReturnType<typeof aKey>) => async () => {
      const one = await aStranger('bad', (request, response) => {
        const parts: Buffer[] = []
        request.on('data', (part: Buffer) => parts.push(part))
        request.on('end', () => {
          const text = `${Buffer.concat(parts).toString().split('\n\n')[1]}\n`
          const signature = cosignatureBytes(seconds(), (by ?? one.key).sign(cosignedText(text, seconds())))
          const { name, publicKey } = one.key
          response.end(signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature }))
        })
      })
      return one
    }
    const now = () => BigInt(Math.floor(w.clock().getTime() / 1_000))
    const cases = [at(now, aKey('x', new Uint8Array(32))), at(() => now() + 301n), at(() => now() + 300n)]
    const told: string[][] = []
    for (const make of cases) {
      const one = published(`${(await make()).line}quorum bad\n`)
      await grow()
      await one.publisher.round()
      told.push(one.missing)
    }
    expect(told).toEqual([['bad wrong-cosignature'], ['bad wrong-cosignature'], []])
  })
})

describe('a witness that refuses and shows a checkpoint', () => {
  const shows =
    (note: () => string): RequestListener =>
    (request, response) => {
      if (request.method === 'POST') response.writeHead(409, { 'content-type': SIZE_TYPE }).end('99999\n')
      else if (request.url === `/${toHex(originHash(sha256, ORIGIN))}/checkpoint`) response.end(note())
      else response.writeHead(404).end()
    }
  const signed = async (size: bigint, root: Uint8Array): Promise<string> => {
    const text = checkpointText({ origin: ORIGIN, size, root })
    const signature = await w.keys.sign('log-1', Buffer.from(text))
    return formatNote(text, [signatureLine(sha256, { name: ORIGIN, publicKey: w.key.publicKey, signature })])
  }
  const afterwards = async (make: (size: bigint) => Promise<string>) => {
    let note = ''
    const bad = await aStranger(
      'bad',
      shows(() => note),
    )
    const all = published(`${bad.line}quorum none\n`)
    const size = await grow()
    note = await make(size)
    await all.publisher.round()
    // It is not needed for the quorum, so that it may still be asked.
    await all.publisher.close()
    const before = await sizeNow()
    await grow()
    await all.publisher.round()
    return { all, went: (await sizeNow()) !== before }
  }

  test('of no key of ours is a liar', async () => {
    const { all, went } = await afterwards(async (size) =>
      aKey(ORIGIN, new Uint8Array(32)).note({ origin: ORIGIN, size, root: new Uint8Array(32) }),
    )
    expect([all.evidence, went]).toEqual([[], true])
  })
  test('that we signed before is only slow', async () => {
    const { note } = await w.t.owner.selectFrom('log_checkpoint').select('note').limit(1).executeTakeFirstOrThrow()
    const { all, went } = await afterwards(async () => note)
    expect([all.evidence, went]).toEqual([[], true])
  })
  test('of the same size and another root stops the log, with proof', async () => {
    const { all, went } = await afterwards((size) => signed(size, new Uint8Array(32)))
    const [evidence] = all.evidence
    expect([all.evidence.length, went]).toEqual([1, false])
    const using = { hash: sha256, key: w.key, verify: verifyEd25519 }
    expect(judgeEvidence(evidence ?? expect.fail('no evidence'), using).outcome).toBe('proven')
  })
  test('of less, which ours does not continue, stops the log', async () => {
    const { all, went } = await afterwards((size) => signed(size - 1n, new Uint8Array(32)))
    expect([all.evidence.length, went]).toEqual([1, false])
  })
  test('of more than we ever signed stops the log', async () => {
    const { all, went } = await afterwards((size) => signed(size + 100n, new Uint8Array(32)))
    expect([all.evidence.length, went]).toEqual([1, false])
  })
})

describe('while the quorum is missing', () => {
  const outage = async (degrade: 'mark' | 'never') => {
    const [a, b] = [await aWitness('a'), await aWitness('b')]
    const text = `${a.line}${b.line}group both all a b\nquorum both\n`
    const all = published(text, { degrade })
    const first = await grow()
    await all.publisher.round()
    const before = { degraded: await eventsOf('witness.degraded'), restored: await eventsOf('witness.restored') }
    await b.end()
    const counts = async () => ({
      degraded: (await eventsOf('witness.degraded')) - before.degraded,
      restored: (await eventsOf('witness.restored')) - before.restored,
    })
    return { b, all, first, counts, text }
  }

  test('a checkpoint waits for five seconds, then is marked; the log tells of the outage once, and of its end', async () => {
    const { b, all, first, counts, text } = await outage('mark')
    const second = await grow()
    expect(await all.publisher.round()).toBe(false)
    w.pass(4_999)
    expect(await all.publisher.round()).toBe(false)
    expect([await sizeNow(), await counts()]).toEqual([first, { degraded: 0, restored: 0 }])
    w.pass(1)
    expect(await all.publisher.round()).toBe(true)
    expect(await w.ledger.checkpoint()).toMatchObject({
      ...{ size: second, witnessed: { cosigned: 1, wanted: 2, quorum: false } },
    })
    // The next ones do not wait again, nor after a start in the middle of it.
    const third = await grow()
    await all.publisher.round()
    expect([await sizeNow(), await counts()]).toEqual([third, { degraded: 1, restored: 0 }])
    const again = published(text)
    const fourth = await grow()
    await again.publisher.round()
    expect([await sizeNow(), await counts()]).toEqual([fourth, { degraded: 1, restored: 0 }])
    await b.start()
    w.pass(1_000)
    expect(await again.publisher.round()).toBe(true)
    expect(await w.ledger.checkpoint()).toMatchObject({ witnessed: { cosigned: 2, wanted: 2, quorum: true } })
    await again.publisher.round()
    expect(await counts()).toEqual({ degraded: 1, restored: 1 })
  })
  test('an outage whose beginning could not be recorded has one in the log before its end', async () => {
    const { b, all, counts } = await outage('mark')
    await grow()
    await all.publisher.round()
    w.pass(5_000)
    await asOwner(w, 'revoke insert on prov_record from aldis_admin')
    await expect(all.publisher.round()).rejects.toMatchObject({ code: '42501' })
    await asOwner(w, 'grant insert on prov_record to aldis_admin')
    await b.start()
    await all.publisher.round()
    await all.publisher.round()
    expect(await counts()).toEqual({ degraded: 1, restored: 1 })
  })
  test('with `never` nothing is published, and the outage is told too', async () => {
    const { b, all, first, counts } = await outage('never')
    const second = await grow()
    await all.publisher.round()
    w.pass(60_000)
    expect(await all.publisher.round()).toBe(false)
    expect([await sizeNow(), await counts()]).toEqual([first, { degraded: 1, restored: 0 }])
    expect(all.publisher.behind()).toBe(0)
    w.pass(840_000)
    expect(await all.publisher.round()).toBe(false)
    expect(all.publisher.behind()).toBe(900_000)
    await b.start()
    expect(await all.publisher.round()).toBe(true)
    expect([await sizeNow(), await counts(), all.publisher.behind()]).toEqual([
      ...[second, { degraded: 1, restored: 1 }, 0],
    ])
  })
})

test('a policy is recorded when it is another than the last recorded one, also that there is none any more', async () => {
  const before = await eventsOf('witness.policy')
  const a = await aWitness('a')
  const count = async (text: string | undefined): Promise<number> => {
    w.pass(1_000)
    const policy = text === undefined ? undefined : parsePolicy(sha256, text)
    const publisher = w.publisher({ policy, ...(text === undefined ? {} : { text }) })
    await publisher.round()
    await publisher.close()
    return (await eventsOf('witness.policy')) - before
  }
  const [one, two] = [`${a.line}quorum a\n`, `${a.line}quorum none\n`]
  expect(await count(undefined)).toBe(0)
  expect([await count(one), await count(one), await count(two), await count(one)]).toEqual([1, 1, 2, 3])
  expect([await count(undefined), await count(undefined)]).toEqual([4, 4])
})
