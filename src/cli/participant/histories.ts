import {
  entriesToEnd,
  extendToEnd,
  type FormerHistory,
  formerHistories,
  historyIn,
} from '../../client/former-histories.ts'
import type { HistoryEntry } from '../../client/history.ts'
import type { KeptHistory } from '../../client/kept-history.ts'
import { openVkey } from '../../client/verify.ts'
import type { Session } from './session.ts'

/** Our chains in the folder: those in logs that ended, in their order, and that in the present one. */
export interface Histories {
  former: FormerHistory[]
  kept: KeptHistory
}

/** The chain in the present log, with what is new. */
export async function extended({ client, home }: Session): Promise<KeptHistory> {
  // Before the head: what another process keeps meanwhile is verified under one that may be newer.
  const kept = historyIn(home, openVkey(home.pinned().vkey))
  await kept.extend(client, await home.advance(client))
  return kept
}

/** All of them, with what is new, and with what the folder lacked of a log when it went over to the next one. */
export async function allExtended(session: Session): Promise<Histories> {
  const former = formerHistories(session.home)
  for (const one of former) await extendToEnd(session.home, one)
  return { former, kept: await extended(session) }
}

/** Every link of all of them, those of the first log first; each chain is computed anew. */
export async function* entriesIn({ former, kept }: Histories): AsyncGenerator<HistoryEntry> {
  for (const one of former) yield* entriesToEnd(one)
  yield* kept.entries()
}

export const linksIn = ({ former, kept }: Histories): bigint =>
  former.reduce((sum, one) => sum + one.kept.place.seq, kept.place.seq)

/** Which logs before the present one a verdict is of, and how far; nothing where there is none. */
export function formerSays(former: readonly FormerHistory[]): string {
  const told = former.filter(({ size }) => size !== 0n).map(howFar)
  return told.length === 0 ? '' : `; of the logs before: ${told.join(', ')}`
}

function howFar({ key: { name }, kept, end, size }: FormerHistory): string {
  if (size === undefined) return `${name} up to entry ${kept.place.size}, and where it ended was not noted`
  const last = end?.size ?? 0n
  return size > last ? `${name} up to entry ${last}, and ${size - last} were lost` : `${name} to its end at ${last}`
}
