import type { Db } from '../db/connect.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { AuditLog } from '../provenance/auditor.ts'
import type { Explorer, Looker } from '../provenance/explorer.ts'
import type { Ledger } from '../provenance/ledger.ts'
import { parseReceipt } from '../provenance/receipt.ts'
import { BATCHES_LOOKED_MAX } from './schema.ts'
import * as store from './store.ts'

/** One batch of reads that gave a signal out. */
export interface SignalRead {
  index: bigint
  event: Uuid
  reader: string
  at: Date
  revision: number
}

export interface WhoRead {
  source: string
  /** When the signal was first shared. */
  since: Date
  reads: readonly SignalRead[]
  /** Batches of reads of signals of the source that were opened, the newest first; where to go on. */
  looked: number
  /** Of how many of them there is no proof any more: the key of a month of their reads is lost. */
  lost: number
  next: bigint | undefined
}

export interface WhoReadOptions {
  /** Logs in as `aldis_projector`. */
  projector: Db
  explorer: Pick<Explorer, 'rows'>
  ledger: Pick<Ledger, 'itemReceipt'>
  auditing: AuditLog
  participants(): readonly { participant_id: Uuid; slug: string }[]
}

/**
 * Who obtained one signal, and when, by the very sets that the reads were committed to: not who might have. The look is
 * recorded first. `not-found` for a signal that there is none of.
 */
export function createWhoRead(options: WhoReadOptions) {
  const { explorer, ledger, auditing } = options
  return {
    async readers(by: Looker, signal: Uuid, below?: bigint): Promise<WhoRead> {
      const source = await sourceOf(options, signal)
      const filter = {
        terms: [
          { field: 'kind' as const, value: 'read.batch', not: false },
          { field: 'party' as const, value: source.slug, not: false },
        ],
        from: source.since,
      }
      const rows = await explorer.rows(by, { filter, form: 'who read', most: BATCHES_LOOKED_MAX, below })
      const reads: SignalRead[] = []
      let lost = 0
      for (const { index, event, actor, at } of rows) {
        const revision = await revisionIn(ledger, source, { event, signal })
        if (revision === 'lost') lost += 1
        else if (revision !== undefined) reads.push({ index, event, reader: actor, at, revision })
      }
      const next = rows.length < BATCHES_LOOKED_MAX ? undefined : rows.at(-1)?.index
      return { source: source.slug, since: source.since, reads, looked: rows.length, lost, next }
    },
    /** The proof of one of them: it opens that item of that read, and nothing else. The look is recorded first. */
    async proof(by: Looker, signal: Uuid, event: Uuid): Promise<string> {
      const source = await sourceOf(options, signal)
      await auditing({ ...by, auditor: true }, `read ${event} of ${signal}`, 1n, 'who read')
      const given = await ledger.itemReceipt({ ...source, auditor: false }, event, { signal, from: 0 })
      if (given.outcome === 'pending') throw new Refusal('log-behind', { retryAfter: 5 })
      if (given.outcome === 'none') throw new Refusal('not-found')
      return given.text
    },
  }
}

/** In which a batch gave the signal out, if it did and that can still be proven. */
async function revisionIn(
  ledger: Pick<Ledger, 'itemReceipt'>,
  source: { participant: Uuid; slug: string },
  { event, signal }: { event: Uuid; signal: Uuid },
): Promise<number | 'lost' | undefined> {
  const given = await ledger.itemReceipt({ ...source, auditor: false }, event, { signal, from: 0 }).catch(lostIfAbsent)
  if (given === 'lost') return 'lost'
  return given.outcome === 'receipt' ? parseReceipt(given.text)?.extra.item?.revision : undefined
}

function lostIfAbsent(error: unknown): 'lost' {
  if (error instanceof Refusal && error.code === 'not-found') return 'lost'
  throw error
}

async function sourceOf(
  { projector, participants }: WhoReadOptions,
  signal: Uuid,
): Promise<{ participant: Uuid; slug: string; since: Date }> {
  const known = new Map(participants().map(({ participant_id, slug }) => [participant_id, slug]))
  const [first] = await store.firstSent(projector, [...known.keys()], [signal])
  const slug = first && known.get(first.participant_id)
  if (first !== undefined && slug !== undefined)
    return { participant: first.participant_id, slug, since: first.received_at }
  throw new Refusal('not-found')
}
