import { type Hash, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { daysBegin, isOver, JOURNAL_RULE, journalDays } from '../provenance/journal-rule.ts'
import type { Entry } from './entry.ts'
import type { Faults } from './faults.ts'
import { isDecimal, listIn } from './names.ts'
import { createPacked } from './packed.ts'

/** Which reads may be missing: those of batches that an entry names, by the rule that the programme had published. */
export interface JournalRule {
  entry(entry: Entry): void
  /** A batch of reads; `whole` where its reads are there. */
  batch(entry: Entry, whole: boolean): void
  /** How many batches entries name as over. */
  readonly over: number
  /** Batches without their reads that no entry names; of those that are over an entry of a later log may. */
  missing(now: Date): Iterable<{ index: bigint; over: boolean }>
}

export interface JournalRuleOptions {
  hash: Hash
  faults: Faults
  /** The entry behind a place of any log of the node. */
  indexAt(place: bigint): number
}

/** Numbers of a batch: its entry, when its days began, its reads, and whose they are. */
const NUMBERS = 4

export function createJournalRule({ hash, faults, indexAt }: JournalRuleOptions): JournalRule {
  const batches = batchTable()
  const absent = new Set<number>()
  let over = 0
  let digest: unknown
  /** By the rule that an entry last went by; no rule keeps reads for less. */
  let days = 1

  /** The batches that an entry names; undefined for what is none. */
  const namedBy = ({ fields }: Entry): (NamedBatch | undefined)[] =>
    listIn(fields.get('batches')).map((place) => (isDecimal(place) ? batches.find(indexAt(BigInt(place))) : undefined))

  /** The days of the rule that it goes by, if that is the one that the programme had published. */
  const daysOf = ({ fields }: Entry): number | undefined => {
    const text = String(fields.get('policy'))
    const isPublished = fields.get('rule') === JOURNAL_RULE && toBase64Url(hash(utf8(text))) === digest
    return isPublished ? journalDays(text) : undefined
  }

  const end = (entry: Entry, batch: NamedBatch | undefined, days: number): void => {
    const why = batchFault(entry, { batch, days })
    if (why !== undefined) faults.add(why, entry.index)
    if (why !== undefined || batch === undefined) return
    over += 1
    absent.delete(batch.index)
  }

  const expire = (entry: Entry): void => {
    const [{ index, fields }, named, kept] = [entry, namedBy(entry), daysOf(entry)]
    if (kept === undefined) {
      faults.add('it goes by another rule than the programme had published', index)
      return
    }
    const reads = named.reduce((sum, batch) => sum + (batch?.n ?? 0), 0)
    if (named.length === 0 || fields.get('n') !== reads) faults.add('it names another number of reads', index)
    days = kept
    for (const batch of named) end(entry, batch, kept)
  }

  return {
    get over() {
      return over
    },
    entry(entry) {
      const { kind, fields } = entry
      if (kind === 'policy.published' && fields.get('policy') === 'retention') digest = fields.get('digest')
      if (kind === 'reads.expired') expire(entry)
    },
    batch(entry, whole) {
      const [index, reader] = [Number(entry.index), String(entry.fields.get('reader'))]
      const begin = daysBegin({ last: Date.parse(String(entry.fields.get('to'))), entry: entry.time })
      batches.add({ index, reader, begin, n: Number(entry.fields.get('n')) })
      if (!whole) absent.add(index)
    },
    *missing(now) {
      for (const index of absent) {
        const begin = batches.find(index)?.begin ?? Number.NaN
        yield { index: BigInt(index), over: isOver(days, { begin, at: now.getTime() }) }
      }
    },
  }
}

interface NamedBatch {
  index: number
  reader: string
  begin: number
  n: number
}

function batchFault(
  { fields, time }: Entry,
  { batch, days }: { batch: NamedBatch | undefined; days: number },
): string | undefined {
  if (batch === undefined) return 'it names what is no batch of reads before it'
  if (batch.reader !== fields.get('subject')) return `entry ${batch.index} is of another reader`
  return isOver(days, { begin: batch.begin, at: time })
    ? undefined
    : `it ends the reads of entry ${batch.index} before their time`
}

/** The batches of a log in their order, packed: there are forty of them a second at most, for years. */
function batchTable() {
  const readers = new Map<string, number>()
  const slugs: string[] = []
  const data = createPacked(Float64Array, NUMBERS, Number.POSITIVE_INFINITY)
  let size = 0
  const indexOf = (row: number): number => data.get(row, 0)
  return {
    add({ index, reader, begin, n }: NamedBatch): void {
      const number = readers.get(reader) ?? slugs.push(reader) - 1
      readers.set(reader, number)
      data.set(size, [index, begin, n, number])
      size += 1
    },
    find(index: number): NamedBatch | undefined {
      let [low, high] = [0, size]
      while (low < high) {
        const middle = (low + high) >> 1
        if (indexOf(middle) < index) low = middle + 1
        else high = middle
      }
      if (low >= size || indexOf(low) !== index) return undefined
      const [, begin = Number.NaN, n = 0, reader = 0] = data.at(low)
      return { index, begin, n, reader: slugs[reader] ?? '' }
    },
  }
}
