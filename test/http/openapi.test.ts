import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import { openApiDocument, routesOf } from '../../src/http/openapi.ts'
import { Problem } from '../../src/http/openapi-parts.ts'
import type { Operation } from '../../src/http/operation.ts'
import { OPERATIONS } from '../../src/http/operations.ts'
import { problemOf } from '../../src/http/problem.ts'
import { CATALOGUE, type ErrorCode, Refusal } from '../../src/kernel/errors.ts'
import { SCOPES } from '../../src/participants/schema.ts'
import { testPki } from '../support/pki.ts'
import { realListeners } from './listeners.ts'
import { faults } from './openapi-fields.ts'

type Json = Record<string, unknown>
interface Described extends Json {
  operationId: string
  summary: string
  tags: string[]
  parameters?: { name: string; in: string; required: boolean }[]
  security: Record<string, string[]>[]
  responses: Record<string, Json>
  servers?: Json[]
}
type Document = Json & { paths: Record<string, Record<string, Described>>; tags: { name: string }[]; components: Json }

/** The document that is given to participants. */
const published = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8')) as Document
const operations = Object.entries(published.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, name: `${method} ${path}`, operation })),
)
/** A listener's routes as the node itself registers them: method, template and scope. */
let real: Record<'partner' | 'enrol', string[]>
let bodyLimits: number[]

beforeAll(async () => {
  const listeners = await realListeners(await testPki())
  bodyLimits = []
  const told = async (app: FastifyInstance): Promise<string[]> => {
    const lines: string[] = []
    app.addHook('onRoute', ({ method, url, config, bodyLimit = LIMITS.json_bytes, schema }) => {
      // What others describe: their protocol has no place in ours.
      if (config?.foreign === true) return
      const template = url.replace('*', '{path}').replaceAll(/:(\w+)/g, '{$1}')
      lines.push(`${String(method).toLowerCase()} ${template} ${config?.scope}`)
      if (schema?.body !== undefined) bodyLimits.push(bodyLimit)
    })
    await app.ready()
    await app.close()
    return lines
  }
  real = { partner: await told(listeners.partner), enrol: await told(listeners.enrol) }
})

const at = (pointer: string): unknown =>
  pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part.replaceAll('~1', '/')], published)

/** Every object within a value. */
function* objects(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Json
  for (const own of Object.values(value)) yield* objects(own)
}
const references = [...objects(published)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []))
const resolved = (value: Json): Json => (typeof value['$ref'] === 'string' ? (at(value['$ref']) as Json) : value)

describe('the document', () => {
  test('has the routes of both listeners, each under its own, with its scope, and no other', () => {
    const described = (enrol: boolean) =>
      operations
        .filter(({ operation }) => (operation.servers !== undefined) === enrol)
        .map(({ name, operation }) => `${name} ${operation['x-scope']}`)
        .sort()
    expect(real.partner.length).toBeGreaterThan(20)
    expect(described(false)).toEqual([...real.partner].sort())
    expect(described(true)).toEqual([...real.enrol].sort())
  })

  test('is taken by a linter of OpenAPI that is not ours', async () => {
    const result = await new Validator().validate(structuredClone(published) as Json)
    expect(result.errors).toBeUndefined()
    expect(result.valid).toBe(true)
  })

  test('refers to nothing that is not there, and has nothing that is not referred to', () => {
    expect(references.length).toBeGreaterThan(100)
    expect(references.filter((pointer) => typeof at(pointer) !== 'object')).toEqual([])
    const names = ['schemas', 'headers', 'responses'].flatMap((kind) =>
      Object.keys(published.components[kind] as Json).map((name) => `#/components/${kind}/${name}`),
    )
    expect(names.filter((name) => !references.includes(name))).toEqual([])
  })

  test('is not made of a route that nobody described, nor of a description without route', async () => {
    const routes = await routesOf('partner', (app) => {
      app.get('/known', { config: { scope: 'public' } }, async () => ({}))
    })
    const known: Operation = { id: 'known', summary: 'Says so' }
    expect(openApiDocument(routes, { 'GET /known': known })).toHaveProperty('paths./known.get.summary', 'Says so')
    expect(() => openApiDocument(routes, {})).toThrow('GET /known')
    expect(() => openApiDocument(routes, { 'GET /known': known, 'PUT /gone': known })).toThrow('PUT /gone')
  })

  test('follows what a route says of itself', async () => {
    const params = Type.Object({ finch: Type.String({ maxLength: 3 }) })
    const querystring = Type.Object({ limit: Type.Optional(Type.Integer()), from: Type.String() })
    const routes = await routesOf('partner', (app) => {
      app.put(
        '/birds/:finch',
        {
          config: { scope: 'feed:read' },
          bodyLimit: 99,
          schema: { params, querystring, body: Type.Object({ n: Type.Integer() }), response: { 201: Type.String() } },
        },
        async () => '',
      )
    })
    const made = openApiDocument(routes, { 'PUT /birds/:finch': { id: 'x', summary: 'X', codes: ['signal-ended'] } })
    const operation = (made as Document).paths['/birds/{finch}']?.['put']
    expect(operation).toMatchObject({
      parameters: [
        { name: 'finch', in: 'path', required: true, schema: { type: 'string', maxLength: 3 } },
        { name: 'limit', in: 'query', required: false, schema: { type: 'integer' } },
        { name: 'from', in: 'query', required: true, schema: { type: 'string' } },
      ],
      requestBody: { 'x-max-bytes': 99, content: { 'application/json': { schema: { properties: { n: {} } } } } },
      responses: { 201: { content: { 'application/json': { schema: { type: 'string' } } } } },
      security: [{ mutualTLS: ['feed:read'] }, { mutualTLS: ['feed:read'], accessToken: ['feed:read'] }],
    })
    const codes = Object.keys((made as { components: { responses: Json } }).components.responses).join(' ')
    for (const code of ['signal-ended', 'scope-missing', 'not-found', 'invalid-query', 'json-strict', 'too-large'])
      expect(codes).toContain(code)
  })
})

describe('an operation', () => {
  test.for(operations)('$method $path says what it does, for whom, and how it may end', ({ path, operation }) => {
    const { operationId, summary, tags, parameters = [], security, responses } = operation
    expect(operationId).toMatch(/^[a-z]+([A-Z][a-z]*)*$/)
    expect(summary).toMatch(/^[A-Z][^\n]{9,118}[^.\n]$/)
    expect(published.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(tags))
    const named = parameters.filter((one) => one.in === 'path').map(({ name }) => name)
    expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
    expect(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size).toBe(parameters.length)
    const scope = operation['x-scope'] as string
    expect(['public', ...SCOPES]).toContain(scope)
    const scopes = scope === 'public' ? [] : [scope]
    // A token never stands for the certificate.
    if (operation.servers === undefined)
      expect(security).toEqual([{ mutualTLS: scopes }, { mutualTLS: scopes, accessToken: scopes }])
    else expect(security).toEqual([])
    expect(Object.keys(responses).filter((status) => status.startsWith('2'))).not.toEqual([])
  })

  test.for(operations)(
    '$method $path is refused by codes of the catalogue, under their own status',
    ({ operation }) => {
      for (const [status, given] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue
        const { description, content, 'x-codes': codes } = resolved(given) as Json & { 'x-codes': ErrorCode[] }
        expect(codes.length, status).toBeGreaterThan(0)
        for (const code of codes) {
          expect(CATALOGUE[code][0], code).toBe(Number(status))
          expect(description).toContain(`\`${code}\``)
        }
        expect(Object.keys(content as Json)).toEqual(['application/problem+json'])
      }
    },
  )

  test('has an id of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(Object.keys(OPERATIONS)).toHaveLength(ids.length)
  })

  test('that takes a body takes no more of it than a limit says', () => {
    const limits = Object.entries(LIMITS).flatMap(([name, value]) => (name.endsWith('_bytes') ? [value] : []))
    const taken = operations.flatMap(
      ({ operation }) => (operation['requestBody'] as Json | undefined)?.['x-max-bytes'] ?? [],
    )
    expect(taken.length).toBeGreaterThan(5)
    expect([...taken, ...bodyLimits].filter((bytes) => !limits.includes(bytes as number))).toEqual([])
  })

  test('that gives something out names its entry in the read journal', () => {
    const naming = operations.filter(({ operation }) => JSON.stringify(operation).includes('headers/Provenance-Read'))
    expect(naming.map(({ operation }) => operation.operationId).sort()).toEqual([
      'getBucket',
      'getCase',
      'getHashKey',
      'getNetwork',
      'getSegment',
      'listCases',
      'listEvents',
      'listReviewSamples',
      'lookUp',
      'openSignal',
      'planBulkJob',
      'revealValue',
    ])
  })
})

test('a problem document has the shape that is described, whatever it is of', () => {
  const validator = Compile(Problem)
  for (const code of Object.keys(CATALOGUE) as ErrorCode[]) {
    const errors = [{ pointer: '/items/0', code, detail: 'd' }]
    for (const refusal of [new Refusal(code), new Refusal(code, { detail: 'd', errors, extra: { limit: 1 } })]) {
      expect(validator.Check(problemOf(refusal, 'r')), code).toBe(true)
    }
  }
  expect(validator.Check({ ...problemOf(new Refusal('busy'), 'r'), code: 'plum' })).toBe(false)
})

describe('of OpenAPI 3.1', () => {
  test('it has the version, and every object has its required fields and none that are unknown', () => {
    expect(published['openapi']).toMatch(/^3\.1\.\d+$/)
    expect(faults('document', published, '#')).toEqual([])
    const broken = { ...published, paths: { '/x': { get: { summary: 'x', responses: {}, responce: {} } } }, info: {} }
    expect(faults('document', broken, '#').sort()).toEqual([
      '#/info: no title',
      '#/info: no version',
      '#/paths//x/get: responce is no field of a operation',
    ])
  })

  test('its components have names that a reference can hold, and its paths begin with a slash', () => {
    const names = Object.values(published.components).flatMap((kind) => Object.keys(kind as Json))
    expect(names.filter((name) => !/^[a-zA-Z0-9._-]+$/.test(name))).toEqual([])
    expect(Object.keys(published.paths).filter((path) => !path.startsWith('/'))).toEqual([])
  })
})
