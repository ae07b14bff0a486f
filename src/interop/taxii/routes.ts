import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Reader } from '../../feeds/service.ts'
import { refusalOf } from '../../http/problem.ts'
import { taxiiError } from './answer.ts'
import { CONTENT_MAX } from './envelope.ts'
import type { TaxiiAnswer, TaxiiStore } from './port.ts'
import { answerTaxii } from './protocol.ts'
import { TAXII_PATH } from './resource.ts'

export interface TaxiiRoutesOptions {
  taxii: TaxiiStore<Reader>
  cursorKey: Uint8Array
  onFault(error: unknown, requestId: string): void
}

const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS']

/** TAXII on the partner listener. The protocol has its own paths, media types and errors, so that it answers for all of them. */
export const taxiiRoutes: FastifyPluginAsync<TaxiiRoutesOptions> = async (app, { taxii, cursorKey, onFault }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: CONTENT_MAX }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal') onFault(refusal.cause, request.id)
    return sendTaxii(reply, taxiiError(refusal, request.id))
  })
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { peer, method, headers, id } = request
    const [path = '', query = ''] = (request.raw.url ?? '').split(/\?(.*)/s, 2)
    const body = async () => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
    const asked = { id, method, path, query, accept: headers.accept, contentType: headers['content-type'], body }
    const by = { participant: peer.participant, slug: peer.slug, route: `${TAXII_PATH}/*` }
    return sendTaxii(reply, await answerTaxii(asked, { store: taxii, cursorKey, by, who: peer.participant }))
  }
  for (const url of [TAXII_PATH, `${TAXII_PATH}/*`])
    app.route({ method: METHODS, url, config: { scope: 'feed:read', bulk: true, foreign: true }, handler })
}

/** Bytes and bare headers: beside a text the framework writes a media type of its own. */
function sendTaxii(reply: FastifyReply, { status, headers, body, code }: TaxiiAnswer): FastifyReply {
  reply.request.refused = code
  // A token was refused: the bridge alone asks for names and secrets.
  const challenge = reply.getHeader('www-authenticate')
  const own = challenge === undefined ? {} : { 'www-authenticate': challenge }
  return reply
    .code(status)
    .headers({ ...headers, ...own })
    .send(body)
}
