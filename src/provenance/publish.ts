import { atLog } from '../db/as-participant.ts'
import { newestSigned, type Signed } from './held.ts'
import { createLanes, type LanesOptions } from './lanes.ts'
import type { Outages } from './outage.ts'
import { touchSigned } from './sign-store.ts'
import * as kept from './witness-store.ts'

/** How long the quorum may be missing before that is published, or withheld, as an outage. */
const QUORUM_MS = 5_000
/** A checkpoint that is withheld longer makes the node refuse what must be logged. */
const WITHHELD_MS = 900_000

export interface PublisherOptions extends LanesOptions {
  degrade: 'mark' | 'never'
  outages: Outages
  /** Whether a process before this one found that. */
  contradicted(): boolean
}

export interface Publisher {
  /** Has the newest signed checkpoint cosigned, and publishes it if the policy lets it; whether it did. */
  round(): Promise<boolean>
  /** Milliseconds for which a checkpoint has been withheld, once they are too many; 0 before. */
  behind(): number
  /** Waits for the requests under way. */
  close(): Promise<void>
}

/** From signed to published. Once a checkpoint under our own key contradicted the log, nothing is published any more, by later processes neither. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { db, clock, logId, policy, degrade, outages } = options
  let contradicted = false
  const lanes = createLanes({
    ...options,
    onContradiction(found, witness) {
      contradicted = true
      options.onContradiction(found, witness)
    },
  })
  let loaded = false
  let newest: Signed | undefined
  let missingSince: number | undefined
  let withheldSince: number | undefined

  const load = async (): Promise<void> => {
    if (loaded) return
    await lanes.load()
    await outages.begin(policy !== undefined)
    loaded = true
  }

  /** Whether the policy lets the checkpoint be published now, and in which manner. */
  const verdict = async (signed: Signed): Promise<'quorum' | 'marked' | 'withheld'> => {
    const now = clock().getTime()
    if (lanes.holds(signed)) {
      missingSince = undefined
      await outages.end(lanes.sizes())
      return 'quorum'
    }
    missingSince ??= outages.since()?.getTime() ?? now
    // An outage that a process before this one knew has had its time.
    if (outages.since() === undefined && now - missingSince < QUORUM_MS) return 'withheld'
    await outages.start({ since: new Date(missingSince), missing: lanes.missing(signed), sizes: lanes.sizes() })
    return degrade === 'mark' ? 'marked' : 'withheld'
  }

  const rowOf = ({ size, at, note }: Signed, lines: readonly string[], quorum: boolean): kept.PublishedRow => {
    const wanted = policy?.witnesses.length ?? 0
    return { size, at, note: note + lines.join(''), cosigned: lines.length, wanted, quorum }
  }

  /** Writes down what was heard, and with it what is published now. */
  const settle = async (publish: kept.PublishedRow | undefined): Promise<void> => {
    const { cosignatures, missing, written } = lanes.heard()
    if (cosignatures.length + missing.length === 0 && publish === undefined) return
    await kept.keepFound(db, logId, { cosignatures, missing, ...(publish === undefined ? {} : { publish }) })
    written()
  }

  const publish = async (signed: Signed): Promise<boolean> => {
    const how = await verdict(signed)
    const row = rowOf(signed, lanes.lines(signed), how === 'quorum')
    const published = how !== 'withheld' && differs(row, await kept.published(db, logId))
    await settle(published ? row : undefined)
    withheldSince = how === 'withheld' ? (withheldSince ?? clock().getTime()) : undefined
    return published
  }

  return {
    async round() {
      if (contradicted || options.contradicted()) return false
      await load()
      const signed = await newestSigned(db, logId, newest)
      if (signed === undefined) return false
      // A checkpoint that no standby has may be gone after a failover: nobody is shown it.
      if (signed !== newest) await atLog(db, logId, (tx) => touchSigned(tx, logId))
      newest = signed
      await lanes.ask(newest)
      return contradicted ? false : publish(newest)
    },
    behind: () => {
      const ms = withheldSince === undefined ? 0 : clock().getTime() - withheldSince
      return ms < WITHHELD_MS ? 0 : ms
    },
    close: () => lanes.close(),
  }
}

const differs = (row: kept.PublishedRow, now: kept.PublishedRow | undefined): boolean =>
  now === undefined ||
  now.size !== row.size ||
  now.at.getTime() !== row.at.getTime() ||
  now.note !== row.note ||
  now.wanted !== row.wanted ||
  now.quorum !== row.quorum
