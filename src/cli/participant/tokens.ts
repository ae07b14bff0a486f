import type { LookupKey, RawLine } from '../../client/derive.ts'
import { lookupKeys } from '../../client/derive.ts'
import { type HashProfile, runningEpochs, tokenMaker } from '../../client/token-makers.ts'
import type { TokenMaker } from '../../client/tokens.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { EvaluationPurpose } from '../../participants/schema.ts'
import type { Read } from './raw-file.ts'
import type { Session } from './session.ts'

/** Lines whose tokens are made together: enough for every core, few enough to hold. */
const LINES_AT_ONCE = 8_192

/** Under the key epoch that runs now and began last: what new signals are shared under. */
export async function submitTokens(session: Session): Promise<TokenMaker> {
  const [newest] = await running(session)
  return makerOf(session, newest, 'submit')
}

/** Under every key epoch that runs: while two overlap, signals stand under either. */
export async function lookupTokens(session: Session): Promise<TokenMaker[]> {
  const makers: TokenMaker[] = []
  for (const profile of await running(session)) makers.push(await makerOf(session, profile, 'lookup'))
  return makers
}

/** The newest first; there is at least one, or `hash-profile-unknown`. */
async function running({ client }: Session): Promise<[HashProfile, ...HashProfile[]]> {
  const { hash_profiles } = await client.hashProfiles()
  const [newest, ...older] = runningEpochs(hash_profiles, new Date())
  if (newest === undefined)
    throw new Refusal('hash-profile-unknown', { detail: 'the programme has no key epoch that runs now' })
  return [newest, ...older]
}

function makerOf(session: Session, profile: HashProfile, purpose: EvaluationPurpose): Promise<TokenMaker> {
  const { output } = session
  let bar: ReturnType<typeof output.progress> | undefined
  const onProgress = (done: number, asked: number): void => {
    bar ??= output.progress('making tokens', asked)
    bar.at(done)
    if (done < asked) return
    bar.end()
    bar = undefined
  }
  return tokenMaker(session, profile, { purpose, onProgress })
}

/** A line with the keys that it is asked for under, of every epoch; or what is wrong with it. */
export type Keyed =
  | { line: number; outcome: 'keys'; keys: LookupKey[] }
  | { line: number; outcome: 'refused'; reason: string }

/** The lines of a raw file with their keys. */
export async function* keyedLines(reads: AsyncIterable<Read>, makers: readonly TokenMaker[]): AsyncGenerator<Keyed> {
  for await (const chunk of chunksOf(reads)) {
    const lines = chunk.flatMap((read) => (read.outcome === 'raw' ? [read.raw] : []))
    const epochs = []
    for (const maker of makers) epochs.push(await maker.epochFor(lines))
    for (const read of chunk) {
      if (read.outcome === 'refused') yield read
      else yield { line: read.line, ...keysOf(read.raw, epochs) }
    }
  }
}

type Epoch = Awaited<ReturnType<TokenMaker['epochFor']>>

/** What is no identifier has the same keys whatever the epoch. */
function keysOf(
  raw: RawLine,
  epochs: readonly Epoch[],
): { outcome: 'keys'; keys: LookupKey[] } | { outcome: 'refused'; reason: string } {
  const keys = new Map<string, LookupKey>()
  for (const epoch of epochs) {
    const derived = lookupKeys(raw, epoch)
    if (derived.outcome === 'refused') return derived
    for (const key of derived.keys) keys.set(`${key.profile} ${key.key}`, key)
  }
  return { outcome: 'keys', keys: [...keys.values()] }
}

/** So many at once. */
export async function* chunksOf<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let chunk: T[] = []
  for await (const item of items) {
    chunk.push(item)
    if (chunk.length < LINES_AT_ONCE) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}
