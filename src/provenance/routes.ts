import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { toBase64 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { Holder, Ledger } from './ledger.ts'
import { ConsistencyQuery, InclusionQuery, ProofPath, ReceiptParams, ReceiptQuery, TileParams } from './schema.ts'

const TEXT = 'text/plain; charset=utf-8'
const FOREVER = 'private, max-age=31536000, immutable'
/** Seconds after which a receipt that waits for its checkpoint is asked for again. */
const RETRY_AFTER = '1'

interface Asking {
  participant: Holder['participant']
  slug: string
  scopes: readonly string[]
}

/** The log below `/provenance/1/` (C2SP tlog-tiles), proofs and receipts. Reading the tree discloses nothing. */
export const provenanceRoutes: FastifyPluginAsyncTypebox<{ ledger: Ledger }> = async (app, { ledger }) => {
  const config = { scope: 'provenance:read' } as const
  const holder = ({ participant, slug, scopes }: Asking): Holder => ({
    participant,
    slug,
    auditor: scopes.includes('provenance:audit'),
  })

  app.get('/provenance/1/checkpoint', { config }, async (_request, reply) => {
    const latest = await ledger.checkpoint()
    if (latest === undefined) throw new Refusal('not-found', { detail: 'the log has no checkpoint yet' })
    return reply.header('cache-control', 'private, max-age=1').type(TEXT).send(latest.note)
  })

  app.get('/provenance/1/vkey', { config }, async (_request, reply) => reply.type(TEXT).send(`${ledger.vkey()}\n`))

  app.get('/provenance/1/tile/*', { config, schema: { params: TileParams } }, async ({ params }, reply) => {
    const data = Buffer.from(await ledger.tile(`tile/${params['*']}`))
    reply.header('cache-control', FOREVER).header('etag', `"${sha256(data).toString('hex')}"`)
    return reply.type('application/octet-stream').send(data)
  })

  app.get(
    '/provenance/1/proof/inclusion',
    { config, schema: { querystring: InclusionQuery, response: { 200: ProofPath } } },
    async ({ query }) => pathOf(await ledger.inclusion(BigInt(query.index), BigInt(query.size))),
  )

  app.get(
    '/provenance/1/proof/consistency',
    { config, schema: { querystring: ConsistencyQuery, response: { 200: ProofPath } } },
    async ({ query }) => pathOf(await ledger.consistency(BigInt(query.from), BigInt(query.to))),
  )

  app.get(
    '/provenance/1/receipts/:event_id',
    { config, schema: { params: ReceiptParams, querystring: ReceiptQuery } },
    async ({ peer, params, query }, reply) => {
      const { event_id } = params
      const given =
        query.read === undefined
          ? await ledger.receipt(holder(peer), event_id)
          : await ledger.readReceipt(holder(peer), event_id, Number(query.read))
      if (given.outcome === 'pending') return reply.code(202).header('retry-after', RETRY_AFTER).send()
      return reply.header('cache-control', 'no-store').type(TEXT).send(given.text)
    },
  )
}

const pathOf = (nodes: readonly Uint8Array[]): ProofPath => ({ path: nodes.map((node) => toBase64(node)) })
