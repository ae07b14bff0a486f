import { atControl } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { refuseRaw } from '../identifiers/refuse-raw.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Page, type PageAsked, pageOf } from '../kernel/page.ts'
import type { Oversight } from '../participants/oversight.ts'
import type { Recorder } from '../provenance/service.ts'
import * as store from './government-store.ts'
import { type GovernmentKind, REGISTER_LISTED_MAX } from './schema.ts'

export interface GovernmentRequest {
  id: Uuid
  /** ISO 3166-1, two letters. */
  country: string
  kind: string
  /** How many things it asks for. */
  asked: number
  basis: string
  /** Of the authority's file. */
  reference: string
  receivedAt: Date
  closed: { at: Date; outcome: string; n: number } | undefined
}

export interface NewGovernmentRequest {
  country: string
  kind: GovernmentKind
  asked: number
  basis: string
  reference: string
  /** A day that is not to come. */
  receivedAt: Date
}

export interface GovernmentRegister {
  /** Everybody who takes part may read country, kind, number and basis in the log; the reference is governance's. */
  receive(by: Uuid, request: NewGovernmentRequest): Promise<Uuid>
  /** The newest first. */
  list(): Promise<GovernmentRequest[]>
  /** All of them, the last one that was entered first. */
  page(asked: PageAsked): Promise<Page<GovernmentRequest>>
}

export interface GovernmentOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  recorder: Recorder & { wake(): void }
  programme: Uuid
}

export const createGovernmentRegister = ({
  admin,
  clock,
  recorder,
  programme,
}: GovernmentOptions): GovernmentRegister => ({
  async receive(by, { receivedAt, ...request }) {
    const { country, kind, asked, basis, reference } = request
    const at = clock()
    if (receivedAt > at) throw new Refusal('validation-failed', { detail: 'it cannot have come after today' })
    refuseRaw({ reference })
    const id = newId(at)
    await atControl(admin, async (tx) => {
      const event = newId(at)
      await recorder.record(tx, {
        ...{ kind: 'government_request.received', event_id: event, participant_id: programme, at },
        fields: { country, kind, asked, basis, reference, person: by },
      })
      await store.insertGovernment(tx, {
        ...{ ...request, request_id: id, received_at: receivedAt, opened_by: by },
        ...{ outcome: null, disclosed: null, closed_at: null, last_event: event },
      })
    })
    recorder.wake()
    return id
  },
  list: async () => (await store.governmentRequests(admin, REGISTER_LISTED_MAX)).map(requestOf),
  page: async ({ after, limit }) =>
    pageOf(
      (await store.governmentRequestsFrom(admin, { after, limit: limit + 1 })).map(requestOf),
      limit,
      ({ id }) => id,
    ),
})

/** What two persons decide of a request, in the transaction of their act. */
export const governmentActs: Pick<Oversight, 'openGovernment' | 'closeGovernment'> = {
  async openGovernment(tx, request) {
    const row = await store.openGovernment(tx, request)
    return row && { country: row.country, kind: row.kind, event: row.last_event }
  },
  closeGovernment: (tx, request, { outcome, n, at, event }) =>
    store.closeGovernment(tx, request, { outcome, disclosed: n, closed_at: at, last_event: event }),
}

const requestOf = (row: store.GovernmentRow): GovernmentRequest => ({
  ...{ id: row.request_id, country: row.country, kind: row.kind, asked: row.asked, basis: row.basis },
  ...{ reference: row.reference, receivedAt: row.received_at },
  closed:
    row.closed_at === null || row.outcome === null
      ? undefined
      : { at: row.closed_at, outcome: row.outcome, n: row.disclosed ?? 0 },
})
