import { type Static, Type } from 'typebox'
import { BigIntSchema, UuidSchema } from '../kernel/schema.ts'
import { NOTICE_KINDS } from '../notices/schema.ts'

const closed = { additionalProperties: false } as const

/** Endpoints of one organisation that are in force; messages that wait for one of them. */
export const ENDPOINTS_MAX = 5
export const DELIVERIES_WAITING_MAX = 1_000
/** Days for which it can be seen what became of a message; of those of a feed, which are many. */
export const DELIVERIES_KEPT_DAYS = 30
export const FEED_DELIVERIES_KEPT_DAYS = 1
/** Messages of feeds that wait for one endpoint: what comes meanwhile is told by the next one. */
export const FEED_WAITING_MAX = 16
/** Feeds of one endpoint. */
export const ENDPOINT_FEEDS_MAX = 64
/** Hours for which messages are signed by the former secret too. */
export const ROTATION_HOURS = 24

export const FEED_KIND = 'feed.advanced'
export const TEST_KIND = 'webhook.test'

const Url = Type.String({ minLength: 1, maxLength: 512 })

/** As people add one: for what waits for them. */
export const NewEndpoint = Type.Object(
  {
    url: Url,
    kinds: Type.Array(Type.Enum([...NOTICE_KINDS]), { minItems: 1, maxItems: NOTICE_KINDS.length, uniqueItems: true }),
  },
  closed,
)
export type NewEndpoint = Static<typeof NewEndpoint>

/** As a program adds one: for feeds that it reads. */
export const FeedEndpoint = Type.Object(
  { url: Url, feeds: Type.Array(UuidSchema, { minItems: 1, maxItems: ENDPOINT_FEEDS_MAX, uniqueItems: true }) },
  closed,
)
export type FeedEndpoint = Static<typeof FeedEndpoint>

/**
 * What is posted when a feed has grown: places and their number. What stands there is asked for over mutual TLS, by
 * `GET /v1/feeds/{feed}/events`, whose `seq` these are.
 */
export const FeedMessage = Type.Object(
  {
    type: Type.Literal(FEED_KIND),
    timestamp: Type.String(),
    data: Type.Object(
      { feed: UuidSchema, from_seq: BigIntSchema, to_seq: BigIntSchema, count: Type.Integer({ minimum: 1 }) },
      closed,
    ),
  },
  closed,
)
export type FeedMessage = Static<typeof FeedMessage>

export const EndpointParams = Type.Object({ endpoint: UuidSchema }, closed)
export const MessageParams = Type.Object(
  { endpoint: UuidSchema, message: Type.String({ pattern: '^msg_[A-Za-z0-9_-]{24}$' }) },
  closed,
)

/** The number of the secret that is to be in force: one more than the present one's. */
export const Rotation = Type.Object({ secret_no: Type.Integer({ minimum: 2, maximum: 32_767 }) }, closed)
export const TestMessage = Type.Object({ test: UuidSchema }, closed)

/** `secret`: as Standard Webhooks write it. */
export const EndpointSecret = Type.Object(
  { endpoint: UuidSchema, secret_no: Type.Integer(), secret: Type.String() },
  closed,
)
export type EndpointSecret = Static<typeof EndpointSecret>

const Instant = Type.String()

export const EndpointList = Type.Object(
  {
    endpoints: Type.Array(
      Type.Object(
        {
          endpoint: UuidSchema,
          url: Type.String(),
          kinds: Type.Array(Type.String()),
          feeds: Type.Array(UuidSchema),
          made_at: Instant,
          secret_no: Type.Integer(),
          rotated_at: Type.Union([Instant, Type.Null()]),
        },
        closed,
      ),
    ),
    /** Where the organisation may be posted to. */
    hosts: Type.Array(Type.String()),
    /** By which `v1a` is verified. */
    public_key: Type.String(),
  },
  closed,
)
export type EndpointList = Static<typeof EndpointList>

export const DeliveryList = Type.Object(
  {
    deliveries: Type.Array(
      Type.Object(
        {
          message: Type.String(),
          kind: Type.String(),
          made_at: Instant,
          attempts: Type.Integer(),
          /** When it is tried again; null once it was taken or given up. */
          next_at: Type.Union([Instant, Type.Null()]),
          delivered_at: Type.Union([Instant, Type.Null()]),
          fault: Type.Union([Type.String(), Type.Null()]),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type DeliveryList = Static<typeof DeliveryList>

/** Of a message that is to be posted, or was. */
export const MessageName = Type.Object({ message: Type.String() }, closed)
export type MessageName = Static<typeof MessageName>
