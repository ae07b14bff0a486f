import { beforeAll, expect, test } from 'vitest'
import { DAY_MS, issueServerCertificate, makeCrl } from '../../src/ca/ca.ts'
import { newTlsKey } from '../../src/ca/csr.ts'
import type { CaSigner } from '../../src/ca/signer.ts'
import type { TlsMaterial } from '../../src/http/tls-context.ts'
import { checkMaterial, pinOf } from '../../src/http/tls-material.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { CLIENT_AUTH, certificateOf, pemOf, type TestPki, testCa, testPki, weakKey } from '../support/pki.ts'

const NOW = new Date()

let pki: TestPki

beforeAll(async () => {
  pki = await testPki()
})

const crlOf = (signer: CaSigner, nextUpdate = new Date(NOW.getTime() + DAY_MS), now = NOW): Promise<string> =>
  makeCrl(signer, { revoked: [{ serial: '40', at: now, reason: 'keyCompromise' }], number: 1n, now, nextUpdate })

const withCrls = async (): Promise<Partial<TlsMaterial>> => ({
  crls: [await crlOf(pki.ca.rootSigner), await crlOf(pki.ca.signer)],
  issuers: [pki.ca.issuer],
})

test('sound material is taken, with CRLs of every issuer too', async () => {
  await checkMaterial(pki.material, NOW)
  await checkMaterial({ ...pki.material, ...(await withCrls()) }, NOW)
})

const clientCertificate = async (): Promise<Partial<TlsMaterial>> => {
  const { key, cert } = await pki.odd({ usages: [CLIENT_AUTH] })
  return { key, chain: cert }
}
const weakServer = async (): Promise<Partial<TlsMaterial>> => {
  const key = weakKey()
  const { chain } = await issueServerCertificate(pki.ca.signer, { key, dnsNames: ['localhost'], ips: [], now: NOW })
  return { key: pemOf(key), chain }
}
const turned = (): string => {
  const [leaf = '', issuer = ''] = pki.material.chain.split(/(?<=-----END CERTIFICATE-----\n)/)
  return `${leaf}${pki.ca.root}\n${issuer}`
}
const refused: readonly [what: string, change: () => Promise<Partial<TlsMaterial>>, why: RegExp][] = [
  ['a key of another certificate', async () => ({ key: pemOf(newTlsKey()) }), /key is not the key/],
  ['a key that is none', async () => ({ key: 'x' }), /key is not the key/],
  ['no chain', async () => ({ chain: '' }), /chain is empty/],
  ['a chain in disorder', async () => ({ chain: turned() }), /not in order/],
  ['a client certificate', clientCertificate, /not for servers/],
  ['a weak key', weakServer, /weak key/],
  ['no root', async () => ({ clientRoots: [] }), /root is missing/],
  ['a leaf as root', async () => ({ clientRoots: [(await pki.odd({})).cert] }), /not the certificate of an authority/],
  [
    'a root that is no certificate',
    async () => ({ clientRoots: ['-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----'] }),
    /not readable/,
  ],
  [
    'a second root that is bound to nobody',
    async () => ({ clientRoots: [pki.ca.root, (await testCa()).root] }),
    /bound/,
  ],
  [
    'CRLs of a part of the issuers',
    async () => ({ ...(await withCrls()), crls: [await crlOf(pki.ca.signer)] }),
    /one of each/,
  ],
  ['a CRL of a stranger', async () => ({ crls: [await crlOf((await testCa()).rootSigner)] }), /signed by none/],
  [
    'a CRL under the label that OpenSSL passes over',
    async () => ({ crls: [(await crlOf(pki.ca.rootSigner)).replaceAll('X509 CRL', 'CRL')] }),
    /label/,
  ],
  [
    'an expired CRL',
    async () => ({ crls: [await crlOf(pki.ca.rootSigner, NOW, new Date(NOW.getTime() - DAY_MS))] }),
    /CRL is expired/,
  ],
]
test.for(refused)('%s is refused before OpenSSL sees it', async ([, change, why]) => {
  const checked = checkMaterial({ ...pki.material, ...(await change()) }, NOW)
  await expect(checked).rejects.toThrow(StartRefused)
  await expect(checked).rejects.toThrow(why)
})

test('a server certificate that has ended is refused', async () => {
  await expect(checkMaterial(pki.material, new Date(NOW.getTime() + 91 * DAY_MS))).rejects.toThrow(/expired/)
})

test('two roots that are bound are taken', async () => {
  const other = await testCa()
  const clientRoots = [pki.ca.root, other.root]
  const rootBindings = Object.fromEntries(clientRoots.map((cert) => [pinOf(certificateOf({ cert })), ['*']]))
  await checkMaterial({ ...pki.material, clientRoots, rootBindings }, NOW)
  expect(Object.keys(rootBindings)).toHaveLength(2)
})
