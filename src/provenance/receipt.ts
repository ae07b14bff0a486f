import { equal, fromBase64, fromBase64Url, type Hash, toBase64, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { chainsHash, entryOf } from './chain.ts'
import { openCheckpoint } from './checkpoint.ts'
import { commitment, type Field, fieldsOfRead, openPayload } from './commitment.ts'
import { leafHash, rootFromPath } from './merkle.ts'
import type { VerifierKey, VerifyEd25519 } from './note.ts'
import { itemLeaf, sourceLeaf } from './readset.ts'

/** What a holder is given of one record: payload, the disclosures it may open, the chain links it may see. */
export interface ReceiptExtra {
  v: 1
  payload: string
  disclosures: readonly string[]
  /** Chain disclosures, in the clear. */
  chains: readonly string[]
  /** Digests of the chains the holder may not see, base64url. */
  chain_digests?: readonly string[]
  /** One record of a batch. */
  inner?: { payload: string; disclosures: readonly string[]; index: number; size: number; path: readonly string[] }
  /** One signal that a batch of reads gave out, for its source. */
  item?: ReceiptItem
}

/**
 * From one item to the source's root in a batch: the item's salt, the path to the root over what one read gave out of the
 * source, and from there the path among the reads that did. Salts, digests and paths are base64url.
 */
export interface ReceiptItem {
  signal: Uuid
  revision: number
  salt: string
  /** Place and number of items in the set. */
  index: number
  size: number
  path: readonly string[]
  /** The read's place in its batch, and among the reads that gave out something of the source. */
  read: { index: number; place: number; path: readonly string[] }
}

/** A proof that one entry is in the log (C2SP tlog-proof@v1). */
export interface Receipt {
  extra: ReceiptExtra
  index: bigint
  /** Leaf side first. */
  path: readonly Uint8Array[]
  /** The signed note, verbatim. */
  checkpoint: string
}

/** One step of a verification; `why` is there where it did not pass. */
export interface Step {
  step: string
  result: 'PASS' | 'FAIL'
  why?: string
}

export interface Verified {
  steps: Step[]
  passed: boolean
  fields: Field[]
  inner: Field[]
  /** What a source proves: who obtained which signal of it, in which read of the batch. */
  item?: { signal: Uuid; revision: number; source: string; reader: string; read: number }
  /** Size of the log the checkpoint signed, and the entry's index. */
  size: bigint
  index: bigint
}

const HEAD = 'c2sp.org/tlog-proof@v1'
const EXTRA_MAX = 60_000

const encodedExtra = (extra: ReceiptExtra): string => toBase64(utf8(JSON.stringify(extra)))

/** Whether a receipt may say so much. */
export const fitsReceipt = (extra: ReceiptExtra): boolean => encodedExtra(extra).length < EXTRA_MAX

export function formatReceipt({ extra, index, path, checkpoint }: Receipt): string {
  const encoded = encodedExtra(extra)
  if (encoded.length >= EXTRA_MAX) throw new RangeError('a receipt of 60,000 characters or more')
  return `${HEAD}\nextra ${encoded}\nindex ${index}\n${path.map((node) => `${toBase64(node)}\n`).join('')}\n${checkpoint}`
}

/** A receipt in its exact form; undefined for anything else. */
export function parseReceipt(text: string): Receipt | undefined {
  const cut = text.indexOf('\n\n')
  if (cut < 0) return undefined
  const [head, extraLine, indexLine, ...nodes] = text.slice(0, cut).split('\n')
  const extra = extraOf(extraLine)
  const index = /^index (0|[1-9][0-9]{0,18})$/.exec(indexLine ?? '')?.[1]
  const path = nodes.map((node) => fromBase64(node))
  if (head !== HEAD || extra === undefined || index === undefined || path.length > 63) return undefined
  if (!path.every((node) => node?.length === 32)) return undefined
  return { extra, index: BigInt(index), path: path.flatMap((node) => node ?? []), checkpoint: text.slice(cut + 2) }
}

/** Every step from the disclosures to the signed checkpoint, each with its own verdict; needs nothing but the receipt and the log's key. */
export function verifyReceipt(
  receipt: Receipt,
  using: { hash: Hash; key: VerifierKey; verify: VerifyEd25519 },
): Verified {
  const { hash } = using
  const { extra, index, path } = receipt
  const steps: Step[] = []
  const step = (name: string, why: string | undefined): void => {
    steps.push(why === undefined ? { step: name, result: 'PASS' } : { step: name, result: 'FAIL', why })
  }
  const outer = openPayload(hash, extra.payload, extra.disclosures)
  step('disclosures are in the record', outer.outcome === 'failed' ? outer.why : undefined)
  const fields = outer.outcome === 'opened' ? outer.fields : []
  const inner = verifyInner(hash, extra, fields, step)
  const item = verifyItem(hash, extra, fields, step)
  const c = commitment(hash, extra.payload)
  const digests = chainDigestsOf(hash, extra)
  step('chains are canonical', digests === undefined ? 'a chain digest is malformed' : undefined)
  const leaf = leafHash(hash, entryOf(hash, c, chainsHash(hash, digests ?? [])))
  const signed = openCheckpoint(receipt.checkpoint, using.key, using.verify)
  step('the checkpoint is signed by the pinned key', signed.outcome === 'failed' ? signed.why : undefined)
  const size = signed.outcome === 'signed' ? signed.checkpoint.size : 0n
  const root = rootFromPath(hash, { leaf, index, size, path })
  const included = signed.outcome === 'signed' && root !== undefined && equal(root, signed.checkpoint.root)
  step('the entry is in the signed tree', included ? undefined : 'the audit path leads to another root')
  const passed = steps.every(({ result }) => result === 'PASS')
  return { steps, passed, fields, inner, ...(item === undefined ? {} : { item }), size, index }
}

function verifyInner(
  hash: Hash,
  { inner }: ReceiptExtra,
  outer: readonly Field[],
  step: (name: string, why: string | undefined) => void,
): Field[] {
  if (inner === undefined) return []
  const opened = openPayload(hash, inner.payload, inner.disclosures, fieldsOfRead)
  step('disclosures are in the inner record', opened.outcome === 'failed' ? opened.why : undefined)
  const leaf = leafHash(hash, commitment(hash, inner.payload))
  const path = nodesOf(inner.path)
  const root = rootFromPath(hash, { leaf, index: BigInt(inner.index), size: BigInt(inner.size), path })
  const batch = new Map(outer.map(({ name, value }) => [name, value]))
  // A root alone does not say how many leaves are under it, nor so at which place one stands.
  const fits = root !== undefined && toBase64Url(root) === batch.get('root') && inner.size === batch.get('n')
  step('the inner record is in the batch', fits ? undefined : 'the batch names another root or size')
  return opened.outcome === 'opened' ? opened.fields : []
}

function verifyItem(
  hash: Hash,
  { item }: ReceiptExtra,
  fields: readonly Field[],
  step: (name: string, why: string | undefined) => void,
): Verified['item'] {
  if (item === undefined) return undefined
  const { signal, revision, read } = item
  const root = itemRoots(hash, item, sourcesIn(fields))
  step(
    'the signal is in what the reader was given',
    root === undefined ? 'its paths lead to no root that the batch has for the source' : undefined,
  )
  return root === undefined
    ? undefined
    : { signal, revision, source: root.party, reader: root.reader, read: read.index }
}

interface SourceField {
  party: string
  reader: string
  reads: number
  root: string
}

/** What a batch of reads says of its sources, as far as it is opened. */
function sourcesIn(fields: readonly Field[]): SourceField[] {
  if (!fields.some(({ name, value }) => name === 'type' && value === 'read.batch')) return []
  return fields.flatMap(({ name, value }) => {
    if (name !== 'source' || typeof value !== 'object' || value === null) return []
    const { party, reader, reads, root } = value as Record<string, unknown>
    const whole = typeof party === 'string' && typeof reader === 'string' && typeof root === 'string'
    return whole && Number.isSafeInteger(reads) ? [{ party, reader, reads: Number(reads), root }] : []
  })
}

/** The source to whose root both paths lead. */
function itemRoots(hash: Hash, item: ReceiptItem, sources: readonly SourceField[]): SourceField | undefined {
  const { index, size, read } = item
  const salt = fromBase64Url(item.salt)
  if (salt?.length !== 32) return undefined
  const leaf = leafHash(hash, itemLeaf(salt, item))
  const set = rootFromPath(hash, { leaf, index: BigInt(index), size: BigInt(size), path: nodesOf(item.path) })
  if (set === undefined) return undefined
  const above = { leaf: sourceLeaf(hash, { read: read.index, root: set }), path: nodesOf(read.path) }
  return sources.find(({ reads, root }) => {
    const made = rootFromPath(hash, { ...above, index: BigInt(read.place), size: BigInt(reads) })
    return made !== undefined && toBase64Url(made) === root
  })
}

/** What is no node is no path either: nothing of another length is one. */
const nodesOf = (path: readonly string[]): Uint8Array[] => path.map((node) => fromBase64Url(node) ?? new Uint8Array(0))

/** The digests of all chains, those in the clear first; undefined where one is malformed. */
export function chainDigestsOf(hash: Hash, { chains, chain_digests = [] }: ReceiptExtra): Uint8Array[] | undefined {
  const hidden = chain_digests.map((digest) => fromBase64Url(digest))
  if (!hidden.every((digest) => digest?.length === 32)) return undefined
  return [
    ...chains.map((chain) => hash(utf8(chain))),
    ...hidden.flatMap((digest) => (digest === undefined ? [] : [digest])),
  ]
}

function extraOf(line: string | undefined): ReceiptExtra | undefined {
  if (line === undefined || !line.startsWith('extra ') || line.length >= EXTRA_MAX + 6) return undefined
  const bytes = fromBase64(line.slice(6))
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isExtra(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether parsed JSON has the shape of what a holder is given. */
export function isExtra(value: unknown): value is ReceiptExtra {
  if (typeof value !== 'object' || value === null) return false
  const { v, payload, disclosures, chains, chain_digests, inner, item } = value as Record<string, unknown>
  if (v !== 1 || typeof payload !== 'string' || !isTexts(disclosures) || !isTexts(chains)) return false
  if (chain_digests !== undefined && !isTexts(chain_digests)) return false
  return (inner === undefined || isInner(inner)) && (item === undefined || isItem(item))
}

function isItem(value: unknown): value is ReceiptItem {
  if (typeof value !== 'object' || value === null) return false
  const { signal, revision, salt, index, size, path, read } = value as Record<string, unknown>
  if (typeof signal !== 'string' || !isUuid(signal) || typeof salt !== 'string' || !isTexts(path)) return false
  if (![revision, index, size].every((n) => isCount(n)) || typeof read !== 'object' || read === null) return false
  const own = read as Record<string, unknown>
  return isCount(own['index']) && isCount(own['place']) && isTexts(own['path'])
}

/** What stands in 32 bits. */
const isCount = (n: unknown): boolean => Number.isInteger(n) && Number(n) >= 0 && Number(n) <= 0xffff_ffff

function isInner(inner: unknown): boolean {
  if (typeof inner !== 'object' || inner === null) return false
  const { index, size, path, ...rest } = inner as Record<string, unknown>
  const counts = Number.isSafeInteger(index) && Number.isSafeInteger(size)
  return counts && isTexts(path) && typeof rest['payload'] === 'string' && isTexts(rest['disclosures'])
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
