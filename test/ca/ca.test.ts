import '../../src/kernel/reflect.ts'
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as Parsed,
  SubjectAlternativeNameExtension,
  X509Crl,
} from '@peculiar/x509'
import { beforeAll, describe, expect, test } from 'vitest'
import { DAY_MS, type Issued, issueClientCertificate, issueServerCertificate, makeCrl } from '../../src/ca/ca.ts'
import { createCsr, newTlsKey } from '../../src/ca/csr.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { CLIENT_AUTH, SERVER_AUTH, type TestCa, testCa, uriOf, weakKey } from '../support/pki.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const inDays = (n: number): Date => new Date(NOW.getTime() + n * DAY_MS)

let ca: TestCa

beforeAll(async () => {
  ca = await testCa(NOW)
})

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const issue = async (key: KeyObject, more: { notAfter?: Date; uri?: string } = {}): Promise<Issued> =>
  issueClientCertificate(ca.signer, { csrPem: await createCsr(key), uri: uriOf('aspen'), now: NOW, ...more })

test('a client certificate says what the CA says, whatever the request wants', async () => {
  const key = newTlsKey()
  const { chain, spki, serial, notAfter } = await issue(key)
  const leaf = new X509Certificate(chain)
  const parsed = new Parsed(leaf.raw)
  expect(leaf.subject).toBe('CN=aspen')
  expect(leaf.issuer).toBe('CN=Issuer 1')
  expect([leaf.ca, leaf.keyUsage]).toEqual([false, [CLIENT_AUTH]])
  expect(parsed.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
    { type: 'url', value: 'spiffe://programme.test/participant/aspen' },
  ])
  expect(parsed.getExtension(KeyUsagesExtension)?.usages).toBe(KeyUsageFlags.digitalSignature)
  expect(parsed.getExtension(BasicConstraintsExtension)?.critical).toBe(true)
  expect(spki).toBe(sha256(createPublicKey(key).export({ format: 'der', type: 'spki' })).toString('hex'))
  expect(serial).toBe(leaf.serialNumber.toLowerCase())
  expect([notAfter, leaf.validToDate]).toEqual([inDays(7), inDays(7)])
  expect(leaf.validFromDate < NOW).toBe(true)
  expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
})

test('leaf, issuer and root hang together', async () => {
  const [leaf, issuer, root] = [(await issue(newTlsKey())).chain, ca.issuer, ca.root].map(
    (pem) => new X509Certificate(pem),
  )
  if (leaf === undefined || issuer === undefined || root === undefined) throw new Error('a certificate is missing')
  expect([leaf.checkIssued(issuer), leaf.verify(issuer.publicKey)]).toEqual([true, true])
  expect([issuer.checkIssued(root), issuer.verify(root.publicKey)]).toEqual([true, true])
  expect([root.checkIssued(root), root.verify(root.publicKey)]).toEqual([true, true])
  expect([issuer.ca, root.ca]).toEqual([true, true])
  expect(new Parsed(ca.issuer).getExtension(BasicConstraintsExtension)?.pathLength).toBe(0)
  expect([issuer.validToDate, root.validToDate]).toEqual([inDays(365), inDays(3_652)])
})

test('names that anyone is shown tell nothing', () => {
  const { subject, issuer } = new X509Certificate(ca.issuer)
  expect([subject, issuer]).toEqual(['CN=Issuer 1', 'CN=Root 1'])
})

test('serial numbers are positive, 16 bytes long and never the same', async () => {
  const serials = await Promise.all(Array.from({ length: 20 }, async () => (await issue(newTlsKey())).serial))
  expect(new Set(serials).size).toBe(20)
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/)
})

describe('a request', () => {
  test.for<[name: string, key: () => KeyObject]>([
    ['P-256', () => ec('P-256')],
    ['P-384', () => ec('P-384')],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
    ['RSA of 3,072 bits', () => generateKeyPairSync('rsa', { modulusLength: 3_072 }).privateKey],
  ])('over %s is granted', async ([, make]) => {
    const key = make()
    const leaf = new X509Certificate((await issue(key)).chain)
    expect(leaf.checkPrivateKey(key)).toBe(true)
  })

  const tampered = async (): Promise<string> => {
    const pem = await createCsr(newTlsKey())
    const der = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
    return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
  }
  test.for<[what: string, csrPem: () => Promise<string>]>([
    ['over RSA of 2,048 bits', () => createCsr(weakKey())],
    ['that its key did not sign', tampered],
    ['that is none', async () => 'x'],
    ['that is empty', async () => ''],
    ['that is a certificate', async () => ca.root],
  ])('%s is refused', async ([, csrPem]) => {
    const refused = issueClientCertificate(ca.signer, { csrPem: await csrPem(), uri: uriOf('aspen'), now: NOW })
    await expect(refused).rejects.toThrow(Refusal)
    await expect(refused).rejects.toMatchObject({ code: 'certificate-request-refused' })
  })
})

test.for([
  ['https://programme.test/participant/aspen'],
  ['spiffe://programme.test/participant/Aspen'],
  ['spiffe://programme.test/participant/aspen/x'],
  ['spiffe://programme.test/node/aspen'],
  ['spiffe:///participant/aspen'],
])('%s is not the name of a participant', async ([uri]) => {
  await expect(issue(newTlsKey(), { uri: uri ?? '' })).rejects.toThrow(RangeError)
})

test('a client certificate lives for seven days at most, and never longer than its issuer', async () => {
  await expect(issue(newTlsKey(), { notAfter: new Date(inDays(7).getTime() + 1) })).rejects.toThrow(RangeError)
  await expect(issue(newTlsKey(), { notAfter: NOW })).rejects.toThrow(RangeError)
  expect((await issue(newTlsKey(), { notAfter: inDays(1) })).notAfter).toEqual(inDays(1))
  const request = { csrPem: await createCsr(newTlsKey()), uri: uriOf('aspen') }
  expect((await issueClientCertificate(ca.signer, { ...request, now: inDays(363) })).notAfter).toEqual(inDays(365))
  await expect(issueClientCertificate(ca.signer, { ...request, now: inDays(365) })).rejects.toThrow(/issuer/)
})

test('a server certificate names its hosts and is for servers', async () => {
  const key = newTlsKey()
  const request = { dnsNames: ['node.test'], ips: ['127.0.0.1', '::1'], now: NOW }
  const byKey = new X509Certificate((await issueServerCertificate(ca.signer, { key, ...request })).chain)
  expect([byKey.checkHost('node.test'), byKey.checkIP('127.0.0.1'), byKey.checkIP('::1')]).not.toContain(undefined)
  expect([byKey.checkHost('other.test'), byKey.checkIP('127.0.0.2')]).toEqual([undefined, undefined])
  expect([byKey.keyUsage, byKey.ca, byKey.validToDate]).toEqual([[SERVER_AUTH, CLIENT_AUTH], false, inDays(90)])
  const csrPem = await createCsr(key)
  const byRequest = new X509Certificate((await issueServerCertificate(ca.signer, { csrPem, ...request })).chain)
  expect(byRequest.checkPrivateKey(key)).toBe(true)
  const nameless = issueServerCertificate(ca.signer, { key, dnsNames: [], ips: [], now: NOW })
  await expect(nameless).rejects.toThrow(RangeError)
})

test('a CRL names what is revoked, verifies, and bears the label that OpenSSL reads', async () => {
  const { serial } = await issue(newTlsKey())
  const pem = await makeCrl(ca.signer, {
    revoked: [{ serial, at: NOW, reason: 'superseded' }],
    number: 200n,
    now: NOW,
    nextUpdate: inDays(1),
  })
  expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n/)
  const crl = new X509Crl(pem)
  expect(await crl.verify({ publicKey: new Parsed(ca.issuer) })).toBe(true)
  expect(await crl.verify({ publicKey: new Parsed(ca.root) })).toBe(false)
  expect(crl.entries.map((entry) => [entry.serialNumber, entry.revocationDate, entry.reason])).toEqual([
    [serial, NOW, 4],
  ])
  expect([crl.thisUpdate, crl.nextUpdate]).toEqual([NOW, inDays(1)])
  expect(Buffer.from(crl.getExtension('2.5.29.20')?.value ?? new ArrayBuffer()).toString('hex')).toBe('020200c8')
})
