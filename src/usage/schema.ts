import { type Static, Type } from 'typebox'
import { UuidSchema } from '../kernel/schema.ts'
import { EVALUATION_PURPOSES } from '../participants/schema.ts'

const closed = { additionalProperties: false } as const

/** Days for which a request is listed. */
export const REQUESTS_KEPT_DAYS = 7
/** Requests of a page. */
export const REQUESTS_PAGE_MAX = 200
/** Of all organisations, while the database does not take them. */
export const REQUESTS_WAITING_MAX = 10_000
/** Rows of one organisation that are written together. */
export const REQUESTS_BATCH = 1_000
/** Of one organisation in an hour; as many that were refused, so that what goes well hides nothing that does not. */
export const REQUESTS_PER_HOUR = 10_000

/** By the first digit. */
export const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const
export type StatusClass = (typeof STATUS_CLASSES)[number]

const Code = Type.String({ pattern: '^[a-z]+(-[a-z]+)*$', maxLength: 63 })
const Route = Type.String({ pattern: '^[A-Za-z0-9/:*._-]{1,128}$' })
const RequestId = Type.String({ pattern: '^[A-Za-z0-9_-]{16}$' })

/** What a page of the request log is cut to. */
export const RequestFilter = Type.Object(
  {
    status: Type.Optional(Type.Enum([...STATUS_CLASSES])),
    code: Type.Optional(Code),
    /** The pattern of a route, as the API's description has it in its paths: `/v1/feeds/:feed/events`. */
    route: Type.Optional(Route),
    /** As the answer and its problem document named it. */
    request_id: Type.Optional(RequestId),
  },
  closed,
)
export type RequestFilter = Static<typeof RequestFilter>

export const RequestQuery = Type.Object(
  {
    ...RequestFilter.properties,
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: REQUESTS_PAGE_MAX })),
  },
  closed,
)
export type RequestQuery = Static<typeof RequestQuery>

/** One request that was answered: nothing that came with it is here, and nothing of the answer but its length. */
export const LoggedRequest = Type.Object(
  {
    request_id: RequestId,
    at: Type.String(),
    method: Type.String(),
    route: Type.String(),
    credential: UuidSchema,
    label: Type.String(),
    status: Type.Integer(),
    code: Type.Union([Code, Type.Null()]),
    duration_ms: Type.Integer({ minimum: 0 }),
    /** Of the answer's body; null where it was not known before it left. */
    response_bytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  },
  closed,
)
export type LoggedRequest = Static<typeof LoggedRequest>

/** `dropped`: requests of the days that are listed which were answered and not written down. */
export const RequestList = Type.Object(
  {
    requests: Type.Array(LoggedRequest),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    dropped: Type.Integer({ minimum: 0 }),
  },
  closed,
)
export type RequestList = Static<typeof RequestList>

/** A limit under the name that `docs/limits.md` has for it, and how much of it is used now. */
export const LimitUse = Type.Object(
  {
    name: Type.String(),
    used: Type.Integer({ minimum: 0 }),
    limit: Type.Integer({ minimum: 0 }),
    /** Of a quota of a day. */
    purpose: Type.Optional(Type.Enum([...EVALUATION_PURPOSES])),
    resets_at: Type.Optional(Type.String()),
  },
  closed,
)
export type LimitUse = Static<typeof LimitUse>

/** What an organisation uses of its limits, by credential and as a whole. */
export const LimitList = Type.Object(
  {
    at: Type.String(),
    credentials: Type.Array(
      Type.Object({ credential: UuidSchema, label: Type.String(), limits: Type.Array(LimitUse) }, closed),
    ),
    limits: Type.Array(LimitUse),
  },
  closed,
)
export type LimitList = Static<typeof LimitList>
