import type { Hash } from '../kernel/bytes.ts'
import { parseCheckpoint } from '../provenance/checkpoint.ts'
import type { LogSource } from '../provenance/log-source.ts'
import { parseNote } from '../provenance/note.ts'
import { logIdOf } from '../provenance/origin.ts'
import { openVerified, type VerifiedLog } from '../provenance/verified-log.ts'
import type { Entry } from './entry.ts'
import { type Step, stepsOf } from './lines.ts'

/** What was exported of a log that ended. */
export interface EarlierSource {
  source: LogSource
  records(): AsyncIterable<string>
}

/** A log that ended, under the tree that the one after it names. */
export interface EarlierLog extends Pick<EarlierSource, 'records'> {
  logId: number
  size: bigint
  log: VerifiedLog
}

/** What was given of an earlier log is not what the one after it continues. */
export class EarlierUnfit extends Error {
  override readonly name = 'EarlierUnfit'
}

/** The logs before this one, the oldest first; undefined if one of them was not given. */
export async function openEarlier(
  hash: Hash,
  present: { log: VerifiedLog; records(): AsyncIterable<string> },
  given: readonly EarlierSource[],
): Promise<EarlierLog[] | undefined> {
  const earlier: EarlierLog[] = []
  for (const left = [...given]; ; ) {
    const { log, records } = earlier[0] ?? present
    const opening = await firstEntry(hash, log, records())
    if (opening?.kind !== 'log.opened') return earlier
    const next = left.shift()
    if (next === undefined) return undefined
    earlier.unshift(await openBefore(hash, opening, next))
  }
}

/** Its last checkpoint is committed to by the log that follows: it needs no key of its own. */
async function openBefore(hash: Hash, opening: Entry, { source, records }: EarlierSource): Promise<EarlierLog> {
  const { origin, checkpoint } = Object(opening.fields.get('previous')) as Record<string, unknown>
  const last = parseCheckpoint(parseNote(typeof checkpoint === 'string' ? checkpoint : '')?.text ?? '')
  if (!opening.committed || last === undefined || last.origin !== origin)
    throw new EarlierUnfit('the first entry does not say with which checkpoint the log before it ended')
  const { size } = last
  return { logId: logIdOf(last.origin), size, log: await openVerified(hash, source, last), records }
}

async function firstEntry(hash: Hash, log: VerifiedLog, texts: AsyncIterable<string>): Promise<Entry | undefined> {
  for await (const step of stepsOf(hash, log, texts)) return step.at === 'entry' ? step.entry : undefined
  return undefined
}

/** Where each log begins, counted from the first entry of the last one: earlier entries have negative numbers. */
export function beginnings(earlier: readonly EarlierLog[], present: number): ReadonlyMap<number, bigint> {
  const begins = new Map([[present, 0n]])
  let begin = 0n
  for (const { logId, size } of earlier.toReversed()) {
    begin -= size
    begins.set(logId, begin)
  }
  return begins
}

/** The entries of logs that ended, as the checks that go on from them see them. Throws where they are not those of the tree. */
export async function* earlierSteps(
  hash: Hash,
  earlier: readonly EarlierLog[],
  begins: ReadonlyMap<number, bigint>,
): AsyncGenerator<Step> {
  for (const { logId, log, records } of earlier) {
    for await (const step of stepsOf(hash, log, records(), begins.get(logId))) {
      if (step.at === 'missing' || !step.entry.committed)
        throw new EarlierUnfit(`what is given of the log ${logId} does not make its tree: audit it by itself`)
      yield step
    }
  }
}
