import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { createDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { ERASURE_SIGNALS_MAX } from '../participants/schema.ts'

/** An erasure as it is remembered outside the database: by ids alone. */
export interface ListedOrder {
  v: 1
  request: Uuid
  participant: string
  signals: Uuid[]
  basis: string
}

/** What was erased, kept beside the anchor: a database that is put back is told of it before anybody is answered. */
export interface ErasureList {
  /** On the disk when it returns; a second time it changes nothing. */
  note(order: ListedOrder): void
  /** `StartRefused` if a file is none of ours. */
  all(): ListedOrder[]
}

const Order = Compile(
  Type.Object(
    {
      v: Type.Literal(1),
      request: UuidSchema,
      participant: SlugSchema,
      signals: Type.Array(UuidSchema, { minItems: 1, maxItems: ERASURE_SIGNALS_MAX, uniqueItems: true }),
      basis: Type.String({ maxLength: 63 }),
    },
    { additionalProperties: false },
  ),
)

/** One file an erasure, named by its request. */
const NAME = /^[0-9a-f-]{36}\.json$/

export function fileErasures(dir: string): ErasureList {
  const read = (name: string): ListedOrder => {
    const path = join(dir, name)
    const value = parsed(readFileSync(path))
    if (!Order.Check(value)) throw new StartRefused(`${path}: is no erasure; put back what was there`)
    return value as ListedOrder
  }
  return {
    note: (order) => void createDurably(join(dir, `${order.request}.json`), `${JSON.stringify(order)}\n`, 0o600),
    all: () =>
      statSync(dir, { throwIfNoEntry: false }) === undefined
        ? []
        : readdirSync(dir)
            .filter((name) => NAME.test(name))
            .sort()
            .map(read),
  }
}

/** Undefined for what is no JSON. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return parseStrict(bytes)
  } catch {
    return undefined
  }
}
