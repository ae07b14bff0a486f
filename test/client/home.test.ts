import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import type { Enrolled } from '../../src/client/enrolled.ts'
import { LogContradicted } from '../../src/client/errors.ts'
import { type Home, openHome } from '../../src/client/home.ts'
import { makeSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { openVkey } from '../../src/client/verify.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { cosignatureBytes, cosignedText } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { judgeEvidence, parseEvidence } from '../../src/provenance/evidence.ts'
import { formatVkey, NOTE_TYPE, signatureLine } from '../../src/provenance/note.ts'
import { aKey } from '../provenance/signing.ts'
import { idOf, ORIGIN, PROGRAMME, uriOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { type Answerer, closeServers, identityOf, json, serve, type TestServer } from './server.ts'
import { aLog, aNode, aRead, type TestLog } from './source.ts'

const EPOCH_KEY = Buffer.alloc(32, 9).toString('base64url')

let pki: TestPki
let aspen: TlsIdentity
let dir: string
let home: Home
const clients: Client[] = []

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'aldis-home-')), 'home')
  home = openHome(dir)
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await closeServers()
  rmSync(join(dir, '..'), { recursive: true })
})

const modeOf = (name: string): number => statSync(join(dir, name)).mode & 0o777

function anEnrolment(change: Partial<Enrolled> & { origin?: string; vkey?: string } = {}): Enrolled {
  const { origin = 'https://127.0.0.1:1', vkey = aLog(0).vkey, ...more } = change
  const signing = makeSigningKey()
  const membership = {
    participant: 'aspen',
    uri: uriOf('aspen'),
    node: origin,
    node_origin: ORIGIN,
    programme: PROGRAMME,
  }
  const node = { log_vkey: vkey, receipt_keys: aNode().home.receipt_keys }
  const { kid } = openSigningKey(signing)
  return {
    membership: { ...membership, kid },
    key: aspen.key,
    certificate: aspen.cert,
    ca: aspen.ca,
    signing,
    node,
    ...more,
  }
}

function clientOf(server: TestServer): Client {
  const client = createClient({ origin: server.origin, ...aspen })
  clients.push(client)
  return client
}

describe('an enrolled home', () => {
  test('gives back what the enrolment gave', () => {
    const given = anEnrolment()
    home.enrolled(given)
    const later = openHome(dir)
    expect(later.membership()).toEqual(given.membership)
    expect([later.certificate(), later.tlsKey(), later.signingSecret()]).toEqual([aspen.cert, aspen.key, given.signing])
    expect(later.signingKey().kid).toBe(given.membership.kid)
    expect(later.receiptKeys()).toEqual(given.node.receipt_keys)
    expect(later.pinned()).toEqual({ vkey: `${given.node.log_vkey}\n`, head: undefined })
  })

  test.for([
    ['nothing', ''],
    ['a name alone', 'node.example.org/log'],
    ['a short one', 'node.example.org/log+00000000+AAAA'],
    ['one under another name', `other.${aLog(0).vkey}`],
  ] as const)('is not made with a key of the log that is none: %s', ([, vkey]) => {
    expect(() => home.enrolled(anEnrolment({ vkey }))).toThrow(expect.objectContaining({ step: 'log key' }))
    expect(existsSync(dir)).toBe(false)
  })

  test('hides its keys from every other user', () => {
    home.enrolled(anEnrolment())
    expect([modeOf('.'), modeOf('tls.key'), modeOf('signing.jwk')]).toEqual([0o700, 0o600, 0o600])
  })

  test('takes no key that another user may read', () => {
    home.enrolled(anEnrolment())
    for (const [name, use] of [
      ['tls.key', () => home.tlsKey()],
      ['tls.key', () => home.connect()],
      ['signing.jwk', () => home.signingKey()],
      ['signing.jwk', () => home.signingSecret()],
    ] as const) {
      chmodSync(join(dir, name), 0o640)
      expect(use).toThrow(StartRefused)
      chmodSync(join(dir, name), 0o600)
    }
  })

  test('speaks to its node with its own identity', async () => {
    const server = await serve(pki, ({ client }, response) => json(response, { participant: client }))
    home.enrolled(anEnrolment({ origin: server.origin }))
    const client = home.connect()
    clients.push(client)
    expect(await client.whoami()).toMatchObject({ participant: 'aspen' })
    expect(server.requests[0]?.path).toBe('/v1/whoami')
  })

  test('takes a renewed certificate, and keeps its key', () => {
    home.enrolled(anEnrolment())
    home.renewed('another certificate')
    expect([home.certificate(), home.tlsKey()]).toEqual(['another certificate', aspen.key])
  })

  test('that is enrolled again keeps the key of the log that it pinned', () => {
    const first = anEnrolment()
    home.enrolled(first)
    const second = anEnrolment()
    home.enrolled(second)
    expect(home.pinned().vkey.trim()).toBe(first.node.log_vkey)
    expect(home.receiptKeys()).toEqual(second.node.receipt_keys)
    expect(home.signingKey().kid).toBe(second.membership.kid)
  })
})

/** What the folder has, by name. */
const filesOf = (): Record<string, string> =>
  Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')]))

test('an enrolment that broke off anywhere between its steps is ended when the folder is opened', async () => {
  const plum = await pki.participant('plum')
  home.enrolled(anEnrolment())
  const before = filesOf()
  const given = anEnrolment({ key: plum.key, certificate: plum.cert })
  home.enrolled(given)
  const after = filesOf()
  expect([after['tls.key'], after['tls.crt']]).toEqual([plum.key, plum.cert])
  const steps = ['tls.key', 'signing.jwk', 'tls.crt', 'ca.crt', 'node-receipt-keys.json', 'membership.json']
  for (const n of [...steps.keys(), steps.length]) {
    for (const [i, name] of steps.entries()) writeFileSync(join(dir, name), (i < n ? after : before)[name] ?? '')
    writeFileSync(join(dir, 'enrol.next'), JSON.stringify(given), { mode: 0o600 })
    expect(openHome(dir).identity()).toEqual({ key: plum.key, cert: plum.cert, ca: plum.ca })
    expect([filesOf(), modeOf('tls.key'), modeOf('signing.jwk')]).toEqual([after, 0o600, 0o600])
  }
})

test('an enrolment that is killed as it puts its files in place leaves all of what it gave', () => {
  home.enrolled(anEnrolment())
  const given = anEnrolment()
  // What it cannot replace, as if it were killed there.
  rmSync(join(dir, 'tls.crt'))
  mkdirSync(join(dir, 'tls.crt'))
  expect(() => home.enrolled(given)).toThrow()
  expect([modeOf('enrol.next'), modeOf('.')]).toEqual([0o600, 0o700])
  rmSync(join(dir, 'tls.crt'), { recursive: true })
  const opened = openHome(dir)
  expect([opened.membership(), opened.signingSecret()]).toEqual([given.membership, given.signing])
  expect(existsSync(join(dir, 'enrol.next'))).toBe(false)
})

test('the signing key of an enrolment whose answer never came is asked with again, and changes nothing before', () => {
  const asked = home.signingKeyToEnrol()
  expect([openHome(dir).signingKeyToEnrol(), home.signingSecret(), modeOf('.')]).toEqual([asked, undefined, 0o700])
  const { kid } = openSigningKey(asked)
  const given = anEnrolment({ signing: asked })
  home.enrolled({ ...given, membership: { ...given.membership, kid } })
  expect([home.signingKey().kid, home.signingKeyToEnrol()]).toEqual([kid, asked])
  expect(Object.keys(filesOf()).filter((name) => name.startsWith('enrol.'))).toEqual([])
})

test.for<[string, (one: Home) => unknown]>([
  ['membership', (one) => one.membership()],
  ['certificate', (one) => one.certificate()],
  ['TLS key', (one) => one.tlsKey()],
  ['signing key', (one) => one.signingKey()],
  ['identity', (one) => one.connect()],
  ['log key', (one) => one.pinned()],
  ['receipt keys', (one) => one.receiptKeys()],
])('a home without an enrolment has no %s, and says so before it starts', ([, use]) => {
  expect(() => use(home)).toThrow(StartRefused)
})

describe('the next signing key', () => {
  test('is made once and hidden, and the present one stays in use', () => {
    const given = anEnrolment()
    home.enrolled(given)
    const next = home.nextSigningKey()
    expect([openHome(dir).nextSigningKey(), modeOf('signing.next.jwk')]).toEqual([next, 0o600])
    expect(home.signingSecret()).toBe(given.signing)
  })

  test('takes the place of the present one, and then there is no next', () => {
    const given = anEnrolment()
    home.enrolled(given)
    const signing = home.nextSigningKey()
    const { kid } = openSigningKey(signing)
    home.rotated({ signing, kid })
    expect([home.signingKey().kid, home.membership()]).toEqual([kid, { ...given.membership, kid }])
    expect([modeOf('signing.jwk'), readdirSync(dir)]).toEqual([0o600, expect.not.arrayContaining(['signing.next.jwk'])])
    expect(home.nextSigningKey()).not.toBe(signing)
  })

  test('is not read if another user may', () => {
    home.nextSigningKey()
    chmodSync(join(dir, 'signing.next.jwk'), 0o644)
    expect(() => home.nextSigningKey()).toThrow(StartRefused)
  })
})

describe('the key of an epoch', () => {
  const giving =
    (key: string): Answerer =>
    (_, response) =>
      json(response, { kid: 'epoch-202611', key }, 200, { 'provenance-read': aRead(1) })

  test('is asked for once, for each asking is a disclosure, which is noted, and hidden', async () => {
    const server = await serve(pki, giving(EPOCH_KEY))
    const client = clientOf(server)
    const keys = [await home.hashKey(client, 'epoch-202611'), await openHome(dir).hashKey(client, 'epoch-202611')]
    for (const key of keys) expect(Buffer.from(key)).toEqual(Buffer.alloc(32, 9))
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/hash-profiles/epoch-202611/key'])
    expect(JSON.parse(readFileSync(join(dir, 'reads.ndjson'), 'utf8'))).toMatchObject({
      ...{ read: aRead(1), body: sha256('epoch-202611').toString('base64url') },
    })
    expect(modeOf('hash-keys/epoch-202611')).toBe(0o600)
    expect(modeOf('hash-keys')).toBe(0o700)
  })

  test('is another one for each epoch', async () => {
    const server = await serve(pki, giving(EPOCH_KEY))
    const client = clientOf(server)
    await home.hashKey(client, 'epoch-202611')
    await home.hashKey(client, 'epoch-202612')
    expect(server.requests).toHaveLength(2)
  })

  test('is not read if another user may', async () => {
    const client = clientOf(await serve(pki, giving(EPOCH_KEY)))
    await home.hashKey(client, 'epoch-202611')
    chmodSync(join(dir, 'hash-keys', 'epoch-202611'), 0o644)
    await expect(home.hashKey(client, 'epoch-202611')).rejects.toThrow(StartRefused)
  })

  test.for(['', '.', '..', '../signing.jwk', '../../pear', '/tmp/pear', 'a/b', 'A', 'a\0'])(
    'is never asked for or kept under the name %j',
    async (kid) => {
      const server = await serve(pki, giving(EPOCH_KEY))
      const given = anEnrolment()
      home.enrolled(given)
      const before = readdirSync(dir).toSorted()
      await expect(home.hashKey(clientOf(server), kid)).rejects.toMatchObject({ step: 'hash key' })
      expect([server.requests, readdirSync(dir).toSorted()]).toEqual([[], before])
      expect(home.signingSecret()).toBe(given.signing)
    },
  )

  test.for(['', 'pear', EPOCH_KEY.slice(0, -1), `${EPOCH_KEY}AAAA`, `${EPOCH_KEY}=`, `${EPOCH_KEY.slice(0, -1)}?`])(
    'that is not 32 bytes of base64url is refused and not kept: %j',
    async (key) => {
      const client = clientOf(await serve(pki, giving(key)))
      await expect(home.hashKey(client, 'epoch-202611')).rejects.toMatchObject({ step: 'hash key' })
      const good = clientOf(await serve(pki, giving(EPOCH_KEY)))
      expect(Buffer.from(await home.hashKey(good, 'epoch-202611'))).toEqual(Buffer.alloc(32, 9))
    },
  )
})

describe('the head of the log', () => {
  /** A node whose log may be changed between two calls. */
  async function nodeWith(log: {
    now: TestLog
    size?: number
    /** It says that it has no such head. */
    refuses?: boolean
    atProof?(): Promise<void>
  }): Promise<TestServer> {
    const server = await serve(pki, async ({ path }, response) => {
      const { pathname, searchParams } = new URL(path, 'https://node')
      if (pathname === '/provenance/1/checkpoint') return void response.end(log.now.checkpoint(log.size))
      await log.atProof?.()
      if (log.refuses === true) return json(response, { code: 'not-found', title: 'There is none', status: 404 }, 404)
      const [from, to] = [searchParams.get('from'), searchParams.get('to')].map(Number)
      json(response, { path: log.now.consistency(from ?? 0, to ?? 0) })
    })
    home.enrolled(anEnrolment({ origin: server.origin, vkey: log.now.vkey }))
    return server
  }
  const kept = (): string | undefined => home.pinned().head?.note

  test('is kept as it was signed, and read back', async () => {
    const log = { now: aLog(3) }
    const head = await home.advance(clientOf(await nodeWith(log)))
    expect([head.size, head.note]).toEqual([3n, log.now.checkpoint()])
    expect(openHome(dir).pinned().head).toEqual(head)
  })

  test('moves on when the log grew, and never back', async () => {
    const log = { now: aLog(9), size: 3 }
    const client = clientOf(await nodeWith(log))
    await home.advance(client)
    log.size = 7
    expect((await home.advance(client)).size).toBe(7n)
    log.size = 5
    expect((await home.advance(client)).size).toBe(7n)
    expect(kept()).toBe(log.now.checkpoint(7))
  })

  test('is not moved back by one who compared it before another moved it on', async () => {
    const log = { now: aLog(9), size: 3, atProof: async () => {} }
    const client = clientOf(await nodeWith(log))
    await home.advance(client)
    log.size = 5
    log.atProof = async () => {
      log.atProof = async () => {}
      log.size = 7
      await openHome(dir).advance(client)
    }
    expect((await home.advance(client)).size).toBe(7n)
    expect(kept()).toBe(log.now.checkpoint(7))
    expect(readdirSync(dir).filter((name) => name.includes('.lock'))).toEqual([])
  })

  test('stays the evidence when the log was rewritten', async () => {
    const log = { now: aLog(9), size: 4 }
    const client = clientOf(await nodeWith(log))
    await home.advance(client)
    const before = kept()
    log.now.leaves[1] = new Uint8Array(32)
    for (const size of [4, 3, 9]) {
      log.size = size
      await expect(home.advance(client)).rejects.toMatchObject({ step: 'consistency' })
    }
    expect(kept()).toBe(before)
    const files = readdirSync(join(dir, 'evidence'))
    expect(files.length).toBe(3)
    const key = openVkey(log.now.vkey)
    const found = files.map((file) => {
      const evidence = parseEvidence(readFileSync(join(dir, 'evidence', file), 'utf8')) ?? expect.fail('no evidence')
      expect(evidence.notes[0]).toBe(before)
      return judgeEvidence(evidence, { hash: sha256, key, verify: verifyEd25519 }).outcome
    })
    expect(found.toSorted()).toEqual(['claimed', 'claimed', 'proven'])
  })

  test('of somebody else is held against ours, and a contradiction kept once and told where', async () => {
    const log = { now: aLog(9), size: 4 }
    const client = clientOf(await nodeWith(log))
    await home.advance(client)
    expect((await home.compare(client, log.now.checkpoint(7))).size).toBe(7n)
    expect(kept()).toBe(log.now.checkpoint(4))
    log.now.leaves[1] = new Uint8Array(32)
    const theirs = log.now.checkpoint(4)
    const refused = async () => home.compare(client, theirs).catch((error: unknown) => error)
    const first = (await refused()) as LogContradicted
    const [file = ''] = readdirSync(join(dir, 'evidence'))
    expect(first).toBeInstanceOf(LogContradicted)
    expect(first.message).toContain(join(dir, 'evidence', file))
    const written = readFileSync(join(dir, 'evidence', file), 'utf8')
    await refused()
    expect(readdirSync(join(dir, 'evidence'))).toEqual([file])
    expect(readFileSync(join(dir, 'evidence', file), 'utf8')).toBe(written)
    expect(statSync(join(dir, 'evidence', file)).mode & 0o777).toBe(0o600)
  })

  test('to which others added signatures without end is evidence that can be read', async () => {
    const log = { now: aLog(9), size: 4 }
    const client = clientOf(await nodeWith(log))
    const junk = Array.from(
      { length: 2_000 },
      (_, i) => `— other.example/${i} ${Buffer.alloc(72, 7).toString('base64')}\n`,
    )
    const first = log.now.checkpoint(4)
    await home.advance(client)
    log.now.leaves[1] = new Uint8Array(32)
    const other = log.now.checkpoint(4)
    log.now = { ...log.now, checkpoint: () => other + junk.join('') }
    await expect(home.advance(client)).rejects.toBeInstanceOf(LogContradicted)
    const [file = ''] = readdirSync(join(dir, 'evidence'))
    const evidence = parseEvidence(readFileSync(join(dir, 'evidence', file), 'utf8')) ?? expect.fail('no evidence')
    expect(evidence.notes).toEqual([first, other])
    const using = { hash: sha256, key: openVkey(log.now.vkey), verify: verifyEd25519 }
    expect(judgeEvidence(evidence, using).outcome).toBe('proven')
  })

  test('that the node cannot prove to be of its log is evidence', async () => {
    const log: { now: TestLog; size: number; refuses?: boolean } = { now: aLog(9), size: 4 }
    const client = clientOf(await nodeWith(log))
    await home.advance(client)
    log.refuses = true
    await expect(home.compare(client, log.now.checkpoint(7))).rejects.toBeInstanceOf(LogContradicted)
    const [file = ''] = readdirSync(join(dir, 'evidence'))
    const evidence = parseEvidence(readFileSync(join(dir, 'evidence', file), 'utf8')) ?? expect.fail('no evidence')
    const using = { hash: sha256, key: openVkey(log.now.vkey), verify: verifyEd25519 }
    expect(judgeEvidence(evidence, using).outcome).toBe('claimed')
  })

  test('without the quorum of a pinned policy is refused and not kept, yet compared', async () => {
    const log = { now: aLog(9), size: 4 }
    const client = clientOf(await nodeWith(log))
    await home.advance(client)
    const key = aKey('witness.example/w', new Uint8Array(32).fill(3))
    const vkey = formatVkey(sha256, key.name, key.publicKey, NOTE_TYPE.cosignature)
    home.pinPolicy(`log ${log.now.vkey}\nwitness w ${vkey}\nquorum w\n`)
    log.size = 7
    await expect(home.advance(client)).rejects.toMatchObject({ name: 'VerificationFailed', step: 'witnesses' })
    expect(kept()).toBe(log.now.checkpoint(4))
    log.now.leaves[1] = new Uint8Array(32)
    await expect(home.advance(client)).rejects.toBeInstanceOf(LogContradicted)
  })

  test('with the quorum is kept', async () => {
    const log = { now: aLog(4) }
    const plain = log.now.checkpoint()
    const key = aKey('witness.example/w', new Uint8Array(32).fill(3))
    const vkey = formatVkey(sha256, key.name, key.publicKey, NOTE_TYPE.cosignature)
    const { name, publicKey } = key
    const signature = cosignatureBytes(7n, key.sign(cosignedText(plain.slice(0, plain.indexOf('\n\n') + 1), 7n)))
    const line = signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature })
    log.now = { ...log.now, checkpoint: () => plain + line }
    const client = clientOf(await nodeWith(log))
    home.pinPolicy(`witness w ${vkey}\nquorum w\n`)
    expect((await home.advance(client)).note).toBe(plain + line)
  })

  test('has no policy of another log, nor one that is none', async () => {
    await nodeWith({ now: aLog(4) })
    for (const text of ['', 'quorum w\n', `log ${aLog(1).vkey}\nquorum none\n`])
      expect(() => home.pinPolicy(text)).toThrow(expect.objectContaining({ step: 'policy' }))
    expect(home.pinnedPolicy()).toBeUndefined()
  })

  test('of another key than the pinned one is refused and not kept', async () => {
    const log = { now: aLog(4) }
    const client = clientOf(await nodeWith(log))
    log.now = aLog(6)
    await expect(home.advance(client)).rejects.toMatchObject({ step: 'checkpoint' })
    expect(kept()).toBeUndefined()
  })
})

describe('a receipt', () => {
  test('is kept under the name of its event', () => {
    for (const name of [idOf(7), `read-${idOf(7)}-3`]) {
      const path = home.keepReceipt(name, 'a receipt')
      expect([path, readFileSync(path, 'utf8')]).toEqual([join(dir, 'receipts', `${name}.tlog-proof`), 'a receipt'])
      expect(home.keepRefused(name, 'another')).toBe(join(dir, 'receipts', `${name}.refused`))
      expect(readFileSync(path, 'utf8')).toBe('a receipt')
    }
  })

  test.for(['', '..', '../membership', '/tmp/pear', 'a/b', 'a\0'])('is not kept under the name %j', (name) => {
    mkdirSync(join(dir, 'receipts'), { recursive: true })
    for (const keep of [home.keepReceipt, home.keepRefused])
      expect(() => keep(name, 'a receipt')).toThrow(expect.objectContaining({ step: 'receipt' }))
    expect([readdirSync(dir), readdirSync(join(dir, 'receipts'))]).toEqual([['receipts'], []])
  })
})

test.for([0, 1, 2, 3, 4])(
  'a switch to the next log that broke off after %i steps is ended when the folder is opened',
  (steps) => {
    const [old, next] = [aLog(3, 'node.example.org/log/1'), aLog(0, 'node.example.org/log/2')]
    home.enrolled(anEnrolment({ vkey: old.vkey }))
    const policy = 'quorum none\n'
    const [vkey, former] = [`${next.vkey}\n`, join(dir, 'former', '1')]
    writeFileSync(join(dir, 'log.checkpoint'), old.checkpoint())
    writeFileSync(join(dir, 'witness.policy'), policy)
    writeFileSync(join(dir, 'log.next.vkey'), vkey)
    mkdirSync(former, { recursive: true })
    const each: (() => void)[] = [
      () => {
        for (const name of ['log.vkey', 'log.checkpoint', 'witness.policy'])
          writeFileSync(join(former, name), readFileSync(join(dir, name)))
      },
      () => rmSync(join(dir, 'log.checkpoint')),
      () => rmSync(join(dir, 'witness.policy')),
      () => writeFileSync(join(dir, 'log.vkey'), vkey),
    ]
    for (const step of each.slice(0, steps)) step()
    const opened = openHome(dir)
    expect([opened.pinned(), opened.pinnedPolicy()]).toEqual([{ vkey, head: undefined }, undefined])
    const kept = ['log.vkey', 'log.checkpoint', 'witness.policy'].map((name) =>
      readFileSync(join(former, name), 'utf8'),
    )
    expect(kept).toEqual([`${old.vkey}\n`, old.checkpoint(), policy])
    expect(existsSync(join(dir, 'log.next.vkey'))).toBe(false)
  },
)

test('a switch that two processes end at once takes no head of the next log for one of the former', () => {
  const [old, next] = [aLog(3, 'node.example.org/log/1'), aLog(2, 'node.example.org/log/2')]
  home.enrolled(anEnrolment({ vkey: old.vkey }))
  writeFileSync(join(dir, 'log.next.vkey'), `${next.vkey}\n`)
  writeFileSync(join(dir, 'log.checkpoint'), next.checkpoint())
  const { vkey, head } = openHome(dir).pinned()
  expect([vkey, head?.note]).toEqual([`${next.vkey}\n`, next.checkpoint()])
  expect(readdirSync(join(dir, 'former', '1'))).toEqual(['log.vkey'])
})

test('a head of the log before, kept by another process while a switch ended, is none of the log that is followed', async () => {
  const [old, next] = [aLog(3, 'node.example.org/log/1'), aLog(2, 'node.example.org/log/2')]
  const server = await serve(pki, (_request, response) => void response.end(next.checkpoint()))
  home.enrolled(anEnrolment({ origin: server.origin, vkey: next.vkey }))
  writeFileSync(join(dir, 'log.checkpoint'), old.checkpoint())
  expect(home.pinned()).toEqual({ vkey: `${next.vkey}\n`, head: undefined })
  expect((await home.advance(clientOf(server))).note).toBe(next.checkpoint())
  expect(home.pinned().head?.note).toBe(next.checkpoint())
})

test('notes are one line each, in their order, for the owner alone', () => {
  home.note('events.ndjson', { event: 'a', what: 'one\ntwo' })
  home.note('events.ndjson', { event: 'b' })
  expect(readFileSync(join(dir, 'events.ndjson'), 'utf8')).toBe('{"event":"a","what":"one\\ntwo"}\n{"event":"b"}\n')
  expect([modeOf('.'), modeOf('events.ndjson')]).toEqual([0o700, 0o600])
})

test('a home whose membership was cut short says so instead of guessing', () => {
  home.enrolled(anEnrolment())
  writeFileSync(join(dir, 'membership.json'), '{"participant":"as')
  expect(() => home.membership()).toThrow()
})
