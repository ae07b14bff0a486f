import { equal, fromBase64Url, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { chainDisclosure, chainsHash, entryOf, genesisLink, nextLink } from '../provenance/chain.ts'
import { commitment, type Field, openPayload } from '../provenance/commitment.ts'
import { leafHash } from '../provenance/merkle.ts'
import { isExtra, type ReceiptExtra } from '../provenance/receipt.ts'
import type { Client } from './client.ts'
import { VerificationFailed } from './errors.ts'
import { createTree, type VerifiedTree } from './tree.ts'
import type { KeptHead } from './verify.ts'

/** Where a chain stands: after link `seq`, whose entry is at `index` of the log; -1 before the first. */
export interface ChainPlace {
  seq: bigint
  link: Uint8Array
  index: bigint
}

/** One link that follows from the one before, with what its record says to us. */
export interface HistoryEntry extends ChainPlace {
  event: Uuid
  /** SHA-256 of the record under its own prefix: what countersignatures and receipts promise, base64url. */
  c: string
  kind: string
  at: string
  fields: Field[]
  /** SHA-256(00 || entry), as the tree has it. */
  leaf: Uint8Array
  /** The line as it was answered, without its newline. */
  line: string
}

/** Whose chain it is, in which log. */
export interface ChainOf {
  party: string
  /** Name of the log: the first line of its checkpoints. */
  origin: string
}

/** Where every chain begins. */
export const chainStart = ({ party, origin }: ChainOf): ChainPlace => ({
  seq: 0n,
  link: genesisLink(sha256, origin, party),
  index: -1n,
})

export interface HistoryOptions {
  client: Pick<Client, 'chain' | 'tile'>
  of: ChainOf
  /** A head that is verified and continues every earlier one: what `Home.advance` answers. */
  head: KeptHead
  /** Where an earlier run ended; the whole chain unless given. */
  kept?: ChainPlace
}

/**
 * Our chain from where it was left to the head, each entry verified to be the next of the chain and to stand at its index of
 * the signed tree. The last link that was verified is asked for again: a chain that has become shorter, or another one,
 * is refused with a `VerificationFailed` as everything else that does not hold.
 */
export async function* history({
  client,
  of,
  head,
  kept = chainStart(of),
}: HistoryOptions): AsyncGenerator<HistoryEntry> {
  const tree = createTree(head, client.tile)
  let place = kept
  for (;;) {
    const { seq } = place
    const lines = seq === 0n ? client.chain({ after: 0n }) : afterKnown(of, place, client.chain({ after: seq - 1n }))
    for await (const entry of chainEntries(of, place, lines)) {
      // Published since the head was taken: for the next run.
      if (entry.index >= head.size) return
      await checkInTree(entry, tree)
      yield entry
      place = entry
    }
    if (place.seq === seq) return
  }
}

/** The lines after the one of the known link, which has to come first and to be the same. */
async function* afterKnown(
  { party }: ChainOf,
  known: ChainPlace,
  lines: AsyncIterable<string>,
): AsyncGenerator<string> {
  let met = false
  for await (const line of lines) {
    if (met) yield line
    else if (!isKnown(party, known, line))
      throw new VerificationFailed('chain head', `link ${known.seq} is another than the one that was verified before`)
    met = true
  }
  if (!met)
    throw new VerificationFailed('chain head', `the chain ends before link ${known.seq}, which was verified before`)
}

function isKnown(party: string, { seq, index, link }: ChainPlace, line: string): boolean {
  const told = parsedLine(line)
  return told.seq === seq && told.index === index && isOwnLink(told.record, { party, seq, link })
}

/**
 * The entries of a chain from `place` on, each verified: next in number, later in the log, its fields in its record, its
 * link made from the one before and from its record. Throws `VerificationFailed`; its step says what is wrong.
 */
export async function* chainEntries(
  of: ChainOf,
  place: ChainPlace,
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<HistoryEntry> {
  let before = place
  for await (const line of lines) {
    const entry = nextEntry(of, before, line)
    yield entry
    before = entry
  }
}

/** Throws `VerificationFailed` unless the entry stands at its index of the tree. */
async function checkInTree({ seq, index, leaf }: HistoryEntry, tree: VerifiedTree): Promise<void> {
  if (equal(await tree.leaf(index), leaf)) return
  throw new VerificationFailed('chain entry', `link ${seq} is of another entry than the log has at ${index}`)
}

function nextEntry({ party }: ChainOf, before: ChainPlace, line: string): HistoryEntry {
  const { seq, event, index, record } = parsedLine(line)
  if (seq !== before.seq + 1n) throw new VerificationFailed('chain gap', `link ${before.seq + 1n} is missing`)
  if (index <= before.index) throw new VerificationFailed('chain order', `link ${seq} is not after the one before it`)
  const opened = openPayload(sha256, record.payload, record.disclosures)
  if (opened.outcome === 'failed') throw new VerificationFailed('chain record', `link ${seq}: ${opened.why}`)
  const { fields } = opened
  const [kind, at] = [textIn(fields, 'type'), textIn(fields, 'time')]
  if (kind === undefined || at === undefined)
    throw new VerificationFailed('chain record', `link ${seq} hides its kind or its time`)
  const c = commitment(sha256, record.payload)
  const link = nextLink(sha256, before.link, seq, c)
  if (!isOwnLink(record, { party, seq, link }))
    throw new VerificationFailed('chain link', `link ${seq} does not follow from the one before it`)
  const leaf = leafHash(sha256, entryOf(sha256, c, chainsHash(sha256, digestsOf(record, seq))))
  return { seq, link, index, event, c: toBase64Url(c), kind, at, fields, leaf, line }
}

interface Line {
  seq: bigint
  event: Uuid
  index: bigint
  record: ReceiptExtra
}

const NUMBER = /^(0|[1-9][0-9]{0,17})$/

function parsedLine(line: string): Line {
  const { seq, event, index, record } = objectIn(line)
  const numbers = typeof seq === 'string' && NUMBER.test(seq) && typeof index === 'string' && NUMBER.test(index)
  if (!numbers || typeof event !== 'string' || !isUuid(event) || !isExtra(record))
    throw new VerificationFailed('chain line', 'a line is not of the form that links have')
  return { seq: BigInt(seq), event, index: BigInt(index), record }
}

function objectIn(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new VerificationFailed('chain line', 'a line is no JSON object')
}

/** Whether the one disclosure of our own chain among those in the clear is of exactly this link. */
function isOwnLink({ chains }: ReceiptExtra, link: { party: string; seq: bigint; link: Uint8Array }): boolean {
  const own = chains.filter((text) => partyIn(text) === link.party)
  const [text = ''] = own
  const salt = saltIn(text)
  return own.length === 1 && salt !== undefined && chainDisclosure({ ...link, salt }) === text
}

const partsOf = (disclosure: string): unknown[] => {
  try {
    const parts: unknown = JSON.parse(Buffer.from(disclosure, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

const partyIn = (disclosure: string): unknown => (partsOf(disclosure)[2] as { party?: unknown } | undefined)?.party

function saltIn(disclosure: string): Uint8Array | undefined {
  const [salt] = partsOf(disclosure)
  return typeof salt === 'string' ? fromBase64Url(salt) : undefined
}

function digestsOf({ chains, chain_digests = [] }: ReceiptExtra, seq: bigint): Uint8Array[] {
  const hidden = chain_digests.map((digest) => fromBase64Url(digest) ?? new Uint8Array(0))
  if (hidden.every(({ length }) => length === 32)) return [...chains.map((text) => sha256(utf8(text))), ...hidden]
  throw new VerificationFailed('chain line', `link ${seq} has a chain digest that is none`)
}

function textIn(fields: readonly Field[], name: string): string | undefined {
  const value = fields.find((field) => field.name === name)?.value
  return typeof value === 'string' ? value : undefined
}
