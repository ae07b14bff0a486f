import { concat, utf8 } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { uuidBytes } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import { epochKey, type Opened, saidIn } from './record.ts'

/** One source's part of an answer: how many items, and the root over them. */
export interface SourceSet {
  party: string
  n: number
  root: string
}

/**
 * A read as `KeptRead`'s JSON. Disclosures are base64url and audiences hold nothing to be escaped: they are written as they are,
 * which looks at none of their characters.
 */
export function keptText({ payload, opened, items }: KeptRead): string {
  const texts = opened.map(([audience, text]) => `["${audience}",${text === null ? 'null' : `"${text}"`}]`)
  return `{"payload":${JSON.stringify(payload)},"opened":[${texts.join()}],"items":${JSON.stringify(items)}}`
}

/** What a journal row keeps, encrypted, of each of its reads. */
export interface KeptRead {
  payload: string
  opened: Opened[]
  items: KeptItems
}

/** The items of a read that stand nowhere else, by source. */
export type KeptItems = readonly (readonly [party: string, ...items: (readonly [Uuid, number])[]])[]

/** The reads of a journal row, opened; throws if the row is another than its id names. */
export const keptOf = (keys: KeyService, row: { body: Buffer; epoch: number; journal_id: Uuid }): KeptRead[] =>
  JSON.parse(keys.open(epochKey(row.epoch), row.body, uuidBytes(row.journal_id)).toString()) as KeptRead[]

/** What sources are given of the reads of a row, read by read: all that the batch is made of besides commitments. */
export type ReadParts = readonly (readonly SourceSet[])[]

const PARTS = utf8('parts')
const partsAad = (journal_id: Uuid): Uint8Array => concat(uuidBytes(journal_id), PARTS)

export const sealParts = (keys: KeyService, row: { epoch: number; journal_id: Uuid }, parts: ReadParts): Buffer =>
  keys.seal(epochKey(row.epoch), utf8(JSON.stringify(parts)), partsAad(row.journal_id))

/** Throws if they are not of the row that its id names. */
export const openParts = (keys: KeyService, row: { parts: Buffer; epoch: number; journal_id: Uuid }): ReadParts =>
  JSON.parse(keys.open(epochKey(row.epoch), row.parts, partsAad(row.journal_id)).toString()) as ReadParts

/** The same out of what the journal keeps. */
export const partsIn = (reads: readonly KeptRead[]): ReadParts =>
  reads.map(({ opened }) =>
    opened.flatMap((one) => {
      // What is for a source alone is its part.
      const said = one[0].startsWith('S:') ? saidIn(one) : undefined
      return said === undefined ? [] : [said[1] as SourceSet]
    }),
  )

/** Values by name, of what is not erased. */
export const openedFields = (opened: readonly Opened[]): Map<string, unknown> =>
  new Map(
    opened.flatMap((one) => {
      const said = saidIn(one)
      return said === undefined ? [] : [said]
    }),
  )

/** The commitments of the reads of a row. */
export const commitmentsIn = (packed: Buffer): Buffer[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
