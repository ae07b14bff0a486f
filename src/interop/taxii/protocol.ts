import { Refusal } from '../../kernel/errors.ts'
import { type PageForm, pageAnswer, taxiiAnswer, taxiiError } from './answer.ts'
import { nextOf, placeIn } from './cursor.ts'
import { CONTENT_MAX, objectsOf } from './envelope.ts'
import { instantIn } from './instant.ts'
import { accepts, isTaxii, STIX_TYPE, TAXII_TYPE } from './media-type.ts'
import type { After, Rendered, TaxiiAnswer, TaxiiCollection, TaxiiPage, TaxiiRecord, TaxiiStore } from './port.ts'
import { type Filter, queryOf, type TaxiiQuery, VERSION_WORDS } from './query.ts'
import { METHODS, resourceAt, TAXII_PATH, type Within } from './resource.ts'

export interface TaxiiRequest {
  id: string
  method: string
  /** As it came, without the query. */
  path: string
  query: string
  accept: string | undefined
  contentType: string | undefined
  /** What was sent; asked for where it is taken alone. */
  body(): Promise<Uint8Array>
}

export interface TaxiiOptions<By> {
  store: TaxiiStore<By>
  /** MACs what clients bring back as `next`. */
  cursorKey: Uint8Array
  by: By
  /** To whom a `next` is bound. */
  who: string
}

/** TAXII 2.1 (OASIS), without what carries it. Every refusal is the protocol's own error. */
export async function answerTaxii<By>(request: TaxiiRequest, options: TaxiiOptions<By>): Promise<TaxiiAnswer> {
  try {
    return await answer(request, options)
  } catch (error) {
    if (error instanceof Refusal) return taxiiError(error, request.id)
    throw error
  }
}

async function answer<By>(request: TaxiiRequest, options: TaxiiOptions<By>): Promise<TaxiiAnswer> {
  const { method, path, accept } = request
  const resource = resourceAt(path, options.store.programme)
  if (resource === undefined) throw new Refusal('not-found')
  const allowed = METHODS[resource.kind]
  if (!allowed.includes(method)) {
    const refusal = new Refusal('method-not-allowed', { detail: `${allowed.join(', ')} is served here` })
    const refused = taxiiError(refusal, request.id)
    return { ...refused, headers: { ...refused.headers, allow: allowed.join(', ') } }
  }
  if (!accepts(accept)) throw new Refusal('not-acceptable', { detail: `${TAXII_TYPE} is served here` })
  if (method === 'POST' && !isTaxii(request.contentType))
    throw new Refusal('unsupported-media-type', { detail: `expected ${TAXII_TYPE}` })
  if (resource.kind === 'discovery' || resource.kind === 'root') return information(request, resource.kind, options)
  if (resource.kind === 'collections') return collectionList(request, options)
  if (resource.kind === 'status') return statusOf(request, resource.id, options)
  return inCollection(request, resource, options)
}

function statusOf<By>({ query }: TaxiiRequest, id: string, { store, by }: TaxiiOptions<By>): TaxiiAnswer {
  queryOf(query, [], false)
  const status = store.writes?.status(by, id)
  if (status === undefined) throw new Refusal('not-found')
  return taxiiAnswer(200, status)
}

type Information = 'discovery' | 'root'

function information<By>({ query }: TaxiiRequest, kind: Information, { store }: TaxiiOptions<By>): TaxiiAnswer {
  queryOf(query, [], false)
  const root = `${TAXII_PATH}/${store.programme}/`
  if (kind === 'discovery') return taxiiAnswer(200, { title: 'Aldis', default: root, api_roots: [root] })
  return taxiiAnswer(200, { title: store.programme, versions: [TAXII_TYPE], max_content_length: CONTENT_MAX })
}

async function collectionList<By>({ query }: TaxiiRequest, { store, by }: TaxiiOptions<By>): Promise<TaxiiAnswer> {
  queryOf(query, [], false)
  const collections = await store.collections(by)
  return taxiiAnswer(200, collections.length === 0 ? {} : { collections: collections.map(told) })
}

const told = ({ id, alias, title, can_read, can_write }: TaxiiCollection): object => ({
  ...{ id, title, ...(alias === undefined ? {} : { alias }), can_read, can_write, media_types: [STIX_TYPE] },
})

async function inCollection<By>(
  request: TaxiiRequest,
  resource: Within,
  options: TaxiiOptions<By>,
): Promise<TaxiiAnswer> {
  const collections = await options.store.collections(options.by)
  const name = resource.collection
  const collection = collections.find(({ id }) => id === name) ?? collections.find(({ alias }) => alias === name)
  if (collection === undefined) throw new Refusal('not-found')
  if (request.method !== 'GET') return written(request, resource, { ...options, collection: collection.id }, collection)
  if (resource.kind === 'collection') {
    queryOf(request.query, [], false)
    return taxiiAnswer(200, told(collection))
  }
  if ('object' in resource) return oneObject(request, resource, { ...options, collection: collection.id })
  const query = queryOf(request.query, ['id', 'type', 'version', 'spec_version'], true)
  return page(query, resource.kind === 'manifest' ? 'manifest' : 'objects', { ...options, collection: collection.id })
}

type Reading<By> = TaxiiOptions<By> & { collection: string }

async function written<By>(
  request: TaxiiRequest,
  resource: Within,
  { store: { writes }, by, collection }: Reading<By>,
  { can_write }: TaxiiCollection,
): Promise<TaxiiAnswer> {
  if (writes === undefined || !can_write) throw new Refusal('collection-read-only')
  if (!('object' in resource)) {
    queryOf(request.query, [], false)
    return taxiiAnswer(202, await writes.add(by, collection, objectsOf(await request.body())))
  }
  // Of each object there is one version, and with the last one its signal ends.
  const { match } = queryOf(request.query, ['version', 'spec_version'], false)
  if (Object.keys(match).length > 0)
    throw new Refusal('invalid-query', { detail: 'an object ends as a whole, without match' })
  await writes.remove(by, collection, resource.object)
  return taxiiAnswer(200, {})
}

function page<By>(query: TaxiiQuery, form: PageForm, options: Reading<By>): Promise<TaxiiAnswer> {
  const { store, by, collection, cursorKey } = options
  const bound = boundOf(query, options)
  const { limit, match } = query
  const wants = (record: TaxiiRecord): boolean => isMeant(record, match)
  const asked = { after: afterOf(query, cursorKey, bound), limit, ids: match.id, types: match.type, wants }
  return store.read(by, collection, asked, ({ records, more, to }: TaxiiPage): Rendered => {
    return { answer: pageAnswer(form, records, more ? nextOf(cursorKey, to, bound) : undefined), given: records }
  })
}

const boundOf = <By>({ means }: TaxiiQuery, { who, collection }: Reading<By>, object = ''): string =>
  [who, collection, object, means].join('\0')

/** Before the first place of any collection. */
const BEGINNING = -(2n ** 40n)

function afterOf({ next, addedAfter }: TaxiiQuery, key: Uint8Array, bound: string): After {
  if (next !== undefined) return { at: placeIn(key, next, bound) }
  return addedAfter === undefined ? { at: BEGINNING } : { added: addedAfter }
}

function isMeant(record: TaxiiRecord, { id, type, version: versions, spec_version }: TaxiiQuery['match']) {
  if (id !== undefined && !id.includes(record.id)) return false
  if (type !== undefined && !type.includes(record.type)) return false
  if (spec_version !== undefined && !spec_version.includes('2.1')) return false
  if (versions === undefined || versions.some((one) => VERSION_WORDS.has(one))) return true
  const own = instantIn(record.version)
  return versions.some((one) => instantIn(one) === own)
}

const FILTERS_OF_ONE: Readonly<Record<'object' | 'versions', readonly Filter[]>> = {
  object: ['version', 'spec_version'],
  versions: ['spec_version'],
}

/** Of an object that is not there 404; of one that is and that the filters do not mean, an empty envelope. */
function oneObject<By>(
  request: TaxiiRequest,
  { kind, object: id }: Extract<Within, { object: string }>,
  options: Reading<By>,
): Promise<TaxiiAnswer> {
  const { store, by, collection, cursorKey } = options
  const query = queryOf(request.query, FILTERS_OF_ONE[kind], true)
  const after = afterOf(query, cursorKey, boundOf(query, options, id))
  const wants = (record: TaxiiRecord): boolean => record.id === id
  return store.read(by, collection, { after: { at: BEGINNING }, limit: 1, ids: [id], wants }, ({ records }) => {
    if (records.length === 0) throw new Refusal('not-found')
    const given = records.filter((record) => isMeant(record, query.match) && isAfter(record, after))
    return { answer: pageAnswer(kind === 'object' ? 'objects' : 'versions', given, undefined), given }
  })
}

const isAfter = ({ at, added }: TaxiiRecord, after: After): boolean =>
  'at' in after ? at > after.at : added > after.added
