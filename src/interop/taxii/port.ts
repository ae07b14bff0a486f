import type { ErrorCode } from '../../kernel/errors.ts'
import type { StixText } from '../stix/text.ts'

/** A record's place in a collection. */
interface Place {
  /** Its place; the order of places is that of the times. */
  at: bigint
  /** When it came into the collection: microseconds since 1970, of which no two records have the same. */
  added: bigint
}

/**
 * One version of an object in a collection. The object is bytes at once: what a page keeps of thousands until it is whole, the garbage
 * collector would copy again and again.
 */
export interface TaxiiRecord extends Place {
  id: string
  type: string
  version: string
  /** JSON of the object. */
  bytes: Buffer
}

export const taxiiRecord = ({ at, added }: Place, { id, type, version, text }: StixText): TaxiiRecord => {
  return { at, added, id, type, version, bytes: Buffer.from(text) }
}

export interface TaxiiCollection {
  id: string
  alias?: string
  title: string
  can_read: boolean
  can_write: boolean
}

/** Where a page begins: after a place, or after an instant in microseconds. */
export type After = { at: bigint } | { added: bigint }

export interface AskedPage {
  after: After
  limit: number
  /** Ids and types of objects; any unless given. */
  ids?: readonly string[] | undefined
  types?: readonly string[] | undefined
  /** Of those, whether a record is asked for. A page is full of such, where there are enough: clients lower their limit to what they get. */
  wants(record: TaxiiRecord): boolean
}

export interface TaxiiPage {
  records: readonly TaxiiRecord[]
  /** Whether something comes behind `to`. */
  more: boolean
  /** The place up to which the collection was looked through. */
  to: bigint
}

/** An answer as it leaves. `body` is bytes: frameworks write another type beside texts. */
export interface TaxiiAnswer {
  status: number
  headers: Readonly<Record<string, string>>
  body: Buffer
  /** Under which it was refused. */
  code?: ErrorCode
}

/** An answer, and of which records it tells something: they are on record before it leaves. */
export interface Rendered {
  answer: TaxiiAnswer
  given: readonly TaxiiRecord[]
}

/** What became of one object of an envelope; `message` says why, or under which id it is served. */
export interface StatusDetail {
  id: string
  version: string
  message: string
}

/** What became of an envelope (TAXII 2.1 section 4.3.1). Nothing is ever pending: whoever is answered knows. */
export interface TaxiiStatus {
  id: string
  status: 'complete'
  request_timestamp: string
  total_count: number
  success_count: number
  successes?: readonly StatusDetail[]
  failure_count: number
  failures?: readonly StatusDetail[]
  pending_count: 0
}

/** What clients write, where they may. */
export interface TaxiiWrites<By> {
  /** Each object for itself; durable once it is told. Throws where nothing of all could be done now. */
  add(by: By, collection: string, objects: readonly unknown[]): Promise<TaxiiStatus>
  /** To whoever wrote it, for a day. */
  status(by: By, id: string): TaxiiStatus | undefined
  /** Ends what is one's own: `not-found`, or `collection-read-only` for what is of others. */
  remove(by: By, collection: string, object: string): Promise<void>
}

/** What a TAXII server stands on. Of each object a collection holds the newest version alone. `By`: who asks. */
export interface TaxiiStore<By> {
  /** The one API root: the programme. */
  programme: string
  /** In the order of their ids. */
  collections(by: By): Promise<TaxiiCollection[]>
  /** `render` makes the answer out of a page. Throws `not-found` for a collection that may not be read. */
  read(by: By, collection: string, asked: AskedPage, render: (page: TaxiiPage) => Rendered): Promise<TaxiiAnswer>
  /** Where nothing is written there is none. */
  writes?: TaxiiWrites<By>
}
