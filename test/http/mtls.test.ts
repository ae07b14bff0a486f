import { once } from 'node:events'
import { Agent, type ServerOptions } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { DAY_MS, issueServerCertificate, makeCrl } from '../../src/ca/ca.ts'
import { newTlsKey } from '../../src/ca/csr.ts'
import { createInstance } from '../../src/http/instance.ts'
import { LIMITS } from '../../src/http/limits.ts'
import type { MtlsLimits } from '../../src/http/mtls.ts'
import type { EnrolledCredential } from '../../src/http/peer.ts'
import type { TlsMaterial } from '../../src/http/tls-context.ts'
import { pinOf } from '../../src/http/tls-material.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import {
  type ClientIdentity,
  certificateOf,
  type Oddity,
  pemOf,
  SERVER_AUTH,
  type TestPki,
  testCa,
  testPki,
  uriOf,
  weakKey,
} from '../support/pki.ts'
import { closeAll, credentialsOf, dial, exchange, get, listen, type TestListener } from './listener.ts'

const SECOND_MS = 1_000
/** The promise for whatever is revoked or expired. */
const CUT_MS = 5_000
/** Long enough on a busy machine, and far from what ends a connection by itself. */
const CLOSED_MS = 20_000

/** What is seen under these limits comes from a change or a request, not from the look at open connections every second. */
const UNTICKED = { tick: DAY_MS }

let pki: TestPki
let aspen: ClientIdentity
let birch: ClientIdentity

beforeAll(async () => {
  pki = await testPki()
  aspen = await pki.participant('aspen')
  birch = await pki.participant('birch')
})
afterEach(closeAll)

/** A listener that knows aspen and birch. */
async function partners(material = pki.material, limits: Partial<MtlsLimits> = {}): Promise<TestListener> {
  const listener = await listen(material, limits)
  listener.directory.set(aspen)
  listener.directory.set(birch)
  return listener
}

const reasonsOf = async (listener: TestListener): Promise<string[]> =>
  (await listener.close()).map(({ address, reason, count }) => `${address} ${reason} ${count}`)

const isClosedWithin = async (socket: TLSSocket, ms: number): Promise<boolean> =>
  socket.closed || Promise.race([once(socket, 'close').then(() => true), delay(ms, false, { ref: false })])

test('an enrolled participant is let in, and the request knows it', async () => {
  const listener = await partners()
  const { participant, credential } = listener.directory.set(aspen)
  const { status, body } = await get(listener, '/peer', credentialsOf(aspen))
  expect(status).toBe(200)
  const leaf = certificateOf(aspen)
  expect(body).toEqual({
    participant,
    credential,
    slug: 'aspen',
    uri: 'spiffe://programme.test/participant/aspen',
    spki: pinOf(leaf),
    leafSha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: leaf.validToDate.toISOString(),
    scopes: ['feed:read', 'signals:submit'],
  })
  expect(await reasonsOf(listener)).toEqual([])
})

describe('a handshake that fails is a closed socket and a logged reason', () => {
  const past = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - SECOND_MS) }
  const future = { notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 2 * DAY_MS) }
  const withoutIntermediate = true
  const cases: readonly [what: string, options: () => Promise<ConnectionOptions>, reason: string][] = [
    ['no certificate', async () => ({ ca: pki.ca.root }), 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ['a rogue CA of the same names', () => oddly({}, true), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ['an expired certificate', () => oddly(past), 'CERT_HAS_EXPIRED'],
    ['a certificate of tomorrow', () => oddly(future), 'CERT_NOT_YET_VALID'],
    ['a server certificate', () => oddly({ usages: [SERVER_AUTH] }), 'INVALID_PURPOSE'],
    ['a certificate for any use', () => oddly({ usages: ['2.5.29.37.0'] }), 'INVALID_PURPOSE'],
    ['no intermediate', () => oddly({ withoutIntermediate }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['TLS 1.2', async () => ({ ...credentialsOf(aspen), maxVersion: 'TLSv1.2' }), 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
    ['ffdhe', async () => ({ ...credentialsOf(aspen), ecdhCurve: 'ffdhe2048' }), 'ERR_SSL_NO_SUITABLE_KEY_SHARE'],
    ['X448', async () => ({ ...credentialsOf(aspen), ecdhCurve: 'X448' }), 'ERR_SSL_NO_SUITABLE_KEY_SHARE'],
  ]
  const oddly = async (oddity: Oddity, rogue = false): Promise<ConnectionOptions> =>
    credentialsOf(await pki.odd(rogue ? { ...oddity, ca: await testCa() } : oddity))

  test.for(cases)('%s', async ([, options, reason]) => {
    const listener = await partners()
    await expect(get(listener, '/peer', await options())).rejects.toThrow()
    expect(await reasonsOf(listener)).toEqual([`127.0.0.1 ${reason} 1`])
  })

  test('silence for longer than the time for a handshake', async () => {
    const listener = await listen(pki.material, { handshakeTimeout: 50 })
    const socket = connectPlain(listener.port, '127.0.0.1')
    await once(socket, 'close')
    expect(await reasonsOf(listener)).toEqual(['127.0.0.1 ERR_TLS_HANDSHAKE_TIMEOUT 1'])
  })
})

describe('a certificate that OpenSSL takes is no credential by itself: 403, a reason, and the end', () => {
  const cases: readonly [what: string, oddity: Oddity, reason: string][] = [
    ['no extended key usage', { usages: undefined }, 'client-auth-missing'],
    ['a certificate authority', { authority: true }, 'certificate-authority'],
    ['two URIs', { uris: [uriOf('aspen'), uriOf('birch')] }, 'uri-count'],
    ['no URI', { uris: [], dnsNames: ['aspen.test'] }, 'uri-count'],
    ['a URI within a DNS name', { uris: [], dnsNames: [`x, URI:${uriOf('aspen')}`] }, 'uri-count'],
    ['another trust domain', { uris: [uriOf('aspen', 'other.test')] }, 'uri-foreign'],
    ['a longer trust domain', { uris: [uriOf('aspen', 'programme.test.evil')] }, 'uri-foreign'],
    ['a longer path', { uris: [`${uriOf('aspen')}/more`] }, 'uri-foreign'],
    ['a weak key', { key: weakKey() }, 'key-weak'],
    ['a key that nobody enrolled', {}, 'key-unknown'],
  ]
  test.for(cases)('%s', async ([, oddity, reason]) => {
    const listener = await partners()
    const identity = await pki.odd(oddity)
    if (reason !== 'key-unknown') listener.directory.set(identity)
    const socket = await dial(listener, credentialsOf(identity))
    const answer = await exchange(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toContain(`{"code":"credential-not-enrolled","reason":"${reason}"}`)
    expect(await isClosedWithin(socket, CLOSED_MS)).toBe(true)
    expect(await reasonsOf(listener)).toEqual([`127.0.0.1 ${reason} 1`])
  })

  test('an enrolled key under the name of another participant', async () => {
    const listener = await partners()
    listener.directory.set(aspen, { slug: 'birch' })
    const { body } = await get(listener, '/peer', credentialsOf(aspen))
    expect(body).toEqual({ code: 'credential-not-enrolled', reason: 'key-of-another' })
  })

  test('a path that does not exist tells a stranger nothing else', async () => {
    const listener = await partners()
    const { status } = await get(listener, '/nowhere', credentialsOf(await pki.odd({})))
    expect(status).toBe(403)
  })

  test('it may not stay, even in silence', async () => {
    const listener = await listen(pki.material, { handshakeTimeout: 200 })
    const socket = await dial(listener, credentialsOf(await pki.odd({})))
    expect(await isClosedWithin(socket, CUT_MS)).toBe(true)
  })
})

describe('each request is judged by what is known now', () => {
  const cases: readonly [change: Partial<EnrolledCredential>, reason: string][] = [
    [{ status: 'suspended' }, 'credential-suspended'],
    [{ status: 'revoked' }, 'credential-revoked'],
    [{ status: 'retired' }, 'credential-retired'],
    [{ participant_status: 'left' }, 'participant-left'],
    [{ not_before: new Date(Date.now() + DAY_MS) }, 'credential-early'],
    [{ not_after: new Date(Date.now() - SECOND_MS) }, 'credential-expired'],
  ]
  test.for(cases)('%o is refused, and its open connections are cut', async ([change, reason]) => {
    const listener = await partners(pki.material, UNTICKED)
    const [idle, busy] = [await dial(listener, credentialsOf(aspen)), await dial(listener, credentialsOf(aspen))]
    const other = await dial(listener, credentialsOf(birch))
    expect(await exchange(idle)).toContain('200 OK')
    const arrived = listener.slow()
    const answer = exchange(busy, '/slow?ms=60000')
    await arrived
    listener.directory.set(aspen, change)
    expect(await isClosedWithin(idle, CUT_MS)).toBe(true)
    expect(await answer).toBe('')
    const { status, body } = await get(listener, '/peer', credentialsOf(aspen))
    expect([status, body]).toEqual([403, { code: 'credential-not-enrolled', reason }])
    expect(await exchange(other)).toContain('200 OK')
    other.destroy()
    expect(await reasonsOf(listener)).toEqual([`127.0.0.1 ${reason} 1`])
  })

  test('a suspended participant is told so, and its open connections are cut', async () => {
    const listener = await partners(pki.material, UNTICKED)
    const socket = await dial(listener, credentialsOf(aspen))
    expect(await exchange(socket)).toContain('200 OK')
    listener.directory.set(aspen, { participant_status: 'suspended' })
    expect(await isClosedWithin(socket, CUT_MS)).toBe(true)
    const { status, body } = await get(listener, '/peer', credentialsOf(aspen))
    expect([status, body]).toEqual([403, { code: 'participant-suspended' }])
  })

  test('other scopes hold from the next request on the same connection', async () => {
    const listener = await partners()
    const socket = await dial(listener, credentialsOf(aspen))
    expect(await exchange(socket)).toContain('"scopes":["feed:read","signals:submit"]')
    listener.directory.set(aspen, { scopes: [] })
    expect(await exchange(socket)).toContain('"scopes":[]')
    socket.destroy()
  })

  test('a certificate that ends is refused on the open connection', async () => {
    const listener = await partners(pki.material, UNTICKED)
    const socket = await dial(listener, credentialsOf(aspen))
    expect(await exchange(socket)).toContain('200 OK')
    listener.advance(7 * DAY_MS)
    expect(await exchange(socket)).toContain('{"code":"credential-not-enrolled","reason":"certificate-expired"}')
    expect(await isClosedWithin(socket, CLOSED_MS)).toBe(true)
  })

  test('a pin that ends is refused on the open connection', async () => {
    const listener = await partners(pki.material, UNTICKED)
    listener.directory.set(aspen, { not_after: new Date(Date.now() + DAY_MS) })
    const socket = await dial(listener, credentialsOf(aspen))
    expect(await exchange(socket)).toContain('200 OK')
    listener.advance(DAY_MS)
    expect(await exchange(socket)).toContain('{"code":"credential-not-enrolled","reason":"credential-expired"}')
    expect(await isClosedWithin(socket, CLOSED_MS)).toBe(true)
  })

  test.for<[what: string, change: Partial<EnrolledCredential>, days: number]>([
    ['certificate', {}, 7],
    ['pin', { not_after: new Date(Date.now() + DAY_MS) }, 1],
  ])('an open connection is cut when its %s ends, even amid an answer', async ([, change, days]) => {
    const listener = await partners()
    listener.directory.set(aspen, change)
    const [idle, busy] = [await dial(listener, credentialsOf(aspen)), await dial(listener, credentialsOf(aspen))]
    expect(await exchange(idle)).toContain('200 OK')
    const arrived = listener.slow()
    const answer = exchange(busy, '/slow?ms=60000')
    await arrived
    listener.advance(days * DAY_MS)
    expect(await isClosedWithin(idle, CUT_MS)).toBe(true)
    expect(await answer).toBe('')
  })

  test('a list of credentials older than 30 seconds lets nobody in, and a fresh one does', async () => {
    const listener = await partners()
    const socket = await dial(listener, credentialsOf(aspen))
    listener.directory.setAge(30_001)
    expect(await exchange(socket)).toMatch(/503 .*"authority-stale"/s)
    const late = await dial(listener, credentialsOf(birch))
    listener.directory.setAge(30_000)
    expect(await exchange(socket)).toContain('200 OK')
    expect(await exchange(late)).toContain('200 OK')
    socket.destroy()
    late.destroy()
  })

  test('a header that vouches for another certificate is refused', async () => {
    const listener = await partners()
    const headers = { 'client-cert': ':AAAA:' }
    const { status, body } = await get(listener, '/peer', { ...credentialsOf(aspen), headers })
    expect([status, body]).toEqual([400, { code: 'invalid-header' }])
  })
})

describe('limits', () => {
  test('a credential has at most 64 connections; the next is told so and closed', async () => {
    const listener = await partners()
    const sockets: TLSSocket[] = []
    for (let i = 0; i < 64; i++) sockets.push(await dial(listener, credentialsOf(aspen)))
    expect(await exchange(sockets[63] ?? failing())).toContain('200 OK')
    const beyond = await dial(listener, credentialsOf(aspen))
    expect(await exchange(beyond)).toMatch(/503 .*"busy"/s)
    expect(await isClosedWithin(beyond, CLOSED_MS)).toBe(true)
    expect((await get(listener, '/peer', credentialsOf(birch))).status).toBe(200)
    sockets.pop()?.destroy()
    await expect.poll(listener.connections).toBe(63)
    expect((await get(listener, '/peer', credentialsOf(aspen))).status).toBe(200)
    for (const socket of sockets) socket.destroy()
    expect(await reasonsOf(listener)).toEqual(['127.0.0.1 too-many-connections 1'])
  })

  test('the listener has at most as many connections as it was given', async () => {
    const listener = await listen(pki.material, { connections: 1 })
    listener.directory.set(aspen)
    const socket = await dial(listener, credentialsOf(aspen))
    await expect(get(listener, '/peer', credentialsOf(aspen))).rejects.toThrow()
    expect(await exchange(socket)).toContain('200 OK')
    socket.destroy()
    expect(await reasonsOf(listener)).toEqual(['127.0.0.1 too-many-connections 1'])
  })

  test('an address opens at most as many connections at once as it was given', async () => {
    const listener = await listen(pki.material, { connectionRate: 0, connectionBurst: 2 })
    listener.directory.set(aspen)
    for (let i = 0; i < 2; i++) expect((await get(listener, '/peer', credentialsOf(aspen))).status).toBe(200)
    await expect(get(listener, '/peer', credentialsOf(aspen))).rejects.toThrow()
    expect(await reasonsOf(listener)).toEqual(['127.0.0.1 connection-rate 1'])
  })

  test('an hour after it was opened a connection ends, an answer under way goes out first', async () => {
    const listener = await partners()
    const [idle, busy] = [await dial(listener, credentialsOf(aspen)), await dial(listener, credentialsOf(aspen))]
    const arrived = listener.slow()
    const answer = exchange(busy, '/slow?ms=1500')
    await arrived
    listener.advance(3_600_000)
    expect(await isClosedWithin(idle, CUT_MS)).toBe(true)
    expect(await answer).toContain('200 OK')
    expect(await isClosedWithin(busy, CLOSED_MS)).toBe(true)
  })

  describe('a request that is refused for its head does not count as one under way', () => {
    const HOUR_MS = 3_600_000
    const instanceOf = (https: ServerOptions) => createInstance({ https, onFinished: () => {}, onFault: () => {} })
    const cases: readonly [what: string, status: number, path: string, headers: string[]][] = [
      ['no Host', 400, '/peer', []],
      ['a Content-Encoding', 415, '/peer', ['host: localhost', 'content-encoding: gzip']],
      ['a URL over 2 KiB', 414, `/peer?${'x'.repeat(LIMITS.url_bytes)}`, ['host: localhost']],
    ]
    /** A connection over which a request was refused for its head. */
    const refused = async ([, status, path, headers]: (typeof cases)[number]) => {
      const listener = await listen(pki.material, {}, instanceOf)
      listener.directory.set(aspen)
      const socket = await dial(listener, credentialsOf(aspen))
      expect(await exchange(socket, path, headers)).toContain(`HTTP/1.1 ${status} `)
      return { listener, socket }
    }

    test.for(cases)('behind %s the connection ends after an hour all the same', async (one) => {
      const { listener, socket } = await refused(one)
      expect(await exchange(socket)).toContain('200 OK')
      listener.advance(HOUR_MS)
      expect(await isClosedWithin(socket, CUT_MS)).toBe(true)
    })

    test.for(cases)('behind %s an answer under way goes out first', async (one) => {
      const { listener, socket } = await refused(one)
      const arrived = listener.slow()
      const answer = exchange(socket, '/slow?ms=2500')
      await arrived
      listener.advance(HOUR_MS)
      expect(await answer).toContain('200 OK')
      expect(await isClosedWithin(socket, CLOSED_MS)).toBe(true)
    })
  })
})

describe('a session is never resumed', () => {
  const sessionOf = async (listener: TestListener): Promise<Buffer | undefined> => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, servername: 'localhost', ...credentialsOf(aspen) })
    const sessions: Buffer[] = []
    socket.on('session', (session) => sessions.push(session)).on('error', () => {})
    await once(socket, 'secureConnect')
    await exchange(socket)
    await delay(50)
    socket.destroy()
    return sessions.at(-1)
  }

  test.for([['at first'], ['after a reload']])('%s', async ([when]) => {
    const listener = await partners()
    if (when === 'after a reload') await listener.mtls.reload(pki.material)
    const session = await sessionOf(listener)
    const again = await dial(listener, { ...credentialsOf(aspen), ...(session === undefined ? {} : { session }) })
    expect(again.isSessionReused()).toBe(false)
    again.destroy()
    // Without the private key a session would be all that is left to show.
    const bare = { ca: pki.ca.root, ...(session === undefined ? {} : { session }) }
    await expect(get(listener, '/peer', bare)).rejects.toThrow()
  })
})

describe('reload', () => {
  const renewed = async (): Promise<TlsMaterial> => {
    const key = newTlsKey()
    const names = { dnsNames: ['localhost'], ips: ['127.0.0.1'] }
    const { chain } = await issueServerCertificate(pki.ca.signer, { key, ...names, now: new Date() })
    return { ...pki.material, key: pemOf(key), chain }
  }
  const served = async (listener: TestListener): Promise<string> => {
    const socket = await dial(listener, credentialsOf(aspen))
    const { fingerprint256 } = socket.getPeerCertificate()
    await exchange(socket)
    socket.destroy()
    return fingerprint256
  }

  test('another certificate is served, TLS 1.2 stays refused, old connections end', async () => {
    const listener = await partners()
    const old = await dial(listener, credentialsOf(aspen))
    expect(await exchange(old)).toContain('200 OK')
    const before = await served(listener)
    await listener.mtls.reload(await renewed())
    expect(await isClosedWithin(old, CLOSED_MS)).toBe(true)
    expect(await served(listener)).not.toBe(before)
    const options: ConnectionOptions = { ...credentialsOf(aspen), maxVersion: 'TLSv1.2' }
    await expect(get(listener, '/peer', options)).rejects.toThrow()
    await expect(get(listener, '/peer', { ca: pki.ca.root })).rejects.toThrow()
    expect(await reasonsOf(listener)).toEqual([
      '127.0.0.1 ERR_SSL_UNSUPPORTED_PROTOCOL 1',
      '127.0.0.1 ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE 1',
    ])
  })

  test('material that would not do changes nothing', async () => {
    const listener = await partners()
    const before = await served(listener)
    const socket = await dial(listener, credentialsOf(aspen))
    expect(await exchange(socket)).toContain('200 OK')
    await expect(listener.mtls.reload({ ...(await renewed()), key: pemOf(newTlsKey()) })).rejects.toThrow(StartRefused)
    expect(await exchange(socket)).toContain('200 OK')
    expect(await served(listener)).toBe(before)
    socket.destroy()
  })

  test('a root that is gone is gone for new and for kept connections', async () => {
    const listener = await partners()
    const agent = new Agent({ keepAlive: true })
    expect((await get(listener, '/peer', { ...credentialsOf(aspen), agent })).status).toBe(200)
    await listener.mtls.reload({ ...pki.material, clientRoots: [(await testCa()).root] })
    await expect(get(listener, '/peer', { ...credentialsOf(aspen), agent })).rejects.toThrow()
    agent.destroy()
  })

  test('a certificate on a CRL is refused, and the others are not', async () => {
    const now = new Date()
    const nextUpdate = new Date(now.getTime() + DAY_MS)
    const serial = certificateOf(aspen).serialNumber.toLowerCase()
    const crls = [
      await makeCrl(pki.ca.rootSigner, { revoked: [], number: 1n, now, nextUpdate }),
      await makeCrl(pki.ca.signer, { revoked: [{ serial, at: now }], number: 300n, now, nextUpdate }),
    ]
    const listener = await partners()
    await listener.mtls.reload({ ...pki.material, crls, issuers: [pki.ca.issuer] })
    await expect(get(listener, '/peer', credentialsOf(aspen))).rejects.toThrow()
    expect((await get(listener, '/peer', credentialsOf(birch))).status).toBe(200)
    expect(await reasonsOf(listener)).toEqual(['127.0.0.1 CERT_REVOKED 1'])
  })
})

test('of several roots, each certifies the participants that it is bound to', async () => {
  const other = await testCa()
  const bind = (root: string, slugs: string[]): [string, string[]] => [pinOf(certificateOf({ cert: root })), slugs]
  const two = { clientRoots: [pki.ca.root, other.root], issuers: [pki.ca.issuer, other.issuer] }
  const rootBindings = Object.fromEntries([bind(pki.ca.root, ['*']), bind(other.root, ['cedar'])])
  const listener = await partners({ ...pki.material, ...two, rootBindings })
  const cedar = await pki.odd({ slug: 'cedar', ca: other })
  const foreignAspen = await pki.odd({ slug: 'aspen', ca: other })
  listener.directory.set(cedar)
  listener.directory.set(foreignAspen)
  expect((await get(listener, '/peer', credentialsOf(aspen))).status).toBe(200)
  expect((await get(listener, '/peer', credentialsOf(cedar))).status).toBe(200)
  const unbound = { code: 'credential-not-enrolled', reason: 'root-not-bound' }
  expect((await get(listener, '/peer', credentialsOf(foreignAspen))).body).toEqual(unbound)
  const narrower = Object.fromEntries([bind(pki.ca.root, ['*']), bind(other.root, [])])
  await listener.mtls.reload({ ...pki.material, ...two, rootBindings: narrower })
  expect((await get(listener, '/peer', credentialsOf(cedar))).body).toEqual(unbound)
})

const failing = (): never => {
  throw new Error('there is no such connection')
}
