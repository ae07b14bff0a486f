import type { Uuid } from '../kernel/ids.ts'
import { uuidBytes } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import { epochKey, type Opened } from './record.ts'

/** One source's part of an answer: how many items, and the root over them. */
export interface SourceSet {
  party: string
  n: number
  root: string
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

/** Values by name, of what is not erased. */
export const openedFields = (opened: readonly Opened[]): Map<string, unknown> =>
  new Map(
    opened.flatMap(([, text]) => {
      if (text === null) return []
      const [, name, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, unknown]
      return [[name, value] as const]
    }),
  )

/** The commitments of the reads of a row. */
export const commitmentsIn = (packed: Buffer): Buffer[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
