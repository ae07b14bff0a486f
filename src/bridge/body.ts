import type { IncomingMessage } from 'node:http'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Refusal } from '../kernel/errors.ts'
import { firstFault } from '../kernel/schema.ts'
import { type JsonLimits, parseStrict } from '../kernel/strict-json.ts'
import { BRIDGE_LIMITS } from './limits.ts'

/** A text to be matched is longer than any other string. */
export const BRIDGE_JSON: JsonLimits = {
  ...{ depth: 8, members: 64, string: BRIDGE_LIMITS.line_bytes, array: BRIDGE_LIMITS.queries },
}

/** The whole body; what is too long is not read on. */
export async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  // Who ends early still has an answer to give on this connection.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += (part as Buffer).length
    if (length > BRIDGE_LIMITS.body_bytes)
      throw new Refusal('too-large', { extra: { limit: BRIDGE_LIMITS.body_bytes } })
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

/** Of one media type, without parameters and uncompressed. */
export function expectType({ headers }: IncomingMessage, type: string): void {
  if (headers['content-type'] !== type || headers['content-encoding'] !== undefined)
    throw new Refusal('unsupported-media-type', { detail: `expected ${type}` })
}

/** Reads bodies of one schema. Throws `validation-failed` with the member, never its value. */
export function bodyOf<T extends TSchema>(schema: T): (bytes: Uint8Array) => Static<T> {
  const validator = Compile(schema)
  return (bytes) => {
    const value = parseStrict(bytes, BRIDGE_JSON)
    if (validator.Check(value)) return value as Static<T>
    const { pointer, detail } = firstFault(validator, value)
    throw new Refusal('validation-failed', { errors: [{ pointer, code: 'validation-failed', detail }] })
  }
}
