import { asParticipant, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { endpointUrl } from './address.ts'
import type { FeedHead } from './feeds.ts'
import { DELIVERIES_WAITING_MAX, ENDPOINTS_MAX, type EndpointSecret, FEED_KIND, type FeedEndpoint } from './schema.ts'
import type { WebhookOwner, WebhooksOptions } from './service.ts'
import { secretText } from './signing.ts'
import * as store from './store.ts'

// How endpoints are added, move on and end, each change with its entry.

interface Adding {
  endpoint: Uuid
  url: string
  kinds: readonly string[]
  /** The feeds that it is told of, from where they are now. */
  heads: readonly FeedHead[]
}

export async function addEndpoint(options: WebhooksOptions, by: WebhookOwner, adding: Adding): Promise<EndpointSecret> {
  const { db, clock, provenance, secretOf, hosts } = options
  const { endpoint, kinds, heads } = adding
  const url = checkedUrl(adding.url, { organisation: by.slug, hosts })
  provenance.admit()
  await asParticipant(db, by.participant, async (tx) => {
    const live = await store.liveEndpoints(tx, by.participant)
    if (live.length >= ENDPOINTS_MAX)
      throw new Refusal('webhook-limit', { extra: { limit: ENDPOINTS_MAX }, detail: 'end another one first' })
    const at = clock()
    const feeds = heads.map(({ feed }) => feed)
    const fields = { host: new URL(url).host, kinds, ...(feeds.length > 0 && { feeds }) }
    const last_event = await recorded(options, tx, by, { kind: 'webhook.added', endpoint, at, fields })
    await store.insertEndpoint(tx, {
      ...{ participant_id: by.participant, endpoint_id: endpoint, url, kinds: [...kinds], feeds, secret_no: 1 },
      ...{ made_by: makerOf(by), made_at: at, ended_at: null, rotated_at: null, last_event },
    })
    for (const { feed, last_seq } of heads)
      await store.putPlace(tx, { participant_id: by.participant, endpoint_id: endpoint, feed_id: feed, seq: last_seq })
  })
  provenance.wake()
  return { endpoint, secret_no: 1, secret: secretText(secretOf(endpoint, 1)) }
}

export async function addForFeeds(options: WebhooksOptions, by: WebhookOwner, endpoint: Uuid, asked: FeedEndpoint) {
  const { db, secretOf, headsOf, hosts } = options
  const row = await asParticipant(db, by.participant, (tx) =>
    store.endpointOf(tx, { participant_id: by.participant, endpoint_id: endpoint }),
  )
  if (row !== undefined) {
    const url = checkedUrl(asked.url, { organisation: by.slug, hosts })
    const isSame = row.url === url && row.feeds.toSorted().join() === asked.feeds.toSorted().join()
    const isFirst = row.ended_at === null && row.secret_no === 1 && row.made_by === makerOf(by)
    if (!isSame || !isFirst)
      throw new Refusal('state-conflict', { detail: 'there is another endpoint under this id, or it has moved on' })
    return { created: false, endpoint, secret_no: 1, secret: secretText(secretOf(endpoint, 1)) }
  }
  const readable = await headsOf(by.participant)
  const heads = asked.feeds.map((feed, i) => {
    const head = readable.find((one) => one.feed === feed)
    if (head === undefined)
      throw new Refusal('webhook-refused', {
        errors: [{ pointer: `/feeds/${i}`, code: 'webhook-refused', detail: 'no feed of yours' }],
      })
    return head
  })
  return { created: true, ...(await addEndpoint(options, by, { endpoint, url: asked.url, kinds: [FEED_KIND], heads })) }
}

export async function rotateSecret(
  options: WebhooksOptions,
  by: WebhookOwner,
  endpoint: Uuid,
  secret_no: number,
): Promise<EndpointSecret> {
  const { db, clock, provenance, secretOf } = options
  provenance.admit()
  await asParticipant(db, by.participant, async (tx) => {
    const row = await liveOf(tx, by, endpoint)
    if (row.secret_no === secret_no) return
    const at = clock()
    const fields = { host: new URL(row.url).host, secret_no }
    const last_event = await recorded(options, tx, by, { kind: 'webhook.rotated', endpoint, at, fields })
    if (!(await store.rotateEndpoint(tx, row, { secret_no, rotated_at: at, last_event })))
      throw new Refusal('state-conflict', { detail: 'name the number that follows the present one' })
  })
  provenance.wake()
  return { endpoint, secret_no, secret: secretText(secretOf(endpoint, secret_no)) }
}

export async function endEndpoint(
  options: WebhooksOptions,
  by: WebhookOwner,
  endpoint: Uuid,
  asker: 'owner' | 'receiver' = 'owner',
): Promise<void> {
  const { db, clock, provenance } = options
  provenance.admit()
  await asParticipant(db, by.participant, async (tx) => {
    const row = await (asker === 'owner' ? liveOf(tx, by, endpoint) : anyLiveOf(tx, by, endpoint))
    const at = clock()
    const fields = { host: new URL(row.url).host, kinds: row.kinds, ...(row.feeds.length > 0 && { feeds: row.feeds }) }
    const last_event = await recorded(options, tx, by, { kind: 'webhook.ended', endpoint, at, fields })
    await store.endEndpoint(tx, row, { ended_at: at, last_event })
    await store.dropDeliveries(tx, row)
  })
  provenance.wake()
}

interface Recorded {
  kind: 'webhook.added' | 'webhook.rotated' | 'webhook.ended'
  endpoint: Uuid
  at: Date
  fields: Readonly<Record<string, unknown>>
}

async function recorded(
  { provenance }: WebhooksOptions,
  tx: Tx,
  { participant, slug, person, credential }: WebhookOwner,
  { kind, endpoint, at, fields }: Recorded,
): Promise<Uuid> {
  const event_id = newId(at)
  await provenance.record(tx, {
    ...{ kind, event_id, participant_id: participant, at, actor: slug },
    fields: { endpoint, ...fields, person, cred: credential },
  })
  return event_id
}

const makerOf = ({ person, credential }: WebhookOwner): Uuid => {
  const maker = person ?? credential
  if (maker === undefined) throw new TypeError('an owner without a person or a credential')
  return maker
}

function checkedUrl(text: string, of: Parameters<typeof endpointUrl>[1]): string {
  const checked = endpointUrl(text.trim(), of)
  if ('url' in checked) return checked.url
  throw new Refusal('webhook-refused', {
    errors: [{ pointer: '/url', code: 'webhook-refused', detail: checked.fault }],
  })
}

/** Of the asker, in force and locked; a program moves those of programs alone. */
export async function liveOf(tx: Tx, by: WebhookOwner, endpoint_id: Uuid): Promise<store.EndpointRow> {
  const row = await anyLiveOf(tx, by, endpoint_id)
  if (by.person === undefined && row.feeds.length === 0) throw new Refusal('not-found')
  return row
}

export async function expectRoom(tx: Tx, row: store.EndpointRow): Promise<void> {
  if ((await store.waitingFor(tx, row, DELIVERIES_WAITING_MAX)) >= DELIVERIES_WAITING_MAX)
    throw new Refusal('busy', { detail: 'as many messages wait for it as may', retryAfter: 60 })
}

async function anyLiveOf(
  tx: Tx,
  { participant }: Pick<WebhookOwner, 'participant'>,
  endpoint_id: Uuid,
): Promise<store.EndpointRow> {
  const row = await store.endpointForUpdate(tx, { participant_id: participant, endpoint_id })
  if (row === undefined || row.ended_at !== null) throw new Refusal('not-found')
  return row
}
