import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { bySource, type Disclosed, type Reader } from './answer.ts'
import { readAsOf } from './as-of.ts'
import type { FeedDirectory } from './directory.ts'
import { networkPage, type SeenNetwork } from './network.ts'
import * as store from './network-store.ts'
import { RELATIONS_MAX } from './schema.ts'

export interface NetworkOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  directory: FeedDirectory
  /** Of each statement. */
  timeoutMs: number
}

export interface AskedNetwork {
  signal: Uuid
  /** The last member of the page before. */
  after?: Uuid | undefined
}

const RELATED_LOOKED_AT = 10_000

/** A page of what is related to a signal, made of what the reader may see and of nothing else. */
export function createNetworks(options: NetworkOptions): (by: Reader, asked: AskedNetwork) => Promise<Disclosed> {
  const { db, provenance, directory, timeoutMs } = options
  return async (by, { signal, after }) => {
    provenance.admitLookUp()
    return asParticipant(
      db,
      by.participant,
      async (tx) => {
        const { as_of, ...seen } = await seenAround(options, tx, { by, signal })
        const page = networkPage(seen, { after, slugOf: directory.slugOf })
        if (page === undefined) throw new Refusal('not-found')
        const body = JSON.stringify({ as_of: String(as_of), ...page.network })
        const read = provenance.prepareRead({
          route: by.route,
          as_of: { log: String(as_of) },
          n: page.given.length,
          body: toBase64Url(sha256(Buffer.from(body))),
          sources: bySource(page.given, directory.slugOf),
        })
        const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
        return { body, read: name }
      },
      { timeoutMs },
    )
  }
}

/** Of a page of signals in one look; beyond `RELATED_LOOKED_AT` relations in all the rest is not counted. */
export function createRelatedCounts({ db, clock, directory, timeoutMs }: NetworkOptions) {
  return async (participant: Uuid, signals: readonly Uuid[]): Promise<ReadonlyMap<Uuid, number>> => {
    if (signals.length === 0) return new Map()
    const audiences = directory.audiencesOf(participant).map(({ audience_id }) => audience_id)
    const asked = { reader: participant, audiences, now: clock(), limit: RELATED_LOOKED_AT }
    const rows = await asParticipant(db, participant, (tx) => store.relationsOf(tx, signals, asked), { timeoutMs })
    return new Map([...Map.groupBy(rows, ({ signal_id }) => signal_id)].map(([id, own]) => [id, own.length]))
  }
}

async function seenAround(
  { clock, provenance, directory }: NetworkOptions,
  tx: Tx,
  { by, signal }: { by: Reader; signal: Uuid },
): Promise<SeenNetwork & { as_of: bigint }> {
  const audiences = directory.audiencesOf(by.participant).map(({ audience_id }) => audience_id)
  const asked = { reader: by.participant, audiences, now: clock(), limit: RELATIONS_MAX + 1 }
  return readAsOf(async () => {
    const as_of = await provenance.projected(tx)
    const found = await store.relationsAt(tx, signal, asked)
    const hub = found.length > RELATIONS_MAX
    const relations = hub ? [] : found
    const ids = new Set([signal, ...relations.map(({ other_id }) => other_id)])
    const signals = await store.signalsOf(tx, [...ids], asked.now)
    return { as_of, signal, hub, relations, signals, placed: [...relations, ...signals] }
  })
}
