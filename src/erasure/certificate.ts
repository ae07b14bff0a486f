import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { SlugSchema, UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const
const Slugs = Type.Array(SlugSchema, { maxItems: 10_000 })
const Count = Type.Integer({ minimum: 0 })

/**
 * That signals were erased: what the entry of the log says, with the receipt that proves it; and who of those that were asked
 * has answered so far, on the word of the node.
 */
const ErasureCertificate = Type.Object(
  {
    format: Type.Literal('aldis-erasure-certificate/1'),
    issued_at: Type.String({ maxLength: 40 }),
    event: UuidSchema,
    source: SlugSchema,
    at: Type.String({ maxLength: 40 }),
    basis: Type.String({ maxLength: 63 }),
    /** The request that two persons decided. */
    approval: UuidSchema,
    signals: Count,
    notified: Count,
    holders: Type.Object({ acknowledged: Slugs, cannot_remove: Slugs, missing: Slugs, unreachable: Slugs }, closed),
    /** C2SP tlog-proof of the entry. */
    receipt: Type.String({ maxLength: 120_000 }),
  },
  closed,
)
export type ErasureCertificate = Static<typeof ErasureCertificate>

const validator = Compile(ErasureCertificate)

/** Undefined for what is no certificate. */
export function parseCertificate(text: string): ErasureCertificate | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return validator.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What a certificate says otherwise than the entry whose receipt it holds; none where it says the same. */
export function certificateFaults(
  said: ErasureCertificate,
  fields: readonly { name: string; value: unknown }[],
): string[] {
  const told = new Map(fields.map(({ name, value }) => [name, value]))
  const wanted: readonly (readonly [field: string, value: unknown])[] = [
    ['type', 'erasure'],
    ['subject', said.source],
    ['time', said.at],
    ['basis', said.basis],
    ['approval', said.approval],
    ['n', said.signals],
    ['notified', said.notified],
  ]
  const { acknowledged, cannot_remove, missing, unreachable } = said.holders
  const answered = [acknowledged, cannot_remove, missing, unreachable].flat()
  return [
    ...wanted.flatMap(([field, value]) =>
      String(told.get(field)) === String(value) ? [] : [`${field} is another than the entry says`],
    ),
    ...(answered.length === said.notified && new Set(answered).size === answered.length
      ? []
      : ['the holders are not those that were notified']),
  ]
}
