import { randomBytes } from 'node:crypto'
import { createReadStream, mkdirSync, statSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type OwnSignature, ownSignature } from '../../client/countersigned.ts'
import type { DeriveContext, TokenEpoch } from '../../client/derive.ts'
import { derive } from '../../client/derive.ts'
import { readIfThere } from '../../client/files.ts'
import { linesOf } from '../../client/lines.ts'
import type { TokenMaker } from '../../client/tokens.ts'
import { triedPattern } from '../../client/try-pattern.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { removeDurably, writeDurably } from '../../kernel/durable.ts'
import { Refusal } from '../../kernel/errors.ts'
import { derivedId, type Uuid } from '../../kernel/ids.ts'
import { createMarker } from '../../kernel/marker.ts'
import { sha256 } from '../../kernel/sha256.ts'
import type { PatternChecker } from '../../matching/pattern.ts'
import type { SigningKey } from '../../signals/submission.ts'
import { signSubmission } from '../../signals/submission.ts'
import { firstsOf, forgetAnswers, keptAnswer } from './answered.ts'
import { createPack } from './pack.ts'
import { type Read, readRaw } from './raw-file.ts'
import type { Session } from './session.ts'
import { chunksOf } from './tokens.ts'

/** A raw file as it was signed: the lines that are sent, and which raw line each item came from. */
export interface Signed {
  upload: Uuid
  path: string
  lines: bigint
  items: number
  /** Raw lines whose link is to be sealed beside its signal; absent in what was signed before there were any. */
  seals?: number
  /** Whether the node's answers are kept; absent in what was signed before they were. */
  answers?: true
  /** Of the options that its items were signed with; absent in what was signed before it was kept. */
  options?: string
  /** Raw lines that could not be made into an item. */
  refused: { line: number; reason: string }[]
  /** Raw lines whose item is sent, and what speaks against that. */
  warned: { line: number; warning: string }[]
  /** What each submission was signed as, by the number of its first line. */
  submissions: Record<string, OwnSignature>
  /** By the number of a sent line: raw line and type, so that answers can name them. */
  origin: Record<string, [line: number, type: string]>
}

/** Raw lines, and the id under which they are uploaded: of the same list the same one, so that it goes on where it was. */
export interface RawSource {
  rows(): AsyncIterable<Read>
  upload(audience: Uuid): Promise<Uuid>
  /** Whether its rows can be read a second time; they can unless it says otherwise. */
  again?: boolean
}

/** A raw file as it stands; an upload of standard input is new each time. */
export const rawFile = (file: string): RawSource => ({
  rows: () => readRaw(file),
  upload: (audience) => uploadOf(file, audience),
  again: file !== '-',
})

interface Packed {
  text: string
  line: number
  type: string
}

interface Signing {
  session: Session
  key: SigningKey
  context: Omit<DeriveContext, 'epoch'>
  tokens: TokenMaker
  /** Patterns are tried here first: what the node would refuse is not signed. */
  patterns: Pick<PatternChecker, 'check'>
}

/**
 * Normalises, hashes and signs raw lines at home and keeps the result, so that sending it again after any interruption
 * sends the very same bytes. The upload is named by the raw bytes' digest and its audience.
 */
export async function signFile(source: RawSource, signing: Signing): Promise<Signed> {
  const { session, context } = signing
  const upload = await source.upload(context.audience)
  const dir = join(session.home.dir, 'uploads', upload)
  const options = optionsDigest(context)
  const kept = signedUpload(session.home.dir, upload)
  if (kept !== undefined && (kept.options ?? options) === options) return kept
  if (kept !== undefined) await discard(session, kept)
  writeDurably(join(dir, 'begun'), '')
  const path = join(dir, 'signed.ndjson')
  const handle = await open(`${path}.new`, 'w', 0o600)
  const signed: Signed = {
    upload,
    path,
    lines: 0n,
    items: 0,
    seals: 0,
    answers: true,
    options,
    refused: [],
    warned: [],
    submissions: {},
    origin: {},
  }
  const pack = createPack<Packed>()
  const flush = async (): Promise<void> => {
    const held = pack.take()
    if (held.length === 0) return
    const { as, lines } = await signLines(session, { items: held.map(({ text }) => text), key: signing.key })
    const first = signed.lines + 1n
    signed.submissions[String(first)] = as
    held.forEach(({ line, type }, i) => {
      signed.origin[String(first + 1n + BigInt(i))] = [line, type]
    })
    await handle.write(lines.join(''))
    signed.lines += BigInt(lines.length)
    signed.items += held.length
  }
  const hold = async (one: Packed): Promise<void> => {
    if (!pack.fits(one)) await flush()
    pack.add(one)
  }
  const take = async (read: Read, epoch: TokenEpoch): Promise<void> => {
    const derived =
      read.outcome === 'raw' ? await triedPattern(derive(read.raw, { ...context, epoch }), signing.patterns) : read
    const { line } = read
    if (derived.outcome === 'refused') signed.refused.push({ line, reason: derived.reason })
    else if (derived.outcome === 'item') {
      if (derived.warning !== undefined) signed.warned.push({ line, warning: derived.warning })
      signed.seals = (signed.seals ?? 0) + sealsOf(read)
      await hold({ text: JSON.stringify(derived.item), line: read.line, type: derived.item.type })
    }
  }
  try {
    for await (const chunk of chunksOf(source.rows())) {
      const lines = chunk.flatMap((read) => (read.outcome === 'raw' ? [read.raw] : []))
      const epoch = await signing.tokens.epochFor(lines)
      for (const read of chunk) await take(read, epoch)
    }
    await flush()
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
  keepSigned(session.home.dir, signed)
  return signed
}

/** The audience is in the upload's name. */
const optionsDigest = ({ taxonomy, defaults }: Signing['context']): string =>
  sha256(Buffer.from(canonicalJson({ taxonomy, defaults }))).toString('hex')

/**
 * Has an upload for one process, from its signing to its end: throws `home-in-use` while another living one signs or sends it. Answers
 * how to let go.
 */
export async function onlySender({ home }: Pick<Session, 'home'>, upload: Uuid): Promise<() => Promise<void>> {
  const dir = join(home.dir, 'uploads', upload)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const marker = createMarker(join(dir, 'sender'))
  if (!(await marker.take()))
    throw new Refusal('home-in-use', { detail: 'this file is being shared already: run it again once that has ended' })
  return () => marker.release()
}

/** Takes what was signed with other options away, for it to be signed anew; throws `state-conflict` where the node has some of it. */
async function discard({ home, client }: Session, kept: Signed): Promise<void> {
  const { job, next_line } = await client.uploads.get(kept.upload)
  const isStored = (first: bigint): boolean => {
    const known = keptAnswer({ home }, kept, first)
    return known === undefined ? first < BigInt(next_line) : known.accepted > 0
  }
  if (job !== undefined || firstsOf(kept).some(isStored)) throw new Refusal('state-conflict', { detail: OTHER_OPTIONS })
  removeDurably(join(home.dir, 'uploads', kept.upload, 'signed.json'))
  forgetAnswers({ home }, kept)
}

const OTHER_OPTIONS =
  'this file was shared with other options: give those again, or put the lines that are to be shared otherwise into another file'

const sealsOf = (read: Read): number => (read.outcome === 'raw' && read.raw.seal === true ? 1 : 0)

/** A submission of these items, signed now: as what, and the lines that are sent. */
export async function signLines(
  { member }: Pick<Session, 'member'>,
  { items, key }: { items: readonly string[]; key: SigningKey },
): Promise<{ as: Signed['submissions'][string]; lines: string[] }> {
  const made = await signSubmission({
    ...{ typ: 'aldis-signal+jws', iss: member.uri, aud: member.node_origin, prg: member.programme },
    ...{ items, key, now: new Date() },
  })
  const lines = [{ jws: made.jws }, ...made.items].map((one) => `${JSON.stringify(one)}\n`)
  return { as: ownSignature(made.jws), lines }
}

/** What is sent for its upload from now on. */
export const keepSigned = (dir: string, signed: Signed): void =>
  writeDurably(join(dir, 'uploads', signed.upload, 'signed.json'), JSON.stringify(signed, textLines), 0o600)

/** What was signed at home for an upload; undefined where it was signed elsewhere. */
export function signedUpload(dir: string, upload: Uuid): Signed | undefined {
  const kept = readIfThere(join(dir, 'uploads', upload, 'signed.json'))
  return kept === undefined ? undefined : (JSON.parse(kept, bigLines) as Signed)
}

/** From standard input nothing can be read twice: such an upload is new each time. */
async function uploadOf(file: string, audience: Uuid): Promise<Uuid> {
  if (file === '-') return derivedId(randomBytes(32))
  const handle = await open(file)
  try {
    let digest = sha256(Buffer.from(audience))
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      digest = sha256(Buffer.concat([digest, sha256(chunk as Buffer)]))
    }
    return derivedId(digest)
  } finally {
    await handle.close()
  }
}

const textLines = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
const bigLines = (name: string, value: unknown): unknown => (name === 'lines' ? BigInt(String(value)) : value)

/** The signed lines from a line on, each with its newline. */
export async function* linesFrom({ path }: Signed, from: bigint): AsyncGenerator<string> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return
  let line = 0n
  for await (const text of linesOf(createReadStream(path))) {
    line += 1n
    if (line >= from) yield `${text}\n`
  }
}
