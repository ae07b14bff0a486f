import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import type { Authority } from '../participants/authority.ts'
import { SCOPES } from '../participants/schema.ts'
import { type SigningAlg, thumbprint, verifyProof } from '../participants/signing-key.ts'
import { grantedScopes, grantOf } from './grant.ts'
import { type Jwt, jwtText, readJwt } from './jwt.ts'
import { ACCESS_SECONDS, type AccessClaims, type AccessToken, JWKS_PATH, TOKEN_PATH } from './schema.ts'
import { takeAssertion } from './store.ts'
import { type Bound, judgeAssertion, judgeToken, TOKEN_TYPE } from './token.ts'

/** Who asks, as its connection proved it. */
export interface AccessPeer {
  participant: Uuid
  credential: Uuid
  uri: string
  /** SHA-256 of the leaf certificate, lower-case hex. */
  leafSha256: string
  scopes: readonly string[]
}

/** What a request may do by the token that it carries. */
export interface Narrowed {
  scopes: readonly string[]
  expires: Date
}

export interface AccessOptions {
  db: Db
  clock: Clock
  keys: KeyService
  authority: Pick<Authority, 'programme' | 'signingKey'>
  /** Told of each token that is given out. */
  onIssued(how: 'certificate' | 'assertion'): void
}

/** Access tokens (RFC 8705): bound to a certificate, so that one that is found is worth nothing, and never wider than its credential. */
export interface Access {
  /** For the form of a token request. */
  grant(by: AccessPeer, form: string): Promise<AccessToken>
  /** By the token of a request; throws why it lets its holder do nothing. */
  narrow(by: AccessPeer, token: string): Narrowed
  /** RFC 7517: the keys that tokens are verified with. */
  keys(): { keys: readonly object[] }
  /** RFC 8414. */
  metadata(): Readonly<Record<string, unknown>>
}

const ALG = 'Ed25519'
/** As other libraries still call it. */
const ALG_NAMES: Readonly<Record<string, SigningAlg>> = { Ed25519: 'Ed25519', EdDSA: 'Ed25519', ES256: 'ES256' }

/** Each month's tokens are signed by a key of its own, `access-202611`. */
const kidOf = (at: Date, months = 0): string => {
  const month = at.getUTCFullYear() * 12 + at.getUTCMonth() + months
  return `access-${Math.floor(month / 12)}${String((month % 12) + 1).padStart(2, '0')}`
}

/** Makes the keys of this month and the next, and ends the one before the last. */
export async function rotateAccessKeys(keys: KeyService, now: Date): Promise<void> {
  for (const months of [0, 1]) await keys.create(kidOf(now, months), 'ed25519')
  await keys.destroy(kidOf(now, -2))
}

export function createAccess(options: AccessOptions): Access {
  const { clock, keys, authority } = options
  const keyOf = (months: number) => {
    const id = kidOf(clock(), months)
    return keys.has(id) ? publicKeyOf(keys, id) : undefined
  }
  /** This month's first: nearly every token is by it. */
  const keyNamed = (wanted: string): KeyObject | undefined => {
    for (const months of [0, -1, 1]) {
      const found = keyOf(months)
      if (found?.kid === wanted) return found.key
    }
    return undefined
  }
  const boundOf = ({ credential, leafSha256, scopes }: AccessPeer): Bound => {
    const { node_origin, slug } = authority.programme()
    return {
      origin: node_origin,
      programme: slug,
      credential,
      thumbprint: x5t(leafSha256),
      scopes,
      now: seconds(clock()),
    }
  }
  return {
    grant: (by, form) => grant(options, by, form),
    narrow(by, text) {
      const jwt = readJwt(text)
      if (jwt === undefined) throw new Refusal('access-token-invalid', { detail: 'it is no signed JWT of ours' })
      const key = keyNamed(jwt.header.kid)
      const isOurs = key !== undefined && jwt.header.alg === ALG && isSigned(jwt, { alg: ALG, key })
      const judged = judgeToken(jwt, isOurs, boundOf(by))
      if ('fault' in judged) throw new Refusal(judged.fault, { detail: judged.detail })
      return { scopes: judged.scopes, expires: new Date(judged.expires * 1_000) }
    },
    keys: () => ({
      keys: [-1, 0, 1].flatMap((months) => {
        const found = keyOf(months)
        return found === undefined ? [] : [{ ...found.jwk, kid: found.kid, alg: ALG, use: 'sig' }]
      }),
    }),
    metadata: () => metadataOf(authority.programme().node_origin),
  }
}

async function grant(options: AccessOptions, by: AccessPeer, form: string): Promise<AccessToken> {
  const { clock, keys, authority, onIssued } = options
  const { scopes: asked, client, assertion } = grantOf(form)
  if (client !== undefined && client !== by.credential)
    throw new Refusal('client-refused', { detail: 'client_id is the id of this credential, as whoami tells it' })
  if (assertion !== undefined) await checkAssertion(options, by, assertion)
  const scopes = grantedScopes(asked, by.scopes)
  const { node_origin, slug } = authority.programme()
  const iat = seconds(clock())
  const claims: AccessClaims = {
    ...{ iss: node_origin, aud: node_origin, prg: slug, sub: by.uri, client_id: by.credential },
    ...{ iat, exp: iat + ACCESS_SECONDS, jti: randomBytes(16).toString('base64url'), scope: scopes.join(' ') },
    cnf: { 'x5t#S256': x5t(by.leafSha256) },
  }
  const id = kidOf(clock())
  await keys.create(id, 'ed25519')
  const text = jwtText({ typ: TOKEN_TYPE, alg: ALG, kid: publicKeyOf(keys, id).kid }, claims)
  const signature = toBase64Url(await keys.sign(id, utf8(text)))
  onIssued(assertion === undefined ? 'certificate' : 'assertion')
  return {
    ...{ access_token: `${text}.${signature}`, token_type: 'Bearer', expires_in: ACCESS_SECONDS, scope: claims.scope },
  }
}

/** Both a certificate and a signing key of the participant then stand behind the request. */
async function checkAssertion({ db, clock, authority }: AccessOptions, by: AccessPeer, text: string): Promise<void> {
  const refused = (detail: string): Refusal => new Refusal('client-refused', { detail })
  const jwt = readJwt(text)
  if (jwt === undefined) throw refused('the assertion is no JWT with the header members alg, kid and typ')
  const key = authority.signingKey(by.participant, jwt.header.kid)
  const alg = ALG_NAMES[jwt.header.alg]
  if (key === undefined || key.alg !== alg || !isSigned(jwt, { alg, key: key.key }))
    throw refused('the assertion is not signed by an active signing key of the participant')
  const now = clock()
  const asserting = { origin: authority.programme().node_origin, credential: by.credential, now: seconds(now) }
  const judged = judgeAssertion(jwt, asserting)
  if ('fault' in judged) throw refused(`the assertion: ${judged.fault}`)
  // A while longer than it counts: within the tolerance of clocks it would be taken again.
  const ends_at = new Date((judged.exp + 60) * 1_000)
  const { participant: participant_id } = by
  const isNew = await asParticipant(db, participant_id, (tx) =>
    takeAssertion(tx, { participant_id, jti: judged.jti, ends_at, now }),
  )
  if (!isNew) throw refused('the assertion was used before')
}

const isSigned = ({ signed, signature }: Jwt, { alg, key }: { alg: SigningAlg; key: KeyObject }): boolean =>
  verifyProof({ kid: '', alg, key }, signed, signature)

/** Made once for each key: a request is not to pay for it. */
const PUBLIC = new Map<string, ReturnType<typeof madeOf>>()

function publicKeyOf(keys: KeyService, id: string): ReturnType<typeof madeOf> {
  const x = toBase64Url(keys.publicKey(id))
  const made = PUBLIC.get(x) ?? madeOf(x)
  if (PUBLIC.size > 64) PUBLIC.clear()
  PUBLIC.set(x, made)
  return made
}

function madeOf(x: string) {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const
  return { kid: thumbprint(jwk), jwk, key: createPublicKey({ key: jwk, format: 'jwk' }) }
}

const x5t = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url')
const seconds = (at: Date): number => Math.floor(at.getTime() / 1_000)

const metadataOf = (origin: string) => ({
  issuer: origin,
  token_endpoint: `${origin}${TOKEN_PATH}`,
  jwks_uri: `${origin}${JWKS_PATH}`,
  scopes_supported: SCOPES,
  response_types_supported: [],
  grant_types_supported: ['client_credentials'],
  token_endpoint_auth_methods_supported: ['tls_client_auth', 'private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: Object.keys(ALG_NAMES),
  tls_client_certificate_bound_access_tokens: true,
})
