import '../../src/kernel/reflect.ts'
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509'
import { createIssuer, createRoot, DAY_MS, issueClientCertificate, issueServerCertificate } from '../../src/ca/ca.ts'
import { createCsr, newTlsKey } from '../../src/ca/csr.ts'
import { NEUTRAL_NAMES } from '../../src/ca/files.ts'
import { type CaSigner, keySigner, signCertificate } from '../../src/ca/signer.ts'
import type { TlsMaterial } from '../../src/http/tls-context.ts'
import { pinOf } from '../../src/http/tls-material.ts'

export const TRUST_DOMAIN = 'programme.test'

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** PEM texts that a TLS client presents, and what a node would know of them. */
export interface ClientIdentity {
  key: string
  cert: string
  /** Trusts the test node. */
  ca: string
  slug: string
  /** The pin, lower-case hex. */
  spki: string
}

export interface TestCa {
  root: string
  issuer: string
  rootSigner: CaSigner
  signer: CaSigner
}

/** How an identity differs from a good one. */
export interface Oddity {
  slug?: string
  key?: KeyObject
  /** Another authority than the programme's. */
  ca?: TestCa
  notBefore?: Date
  notAfter?: Date
  /** OIDs; `undefined` for no extended key usage at all. */
  usages?: readonly string[] | undefined
  authority?: boolean
  uris?: readonly string[]
  dnsNames?: readonly string[]
  withoutIntermediate?: boolean
}

export interface TestPki {
  ca: TestCa
  /** Of a node on 127.0.0.1, ::1 and localhost. */
  material: TlsMaterial
  /** As the programme's CA issues it. */
  participant(slug: string): Promise<ClientIdentity>
  /** As the programme's CA would never issue it. */
  odd(oddity: Oddity): Promise<ClientIdentity>
}

/** A root and an issuer with the neutral names, so that two of them differ by their keys alone. */
export async function testCa(now = new Date()): Promise<TestCa> {
  const root = await createRoot(NEUTRAL_NAMES.root, now)
  const rootSigner = keySigner(root.privateKey, root.certificate)
  const issuer = await createIssuer(rootSigner, NEUTRAL_NAMES.issuer, now)
  return {
    root: root.certificate,
    issuer: issuer.certificate,
    rootSigner,
    signer: keySigner(issuer.privateKey, issuer.certificate),
  }
}

/** A throw-away programme CA and what it certifies. */
export async function testPki(): Promise<TestPki> {
  const ca = await testCa()
  const serverKey = newTlsKey()
  const names = { dnsNames: ['localhost'], ips: ['127.0.0.1', '::1'] }
  const { chain } = await issueServerCertificate(ca.signer, { key: serverKey, ...names, now: new Date() })
  return {
    ca,
    material: { key: pemOf(serverKey), chain, clientRoots: [ca.root], crls: [] },
    participant: async (slug) => {
      const key = newTlsKey()
      const request = { csrPem: await createCsr(key), uri: uriOf(slug), now: new Date() }
      const issued = await issueClientCertificate(ca.signer, request)
      return { key: pemOf(key), cert: issued.chain, ca: ca.root, slug, spki: issued.spki }
    },
    odd: (oddity) => odd(ca, oddity),
  }
}

export const uriOf = (slug: string, trustDomain = TRUST_DOMAIN): string => `spiffe://${trustDomain}/participant/${slug}`

/** The leaf of a chain. */
export const certificateOf = ({ cert }: { cert: string }): X509Certificate => new X509Certificate(cert)

export const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString()

/** 2,048 bits: OpenSSL takes it, the programme does not. */
export const weakKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey

async function odd(home: TestCa, oddity: Oddity): Promise<ClientIdentity> {
  const {
    slug = 'aspen',
    key = newTlsKey(),
    ca = home,
    authority = false,
    uris = [uriOf(slug)],
    dnsNames = [],
  } = oddity
  const usages = 'usages' in oddity ? oddity.usages : [CLIENT_AUTH]
  const now = Date.now()
  const leaf = await signCertificate(ca.signer, {
    commonName: slug,
    publicKey: new PublicKey(createPublicKey(key).export({ format: 'der', type: 'spki' })),
    notBefore: oddity.notBefore ?? new Date(now - DAY_MS),
    notAfter: oddity.notAfter ?? new Date(now + DAY_MS),
    extensions: [
      new BasicConstraintsExtension(authority, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | (authority ? KeyUsageFlags.keyCertSign : 0), true),
      ...(usages === undefined ? [] : [new ExtendedKeyUsageExtension([...usages], false)]),
      new SubjectAlternativeNameExtension(
        [
          ...uris.map((value) => ({ type: 'url' as const, value })),
          ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
        ],
        false,
      ),
    ],
  })
  const pem = leaf.toString('pem')
  return {
    key: pemOf(key),
    cert: oddity.withoutIntermediate === true ? pem : `${pem}\n${ca.issuer}`,
    ca: home.root,
    slug,
    spki: pinOf(new X509Certificate(pem)),
  }
}
