import { type Static, Type } from 'typebox'

/** Of an access token, and of the assertion that it may be exchanged for; seconds. */
export const ACCESS_SECONDS = 600
export const ASSERTION_SECONDS = 300
/** Characters of either. */
export const JWT_MAX = 4_096

export const TOKEN_PATH = '/v1/oauth/token'
export const JWKS_PATH = '/v1/oauth/jwks'
export const METADATA_PATH = '/.well-known/oauth-authorization-server'
/** RFC 7523 section 2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** RFC 6749 section 5.1. */
export const AccessToken = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  /** Seconds. */
  expires_in: Type.Integer({ minimum: 1 }),
  /** What it may do, parted by spaces. */
  scope: Type.String(),
})
export type AccessToken = Static<typeof AccessToken>

/** RFC 9068 section 2.2, and `cnf` of RFC 8705 section 3.1; `prg` is ours. */
export const AccessClaims = Type.Object(
  {
    iss: Type.String(),
    aud: Type.String(),
    prg: Type.String(),
    sub: Type.String(),
    client_id: Type.String(),
    iat: Type.Integer(),
    exp: Type.Integer(),
    jti: Type.String(),
    scope: Type.String(),
    cnf: Type.Object({ 'x5t#S256': Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) }, { additionalProperties: false }),
  },
  { additionalProperties: false },
)
export type AccessClaims = Static<typeof AccessClaims>

/** RFC 7523 section 3; members beyond these say nothing to us and are not taken. */
export const AssertionClaims = Type.Object(
  {
    iss: Type.String(),
    sub: Type.String(),
    aud: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: 1 })]),
    jti: Type.String({ minLength: 16, maxLength: 128, pattern: '^[\\x21-\\x7e]+$' }),
    exp: Type.Integer(),
    iat: Type.Optional(Type.Integer()),
    nbf: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type AssertionClaims = Static<typeof AssertionClaims>
