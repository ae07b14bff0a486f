import { randomBytes } from 'node:crypto'
import { fromBase64Url, toBase64Url } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import {
  type ChainLink,
  chainDigest,
  chainDisclosure,
  chainsHash,
  decoyCount,
  decoyDigest,
  entryOf,
  genesisLink,
  nextLink,
} from '../../src/provenance/chain.ts'
import { commitment, decoy, digestOf, digestsOf, fieldOf, fieldsOfRead } from '../../src/provenance/commitment.ts'
import { leafHash, treeHash } from '../../src/provenance/merkle.ts'
import { type ReadItem, type SourceRead, setRoot, sourceRoot } from '../../src/provenance/readset.ts'
import type { ExportEntry, ExportRead } from '../../src/provenance/schema.ts'
import { changesRoot } from '../../src/provenance/signal-change.ts'
import { disclosure, payloadOf } from '../provenance/disclosures.ts'
import { ORIGIN } from '../provenance/forge.ts'
import type { Given } from './audited.ts'

/** A field as a forger writes it. */
type Fields = [name: string, value: unknown][]

/** A read as a forger holds it. */
export interface PlainRead {
  fields: Fields
  items: ExportRead['items']
}

/** An entry as a forger holds it, before salts, digests, chains and tree are made of it. */
export interface Plain {
  event: Uuid
  fields: Fields
  changes?: NonNullable<ExportEntry['changes']>
  expired?: NonNullable<ExportEntry['expired']>
  erased?: NonNullable<ExportEntry['erased']>
  reads: PlainRead[]
  /** Digests that nothing opens: an erasure behind it names them. */
  holes?: number
  /** Whose chains it moves on, if not those of its fields. */
  parties?: string[]
}

/** What the lines say, in order. */
export function plainOf(records: readonly string[]): Plain[] {
  const plain: Plain[] = []
  for (const text of records) {
    const line = JSON.parse(text) as ExportEntry | ExportRead
    const said = line.disclosures.flatMap((one) => fieldOf(one) ?? [])
    const fields = ('read' in line ? fieldsOfRead(said) : said).map(({ name, value }): Fields[number] => [name, value])
    if ('read' in line) plain.at(-1)?.reads.push({ fields, items: line.items })
    else {
      const { event, changes, expired, erased, payload } = line
      const more = { ...(changes && { changes }), ...(expired && { expired }), ...(erased && { erased }) }
      const holes = (digestsOf(payload)?.size ?? 0) - line.disclosures.length
      plain.push({ event, fields, reads: [], holes, ...more })
    }
  }
  return plain
}

export const fieldIn = ({ fields }: { fields: Fields }, name: string): unknown =>
  fields.find(([one]) => one === name)?.[1]

/** With another value of a field; undefined takes it away. */
export function put<T extends { fields: Fields }>(entry: T, name: string, value: unknown): T {
  const others = entry.fields.filter(([one]) => one !== name)
  return { ...entry, fields: value === undefined ? others : [...others, [name, value]] }
}

/** Where a lie is told that the makers of the log would not tell. */
export interface Lies {
  /** Another sequence number of a link. */
  seq?(index: number, party: string, seq: bigint): bigint
  /** Another root of a batch of reads. */
  root?(batch: Plain): string | undefined
  /** A field that is taken out of its entry; the erasures behind it name its digest. */
  erased?: { index: number; name: string }
  /** Salts of decoys too many. */
  decoys?(index: number): number
}

/** The log that someone makes of these entries who holds the node's keys and writes its tables: all of it fits together, but for the lies. */
export function relog(plain: readonly Plain[], { snapshot }: Pick<Given, 'snapshot'>, lies: Lies = {}): Given {
  const heads = new Map<string, { seq: bigint; link: Uint8Array }>()
  const roots = new Map<string, object>()
  const gone: [string, string][] = []
  const named: [string, string][] = []
  const entries: Uint8Array[] = []
  const records: string[] = []
  for (const [index, given] of plain.entries()) {
    const reads = given.reads.map((read) => ({ ...committed(read.fields), items: read.items }))
    const fields = targeted(batched(given, reads, lies), { gone, named })
    roots.set(given.event, { n: fieldIn({ fields }, 'n'), root: fieldIn({ fields }, 'root') })
    const { payload, disclosures, c, hidden } = committed(fields, given.holes)
    for (const text of hidden) named.push([String(index), digestOf(sha256, text)])
    const links = (given.parties ?? partiesOf(given)).map((party): ChainLink => {
      const before = heads.get(party) ?? { seq: 0n, link: genesisLink(sha256, ORIGIN, party) }
      const seq = lies.seq?.(index, party, before.seq + 1n) ?? before.seq + 1n
      const link = nextLink(sha256, before.link, seq, c)
      heads.set(party, { seq, link })
      return { party, seq, salt: randomBytes(32), link }
    })
    const decoys = Array.from({ length: decoyCount(links.length) + (lies.decoys?.(index) ?? 0) }, () => randomBytes(32))
    const digests = [
      ...links.map((link) => chainDigest(sha256, link)),
      ...decoys.map((salt) => decoyDigest(sha256, salt)),
    ]
    if (index === lies.erased?.index) {
      const at = fields.findIndex(([name]) => name === lies.erased?.name)
      for (const text of disclosures.splice(at, 1)) gone.push([String(index), digestOf(sha256, text)])
    }
    entries.push(entryOf(sha256, c, chainsHash(sha256, digests)))
    const { event, changes, expired, erased } = given
    const chains = { chains: links.map(chainDisclosure), decoys: decoys.map((salt) => toBase64Url(salt)) }
    const line = { index: String(index), event, payload, disclosures, ...chains }
    records.push(
      JSON.stringify({ ...line, ...(changes && { changes }), ...(expired && { expired }), ...(erased && { erased }) }),
    )
    for (const [read, { c: _, hidden: __, ...inner }] of reads.entries())
      records.push(JSON.stringify({ index: String(index), read, ...inner }))
  }
  return { entries, records, snapshot: snapshot.map((line) => rebatched(line, roots)) }
}

/** The row of a batch of reads, with the root and the number that it now has. */
function rebatched(text: string, roots: ReadonlyMap<string, object>): string {
  const row = JSON.parse(text) as { of?: string; event?: string; state: object }
  if (row.of?.startsWith('read-batch ') !== true) return text
  return JSON.stringify({ ...row, state: { ...row.state, ...roots.get(row.event ?? '') } })
}

/** An erasure names what was taken out before it: a forger's, which names nothing yet, what the forger took out. */
function targeted(fields: Fields, { gone, named }: Record<'gone' | 'named', [string, string][]>): Fields {
  const targets = fields.find(([name]) => name === 'targets')?.[1]
  if (!Array.isArray(targets)) return fields
  const out = targets.length === 0 ? gone : named
  return out.length === 0 ? fields : fields.map(([name, value]) => [name, name === 'targets' ? out.splice(0) : value])
}

/** A batch holds the root over the reads that it now has; of everything else the fields stay. */
function batched(given: Plain, reads: readonly { c: Uint8Array }[], { root }: Lies): Fields {
  if (fieldIn(given, 'type') !== 'read.batch') return given.fields
  const leaves = reads.map(({ c }) => leafHash(sha256, c))
  return put(given, 'root', root?.(given) ?? toBase64Url(treeHash(sha256, leaves))).fields
}

/** A batch whose parts are those of its reads, and reads whose sets are those of what they gave out, by source. */
export function resets(
  batch: Plain,
  given: (read: PlainRead) => Iterable<readonly [party: string, items: readonly ReadItem[]]>,
): Plain {
  const sets = new Map<string, { reads: SourceRead[]; items: number }>()
  const reads = batch.reads.map((read, j): PlainRead => {
    const salt = fromBase64Url(String(fieldIn(read, 'set_salt'))) ?? new Uint8Array(0)
    const sources = [...given(read)].map(([party, items]) => {
      const root = setRoot(sha256, salt, party, items)
      const own = sets.get(party) ?? { reads: [], items: 0 }
      sets.set(party, { reads: [...own.reads, { read: j, root }], items: own.items + items.length })
      return ['source', { party, n: items.length, root: toBase64Url(root) }] as [string, unknown]
    })
    return { ...read, fields: [...read.fields.filter(([name]) => name !== 'source'), ...sources] }
  })
  const reader = fieldIn(batch, 'reader')
  const parts = [...sets].map(([party, { reads: own, items }]): [string, unknown] => [
    'source',
    { party, reader, reads: own.length, items, root: toBase64Url(sourceRoot(sha256, own)) },
  ])
  return { ...batch, reads, fields: [...batch.fields.filter(([name]) => name !== 'source'), ...parts] }
}

function committed(fields: Fields, holes = 0) {
  const disclosures = fields.map(([name, value]) => disclosure(randomBytes(32), name, value))
  disclosures.push(decoy(randomBytes(32)))
  const hidden = Array.from({ length: holes }, () => disclosure(randomBytes(32), 'region', {}))
  const payload = payloadOf(sha256, [...disclosures, ...hidden])
  return { payload, disclosures, hidden, c: commitment(sha256, payload) }
}

function partiesOf(entry: Plain): string[] {
  const sources = entry.fields.flatMap(([name, value]) =>
    name === 'source' ? [(value as { party: string }).party] : [],
  )
  const named = [fieldIn(entry, 'actor'), fieldIn(entry, 'subject'), ...sources]
  return [...new Set(named.flatMap((name) => (typeof name === 'string' ? [name] : [])))].sort()
}

/** With the root over the changes as they now are. */
export const recommitted = (entry: Plain): Plain =>
  put(entry, 'accepted', toBase64Url(changesRoot(sha256, entry.changes ?? [])))
