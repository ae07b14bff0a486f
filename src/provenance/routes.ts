import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import { sendTagged, tagOf } from '../http/conditional.ts'
import { toBase64 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Auditor } from './auditor.ts'
import { parseFilter } from './explore-filter.ts'
import type { Explorer, LogPage } from './explorer.ts'
import type { Holder, Ledger } from './ledger.ts'
import {
  CHAIN_MAX,
  ChainQuery,
  ConsistencyQuery,
  CutRecordSchema,
  ENTRIES_MAX,
  EntriesQuery,
  EntryList,
  EXPORT_MAX,
  ExportQuery,
  InclusionQuery,
  ProofPath,
  ReceiptParams,
  ReceiptQuery,
  TileParams,
  WitnessList,
} from './schema.ts'

const TEXT = 'text/plain; charset=utf-8'
const FOREVER = 'private, max-age=31536000, immutable'
/** Seconds after which a receipt that waits for its checkpoint is asked for again. */
const RETRY_AFTER = '1'

interface Asking {
  participant: Holder['participant']
  slug: string
  scopes: readonly string[]
}

/** One log, below the prefix `/provenance/<log_id>` (C2SP tlog-tiles), proofs and receipts. Reading the tree discloses nothing. */
export const provenanceRoutes: FastifyPluginAsyncTypebox<{ ledger: Ledger }> = async (app, { ledger }) => {
  const config = { scope: 'provenance:read' } as const
  const holder = ({ participant, slug, scopes }: Asking): Holder => ({
    participant,
    slug,
    auditor: scopes.includes('provenance:audit'),
  })

  app.get('/checkpoint', { config }, async (_request, reply) => {
    const latest = await ledger.checkpoint()
    // A log that nothing was signed of yet is only behind: who follows it asks again, as after any outage.
    if (latest === undefined)
      throw new Refusal('log-behind', { retryAfter: 1, detail: 'the log has no checkpoint yet' })
    const { cosigned, wanted, quorum } = latest.witnessed
    if (!quorum) reply.header('provenance-witnessed', `${cosigned}/${wanted}`)
    return reply.header('cache-control', 'private, max-age=1').type(TEXT).send(latest.note)
  })

  app.get('/policy', { config }, async (request, reply) => {
    const policy = ledger.policy()
    if (policy === undefined) throw new Refusal('not-found', { detail: 'the log has no witnesses' })
    return sendTagged(request, reply, { type: TEXT, body: policy, etag: tagOf(policy) })
  })

  app.get('/witnesses', { config, schema: { response: { 200: WitnessList } } }, async () => ({
    witnesses: (await ledger.witnesses()).map(({ name, vkey, size, cosigned_at, missing_since }) => ({
      ...{ name, vkey },
      ...(size === undefined ? {} : { size: String(size) }),
      ...(cosigned_at === undefined ? {} : { cosigned_at: cosigned_at.toISOString() }),
      ...(missing_since === undefined ? {} : { missing_since: missing_since.toISOString() }),
    })),
  }))

  app.get('/vkey', { config }, async (_request, reply) => reply.type(TEXT).send(`${ledger.vkey()}\n`))

  app.get('/tile/*', { config, schema: { params: TileParams } }, async (request, reply) => {
    const body = Buffer.from(await ledger.tile(`tile/${request.params['*']}`))
    reply.header('cache-control', FOREVER)
    return sendTagged(request, reply, { type: 'application/octet-stream', body, etag: tagOf(body) })
  })

  app.get(
    '/proof/inclusion',
    { config, schema: { querystring: InclusionQuery, response: { 200: ProofPath } } },
    async ({ query }) => pathOf(await ledger.inclusion(BigInt(query.index), BigInt(query.size))),
  )

  app.get(
    '/proof/consistency',
    { config, schema: { querystring: ConsistencyQuery, response: { 200: ProofPath } } },
    async ({ query }) => pathOf(await ledger.consistency(BigInt(query.from), BigInt(query.to))),
  )

  app.get(
    '/receipts/:event_id',
    { config, schema: { params: ReceiptParams, querystring: ReceiptQuery } },
    async ({ peer, params, query }, reply) => {
      const given = await receiptFor(ledger, holder(peer), { event_id: params.event_id, ...query })
      if (given.outcome === 'pending') return reply.code(202).header('retry-after', RETRY_AFTER).send()
      if (given.outcome === 'none') return reply.code(204).send()
      return reply.header('cache-control', 'no-store').type(TEXT).send(given.text)
    },
  )

  app.get(
    '/records/:event_id',
    { config: { ...config, raw: { 200: CutRecordSchema } }, schema: { params: ReceiptParams } },
    async ({ peer, params }, reply) => {
      const record = await ledger.record(holder(peer), params.event_id)
      if (record === 'pending') return reply.code(202).header('retry-after', RETRY_AFTER).send()
      return reply.header('cache-control', 'no-store').send(record)
    },
  )

  app.get(
    '/chain',
    { config: { ...config, bulk: true }, schema: { querystring: ChainQuery } },
    async ({ peer, query }, reply) => {
      const { after = '0', limit = CHAIN_MAX, party } = query
      if (limit > CHAIN_MAX)
        throw new Refusal('page-limit', { detail: 'ask for at most 1,000 links a call', extra: { limit: CHAIN_MAX } })
      const lines = await ledger.chain(holder(peer), { party, after: BigInt(after), limit })
      reply.header('cache-control', 'no-store').type('application/x-ndjson')
      return reply.send(Readable.from(together(lines), { objectMode: false }))
    },
  )
}

/** Characters of one write. */
const TOGETHER = 65_536

/** Lines of a long answer, many at a time: writing them takes longer than making them otherwise. */
async function* together(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = ''
  for await (const line of lines) {
    piece += line
    if (piece.length < TOGETHER) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

/** For who may open everything: records, and the state that they must fold to. Each answer is an entry of the log first. */
export const auditRoutes: FastifyPluginAsyncTypebox<{ auditor: Auditor }> = async (app, { auditor }) => {
  const config = { scope: 'provenance:audit', bulk: true } as const
  const by = ({ participant, slug }: Asking): Holder => ({ participant, slug, auditor: true })

  app.get('/export', { config, schema: { querystring: ExportQuery } }, async ({ peer, query }, reply) => {
    const [from, to] = [BigInt(query.from), BigInt(query.to)]
    if (from > to) throw new Refusal('invalid-query', { detail: 'from is not above to' })
    if (to - from > EXPORT_MAX)
      throw new Refusal('page-limit', { detail: 'ask for at most 4,096 entries a call', extra: { limit: EXPORT_MAX } })
    const lines = await auditor.export(by(peer), { from, to })
    reply.header('cache-control', 'no-store').type('application/x-ndjson')
    return reply.send(Readable.from(together(lines), { objectMode: false }))
  })

  app.get('/snapshot', { config }, async ({ peer }, reply) => {
    const lines = await auditor.snapshot(by(peer))
    reply.header('cache-control', 'no-store').type('application/x-ndjson')
    return reply.send(Readable.from(together(lines), { objectMode: false }))
  })
}

/** Entries by what they are about: all of them for auditors, which is recorded first, and its own for everybody else. */
export const explorerRoutes: FastifyPluginAsyncTypebox<{ explorer: Explorer }> = async (app, { explorer }) => {
  const config = { scope: 'provenance:read', bulk: true } as const

  app.get(
    '/v1/log/entries',
    { config, schema: { querystring: EntriesQuery, response: { 200: EntryList } } },
    async ({ peer, query }) => {
      const { q = '', below, limit = 100 } = query
      if (limit > ENTRIES_MAX)
        throw new Refusal('page-limit', {
          detail: `ask for at most ${ENTRIES_MAX} entries`,
          extra: { limit: ENTRIES_MAX },
        })
      const { participant, slug, scopes } = peer
      const sees = scopes.includes('provenance:audit') ? 'all' : 'own'
      const asked = { filter: parseFilter(q), below: below === undefined ? undefined : BigInt(below), limit }
      return listOf(await explorer.page({ participant, slug, sees }, asked))
    },
  )
}

/** A page as it crosses the wire. */
const listOf = ({ rows, next, size, found, facets }: LogPage): EntryList => ({
  entries: rows.map(({ index, at, recipients, ...row }) => ({
    ...{ ...row, index: String(index), at: at.toISOString(), recipients: [...recipients] },
  })),
  ...{ next: next === undefined ? null : String(next), size: String(size), found },
  kinds: facets.kinds.map(([name, n]) => ({ name, n })),
  actors: facets.actors.map(([name, n]) => ({ name, n })),
})

function receiptFor(
  ledger: Ledger,
  by: Holder,
  { event_id, read, item, revision, from }: Static<typeof ReceiptParams> & Static<typeof ReceiptQuery>,
): ReturnType<Ledger['itemReceipt']> {
  if (
    [read, item].filter((one) => one !== undefined).length > 1 ||
    (item === undefined && (revision ?? from) !== undefined)
  )
    throw new Refusal('invalid-query', { detail: 'ask for a read or for an item; revision and from go with an item' })
  if (item !== undefined) return ledger.itemReceipt(by, event_id, { signal: item, revision, from: from ?? 0 })
  return read === undefined ? ledger.receipt(by, event_id) : ledger.readReceipt(by, event_id, Number(read))
}

const pathOf = (nodes: readonly Uint8Array[]): ProofPath => ({ path: nodes.map((node) => toBase64(node)) })
