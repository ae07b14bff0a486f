import { type Hash, toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import { digestOf, type Field, fieldOf, fieldsOfRead, payloadOver } from '../../src/provenance/commitment.ts'
import type { Opened } from '../../src/provenance/record.ts'

// What a record is made of, as its definition says it; the node makes it by means of its own.

/** The string that is stored, hashed and handed over (RFC 9901): b64u(JSON [salt, name, value]). */
export const disclosure = (salt: Uint8Array, name: string, value: unknown): string =>
  toBase64Url(utf8(JSON.stringify([toBase64Url(salt), name, value])))

/** The payload over disclosures and decoys. */
export const payloadOf = (hash: Hash, disclosures: readonly string[]): string =>
  payloadOver(disclosures.map((one) => digestOf(hash, one)))

/** What an opened record of a read says, without its decoys. */
export const readSays = (opened: readonly Opened[]): Field[] =>
  fieldsOfRead(opened.flatMap(([, text]) => fieldOf(text ?? '') ?? []))
