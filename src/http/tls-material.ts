import '../kernel/reflect.ts'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { PublicKey, X509Crl } from '@peculiar/x509'
import { StartRefused } from '../kernel/errors.ts'
import { weaknessOf } from '../kernel/public-key.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type TlsMaterial, tlsContext } from './tls-context.ts'

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_SLUG = '*'

/** Everything for which OpenSSL would refuse the material, or lock members out, later. Throws `StartRefused`. */
export async function checkMaterial(m: TlsMaterial, now: Date): Promise<void> {
  checkServer(m, now)
  const authorities = checkClientAuthorities(m, now)
  if (m.crls.length > 0) await checkCrls(m.crls, authorities, now)
  try {
    createSecureContext(tlsContext(m))
  } catch (cause) {
    throw refused('OpenSSL does not take the key, chain, roots and CRLs', cause)
  }
}

/** Tells whether a root that may certify this slug stands above a leaf that OpenSSL verified. */
export type RootCheck = (leaf: X509Certificate, slug: string) => boolean

/**
 * By the issuers of the material, not by what the peer sent: that proves nothing by itself, and Node 24.21 does not show
 * it to servers (nodejs/node issue 65579). With one root that is bound to nothing there is nothing to tell apart.
 */
export function rootCheck({ clientRoots, issuers = [], rootBindings }: TlsMaterial): RootCheck {
  const roots = clientRoots.flatMap((pem) => certificates(pem, 'a client root'))
  if (roots.length < 2 && rootBindings === undefined) return () => true
  const between = issuers.flatMap((pem) => certificates(pem, 'an issuer'))
  const slugsOf = (authority: X509Certificate, seen: readonly X509Certificate[] = []): readonly string[] => {
    if (roots.includes(authority)) return rootBindings?.[pinOf(authority)] ?? []
    const above = [...roots, ...between].filter((other) => other !== authority && !seen.includes(other))
    return above
      .filter((other) => isIssuedBy(authority, other))
      .flatMap((other) => slugsOf(other, [...seen, authority]))
  }
  const authorities = [...roots, ...between].map((authority) => ({ authority, slugs: new Set(slugsOf(authority)) }))
  return (leaf, slug) =>
    authorities.some(({ authority, slugs }) => (slugs.has(slug) || slugs.has(ANY_SLUG)) && isIssuedBy(leaf, authority))
}

/** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
export const pinOf = (certificate: X509Certificate): string =>
  sha256(certificate.publicKey.export({ format: 'der', type: 'spki' })).toString('hex')

function checkServer({ key, chain }: TlsMaterial, now: Date): void {
  const [leaf, ...above] = certificates(chain, 'the certificate chain')
  if (leaf === undefined) throw refused('the certificate chain is empty')
  if (!ownsKey(leaf, key)) throw refused('the key is not the key of the certificate')
  if (weaknessOf(leaf.publicKey) !== undefined) throw refused('the certificate has a weak key')
  if (![leaf, ...above].every((certificate) => isValid(certificate, now))) {
    throw refused('a certificate of the chain is expired or not valid yet')
  }
  if (leaf.ca || !(leaf.keyUsage ?? [SERVER_AUTH]).includes(SERVER_AUTH)) {
    throw refused('the certificate is not for servers')
  }
  const ordered = above.every((issuer, i) => isIssuedBy(i === 0 ? leaf : above[i - 1], issuer))
  if (!ordered) throw refused('the certificate chain is not in order')
}

/** Roots and issuers, each valid now. */
function checkClientAuthorities(m: TlsMaterial, now: Date): X509Certificate[] {
  const roots = m.clientRoots.flatMap((pem) => certificates(pem, 'a client root'))
  if (roots.length === 0) throw refused('a client root is missing')
  const authorities = [...roots, ...(m.issuers ?? []).flatMap((pem) => certificates(pem, 'an issuer'))]
  for (const authority of authorities) {
    if (!authority.ca) throw refused('a client root or issuer is not the certificate of an authority')
    if (!isValid(authority, now)) throw refused('a client root or issuer is expired or not valid yet')
  }
  if (roots.length > 1 && roots.some((root) => m.rootBindings?.[pinOf(root)] === undefined)) {
    throw refused('with several client roots, each is bound to the participants that it certifies')
  }
  return authorities
}

/** One CRL makes OpenSSL ask for a current one of every issuer, and an expired one locks everybody out. */
async function checkCrls(pems: readonly string[], issuers: readonly X509Certificate[], now: Date): Promise<void> {
  const uncovered = new Set(issuers)
  for (const pem of pems) {
    const crl = parseCrl(pem)
    if (crl.thisUpdate > now || crl.nextUpdate === undefined || crl.nextUpdate <= now) {
      throw refused('a CRL is expired or not valid yet')
    }
    const signer = await signerOf(crl, issuers)
    if (signer === undefined) throw refused('a CRL is signed by none of the client roots and issuers')
    uncovered.delete(signer)
  }
  if (uncovered.size > 0) throw refused('a client root or issuer has no CRL; give one of each, or none')
}

function parseCrl(pem: string): X509Crl {
  // The library also reads the label `CRL`, which OpenSSL passes over without a word.
  if (!pem.includes('-----BEGIN X509 CRL-----')) throw refused('a CRL has not the label X509 CRL')
  try {
    return new X509Crl(pem)
  } catch (cause) {
    throw refused('a CRL is not readable', cause)
  }
}

async function signerOf(crl: X509Crl, issuers: readonly X509Certificate[]): Promise<X509Certificate | undefined> {
  for (const issuer of issuers) {
    const publicKey = new PublicKey(issuer.publicKey.export({ format: 'der', type: 'spki' }))
    if (await crl.verify({ publicKey }).catch(() => false)) return issuer
  }
  return undefined
}

const isIssuedBy = (below: X509Certificate | undefined, issuer: X509Certificate): boolean =>
  below !== undefined && issuer.ca && below.checkIssued(issuer) && below.verify(issuer.publicKey)

const isValid = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now < validToDate

function ownsKey(leaf: X509Certificate, key: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

function certificates(pem: string, name: string): X509Certificate[] {
  try {
    const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
    return found.map((text) => new X509Certificate(text))
  } catch (cause) {
    throw refused(`${name} is not readable`, cause)
  }
}

const refused = (what: string, cause?: unknown): StartRefused => new StartRefused(`TLS material: ${what}`, { cause })
