import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { LIMITS } from '../http/limits.ts'
import { problemOf, refusalOf } from '../http/problem.ts'
import { Refusal } from '../kernel/errors.ts'
import { oauthErrorOf } from './grant.ts'
import { JWKS_PATH, METADATA_PATH, TOKEN_PATH } from './schema.ts'
import type { Access } from './service.ts'

interface AccessRoutesOptions {
  access: Access
  onFault(error: unknown, requestId: string): void
}

const FORM = 'application/x-www-form-urlencoded'
/** One token of RFC 6750 section 2.1; the scheme's name in any case (RFC 9110 section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

/**
 * Cuts a request that carries an access token to what the token may do; before the scopes are looked at. The connection has
 * proved its certificate already: a token without one never gets here.
 */
export function narrowByToken(app: Pick<FastifyInstance, 'addHook'>, access: Pick<Access, 'narrow'>): void {
  app.addHook('onRequest', async (request, reply) => {
    const { authorization } = request.headers
    if (authorization === undefined || !/^Bearer\b/i.test(authorization)) return
    try {
      const token = BEARER.exec(authorization)?.[1]
      if (token === undefined)
        throw new Refusal('access-token-invalid', { detail: 'Authorization: Bearer, then one token' })
      const { scopes, expires } = access.narrow(request.peer, token)
      request.peer = { ...request.peer, scopes, token: { expires } }
    } catch (error) {
      if (error instanceof Refusal) reply.header('www-authenticate', challengeOf(error))
      throw error
    }
  })
}

const challengeOf = ({ status, code }: Refusal): string =>
  `Bearer error="${status === 403 ? 'insufficient_scope' : 'invalid_token'}", error_description="${code}"`

/** The token endpoint and what clients find it by; OAuth has its own form of requests and errors. */
export const accessRoutes: FastifyPluginAsync<AccessRoutesOptions> = async (app, { access, onFault }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal') onFault(refusal.cause, request.id)
    request.refused = refusal.code
    const { code, request_id } = problemOf(refusal, request.id)
    if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter))
    return reply
      .code(refusal.status)
      .header('cache-control', 'no-store')
      .send({ ...oauthErrorOf(refusal), code, request_id })
  })
  const config = { scope: 'public', foreign: true } as const

  app.post(TOKEN_PATH, { config, bodyLimit: LIMITS.grant_bytes }, async ({ peer, body }, reply) => {
    reply.header('cache-control', 'no-store')
    return access.grant(peer, typeof body === 'string' ? body : '')
  })
  app.get(JWKS_PATH, { config }, async () => access.keys())
  app.get(METADATA_PATH, { config }, async () => access.metadata())
}
