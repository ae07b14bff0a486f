import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'

/** PEM texts of a listener that asks for client certificates. */
export interface TlsMaterial {
  key: string
  /** The node's leaf, then its intermediates. */
  chain: string
  /** One root each. Their subjects are shown to whoever connects. */
  clientRoots: readonly string[]
  /** Label `X509 CRL`. One for every issuer in the clients' chains, the roots included, or none at all. */
  crls: readonly string[]
  /**
   * The authorities between roots and clients; needed with CRLs or several roots. OpenSSL is not given them: a client sends
   * its own.
   */
  issuers?: readonly string[]
  /**
   * SHA-256 of a root's SubjectPublicKeyInfo (hex) -> the slugs that it may certify, `*` for every slug. Needed for each
   * root as soon as there are two: OpenSSL lets any root certify any name.
   */
  rootBindings?: Readonly<Record<string, readonly string[]>>
}

/** The one builder of secure contexts: `setSecureContext` replaces all settings, so start and reload both use it. */
export const tlsContext = (m: TlsMaterial): SecureContextOptions => ({
  key: m.key,
  cert: m.chain,
  ca: [...m.clientRoots],
  ...(m.crls.length > 0 ? { crl: [...m.crls] } : {}),
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
  // A ticket would resume a session after its certificate expired or was revoked, and without the private key.
  secureOptions: constants.SSL_OP_NO_TICKET,
})
