import { createReadStream } from 'node:fs'
import type { DisputeItem, FeedbackItem, SignedAct } from '../feedback/schema.ts'
import { toHex, utf8 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { SignalItem } from '../signals/schema.ts'
import { type SigningKey, signSubmission } from '../signals/submission.ts'
import { mediaKey } from './derive.ts'
import { LIVE } from './ends.ts'
import type { Membership } from './home.ts'
import { linesOf } from './lines.ts'
import type { MirrorLine } from './mirror-lines.ts'
import { mirroredFeeds } from './mirror-reader.ts'

/** A signal as its source said it last, out of our own mirrors; how others of our acts name it. */
export interface MirroredSignal {
  source: string
  signal: SignalItem['signal']
  revision: number
  /** Its match key, hex. */
  key: string
}

/**
 * The signals among `wanted` that stand in the mirrors of a folder, each in its newest revision there: of one id those of every source
 * that calls one of its signals so. Throws `MatchFileRefused` where a file is shorter than noted.
 */
export async function mirroredSignals(
  dir: string,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly MirroredSignal[]>> {
  const found = new Map<string, MirroredSignal[]>()
  for (const { file, bytes } of mirroredFeeds(dir).filter((feed) => feed.bytes > 0)) {
    for await (const line of linesOf(createReadStream(file, { end: bytes - 1 }))) {
      const { event } = JSON.parse(line) as MirrorLine
      if (event === undefined || !wanted.has(event.signal)) continue
      const mirrored = mirroredSignal({ ...event })
      if (mirrored !== undefined) found.set(event.signal, withNewest(found.get(event.signal) ?? [], mirrored))
    }
  }
  return found
}

/** In the place of what its source said of it before. */
function withNewest(known: readonly MirroredSignal[], one: MirroredSignal): MirroredSignal[] {
  const former = known.find(({ source }) => source === one.source)
  if (former !== undefined && former.revision > one.revision) return [...known]
  return [...known.filter((other) => other !== former), one]
}

/**
 * The one of these that is meant: the only one, or that of the source that is named. Undefined where there is none; throws
 * `validation-failed` where several sources have one and none is named, since ids are their choice.
 */
export function theSignal(
  among: readonly MirroredSignal[] = [],
  source?: string | undefined,
): MirroredSignal | undefined {
  const [one, ...others] = among.filter((other) => source === undefined || other.source === source)
  if (others.length > 0)
    throw new Refusal('validation-failed', { detail: 'several sources have a signal of this id: name its source' })
  return one
}

/** The signal that a mirrored event brings; undefined where it brings none. */
export function mirroredSignal({
  source,
  type,
  item,
  revision,
}: Partial<Record<string, unknown>>): MirroredSignal | undefined {
  if (typeof item !== 'string' || typeof source !== 'string' || !LIVE.has(String(type))) return undefined
  const read = JSON.parse(item) as SignalItem
  return { source, signal: read.signal, revision: Number(revision), key: toHex(keyOf(read)) }
}

/** What is read and never looked up is named by its type and id. */
function keyOf(item: SignalItem): Uint8Array {
  if (item.type === 'url' || item.type === 'domain') return Buffer.from(item.value.sha256, 'hex')
  if (item.type === 'media_hash') return Buffer.from(mediaKey(item.value.algorithm, item.value.hash), 'hex')
  if (item.type === 'keyword_pattern' || item.type === 'tactic' || item.type === 'relation')
    return sha256(utf8(`${item.type}\0${item.signal}`))
  return Buffer.from(item.value.token, 'hex')
}

/** One word on another's signal, or a dispute of it, under our own signature. */
export const signAct = (
  item: FeedbackItem | DisputeItem,
  { member, key, now }: { member: Membership; key: SigningKey; now: Date },
): Promise<SignedAct> =>
  signSubmission({
    typ: 'dispute' in item ? 'aldis-dispute+jws' : 'aldis-feedback+jws',
    ...{ iss: member.uri, aud: member.node_origin, prg: member.programme, key, now },
    items: [JSON.stringify(item)],
  })
