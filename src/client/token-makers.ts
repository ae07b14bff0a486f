import { Refusal } from '../kernel/errors.ts'
import { type EvaluationPurpose, type HashProfileList, OPRF_SUITE } from '../participants/schema.ts'
import type { Connected } from './connected.ts'
import { holderAt } from './evaluator.ts'
import type { Home } from './home.ts'
import { type PinnedKey, pinnedOprfKey } from './oprf-key.ts'
import { hmacTokens, oprfTokens, type TokenMaker } from './tokens.ts'

export type HashProfile = HashProfileList['hash_profiles'][number]

/** The key epochs that run at a time, the newest first. */
export function runningEpochs(profiles: readonly HashProfile[], at: Date): HashProfile[] {
  const now = at.toISOString()
  return profiles
    .filter((one) => one.status === 'active' && one.not_before <= now && now < one.not_after)
    .sort((a, b) => (a.not_before < b.not_before ? 1 : -1))
}

/** What makes tokens under an epoch: its key, which is asked for once and kept, or whoever evaluates under it. */
export async function tokenMaker(
  { client, home }: Connected,
  { kid, suite }: HashProfile,
  { purpose, onProgress }: { purpose: EvaluationPurpose; onProgress?: (done: number, asked: number) => void },
): Promise<TokenMaker> {
  if (suite !== OPRF_SUITE) return hmacTokens(kid, await home.hashKey(client, kid))
  const said = (await client.oprfKeys()).keys.find((key) => key.kid === kid)
  if (said === undefined) throw new Refusal('hash-profile-unknown', { detail: 'the node names no key of the epoch' })
  const pinned = await pinnedOprfKey(home, client, said)
  const holders = holdersOf(home, pinned)
  const maker = oprfTokens({
    ...{ pinned, purpose },
    evaluators: [client.evaluate, ...holders.map(({ evaluate }) => evaluate)],
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  return {
    ...maker,
    async close() {
      for (const holder of holders) holder.close()
      await maker.close()
    },
  }
}

/** Whoever holds a part of the key beside the node, in the order of the parts. */
const holdersOf = (home: Home, { shares }: PinnedKey) =>
  shares.flatMap(({ origin, pin }) =>
    origin === undefined || pin === undefined ? [] : [holderAt({ origin, pin }, home.identity())],
  )
