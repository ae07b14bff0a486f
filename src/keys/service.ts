import type { Evaluated } from '../matching/oprf.ts'

/** What the node does with keys; a driver keeps them. Key ids are names such as `log-1`, `receipt`, `epoch-202611`. */
export interface KeyService {
  /** Of an `oprf` key: its public key, an element of 32 bytes. */
  oprfPublicKey(kid: string): Promise<Uint8Array>
  /** Elements, one after the other, under an `oprf` key, and one proof for all (RFC 9497). They were checked before. */
  evaluate(kid: string, elements: Uint8Array): Promise<Evaluated>
  /** Ed25519 (RFC 8032), 64 bytes. */
  sign(kid: string, data: Uint8Array): Promise<Uint8Array>
  /** The raw 32-byte Ed25519 public key. */
  publicKey(kid: string): Uint8Array
  /** HMAC-SHA-256, 32 bytes. */
  mac(kid: string, data: Uint8Array): Buffer
  /** AES-256-GCM: nonce 12 || ciphertext || tag 16. */
  seal(kid: string, plaintext: Uint8Array, aad: Uint8Array): Buffer
  /** Undoes `seal`; throws if a byte differs. */
  open(kid: string, sealed: Uint8Array, aad: Uint8Array): Buffer
  /** A key that members hold too (the hmac hash profile); every call is behind a logged read. */
  shared(kid: string): Buffer
  has(kid: string): boolean
  /** Makes the key unless it is there; of two that make it at once, both have the first. */
  create(kid: string, kind: KeyKind): Promise<void>
  /** For good, in every copy that the driver has; nothing happens if there is none. */
  destroy(kid: string): Promise<void>
}

export type KeyKind = 'ed25519' | 'symmetric' | 'oprf'
