import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import { randomSource } from '../kernel/random.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { apply } from './apply.ts'
import { attestedWithdrawal } from './event.ts'
import type { WithdrawalItem } from './schema.ts'
import * as store from './store.ts'
import { itemLeaf } from './submission.ts'
import { destroyValues } from './value-store.ts'

/** Who ended it: a person of the source, in the console, where nobody holds a signing key. */
export interface Attestor {
  participant: Uuid
  slug: string
  person: Uuid
}

export interface AttestedOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  /** The name of a category's number, for the log. */
  categorySlug(id: number): string
  /** Of each statement. */
  timeoutMs: number
}

export interface Attested {
  /**
   * Ends a signal on the word of a person. Nothing but an end: it takes nothing away from whoever must not believe it, and
   * what says something new is the source's to sign. `revision-conflict` where the signal has gone on since it was read.
   */
  withdraw(
    by: Attestor,
    of: { signal: Uuid; revision: number; reason: WithdrawalItem['reason'] },
  ): Promise<{ event: Uuid }>
}

const salt = randomSource(16)

export function createAttested({ db, clock, provenance, categorySlug, timeoutMs }: AttestedOptions): Attested {
  return {
    async withdraw({ participant, slug, person }, { signal, revision, reason }) {
      provenance.admit()
      const event = await asParticipant(
        db,
        participant,
        async (tx) => {
          const [row] = await store.signalsForUpdate(tx, participant, [signal])
          if (row === undefined) throw new Refusal('not-found')
          const now = timeAfter(store.eventsOf(row), clock())
          const id = newId(now)
          const item: WithdrawalItem = {
            ...{ v: 1, signal, revision: revision + 1, prev: toBase64Url(row.leaf), reason },
          }
          const [text, salted] = [JSON.stringify(item), salt()]
          const leaf = Buffer.from(itemLeaf(salted, text))
          const judged = [{ outcome: 'withdrawal' as const, item, prev: row.leaf }]
          const applied = apply(judged, new Map([[signal, row]]), { event: id, leaves: [leaf], now })
          const [refused] = applied.refused
          if (refused !== undefined) {
            const { code, detail } = refused
            throw new Refusal(code, detail === undefined ? {} : { detail })
          }
          await provenance.record(
            tx,
            attestedWithdrawal({ event: id, now, participant, slug, categorySlug }, { person, applied, item, leaf }),
          )
          await store.insertSubmissions(tx, participant, {
            submissions: [],
            signals: [...applied.changed.values()],
            revisions: [
              { signal_id: signal, revision: revision + 1, submission_id: id, item_index: 0, salt: salted, item: text },
            ],
          })
          await destroyValues(tx, participant, store.valued([row]))
          return id
        },
        { timeoutMs },
      )
      provenance.wake()
      return { event }
    },
  }
}
