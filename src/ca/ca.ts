import '../kernel/reflect.ts'
import { createPublicKey, KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlReason,
} from '@peculiar/x509'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { keyOfRequest } from './request.ts'
import { type CaSigner, randomSerial, signCertificate, signCrl } from './signer.ts'

export const DAY_MS = 86_400_000
/** The longest life of a participant's certificate; the key under it is pinned for longer. */
const CLIENT_DAYS = 7
const SERVER_DAYS = 90
const ISSUER_DAYS = 365
const ROOT_DAYS = 3_652
/** Clocks of participants and node differ; a fresh certificate is valid for those that are behind. */
const SKEW_MS = 300_000

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CRL_NUMBER = '2.5.29.20'
const URI = /^spiffe:\/\/[a-z0-9][a-z0-9._-]{0,254}\/participant\/([a-z0-9][a-z0-9-]{1,62})$/

export interface Issued {
  /** PEM: leaf first, then the issuer; what the holder presents. */
  chain: string
  /** Lower-case hex. */
  serial: string
  notBefore: Date
  notAfter: Date
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  spki: string
}

export interface ClientRequest {
  csrPem: string
  /** `spiffe://<trust domain>/participant/<slug>`, the one name that is certified. */
  uri: string
  now: Date
  /** At most seven days after `now`, which is also the default; the issuer's own end cuts it. */
  notAfter?: Date
}

/**
 * A participant's certificate. Only the key is taken from the request, and only after its self-signature verifies;
 * throws `certificate-request-refused` otherwise.
 */
export async function issueClientCertificate(signer: CaSigner, request: ClientRequest): Promise<Issued> {
  const { csrPem, uri, now, notAfter = after(now, CLIENT_DAYS) } = request
  const slug = URI.exec(uri)?.[1]
  if (slug === undefined) throw new RangeError('the URI is not the name of a participant')
  if (notAfter <= now || notAfter > after(now, CLIENT_DAYS))
    throw new RangeError('a client certificate lives for 7 days')
  const publicKey = await keyOfRequest(csrPem)
  return issueLeaf(signer, {
    commonName: slug,
    publicKey,
    now,
    notAfter,
    usages: [CLIENT_AUTH],
    names: [{ type: 'url', value: uri }],
  })
}

export type ServerRequest = { csrPem: string } | { key: KeyObject }

export interface ServerNames {
  dnsNames: readonly string[]
  ips: readonly string[]
}

/** A server certificate of at most 90 days for a node that has none from elsewhere: single nodes, the demo, tests. */
export async function issueServerCertificate(
  signer: CaSigner,
  request: ServerRequest & ServerNames & { now: Date; notAfter?: Date },
): Promise<Issued> {
  const { dnsNames, ips, now, notAfter = after(now, SERVER_DAYS) } = request
  const first = dnsNames[0] ?? ips[0]
  if (first === undefined) throw new RangeError('a server certificate names at least one host')
  if (ips.some((ip) => isIP(ip) === 0)) throw new RangeError('not an IP address')
  if (notAfter <= now || notAfter > after(now, SERVER_DAYS))
    throw new RangeError('a server certificate lives for 90 days')
  const publicKey = 'csrPem' in request ? await keyOfRequest(request.csrPem) : publicKeyOf(request.key)
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
  ]
  // A common name holds 64 characters at most; nothing reads it.
  // A node also posts to receivers that ask who it is.
  const usages = [SERVER_AUTH, CLIENT_AUTH]
  return issueLeaf(signer, { commonName: first.slice(0, 64), publicKey, now, notAfter, usages, names })
}

export interface RevokedCertificate {
  /** Lower-case hex. */
  serial: string
  at: Date
  /** RFC 5280 section 5.3.1; unspecified if missing. */
  reason?: 'keyCompromise' | 'affiliationChanged' | 'superseded' | 'cessationOfOperation'
}

export interface CrlRequest {
  revoked: readonly RevokedCertificate[]
  /** Grows with each CRL of the issuer. */
  number: bigint
  now: Date
  /** When the next one is there at the latest: OpenSSL lets nobody in on an expired list. */
  nextUpdate: Date
}

/** A CRL of the signer's own certificates, PEM `X509 CRL`. The node needs one of every issuer in the chain, or none. */
export function makeCrl(signer: CaSigner, { revoked, number, now, nextUpdate }: CrlRequest): Promise<string> {
  return signCrl(signer, {
    thisUpdate: now,
    nextUpdate,
    extensions: [new Extension(CRL_NUMBER, false, derInteger(number))],
    entries: revoked.map(({ serial, at, reason }) => ({
      serialNumber: serial,
      revocationDate: at,
      ...(reason === undefined ? {} : { reason: X509CrlReason[reason] }),
    })),
  })
}

export interface CaKey {
  privateKey: KeyObject
  certificate: string
}

/** A self-signed root of ten years over a fresh P-256 key. */
export async function createRoot(commonName: string, now: Date): Promise<CaKey> {
  const keys = await freshKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: after(now, ROOT_DAYS),
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    // Two roots may bear the same neutral name; their key identifiers tell them apart.
    extensions: [...authority(undefined), await SubjectKeyIdentifierExtension.create(keys.publicKey)],
  })
  return { privateKey: KeyObject.from(keys.privateKey), certificate: certificate.toString('pem') }
}

/** An issuer of one year under the root, over a fresh P-256 key; it can sign leaves alone (path length 0). */
export async function createIssuer(root: CaSigner, commonName: string, now: Date): Promise<CaKey> {
  const keys = await freshKeys()
  const certificate = await signCertificate(root, {
    commonName,
    publicKey: await PublicKey.create(keys.publicKey),
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: earlier(after(now, ISSUER_DAYS), new X509Certificate(root.issuerCertificate()).notAfter),
    extensions: authority(0),
  })
  return { privateKey: KeyObject.from(keys.privateKey), certificate: certificate.toString('pem') }
}

interface Leaf {
  commonName: string
  publicKey: PublicKey
  now: Date
  notAfter: Date
  usages: string[]
  names: { type: 'url' | 'dns' | 'ip'; value: string }[]
}

async function issueLeaf(
  signer: CaSigner,
  { commonName, publicKey, now, notAfter, usages, names }: Leaf,
): Promise<Issued> {
  const issuer = new X509Certificate(signer.issuerCertificate())
  if (now < issuer.notBefore || now >= issuer.notAfter) throw new Refusal('issuer-ended')
  const leaf = await signCertificate(signer, {
    commonName,
    publicKey,
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: earlier(notAfter, issuer.notAfter),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages, false),
      new SubjectAlternativeNameExtension(names, false),
    ],
  })
  return {
    chain: `${leaf.toString('pem')}\n${signer.issuerCertificate().trim()}\n`,
    serial: leaf.serialNumber,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
    spki: sha256(new Uint8Array(leaf.publicKey.rawData)).toString('hex'),
  }
}

const publicKeyOf = (key: KeyObject): PublicKey =>
  new PublicKey((key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' }))

const authority = (pathLength: number | undefined): Extension[] => [
  new BasicConstraintsExtension(true, pathLength, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
]

const freshKeys = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])

const after = (now: Date, days: number): Date => new Date(now.getTime() + days * DAY_MS)
const earlier = (a: Date, b: Date): Date => (a < b ? a : b)

/** DER of a non-negative INTEGER below 2^64. */
function derInteger(value: bigint): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const positive = (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  return Buffer.concat([Buffer.of(2, positive.length), positive])
}
