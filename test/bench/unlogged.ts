import { Worker } from 'node:worker_threads'
import { sql } from 'kysely'
import type { Handed } from '../../src/background.ts'
import { KID } from '../../src/core.ts'
import { createPatternChecker } from '../../src/jobs/pattern-check.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { INTEGRATE_REST_MS } from '../../src/loops.ts'
import type { Parts } from '../../src/parts.ts'
import type { ProvenanceService, RecordRow } from '../../src/provenance/service.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import { createSignalService, type SignalService } from '../../src/signals/service.ts'

/** A submission that was answered, for its feed. */
export interface Answered {
  participant_id: Uuid
  event_id: Uuid
}

const FEED = new URL(`./unlogged-feed${import.meta.url.slice(-3)}`, import.meta.url)

/**
 * Submissions as the node takes them, with a log that writes nothing: no salts, digests or sealed disclosures, no record, no
 * outbox, hence no entry and no checkpoint. Behind it the same checks, the same rows and the same countersignature, and in a
 * thread the same feed, in the order in which submissions were answered: of an audience of its own, since the log orders the others.
 */
export function unlogged(parts: Parts): SignalService {
  const { pools, clock, programme, authority, keys, receiptKid } = parts
  const { slug, node_origin } = programme
  const rules = rulesOf(authority)
  const provenance: ProvenanceService = {
    ...parts.provenance,
    prepare: ({ event_id, participant_id, kind, at }): RecordRow => ({ ...EMPTY, event_id, participant_id, kind, at }),
    // A transaction without any statement on the outbox is rolled back; this one writes no row.
    insert: async (tx) => {
      await sql`with nothing as (select null::uuid as event_id where false)
        insert into prov_outbox (event_id) select event_id from nothing`.execute(tx)
    },
    admit: () => {},
    wake: () => {},
  }
  const service = createSignalService({
    ...{ db: pools.app, clock, keys, provenance, rules, patterns: createPatternChecker() },
    categoryId: rules.categoryId,
    categorySlug: rules.categorySlug,
    timeoutMs: 10_000,
    verifyContext: ({ participant, uri }) => ({
      ...{ iss: uri, aud: node_origin, prg: slug, now: clock() },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: (input) =>
      countersign(input, { kid: receiptKid, iss: node_origin, sign: (data) => keys.sign(KID.receipt, data) }),
  })
  const carry = feedThread(parts)
  return {
    ...service,
    submit: async (by, submission, upload) => {
      const result = await service.submit(by, submission, upload)
      if (result.submission !== null) carry({ participant_id: by.participant, event_id: result.submission })
      return result
    },
  }
}

const EMPTY = {
  ...{ log_id: 1, payload: '', c: Buffer.alloc(32), body: Buffer.alloc(0), epoch: 0, parties: '', after: null },
}

/** Begins with the first submission: whoever measures something else has no thread more. */
function feedThread({ database, config }: Parts): (one: Answered) => void {
  let worker: Worker | undefined
  let gathered: Answered[] = []
  return (one) => {
    worker ??= new Worker(FEED, { workerData: { url: database.url, config } satisfies Handed }).on('error', (error) => {
      throw error
    })
    const to = worker
    // As the node's integrator gathers.
    if (gathered.length === 0)
      setTimeout(() => {
        to.postMessage(gathered)
        gathered = []
      }, INTEGRATE_REST_MS)
    gathered.push(one)
  }
}
