import { equal, fromBase64Url, type Hash } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { isParty } from '../provenance/batch.ts'
import { type ChainLink, chainDigest, chainDisclosure, chainsHash, decoyDigest, entryOf } from '../provenance/chain.ts'
import { commitment, decoy, digestOf, digestsOf, type Field, fieldOf, fieldsOfRead } from '../provenance/commitment.ts'
import type { ExportEntry, ExportRead } from '../provenance/schema.ts'
import { listIn } from './names.ts'

/** A payload with what opens it. */
export interface OpenedPayload {
  c: Uint8Array
  fields: ReadonlyMap<string, unknown>
  /** The values of the fields `source`, of which there may be several. */
  sources: readonly Readonly<Record<string, unknown>>[]
  /** Digests with nothing to open them. */
  unopened: readonly string[]
  /** What check 6 has against it. */
  faults: readonly string[]
}

/** An entry as its record tells it. */
export interface Entry extends OpenedPayload {
  index: bigint
  event: Uuid
  kind: string
  /** Milliseconds; NaN where there is none. */
  time: number
  /** The entry's bytes, from the verified tree. */
  bytes: Uint8Array
  links: readonly ChainLink[]
  decoys: readonly Uint8Array[]
  /** Whether record and chains make these bytes. */
  committed: boolean
  changes: NonNullable<ExportEntry['changes']>
  expired: NonNullable<ExportEntry['expired']>
  erased: NonNullable<ExportEntry['erased']>
}

/** One read inside a batch. */
export interface Inner extends OpenedPayload {
  read: number
  items: ExportRead['items']
}

export function openEntry(hash: Hash, line: ExportEntry, bytes: Uint8Array): Entry {
  const opened = readPayload(hash, line)
  const links = line.chains.map(linkOf)
  const decoys = line.decoys.map((salt) => fromBase64Url(salt))
  const [kind, time] = [opened.fields.get('type'), opened.fields.get('time')]
  const chains = {
    links: links.flatMap((link) => link ?? []),
    decoys: decoys.flatMap((salt) => (salt?.length === 32 ? [salt] : [])),
  }
  const whole = chains.links.length === links.length && chains.decoys.length === decoys.length
  return {
    ...{ ...opened, ...chains },
    ...{ index: BigInt(line.index), event: line.event as Uuid, bytes },
    committed: whole && equal(madeOf(hash, opened.c, chains), bytes),
    kind: typeof kind === 'string' ? kind : '',
    time: typeof time === 'string' ? Date.parse(time) : Number.NaN,
    changes: line.changes ?? [],
    expired: line.expired ?? [],
    erased: line.erased ?? [],
  }
}

function madeOf(hash: Hash, c: Uint8Array, { links, decoys }: Pick<Entry, 'links' | 'decoys'>): Uint8Array {
  const digests = [...links.map((link) => chainDigest(hash, link)), ...decoys.map((salt) => decoyDigest(hash, salt))]
  return entryOf(hash, c, chainsHash(hash, digests))
}

export const openRead = (hash: Hash, line: ExportRead): Inner => ({
  ...readPayload(hash, line, fieldsOfRead),
  ...{ read: line.read, items: line.items },
})

function readPayload(
  hash: Hash,
  { payload, disclosures }: Pick<ExportEntry, 'payload' | 'disclosures'>,
  apart = (fields: readonly Field[]): readonly Field[] => fields,
): OpenedPayload {
  const left = new Set(digestsOf(payload))
  const faults = left.size === 0 ? ['the payload is not canonical'] : []
  const fields = new Map<string, unknown>()
  const sources: Record<string, unknown>[] = []
  for (const one of disclosures) {
    if (!left.delete(digestOf(hash, one))) faults.push('a disclosure is not in the payload')
    const field = fieldOf(one)
    if (field?.name === 'source') sources.push(Object(field.value) as Record<string, unknown>)
    else if (field !== undefined) faults.push(...apart([field]).flatMap((own) => putField(fields, own)))
    else if (!isDecoy(one)) faults.push('a disclosure is malformed')
  }
  return { c: commitment(hash, payload), fields, sources, unopened: [...left], faults }
}

/** What is wrong with one more field; the first of a name counts. */
function putField(fields: Map<string, unknown>, { name, value }: Field): string[] {
  if (fields.has(name)) return [`the field ${name} is there twice`]
  fields.set(name, value)
  return []
}

/** Whether it is the one text that a salt makes a decoy. */
function isDecoy(text: string): boolean {
  const parts = jsonIn(text)
  if (!Array.isArray(parts) || typeof parts[0] !== 'string') return false
  const salt = fromBase64Url(parts[0])
  return salt?.length === 32 && decoy(salt) === text
}

/** The link that a chain disclosure tells, if it is the one text of it. */
function linkOf(text: string): ChainLink | undefined {
  const [salt, name, value] = listIn(jsonIn(text))
  const { party, seq, link } = Object(value) as Record<string, unknown>
  if (name !== 'chain' || typeof party !== 'string' || !isParty(party)) return undefined
  if (!Number.isSafeInteger(seq) || Number(seq) < 1) return undefined
  const [salted, linked] = [bytesOf(salt), bytesOf(link)]
  if (salted === undefined || linked === undefined) return undefined
  const made = { party, seq: BigInt(Number(seq)), salt: salted, link: linked }
  return chainDisclosure(made) === text ? made : undefined
}

function bytesOf(text: unknown): Uint8Array | undefined {
  const bytes = typeof text === 'string' ? fromBase64Url(text) : undefined
  return bytes?.length === 32 ? bytes : undefined
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function jsonIn(encoded: string): unknown {
  const bytes = fromBase64Url(encoded)
  try {
    return bytes === undefined ? undefined : JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined
  }
}
