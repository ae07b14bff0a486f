import { hash } from 'node:crypto'

/** One-shot SHA-256 (FIPS 180-4), 32 bytes. By way of hex: Node makes a text in a third of the time of an ArrayBuffer. */
export const sha256 = (data: Uint8Array | string): Buffer => Buffer.from(hash('sha256', data, 'hex'), 'hex')
