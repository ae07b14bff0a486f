import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeDurably } from '../kernel/durable.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { VerifierKey } from '../provenance/note.ts'
import type { Policy } from '../provenance/policy.ts'
import { parseReceipt } from '../provenance/receipt.ts'
import type { Client } from './client.ts'
import { AldisError, VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import type { HistoryEntry } from './history.ts'
import { checkReceipt, entryIn } from './verify.ts'

/** What one batch of reads says of our signals. */
export interface Obtained {
  entry: HistoryEntry
  reader: string
  /** Reads that gave out something of ours, and how much: a signal that was given out twice counts twice. */
  reads: number
  items: number
}

/** What one reader obtained of our signals, over all batches. */
export interface ReaderTotal {
  reader: string
  batches: number
  reads: number
  items: number
  /** Times of the first and the last batch. */
  first: string
  last: string
}

/**
 * Who obtained something of ours by an entry of our chain; undefined for what is no reading by another. Throws
 * `VerificationFailed` for a batch of reads that hides our part: without it the list of readers would not be whole.
 */
export function obtainedBy(entry: HistoryEntry, me: string): Obtained | undefined {
  if (entry.kind !== 'read.batch') return undefined
  const parts = entry.fields.flatMap(({ name, value }) => (name === 'source' ? [partOf(value)] : []))
  const own = parts.filter((part) => part?.party === me)
  const [one] = own
  if (one !== undefined && own.length === 1) return { entry, reader: one.reader, reads: one.reads, items: one.items }
  // Our own batch is a link of ours, whoever's signals it gave out.
  if (own.length === 0 && entry.fields.some(({ name, value }) => name === 'reader' && value === me)) return undefined
  throw new VerificationFailed('chain readers', `link ${entry.seq} does not say who obtained what of ours`)
}

function partOf(value: unknown): { party: string; reader: string; reads: number; items: number } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { party, reader, reads, items } = value as Record<string, unknown>
  const whole = typeof party === 'string' && typeof reader === 'string'
  const counted = Number.isSafeInteger(reads) && Number.isSafeInteger(items)
  return whole && counted ? { party, reader, reads: Number(reads), items: Number(items) } : undefined
}

/** The list of who obtained our signals, by name. */
export async function readersOf(entries: AsyncIterable<HistoryEntry>, me: string): Promise<ReaderTotal[]> {
  const totals = new Map<string, ReaderTotal>()
  for await (const entry of entries) {
    const obtained = obtainedBy(entry, me)
    if (obtained === undefined) continue
    const { reader, reads, items } = obtained
    const known = totals.get(reader) ?? { reader, batches: 0, reads: 0, items: 0, first: entry.at, last: entry.at }
    totals.set(reader, {
      ...known,
      ...{ batches: known.batches + 1, reads: known.reads + reads, items: known.items + items, last: entry.at },
    })
  }
  return [...totals.values()].sort((a, b) => (a.reader < b.reader ? -1 : 1))
}

/** That a reader obtained one signal of ours in one read: the proof stands in the file. */
export interface ItemProof {
  reader: string
  /** Of the batch. */
  time: string
  event: string
  read: number
  signal: string
  revision: number
  file: string
}

export interface ItemProofs {
  client: Pick<Client, 'itemReceipt'>
  key: VerifierKey
  /** The witnesses that each proof must have: `policyOfReceipt`. */
  policy: Policy | undefined
  /** The participant's folder. */
  dir: string
  me: string
  entries: AsyncIterable<HistoryEntry>
  /** Holds the checkpoint of each proof against the head that is kept: `Home.compare`. */
  compare(note: string): Promise<unknown>
  /** Told of each batch that the node has no proof of any more, as where it lost the key of one of its reads. */
  onLost?(batch: Obtained): void
}

/** Characters of an event's id, with which the name of a proof begins. */
const EVENT_LENGTH = 36
/** Batches without a proof that are asked again after a crash. */
const NOTE_EVERY = 64

interface Asked {
  /** The last link whose batch was asked, by the name of its log: the chain of another log begins at 1 again. */
  logs: Record<string, string>
  proofs: ItemProof[]
  /** Events of the batches that the node had no proof of any more: they are asked again. */
  lost: string[]
}

/**
 * A proof of each read by which a signal of ours went out, from the batches of our chain. Each batch is asked once and the
 * proofs are kept, in `proofs/<signal>`. That a batch gave it out is proven; that it did not, the node says.
 */
export async function proveReads(signal: Uuid, using: ItemProofs): Promise<ItemProof[]> {
  const { dir, key } = using
  const folder = join(dir, 'proofs', signal)
  const askedFile = join(folder, 'asked.json')
  const asked = askedIn(askedFile)
  let unnoted = 0
  for await (const obtained of toAsk(using, asked)) {
    const { event, seq } = obtained.entry
    const { found, isLost } = await proofsIn(folder, { ...using, obtained, signal })
    asked.lost = asked.lost.filter((one) => one !== event)
    if (isLost) {
      asked.lost.push(event)
      using.onLost?.(obtained)
    }
    // A batch that is asked again gives what it gave.
    if (found.length > 0) asked.proofs = [...asked.proofs.filter((one) => one.event !== event), ...found]
    if (seq > lastAsked(asked, key)) asked.logs[key.name] = String(seq)
    unnoted += 1
    if (found.length === 0 && unnoted < NOTE_EVERY) continue
    writeDurably(askedFile, JSON.stringify(asked))
    unnoted = 0
  }
  if (unnoted > 0) writeDurably(askedFile, JSON.stringify(asked))
  return asked.proofs
}

/** Files of before do not say all of it. */
function askedIn(file: string): Asked {
  const { logs = {}, proofs = [], lost = [] } = JSON.parse(readIfThere(file) ?? '{}') as Partial<Asked>
  return { logs, proofs, lost }
}

const lastAsked = ({ logs }: Asked, { name }: VerifierKey): bigint => BigInt(logs[name] ?? 0)

/** The batches that were not asked yet, or that the node had no proof of. */
async function* toAsk({ entries, me, key }: ItemProofs, asked: Asked): AsyncGenerator<Obtained> {
  const [after, lost] = [lastAsked(asked, key), new Set(asked.lost)]
  for await (const entry of entries) {
    const obtained = obtainedBy(entry, me)
    if (obtained !== undefined && (entry.seq > after || lost.has(entry.event))) yield obtained
  }
}

/**
 * Holds every proof that is kept against the log's key and the links of our chain, by their events; answers how many of
 * them there are. Throws `VerificationFailed` for the first that does not hold.
 */
export function checkProofs(dir: string, against: ProofCheck): number {
  const folder = join(dir, 'proofs')
  if (!existsSync(folder)) return 0
  const signals = readdirSync(folder)
  const files = signals.flatMap((signal) => readdirSync(join(folder, signal)).map((name) => ({ signal, name })))
  const proofs = files.filter(({ name }) => name.endsWith('.tlog-proof'))
  for (const proof of proofs) checkProof(readFileSync(join(folder, proof.signal, proof.name), 'utf8'), proof, against)
  return proofs.length
}

interface ProofCheck {
  me: string
  key: VerifierKey
  keyOf(receipt: string): VerifierKey
  ours: ReadonlyMap<string, OwnEntry>
}

/** Where our chain has an entry, and what that is. */
export type OwnEntry = Pick<HistoryEntry, 'index' | 'c'>

const isAt = (text: string, index: bigint, own: OwnEntry | undefined): boolean =>
  own !== undefined && own.index === index && own.c === entryIn(text)

function checkProof(
  text: string,
  { signal, name }: { signal: string; name: string },
  { me, key, keyOf, ours }: ProofCheck,
): void {
  const own = keyOf(text)
  const { passed, index, item, steps } = checkReceipt(text, own)
  if (!passed) throw new VerificationFailed('proof', `${name}: ${steps.find(({ why }) => why !== undefined)?.why}`)
  if (item?.signal !== signal || item.source !== me)
    throw new VerificationFailed('proof', `${name} is of another signal or source than its place says`)
  // Of a log that ended the chain is another one.
  if (own.name === key.name && !isAt(text, index, ours.get(name.slice(0, EVENT_LENGTH))))
    throw new VerificationFailed('proof', `${name} is of no batch of our chain`)
}

/** A proof of each read of one batch that gave the signal out; of a batch that the node lost a part of it has no more. */
async function proofsIn(
  folder: string,
  asked: Pick<ItemProofs, 'client' | 'key' | 'policy' | 'me' | 'compare'> & { obtained: Obtained; signal: Uuid },
): Promise<{ found: ItemProof[]; isLost: boolean }> {
  const { client, obtained, signal, compare } = asked
  const { event } = obtained.entry
  const found: ItemProof[] = []
  for (let from = 0; found.length < obtained.reads; ) {
    const receipt = await client.itemReceipt(event, { item: signal, from }).catch(lostIfAbsent)
    if (receipt === 'lost') return { found, isLost: true }
    if (receipt === undefined) break
    const proof = proven(receipt, { ...asked, from })
    await compare(parseReceipt(receipt)?.checkpoint ?? '')
    const file = join(folder, `${event}-${proof.read}.tlog-proof`)
    writeDurably(file, receipt)
    found.push({ ...proof, file })
    from = proof.read + 1
  }
  return { found, isLost: false }
}

function lostIfAbsent(error: unknown): 'lost' {
  if (error instanceof AldisError && error.code === 'not-found') return 'lost'
  throw error
}

/** Throws `VerificationFailed` unless the receipt proves what was asked for, in the very entry of our chain. */
function proven(
  text: string,
  asked: Pick<ItemProofs, 'key' | 'policy' | 'me'> & { obtained: Obtained; signal: Uuid; from: number },
): Omit<ItemProof, 'file'> {
  const { obtained, signal, from, me } = asked
  const { entry, reader } = obtained
  const { passed, index, item, steps } = checkReceipt(text, asked.key, asked.policy)
  const failed = steps.find(({ result }) => result === 'FAIL')
  if (!passed) throw new VerificationFailed('proof', `${failed?.step}: ${failed?.why}`)
  const same = item?.signal === signal && item.source === me && item.reader === reader && item.read >= from
  if (item === undefined || !same || !isAt(text, index, entry))
    throw new VerificationFailed('proof', `link ${entry.seq} is proven to be of another signal, reader or entry`)
  return { reader, time: entry.at, event: entry.event, read: item.read, signal, revision: item.revision }
}
