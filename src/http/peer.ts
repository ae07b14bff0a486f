import '../kernel/reflect.ts'
import type { X509Certificate } from 'node:crypto'
import { X509Certificate as ParsedCertificate, SubjectAlternativeNameExtension } from '@peculiar/x509'
import type { Uuid } from '../kernel/ids.ts'
import { weaknessOf } from '../kernel/public-key.ts'
import { sha256 } from '../kernel/sha256.ts'

/** Who sends the request, as its connection and the list of credentials prove. */
export interface Peer {
  participant: Uuid
  slug: string
  credential: Uuid
  /** `spiffe://<trust domain>/participant/<slug>`. */
  uri: string
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex: the pin. */
  spki: string
  /** SHA-256 of the leaf certificate, lower-case hex (RFC 8705 `x5t#S256`, but for its encoding). */
  leafSha256: string
  /** End of the leaf, not of the pin. */
  notAfter: Date
  scopes: readonly string[]
  /** Where the request carries an access token, to which `scopes` are cut. */
  token?: { expires: Date }
}

export interface EnrolledCredential {
  participant: Uuid
  slug: string
  credential: Uuid
  scopes: readonly string[]
  status: 'active' | 'suspended' | 'revoked' | 'retired'
  participant_status: 'active' | 'suspended' | 'left'
  not_before: Date
  not_after: Date
}

/** The enrolled keys, held in memory and refreshed by whoever keeps it. */
export interface PeerDirectory {
  /** By pin, lower-case hex. */
  find(spki: string): EnrolledCredential | undefined
  /** Milliseconds since the last successful refresh. */
  age(): number
  /** Called with a pin after anything about it changed: open connections under it are judged anew. */
  onChange(listener: (spki: string) => void): void
}

/** Why a certificate that OpenSSL accepts is still no credential. */
export type PeerFault =
  | 'no-certificate'
  | 'certificate-unreadable'
  | 'certificate-authority'
  | 'client-auth-missing'
  | 'key-weak'
  | 'uri-count'
  | 'uri-foreign'
  | 'root-not-bound'
  | 'certificate-early'
  | 'certificate-expired'
  | 'key-unknown'
  | 'key-of-another'
  | 'credential-suspended'
  | 'credential-revoked'
  | 'credential-retired'
  | 'credential-early'
  | 'credential-expired'
  | 'participant-left'

export interface PeerIdentity {
  uri: string
  slug: string
  spki: string
  leafSha256: string
  notBefore: Date
  notAfter: Date
}

/** Id of the extended key usage (RFC 5280 section 4.2.1.12), which Node takes for granted when there is none. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** The identity in a leaf that OpenSSL verified up to a client root, or what forbids reading one from it. */
export function readIdentity(leaf: X509Certificate, trustDomain: string): PeerIdentity | PeerFault {
  if (leaf.ca) return 'certificate-authority'
  if (!(leaf.keyUsage ?? []).includes(CLIENT_AUTH)) return 'client-auth-missing'
  const parsed = parse(leaf)
  if (parsed === undefined) return 'certificate-unreadable'
  if (weaknessOf(leaf.publicKey) !== undefined) return 'key-weak'
  const [uri, ...more] = parsed.uris
  if (uri === undefined || more.length > 0) return 'uri-count'
  const slug = slugOf(uri, trustDomain)
  if (slug === undefined) return 'uri-foreign'
  return {
    uri,
    slug,
    spki: parsed.spki,
    leafSha256: sha256(leaf.raw).toString('hex'),
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
  }
}

/** What forbids the identity to act under the credential of its pin now; a suspended participant is for the caller. */
export function faultOf(
  identity: PeerIdentity,
  credential: EnrolledCredential | undefined,
  now: Date,
): PeerFault | undefined {
  if (now < identity.notBefore) return 'certificate-early'
  if (now >= identity.notAfter) return 'certificate-expired'
  if (credential === undefined) return 'key-unknown'
  if (credential.slug !== identity.slug) return 'key-of-another'
  if (credential.status !== 'active') return `credential-${credential.status}`
  if (credential.participant_status === 'left') return 'participant-left'
  if (now < credential.not_before) return 'credential-early'
  return now >= credential.not_after ? 'credential-expired' : undefined
}

interface Parsed {
  uris: readonly string[]
  spki: string
}

/** By an ASN.1 parser: in the string that Node makes of the names, one name can look like two. */
function parse(leaf: X509Certificate): Parsed | undefined {
  try {
    const certificate = new ParsedCertificate(new Uint8Array(leaf.raw))
    const names = certificate.getExtensions(SubjectAlternativeNameExtension).flatMap(({ names: { items } }) => items)
    return {
      uris: names.flatMap(({ type, value }) => (type === 'url' ? [value] : [])),
      spki: sha256(new Uint8Array(certificate.publicKey.rawData)).toString('hex'),
    }
  } catch {
    return undefined
  }
}

const PATH = /^\/participant\/([a-z0-9][a-z0-9-]{1,62})$/

function slugOf(uri: string, trustDomain: string): string | undefined {
  const prefix = `spiffe://${trustDomain}`
  return uri.startsWith(prefix) ? PATH.exec(uri.slice(prefix.length))?.[1] : undefined
}
