import { coalesce } from '../kernel/coalesce.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { countKeys, type Disclosed, type Queries, type Reader } from './answer.ts'
import type { FeedDirectory } from './directory.ts'
import type { KnownKeys } from './known-keys.ts'
import type { CarryOutLookUps, LookUpGroup } from './lookup-transaction.ts'
import { LOOKUP_MAX, type Lookup } from './schema.ts'

export interface LookUpOptions {
  provenance: Pick<ProvenanceService, 'admitLookUp'>
  directory: Pick<FeedDirectory, 'audiencesOf'>
  known: KnownKeys
  /** Wherever the transactions run. */
  carryOut: CarryOutLookUps
  /** Told of each look-up that was answered. */
  onLookup(keys: number, matches: number, by?: Uuid): void
}

interface Asked {
  by: Reader
  lookup: Lookup
}

/** Keys of one look-up transaction. */
const KEYS_AT_ONCE = 4_000

export function createLookUp(options: LookUpOptions): (by: Reader, lookup: Lookup) => Promise<Disclosed> {
  const lookUp = coalesce<Uuid, Asked, Disclosed>((participant, asked) => lookUpTogether(options, participant, asked), {
    maxWeight: KEYS_AT_ONCE,
    weight: ({ lookup }) => countKeys(lookup),
    concurrency: 2,
    maxWaiting: 4_096,
    refuse: () => new Refusal('busy', { retryAfter: 1 }),
  })
  return async (by, lookup) => {
    if (countKeys(lookup) > LOOKUP_MAX) {
      throw new Refusal('page-limit', { detail: 'ask for at most 1,000 keys a call', extra: { limit: LOOKUP_MAX } })
    }
    options.provenance.admitLookUp()
    return lookUp(by.participant, { by, lookup })
  }
}

/** Those of one participant that came together. */
async function lookUpTogether(
  options: LookUpOptions,
  participant: Uuid,
  asked: readonly Asked[],
): Promise<Disclosed[]> {
  const answers = await options.carryOut(groupOf(options, participant, asked))
  asked.forEach(({ lookup }, i) => {
    options.onLookup(countKeys(lookup), answers[i]?.matches ?? 0, participant)
  })
  return answers.map(({ body, read }) => ({ body, read }))
}

function groupOf({ directory, known }: LookUpOptions, participant: Uuid, asked: readonly Asked[]): LookUpGroup {
  const upto = known.upto()
  const scopes = [participant, ...directory.audiencesOf(participant).map(({ audience_id }) => audience_id)]
  const narrowed = (queries: Queries): Queries =>
    upto === undefined ? queries : queries.map((query) => ({ ...query, keys: known.mayFind(query.keys, scopes) }))
  return {
    participant,
    upto,
    asked: asked.map(({ by, lookup }) => ({ route: by.route, lookup, mayBe: narrowed(lookup.queries) })),
  }
}
