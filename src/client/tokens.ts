import { randomUUID } from 'node:crypto'
import { tokenInput } from '../identifiers/token.ts'
import { fromBase64Url, toBase64Url, toHex } from '../kernel/bytes.ts'
import { BATCH_MAX, type Evaluated } from '../matching/oprf.ts'
import type { Evaluation, EvaluationResult } from '../matching/schema.ts'
import { type Identifier, identifierOf, type RawLine, type TokenEpoch, tokenName } from './derive.ts'
import { VerificationFailed } from './errors.ts'
import type { PinnedKey } from './oprf-key.ts'
import { createOprfThreads, type OprfWork, oprfHere } from './oprf-threads.ts'

/** Makes the tokens of identifiers under one key epoch. */
export interface TokenMaker {
  readonly kid: string
  /** What `derive` and `lookupKeys` make the tokens of these lines with. */
  epochFor(lines: readonly RawLine[]): Promise<TokenEpoch>
  close(): Promise<void>
}

/** Answers batches under a key, or under one part of it. */
export type Evaluator = (asked: Evaluation, key: string) => Promise<EvaluationResult>

export interface OprfTokenOptions {
  pinned: PinnedKey
  purpose: Evaluation['purpose']
  /** One for each part of the key, in their order. */
  evaluators: readonly Evaluator[]
  /** Identifiers of one request; 256, the most that are taken, unless said otherwise. */
  batch?: number
  /** Told how many identifiers have their token, of those that were asked for so far. */
  onProgress?: (done: number, asked: number) => void
}

/** Batches under way; more would only wait at the node. */
const AT_ONCE = 4

/** Of an `hmac-sha256` epoch, whose key is here. */
export const hmacTokens = (kid: string, key: Uint8Array): TokenMaker => ({
  kid,
  epochFor: async () => ({ kid, key }),
  close: async () => {},
})

/** Of an OPRF epoch: blinded here, evaluated by those who hold the key, verified under the pinned one. Nothing raw is sent. */
export function oprfTokens(options: OprfTokenOptions): TokenMaker {
  const { pinned, purpose, evaluators, batch: size = BATCH_MAX, onProgress } = options
  const { kid, key } = pinned
  const known = new Map<string, string>()
  let threads: OprfWork | undefined
  let asked = 0

  const batch = async (work: OprfWork, identifiers: readonly Identifier[]): Promise<void> => {
    const inputs = identifiers.map(({ profile, canonical }) => tokenInput(profile, canonical))
    const blinded = await work.blind(inputs)
    const elements = blinded.map(({ element }) => toBase64Url(element))
    const name = randomUUID()
    const results = await Promise.all(evaluators.map((evaluate) => evaluate({ kid, purpose, elements }, name)))
    const answers = results.map((result, i) => answerOf(result, { kid, index: i + 1 }))
    const tokens = await work.finalize({ inputs, blinded, key, answers })
    identifiers.forEach((identifier, i) => {
      const token = tokens[i]
      if (token !== undefined) known.set(tokenName(identifier), toHex(token))
    })
    onProgress?.(known.size, asked)
  }

  return {
    kid,
    async epochFor(lines) {
      const missing = new Map<string, Identifier>()
      for (const line of lines) {
        const identifier = identifierOf(line)
        if (identifier === undefined) continue
        const name = tokenName(identifier)
        if (!known.has(name)) missing.set(name, identifier)
      }
      asked = known.size + missing.size
      // A thread takes a while to start: one batch alone is made here.
      if (missing.size > size) threads ??= createOprfThreads()
      const work = threads ?? oprfHere
      await allOf(batchesOf([...missing.values()], size), (one) => batch(work, one))
      return { kid, tokens: known }
    },
    close: async () => threads?.close(),
  }
}

/** What one holder said, as bytes; another part, another epoch or another number of elements is refused. */
function answerOf(result: EvaluationResult, expected: { kid: string; index: number }): Evaluated {
  const share = result.shares.find(({ index }) => index === expected.index)
  if (result.kid !== expected.kid || share === undefined)
    throw new VerificationFailed('OPRF', 'the answer is of another epoch, or of another part of its key')
  return { elements: share.elements.map(bytesOf), proof: bytesOf(share.proof) }
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64Url(text)
  if (bytes === undefined) throw new VerificationFailed('OPRF', 'the answer is not base64url')
  return bytes
}

function batchesOf<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = []
  for (let at = 0; at < items.length; at += size) batches.push(items.slice(at, at + size))
  return batches
}

/** A few at once, in their order; the first failure ends it, once those under way are done. */
async function allOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].reverse()
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined && failures.length === 0; item = left.pop()) {
      await work(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  if (failures.length > 0) throw failures[0]
}
