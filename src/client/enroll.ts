import '../kernel/reflect.ts'
import { createHash, type X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { answerTo } from '../kernel/answer-to.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { type EnrolmentResult, enrolmentProof } from '../participants/schema.ts'
import { VerificationFailed } from './errors.ts'
import type { OwnSigningKey } from './signing-key.ts'
import { collect, problemOf, REFUSAL_MAX } from './transport.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const TIMEOUT_MS = 30_000

/** A TLS key with the request (RFC 2986) that asks for a certificate over it; the key never leaves this machine. */
export interface TlsKey {
  /** PEM, PKCS #8. */
  key: string
  csr: string
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  spki: string
}

export async function makeTlsKey(): Promise<TlsKey> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${(pkcs8.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`,
    csr: await requestFor(keys),
    spki: createHash('sha256').update(spki).digest('hex'),
  }
}

/** A request for another leaf over a key that is enrolled. */
export async function requestOver(keyPem: string): Promise<string> {
  const der = Buffer.from(keyPem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  const privateKey = await crypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign'])
  const { d: _, key_ops: _ops, ...jwk } = await crypto.subtle.exportKey('jwk', privateKey)
  const publicKey = await crypto.subtle.importKey('jwk', jwk, ALGORITHM, true, ['verify'])
  return requestFor({ privateKey, publicKey })
}

async function requestFor(keys: CryptoKeyPair): Promise<string> {
  const made = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=aldis', keys, signingAlgorithm: ALGORITHM })
  return `${made.toString('pem').trim()}\n`
}

export interface EnrolOptions {
  /** `https://host:port` of the enrolment listener. */
  origin: string
  code: string
  tls: TlsKey
  signing: OwnSigningKey
}

/**
 * Redeems a one-time code. The code begins with the digest of the node's own key, so the first connection is already
 * known to reach the right node. Throws `VerificationFailed` if it does not, `AldisError` if the node refuses, `AnswerTooLong` beyond 64 KiB.
 */
export async function enroll({ origin, code, tls, signing }: EnrolOptions): Promise<EnrolmentResult> {
  const proof = toBase64Url(await signing.sign(enrolmentProof(code, tls.spki)))
  const body = JSON.stringify({ code, csr_pem: tls.csr, signing_jwk: signing.jwk, proof })
  const url = new URL('/enroll', origin)
  const socket = await connectPinned(url, code)
  return new Promise((resolve, reject) => {
    const out = request(url, {
      method: 'POST',
      createConnection: () => socket,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' },
      timeout: TIMEOUT_MS,
    })
    out.on('timeout', () => out.destroy(new Error('the node did not answer in time')))
    out.on('error', reject)
    answerTo(out)
      .then(async (message) => {
        const received = await collect(message, REFUSAL_MAX)
        const status = message.statusCode ?? 0
        if (status !== 201) throw problemOf({ status, headers: message.headers, body: received })
        resolve(JSON.parse(received.toString()) as EnrolmentResult)
      })
      .catch(reject)
    out.end(body)
  })
}

/** A connection to the very key that the code names. */
function connectPinned(url: URL, code: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      minVersion: 'TLSv1.3',
      // No certificate is known yet; the key is checked below, before the first byte is sent.
      rejectUnauthorized: false,
    })
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the node did not answer in time')))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate()
      const pin = leaf === undefined ? '' : pinOf(leaf)
      if (pin !== '' && code.startsWith(`${pin.slice(0, 16)}.`)) return resolve(socket)
      socket.destroy()
      reject(new VerificationFailed('enrolment', 'the node at this address has another key than the code names'))
    })
  })
}

const pinOf = (leaf: X509Certificate): string =>
  createHash('sha256')
    .update(leaf.publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex')
