import { join } from 'node:path'
import { renewIfDue, verifierAnew, verifierFor } from '../client/connected.ts'
import { AldisError, LogContradicted, VerificationFailed } from '../client/errors.ts'
import { openHome } from '../client/home.ts'
import { updateMatchFile } from '../client/match-mirror.ts'
import { syncFeeds } from '../client/mirror.ts'
import { createSegmentThreads } from '../client/segment-threads.ts'
import { runningEpochs } from '../client/token-makers.ts'
import { MatchFileRefused } from '../matching/refused.ts'
import { OPRF_SUITE } from '../participants/schema.ts'
import { type Unacknowledged, unacknowledged } from './acknowledge.ts'
import type { Known } from './known.ts'
import { isAway } from './node-link.ts'

export interface RoundJob {
  home: string
  /** Milliseconds since the epoch, of the bridge's clock. */
  now: number
  /** One number, in memory that is shared: events of this round so far. */
  events: Int32Array
}

/** Why a round failed. `unverified` and `contradicted`: what the node gave out does not hold. `fault`: something here. */
export type RoundFault = 'away' | 'refused' | 'unverified' | 'contradicted' | 'fault'

export type RoundOutcome =
  | {
      outcome: 'synced'
      events: number
      /** Feeds that the programme paused: corrections and ends in them have not come. */
      paused: number
      /** Whether there is another match file, and whether sealed entries came. */
      changed: { full: boolean; sealed: boolean }
      signals: number
      known: Known
      ends: Unacknowledged[]
    }
  | { outcome: 'failed'; why: RoundFault; code: string }

/**
 * Brings the mirror of a home to where the node is: certificate, feeds, match file, head of the log, key epochs. Each part is on the
 * disk before the next begins, so that an end at any moment loses nothing that was verified.
 */
export async function syncRound({ home: dir, now, events }: RoundJob): Promise<RoundOutcome> {
  const home = openHome(dir)
  try {
    await renewIfDue(home)
    const client = home.connect()
    try {
      const verifier = await verifierFor({ client, home })
      const threads = createSegmentThreads(verifier.by)
      let sealed = 0
      let paused = 0
      const { programme } = home.membership()
      const matches = updateMatchFile({ home: dir, programme, now: new Date(now) })
      const n = await syncFeeds({
        ...{ client, verifier, threads, dir: join(dir, 'feeds') },
        relisted: () => verifierAnew({ client, home }, verifier),
        onRead: home.noteRead,
        onProgress: ({ came }) => void Atomics.add(events, 0, came),
        onMirrored: matches.take,
        onSealed: (_feed, entries) => {
          sealed += entries
        },
        onPaused: () => {
          paused += 1
        },
      }).finally(threads.close)
      const made = await matches.finish()
      await home.advance(client)
      const [{ feeds }, { audiences }, { hash_profiles }] = [
        await client.feeds(),
        await client.audiences(),
        await client.hashProfiles(),
      ]
      for (const { kid, suite } of runningEpochs(hash_profiles, new Date(now)))
        if (suite !== OPRF_SUITE) await home.hashKey(client, kid).catch(unlessRefused)
      const known = { synced_at: new Date(now).toISOString(), feeds, audiences, hash_profiles }
      const changed = { full: made.outcome !== 'unchanged', sealed: sealed > 0 || n > 0 }
      return { outcome: 'synced', events: n, paused, changed, signals: made.signals, known, ends: unacknowledged(dir) }
    } finally {
      client.close()
    }
  } catch (error) {
    return { outcome: 'failed', ...faultOf(error) }
  }
}

/** Whoever may not look up has no key, and matches links and hashes of files alone. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof AldisError && error.status === 403)) throw error
}

/** Codes and places alone: messages may repeat what is matched. */
function faultOf(error: unknown): { why: RoundFault; code: string } {
  if (error instanceof LogContradicted) return { why: 'contradicted', code: error.step }
  if (error instanceof VerificationFailed) return { why: 'unverified', code: error.step }
  if (error instanceof AldisError && !isAway(error)) return { why: 'refused', code: error.code }
  if (isAway(error)) return { why: 'away', code: error instanceof AldisError ? error.code : codeOf(error) }
  if (error instanceof MatchFileRefused) return { why: 'fault', code: error.reason }
  return { why: 'fault', code: codeOf(error) }
}

const codeOf = (error: unknown): string =>
  (error as { code?: string } | undefined)?.code ?? (error instanceof Error ? error.name : 'unknown')
