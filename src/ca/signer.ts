import '../kernel/reflect.ts'
import { type KeyObject, randomBytes, sign } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  type Extension,
  PemConverter,
  type PublicKey,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type X509CrlEntryParams,
  X509CrlGenerator,
} from '@peculiar/x509'

/** What a key store of the programme's CA does, be it a file or a KMS: it signs, and never gives the key away. */
export interface CaSigner {
  /** PEM: the certificate of the signing key first, then any between it and the root; the root is left out. */
  issuerCertificate(): string
  /** ECDSA on P-256 with SHA-256 over the DER given; r || s of 64 bytes (IEEE P1363). */
  sign(tbs: Uint8Array): Promise<Uint8Array>
}

export interface CertificateTemplate {
  /** The one relative distinguished name, CN. */
  commonName: string
  publicKey: PublicKey
  notBefore: Date
  notAfter: Date
  extensions: Extension[]
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A signer over a P-256 private key in memory. */
export const keySigner = (key: KeyObject, issuerPem: string): CaSigner => ({
  issuerCertificate: () => issuerPem,
  sign: async (tbs) => sign('sha256', tbs, { key, dsaEncoding: 'ieee-p1363' }),
})

/** The X.509 v3 certificate (RFC 5280) of the template, with key identifiers and a random serial added. */
export async function signCertificate(signer: CaSigner, template: CertificateTemplate): Promise<X509Certificate> {
  const issuer = new X509Certificate(signer.issuerCertificate())
  const { commonName, publicKey, notBefore, notAfter, extensions } = template
  const { signingKey, crypto } = await delegate(signer, issuer)
  return X509CertificateGenerator.create(
    {
      serialNumber: randomSerial(),
      subject: [{ CN: [commonName] }],
      issuer: issuer.subjectName,
      notBefore,
      notAfter,
      publicKey,
      extensions: [
        ...extensions,
        await SubjectKeyIdentifierExtension.create(publicKey),
        await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ],
      signingAlgorithm: ALGORITHM,
      signingKey,
    },
    crypto,
  )
}

export interface CrlTemplate {
  thisUpdate: Date
  nextUpdate: Date
  entries: X509CrlEntryParams[]
  extensions: Extension[]
}

/** The CRL (RFC 5280 section 5) under the label that OpenSSL reads; the library's own, `CRL`, it does not. */
export async function signCrl(signer: CaSigner, template: CrlTemplate): Promise<string> {
  const issuer = new X509Certificate(signer.issuerCertificate())
  const { signingKey, crypto } = await delegate(signer, issuer)
  const identifier = await AuthorityKeyIdentifierExtension.create(issuer.publicKey)
  const crl = await X509CrlGenerator.create(
    {
      ...template,
      issuer: issuer.subjectName,
      extensions: [...template.extensions, identifier],
      signingAlgorithm: ALGORITHM,
      signingKey,
    },
    crypto,
  )
  return PemConverter.encode(crl.rawData, 'X509 CRL')
}

/** 128 random bits, positive: the top bit is clear and the next one set, so that DER neither pads nor shortens it. */
export function randomSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** The library signs with WebCrypto; here its one call is handed on, and the key it is shown is the public one. */
async function delegate(signer: CaSigner, issuer: X509Certificate): Promise<{ signingKey: CryptoKey; crypto: Crypto }> {
  const signed = async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer): Promise<ArrayBuffer> =>
    new Uint8Array(await signer.sign(new Uint8Array(tbs))).buffer
  const subtle = new Proxy(globalThis.crypto.subtle, {
    get: (target, name) => (name === 'sign' ? signed : Reflect.get(target, name, target)),
  })
  const crypto = new Proxy(globalThis.crypto, {
    get: (target, name) => (name === 'subtle' ? subtle : Reflect.get(target, name, target)),
  })
  return { signingKey: await issuer.publicKey.export(), crypto }
}
