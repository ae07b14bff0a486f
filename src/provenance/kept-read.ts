import { concat, utf8 } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { uuidBytes } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import { fieldsOfRead } from './commitment.ts'
import type { Decoys } from './decoys.ts'
import type { Audience } from './events.ts'
import { type Committable, commit, DECOY, epochKey, type Opened, openedOf, openUnlessLost } from './record.ts'

/** One source's part of an answer: how many items, and the root over them. */
export interface SourceSet {
  party: string
  n: number
  root: string
}

/** What a journal row keeps, encrypted, of each of its reads: what payload and disclosures were made of, and are again. */
export interface KeptRead {
  /** Of its disclosures and, behind them, of its decoys: 43 characters each. */
  salts: string
  /** In the order in which they were committed. */
  fields: readonly (readonly [audience: Audience, name: string, value: unknown])[]
  items: KeptItems
}

/** A read that is committed: C, and the JSON of its `KeptRead`. */
export function commitRead(
  { disclosures, decoys }: Committable,
  items: KeptItems,
  { salt, take }: { salt: () => string; take: (n: number) => Decoys },
): { c: Uint8Array; kept: string } {
  const salts = disclosures.map(salt)
  const hiding = take(decoys)
  const { c, said } = commit({ disclosures, decoys: 0 }, oneByOne(salts), hiding.digests)
  const all = salts.join('') + hiding.salts
  const own = disclosures.map(({ audience }, i) => `[${JSON.stringify(audience)},${said[i]}]`)
  return { c, kept: `{"salts":"${all}","fields":[${own.join()}],"items":${JSON.stringify(items)}}` }
}

/** The payload that was committed and what opens it, made anew. */
export function disclosedBy({ salts, fields }: KeptRead): { payload: string; opened: Opened[] } {
  const own = salts.match(SALTS) ?? []
  const disclosures = fields.map(([audience, name, value]) => ({ audience, name, value }))
  const committed = { disclosures, decoys: own.length - fields.length }
  const { texts, payload } = commit(committed, oneByOne(own))
  return { payload, opened: openedOf(committed, texts) }
}

const SALTS = /.{43}/g

function oneByOne(salts: readonly string[]): () => string {
  let next = 0
  return () => salts[next++] ?? ''
}

/** What a read says under a name. */
export const valueIn = ({ fields }: KeptRead, wanted: string): unknown =>
  fieldsOfRead(fields.map(([, name, value]) => ({ name, value }))).find(({ name }) => name === wanted)?.value

/** The items of a read that stand nowhere else, by source. */
export type KeptItems = readonly (readonly [party: string, ...items: (readonly [Uuid, number])[]])[]

/** The reads of a journal row, opened; undefined where the month's key is lost, and for a row that its id does not name. */
export function keptUnlessLost(keys: KeyService, row: JournalBody): KeptRead[] | undefined {
  const text = openUnlessLost(keys, { epoch: row.epoch, sealed: row.body }, uuidBytes(row.journal_id))
  return text === undefined ? undefined : readsIn(text)
}

interface JournalBody {
  body: Buffer
  epoch: number
  journal_id: Uuid
}

const readsIn = (text: Buffer): KeptRead[] =>
  (JSON.parse(text.toString()) as (KeptRead | Former)[]).map((read) => ('opened' in read ? ofFormer(read) : read))

/** As the releases before kept a read: its payload, and each disclosure as it is handed over. */
interface Former {
  opened: readonly (readonly [audience: Audience, text: string])[]
  items: KeptItems
}

function ofFormer({ opened, items }: Former): KeptRead {
  const parts = opened.map(([audience, text]) => {
    const [salt, name, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, unknown]
    return { audience, salt, name, value }
  })
  const said = parts.filter(({ audience }) => audience !== DECOY)
  return {
    salts: parts.map(({ salt }) => salt).join(''),
    fields: said.map(({ audience, name, value }) => [audience, name, value]),
    items,
  }
}

/** What sources are given of the reads of a row, read by read: all that the batch is made of besides commitments. */
export type ReadParts = readonly (readonly SourceSet[])[]

const PARTS = utf8('parts')
const partsAad = (journal_id: Uuid): Uint8Array => concat(uuidBytes(journal_id), PARTS)

export const sealParts = (keys: KeyService, row: { epoch: number; journal_id: Uuid }, parts: ReadParts): Buffer =>
  keys.seal(epochKey(row.epoch), utf8(JSON.stringify(parts)), partsAad(row.journal_id))

/** Undefined where the month's key is lost. */
export function partsUnlessLost(
  keys: KeyService,
  { parts, epoch, journal_id }: { parts: Buffer; epoch: number; journal_id: Uuid },
): ReadParts | undefined {
  const text = openUnlessLost(keys, { epoch, sealed: parts }, partsAad(journal_id))
  return text === undefined ? undefined : (JSON.parse(text.toString()) as ReadParts)
}

/** The same out of what the journal keeps: what is for a source alone is its part. */
export const partsIn = (reads: readonly KeptRead[]): ReadParts =>
  reads.map(({ fields }) =>
    fields.flatMap(([audience, , value]) => (audience.startsWith('S:') ? [value as SourceSet] : [])),
  )

/** The commitments of the reads of a row. */
export const commitmentsIn = (packed: Buffer): Buffer[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
