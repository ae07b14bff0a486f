import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LIMITS } from '../http/limits.ts'
import type { HashProfiles } from './hash-profile.ts'
import {
  AudienceInfo,
  AudienceList,
  AudienceParams,
  Enrolment,
  EnrolmentResult,
  HashKey,
  HashProfileList,
  NamedAudience,
  NodeKeys,
  ProfileParams,
  Renewal,
  RenewalResult,
  SigningKeyNonce,
  SigningKeyRegistration,
  SigningKeyResult,
  SourceList,
  WhoAmI,
} from './schema.ts'
import type { ParticipantService } from './service.ts'

interface Options {
  participants: ParticipantService
}

/** The whole of the listener that asks for no client certificate. */
export const enrolmentRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { participants }) => {
  app.post(
    '/enroll',
    {
      config: { scope: 'public' },
      schema: { body: Enrolment, response: { 201: EnrolmentResult } },
      bodyLimit: LIMITS.enrol_bytes,
    },
    async ({ body }, reply) => {
      reply.header('cache-control', 'no-store')
      return reply.code(201).send(await participants.enrol(body))
    },
  )
}

/** Of the partner listener: `public` there means every enrolled credential, whatever its scopes. */
export const credentialRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { participants }) => {
  app.get('/v1/whoami', { config: { scope: 'public' }, schema: { response: { 200: WhoAmI } } }, async ({ peer }) =>
    participants.whoami(peer),
  )

  app.get('/v1/node', { config: { scope: 'public' }, schema: { response: { 200: NodeKeys } } }, async () =>
    participants.nodeKeys(),
  )

  app.post(
    '/v1/credentials/renewals',
    {
      config: { scope: 'public' },
      schema: { body: Renewal, response: { 201: RenewalResult } },
      bodyLimit: LIMITS.enrol_bytes,
    },
    async ({ peer, body }, reply) => reply.code(201).send(await participants.renew(peer, body.csr)),
  )

  app.get('/v1/participants', { config: { scope: 'public' }, schema: { response: { 200: SourceList } } }, async () =>
    participants.sources(),
  )

  app.get(
    '/v1/audiences',
    { config: { scope: 'public' }, schema: { response: { 200: AudienceList } } },
    async ({ peer }) => participants.audiences(peer.participant),
  )

  app.put(
    '/v1/audiences/:audience',
    {
      config: { scope: 'signals:submit' },
      schema: { params: AudienceParams, body: NamedAudience, response: { 200: AudienceInfo, 201: AudienceInfo } },
    },
    async ({ peer, params, body }, reply) => {
      const { created, audience } = await participants.openAudience(peer.participant, params.audience, body)
      return reply.code(created ? 201 : 200).send(audience)
    },
  )

  app.get(
    '/v1/signing-keys/nonce',
    { config: { scope: 'signals:submit' }, schema: { response: { 200: SigningKeyNonce } } },
    async ({ peer }, reply) => {
      reply.header('cache-control', 'no-store')
      return participants.signingKeyNonce(peer.participant)
    },
  )

  app.post(
    '/v1/signing-keys',
    {
      config: { scope: 'signals:submit' },
      schema: { body: SigningKeyRegistration, response: { 202: SigningKeyResult } },
    },
    async ({ peer, body }, reply) =>
      reply.code(202).send(await participants.registerSigningKey(peer.participant, body)),
  )
}

export const hashProfileRoutes: FastifyPluginAsyncTypebox<{ hashProfiles: HashProfiles }> = async (
  app,
  { hashProfiles },
) => {
  app.get(
    '/v1/hash-profiles',
    { config: { scope: 'public' }, schema: { response: { 200: HashProfileList } } },
    async () => hashProfiles.list(),
  )

  app.get(
    '/v1/hash-profiles/:kid/key',
    { config: { scope: 'lookup:evaluate' }, schema: { params: ProfileParams, response: { 200: HashKey } } },
    async ({ peer, params, routeOptions }, reply) => {
      const by = { participant: peer.participant, route: routeOptions.url ?? '' }
      const { key, read } = await hashProfiles.key(by, params.kid)
      reply.header('cache-control', 'no-store').header('provenance-read', read)
      return key
    },
  )
}
