import Fastify, { type FastifyInstance } from 'fastify'
import { repeatOf } from './idempotency.ts'
import { LIMITS } from './limits.ts'
import {
  components,
  contentOf,
  contentsOf,
  headerParameter,
  headersOf,
  idempotencyParameter,
  type Json,
  parametersOf,
  refer,
} from './openapi-parts.ts'
import { checkpoint, referenceTo, refusalsOf, responseName, responseOf } from './openapi-refusals.ts'
import type { Answer, AnswerHeader, ListenerName, Operation, Route } from './operation.ts'
import { OPERATIONS } from './operations.ts'

const INFO: Json = {
  title: 'Aldis',
  version: '1',
  summary: 'Platforms exchange hashed child-safety signals, and can prove it.',
  description: [
    'Made by `npm run docs` from the schemas that validate.',
    'The bytes behind these shapes (items, signatures, streams, receipts) are in `docs/formats.md`, the limits in `docs/limits.md`.',
    '`/v1` only grows: readers ignore members that they do not know, the node refuses those that it does not know.',
    'Most changes name themselves and may be repeated as they were. POST routes take an Idempotency-Key beside: the same request under it is answered once more and not carried out twice, or, where it is a read or names itself, carried out and recorded again.',
  ].join('\n'),
  license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
}

const SERVERS: Readonly<Record<ListenerName, { port: string; description: string }>> = {
  partner: { port: '8443', description: 'Participants, with a client certificate.' },
  enrol: { port: '8444', description: 'Whoever holds a one-time code, without a client certificate.' },
}

/** By the start of the path; the first that fits. */
const TAGS: readonly (readonly [start: string, name: string, description?: string])[] = [
  ['/enroll', 'Enrolment', 'From a one-time code to a certificate.'],
  ['/v1/submissions', 'Signals', 'What a source sends, and asks of its own.'],
  ['/v1/uploads', 'Signals'],
  ['/v1/signals', 'Signals'],
  ['/v1/feeds', 'Feeds', 'What each audience receives, in dense order.'],
  ['/v1/lookups', 'Look-ups', 'Live signals by match key.'],
  ['/v1/lookup/', 'Look-ups'],
  ['/v1/audiences/:audience/signals', 'Look-ups'],
  ['/v1/oprf', 'Look-ups'],
  ['/v1/feedback', 'Feedback', 'What recipients say of signals, and what sources answer.'],
  ['/v1/disputes', 'Feedback'],
  ['/v1/hits', 'Review', "What an organisation's own people do with signals."],
  ['/v1/cases', 'Review'],
  ['/v1/review', 'Review'],
  ['/v1/bulk-jobs', 'Review'],
  ['/v1/webhooks', 'Webhooks', "What an organisation's programs are told of its feeds."],
  ['/provenance', 'Provenance', 'The log, its proofs and receipts.'],
  [
    '/v1/log',
    'Governance',
    'Who shared what with whom, as far as the asker may know, and the reports of the programme.',
  ],
  ['/v1/reports', 'Governance'],
  [
    '/v1/onboardings',
    'Oversight',
    'What governance works with, beside the log: to be read. Acts that change something are done by persons, in the console or beside the node.',
  ],
  ['/v1/approvals', 'Oversight'],
  ['/v1/anomalies', 'Oversight'],
  ['/v1/retention', 'Oversight'],
  ['/v1/subject-requests', 'Oversight'],
  ['/v1/erasures', 'Oversight'],
  ['/v1/government-requests', 'Oversight'],
  ['/v1/policies', 'Oversight'],
  ['/v1/sandbox', 'Sandbox', 'A simulated participant to try programs against, and what these showed.'],
  ['/v1/conformance-runs', 'Sandbox'],
  ['/v1/requests', 'Usage', 'What the own programs ask, and what they use of their limits.'],
  ['/v1/limits', 'Usage'],
  ['/v1/meta', 'Node', 'What the node says of itself.'],
  ['/v1/openapi.json', 'Node'],
  ['/problems', 'Node'],
  ['/v1', 'Participants', 'Who takes part, with which keys.'],
]

/** The routes that plugins register on an instance of their own. What they are given is never called. */
export async function routesOf(listener: ListenerName, register: (app: FastifyInstance) => void): Promise<Route[]> {
  const app = Fastify({ exposeHeadRoutes: false })
  const routes: Route[] = []
  app.setValidatorCompiler(() => () => true)
  app.addHook('onRoute', ({ method, url, config = {}, schema = {}, bodyLimit = LIMITS.json_bytes }) => {
    if (config.foreign === true) return
    for (const one of [method].flat()) {
      routes.push({ listener, method: one, url, config, bodyLimit, schema: schema as Route['schema'] })
    }
  })
  register(app)
  await app.ready()
  await app.close()
  return routes
}

interface Described {
  route: Route
  operation: Operation
}

/** The listeners as an OpenAPI 3.1 document. Throws if a route is not described, or a description has no route. */
export function openApiDocument(
  routes: readonly Route[],
  operations: Readonly<Record<string, Operation>> = OPERATIONS,
): Json {
  const described = describe(routes, operations)
  const paths: Record<string, Record<string, Json>> = {}
  for (const { route, operation } of described) {
    const path = pathOf(route.url)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf({ route, operation }) }
  }
  const refusals = described.flatMap(({ route, operation }) => refusalsOf(route, operation))
  const responses = Object.fromEntries(refusals.map((one) => [responseName(one), responseOf(one)]))
  return {
    openapi: '3.1.1',
    info: INFO,
    servers: [serverOf('partner')],
    tags: TAGS.flatMap(([, name, description]) => (description === undefined ? [] : [{ name, description }])),
    paths,
    components: { ...components(), responses },
  }
}

function describe(routes: readonly Route[], operations: Readonly<Record<string, Operation>>): Described[] {
  const named = new Map(routes.map((route) => [`${route.method} ${route.url}`, route]))
  const idle = Object.keys(operations).filter((key) => !named.has(key))
  if (idle.length > 0) throw new Error(`descriptions without a route: ${idle.join(', ')}`)
  return [...named].map(([key, route]) => {
    const operation = operations[key]
    if (operation === undefined) throw new Error(`a route without a description: ${key}`)
    return { route, operation }
  })
}

const pathOf = (url: string): string => url.replace('*', '{path}').replaceAll(/:([a-z_]+)/g, '{$1}')
const tagOf = (url: string): string | undefined => TAGS.find(([start]) => url.startsWith(start))?.[1]

function serverOf(listener: ListenerName): Json {
  const { port, description } = SERVERS[listener]
  return {
    url: 'https://{host}:{port}',
    description,
    variables: { host: { default: '127.0.0.1' }, port: { default: port } },
  }
}

function operationOf({ route, operation }: Described): Json {
  const { id, summary, description, headers = [], itemCodes } = operation
  const { listener, url, config, schema } = route
  const parameters = [
    ...parametersOf('path', schema.params),
    ...parametersOf('query', schema.querystring),
    ...headers.map(headerParameter),
    ...(repeatOf(route) === undefined ? [] : [idempotencyParameter()]),
  ]
  const requestBody = bodyOf(route, operation)
  const refusals = refusalsOf(route, operation).map((one): [number, Json] => [one.status, referenceTo(one)])
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tagOf(url)],
    'x-scope': config.scope,
    ...(listener === 'partner' ? {} : { servers: [serverOf(listener)] }),
    security: listener === 'partner' ? securityOf(config.scope) : [],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    ...(itemCodes === undefined ? {} : { 'x-item-codes': itemCodes }),
    responses: { ...answersOf(route, operation), ...Object.fromEntries(refusals) },
  }
}

/** A certificate always; a token beside it, where the caller wants to do less. */
function securityOf(scope: Route['config']['scope']): Json[] {
  const scopes = scope === 'public' ? [] : [scope]
  return [{ mutualTLS: scopes }, { mutualTLS: scopes, accessToken: scopes }]
}

/** With the most bytes that are taken, and of a stream the most lines and the most bytes of one. */
function bodyOf({ schema, bodyLimit }: Route, { body }: Operation): Json | undefined {
  if (body !== undefined) {
    const lines = { 'x-max-lines': LIMITS.stream_lines, 'x-max-line-bytes': LIMITS.stream_line_bytes }
    return { required: true, content: contentOf(body), 'x-max-bytes': bodyLimit, ...lines }
  }
  if (schema.body === undefined) return undefined
  return { required: true, content: jsonOf(schema.body), 'x-max-bytes': bodyLimit }
}

const jsonOf = (schema: object): Json => ({ 'application/json': { schema: refer(schema) } })

function answersOf(route: Route, { answers = {} }: Operation): Json {
  const { listener, schema, config } = route
  const replayed: AnswerHeader[] = repeatOf(route) === 'kept' ? ['Idempotent-Replayed'] : []
  const shapes: Readonly<Record<string, object>> = { ...config.raw, ...schema.response }
  const told: Readonly<Record<string, Answer>> = answers
  const statuses = new Set([...Object.keys(shapes), ...Object.keys(told)])
  return Object.fromEntries(
    [...statuses].map((status) => {
      const { description = 'What was asked for', headers = [], content } = told[status] ?? {}
      const shape = shapes[status]
      const body = content === undefined ? shape && jsonOf(shape) : contentsOf([content].flat())
      const all = headersOf([...headers, ...replayed, ...checkpoint(listener)])
      return [status, { description, headers: all, ...(body === undefined ? {} : { content: body }) }]
    }),
  )
}
