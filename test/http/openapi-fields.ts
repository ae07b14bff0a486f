type Json = Record<string, unknown>

/** Fixed fields by kind of object, the required ones first; and what kind stands below a field. */
const KINDS: Readonly<Record<string, { must: string[]; may: string[]; below?: Record<string, string> }>> = {
  document: {
    must: ['openapi', 'info', 'paths'],
    may: ['servers', 'tags', 'components', 'security', 'webhooks', 'jsonSchemaDialect', 'externalDocs'],
    below: { info: 'info', paths: '*path', servers: '*server', tags: '*tag', components: 'components' },
  },
  info: {
    must: ['title', 'version'],
    may: ['summary', 'description', 'termsOfService', 'contact', 'license'],
    below: { license: 'license' },
  },
  license: { must: ['name'], may: ['identifier'] },
  server: { must: ['url'], may: ['description', 'variables'], below: { variables: '*variable' } },
  variable: { must: ['default'], may: ['enum', 'description'] },
  tag: { must: ['name'], may: ['description', 'externalDocs'] },
  path: {
    must: [],
    may: ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'parameters', 'servers', 'summary'],
    below: { get: 'operation', put: 'operation', post: 'operation', delete: 'operation' },
  },
  operation: {
    must: ['responses'],
    may: ['operationId', 'summary', 'description', 'tags', 'servers', 'security', 'parameters', 'requestBody'],
    below: { parameters: '*parameter', requestBody: 'body', responses: '*response', servers: '*server' },
  },
  parameter: {
    must: ['name', 'in'],
    may: ['description', 'required', 'deprecated', 'schema', 'style', 'explode'],
    below: { schema: 'schema' },
  },
  body: { must: ['content'], may: ['description', 'required'], below: { content: '*media' } },
  response: {
    must: ['description'],
    may: ['headers', 'content', 'links'],
    below: { headers: '*header', content: '*media' },
  },
  header: { must: [], may: ['description', 'required', 'schema'], below: { schema: 'schema' } },
  media: { must: [], may: ['schema', 'example', 'examples', 'encoding'], below: { schema: 'schema' } },
  components: {
    must: [],
    may: ['schemas', 'responses', 'parameters', 'headers', 'securitySchemes', 'requestBodies', 'pathItems'],
    below: { schemas: '*schema', responses: '*response', headers: '*header', securitySchemes: '*scheme' },
  },
  scheme: { must: ['type'], may: ['description', 'name', 'in', 'scheme', 'flows'] },
}
/** Of JSON Schema 2020-12, as far as we use it; and where schemas stand below. */
const KEYWORDS = new Set([
  ...['$ref', 'type', 'enum', 'const', 'anyOf', 'properties', 'required', 'additionalProperties', 'items', 'pattern'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems', 'format', 'default'],
  ...['description', 'contentMediaType', 'contentSchema'],
])
const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object']

/** What of a value is not as the standard has it, by its place. */
export function faults(kind: string, value: Json, place: string): string[] {
  if (kind === 'schema') return schemaFaults(value, place)
  if (typeof value['$ref'] === 'string') return Object.keys(value).length === 1 ? [] : [`${place}: beside $ref`]
  const { must = [], may = [], below = {} } = KINDS[kind] ?? {}
  const names = Object.keys(value)
  const own = [
    ...must.filter((name) => !names.includes(name)).map((name) => `${place}: no ${name}`),
    ...names
      .filter((name) => ![...must, ...may].includes(name) && !name.startsWith('x-'))
      .map((name) => `${place}: ${name} is no field of a ${kind}`),
  ]
  const deeper = Object.entries(below).flatMap(([name, next]) => {
    const inner = value[name] as Json | undefined
    if (inner === undefined) return []
    if (!next.startsWith('*')) return faults(next, inner, `${place}/${name}`)
    return Object.entries(inner).flatMap(([key, one]) => faults(next.slice(1), one as Json, `${place}/${name}/${key}`))
  })
  return [...own, ...deeper]
}

function schemaFaults(schema: Json, place: string): string[] {
  const own = Object.keys(schema).flatMap((name) => (KEYWORDS.has(name) ? [] : [`${place}: ${name} is no keyword`]))
  const { type, pattern, items, contentSchema, properties = {}, anyOf = [] } = schema
  if (type !== undefined && !TYPES.includes(type as string)) own.push(`${place}: no type`)
  if (pattern !== undefined) new RegExp(pattern as string, 'u')
  const deeper = [items, contentSchema, ...Object.values(properties as Json), ...(anyOf as unknown[])]
  return [...own, ...deeper.flatMap((one) => (one === undefined ? [] : schemaFaults(one as Json, `${place}/..`)))]
}
