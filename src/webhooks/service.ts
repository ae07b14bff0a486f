import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { orTwin } from '../db/failure.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { EnrolledHosts } from './address.ts'
import { addEndpoint, addForFeeds, endEndpoint, expectRoom, liveOf, rotateSecret } from './endpoints.ts'
import type { FeedHead } from './feeds.ts'
import { messageId, testMessage } from './message.ts'
import { type EndpointSecret, type FeedEndpoint, type NewEndpoint, TEST_KIND } from './schema.ts'
import * as store from './store.ts'

/** Whose endpoint, and who of them asks: a person, or a program by its credential. */
export interface WebhookOwner {
  participant: Uuid
  slug: string
  person?: Uuid
  credential?: Uuid
}

export interface Endpoint {
  endpoint: Uuid
  url: string
  kinds: readonly string[]
  feeds: readonly Uuid[]
  made_at: Date
  secret_no: number
  rotated_at: Date | undefined
}

export interface Delivery {
  endpoint: Uuid
  message: string
  kind: string
  made_at: Date
  attempts: number
  next_at: Date | undefined
  delivered_at: Date | undefined
  fault: string | undefined
}

export interface WebhooksOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  hosts: EnrolledHosts
  /** Derived anew whenever it is needed, so that no row and no copy of the database has it. */
  secretOf(endpoint: Uuid, number: number): Uint8Array
  headsOf(participant: Uuid): Promise<readonly FeedHead[]>
  /** There is something to post. */
  onWaiting(): void
}

export interface Webhooks {
  endpoints(participant: Uuid): Promise<Endpoint[]>
  /** What was posted or is to be, the newest first; of one endpoint if it is named. */
  deliveries(participant: Uuid, endpoint?: Uuid): Promise<Delivery[]>
  /** Hosts that the operator enrolled for an organisation. */
  hostsOf(slug: string): readonly string[]
  /** The secret is answered here, and by a rotation. */
  add(by: WebhookOwner, asked: NewEndpoint): Promise<EndpointSecret>
  /** Under an id that the asker chose, so that it may be repeated: by whoever made it, the same, and while it has its first secret. */
  addForFeeds(by: WebhookOwner, endpoint: Uuid, asked: FeedEndpoint): Promise<EndpointSecret & { created: boolean }>
  /** To the secret of the next number; repeated, the same answer. The former one signs for a day more. */
  rotate(by: WebhookOwner, endpoint: Uuid, secret_no: number): Promise<EndpointSecret>
  /** A message that says nothing, under an id that the asker chose. */
  test(by: WebhookOwner, endpoint: Uuid, test: Uuid): Promise<string>
  redeliver(by: WebhookOwner, endpoint: Uuid, message: string): Promise<void>
  /** What waits for it is not posted any more. */
  end(by: WebhookOwner, endpoint: Uuid): Promise<void>
  /** The receiver itself said so; nothing happens if it is over already. */
  endAsAsked(by: Pick<WebhookOwner, 'participant' | 'slug'>, endpoint: Uuid): Promise<void>
}

const LISTED = 50

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { db, clock, hosts, onWaiting } = options
  const within = <T>({ participant }: Pick<WebhookOwner, 'participant'>, work: (tx: Tx) => Promise<T>): Promise<T> =>
    asParticipant(db, participant, work)
  return {
    endpoints: (participant) =>
      asParticipant(db, participant, async (tx) => (await store.liveEndpoints(tx, participant)).map(endpointOf)),
    deliveries: (participant, endpoint_id) =>
      asParticipant(db, participant, async (tx) => {
        if (endpoint_id === undefined) return (await store.lastDeliveries(tx, participant, LISTED)).map(deliveryOf)
        const of = { participant_id: participant, endpoint_id }
        if ((await store.endpointOf(tx, of)) === undefined) throw new Refusal('not-found')
        return (await store.deliveriesOf(tx, of, LISTED)).map(deliveryOf)
      }),
    hostsOf: (slug) => [...(hosts.get(slug) ?? [])],
    add: async (by, { url, kinds }) => addEndpoint(options, by, { endpoint: newId(clock()), url, kinds, heads: [] }),
    addForFeeds: (by, endpoint, asked) => orTwin(() => addForFeeds(options, by, endpoint, asked)),
    rotate: (by, endpoint, secret_no) => rotateSecret(options, by, endpoint, secret_no),
    async test(by, endpoint, test) {
      const now = clock()
      const message_id = messageId(endpoint, `${TEST_KIND}/${test}`)
      await within(by, async (tx) => {
        await expectRoom(tx, await liveOf(tx, by, endpoint))
        await store.insertDeliveries(tx, [
          {
            ...{ participant_id: by.participant, endpoint_id: endpoint, message_id, kind: TEST_KIND, attempts: 0 },
            ...{ body: JSON.stringify(testMessage(now)), made_at: now, next_at: now, delivered_at: null, fault: null },
          },
        ])
      })
      onWaiting()
      return message_id
    },
    async redeliver(by, endpoint_id, message_id) {
      await within(by, async (tx) => {
        await expectRoom(tx, await liveOf(tx, by, endpoint_id))
        const of = { participant_id: by.participant, endpoint_id, message_id }
        if (!(await store.deliverAgain(tx, of, clock()))) throw new Refusal('not-found')
      })
      onWaiting()
    },
    end: (by, endpoint) => endEndpoint(options, by, endpoint),
    endAsAsked: async (by, endpoint) => {
      const live = await within(by, (tx) => store.liveEndpoints(tx, by.participant))
      if (live.some(({ endpoint_id }) => endpoint_id === endpoint)) await endEndpoint(options, by, endpoint, 'receiver')
    },
  }
}

const endpointOf = (row: store.EndpointRow): Endpoint => ({
  ...{ endpoint: row.endpoint_id, url: row.url, kinds: row.kinds, feeds: row.feeds as Uuid[], made_at: row.made_at },
  ...{ secret_no: row.secret_no, rotated_at: row.rotated_at ?? undefined },
})

const deliveryOf = (row: store.DeliveryRow): Delivery => ({
  ...{ endpoint: row.endpoint_id, message: row.message_id, kind: row.kind, made_at: row.made_at },
  ...{ attempts: row.attempts, next_at: row.next_at ?? undefined },
  ...{ delivered_at: row.delivered_at ?? undefined, fault: row.fault ?? undefined },
})
