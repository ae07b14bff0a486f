import { Compile } from 'typebox/compile'
import { equal, utf8 } from '../kernel/bytes.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import type { Jwt } from './jwt.ts'
import { AccessClaims, ASSERTION_SECONDS, AssertionClaims } from './schema.ts'

/** For whom a token counts: the node, and the connection that it came over. */
export interface Bound {
  /** The node's origin: issuer and audience at once. */
  origin: string
  programme: string
  credential: string
  /** SHA-256 of the leaf certificate, base64url (`x5t#S256`, RFC 8705 section 3.1). */
  thumbprint: string
  /** What the credential may do now. */
  scopes: readonly string[]
  /** Seconds since the epoch. */
  now: number
}

export const TOKEN_TYPE = 'at+jwt'
/** Of clocks, where a time is somebody else's. */
const SKEW_SECONDS = 5

const CLAIMS = Compile(AccessClaims)
const ASSERTION = Compile(AssertionClaims)

/** What a token lets its holder do, or why it lets nothing. */
export type Judged = { scopes: readonly string[]; expires: number } | { fault: ErrorCode; detail: string }

/** Of a token whose signature holds; `isOurs` says whether it does. */
export function judgeToken({ header, claims }: Jwt, isOurs: boolean, bound: Bound): Judged {
  if (header.typ !== TOKEN_TYPE || !CLAIMS.Check(claims))
    return { fault: 'access-token-invalid', detail: 'ask the token endpoint of this node for one' }
  const { iss, aud, prg, client_id, cnf, exp, scope } = claims
  if (iss !== bound.origin || aud !== bound.origin || prg !== bound.programme)
    return { fault: 'access-token-foreign', detail: 'ask the token endpoint of this node for one' }
  if (!isOurs) return { fault: 'access-token-invalid', detail: 'its signature is by no key of this node' }
  if (exp <= bound.now) return { fault: 'access-token-expired', detail: 'ask for another' }
  if (client_id !== bound.credential || !equal(utf8(cnf['x5t#S256']), utf8(bound.thumbprint)))
    return { fault: 'access-token-unbound', detail: 'ask for one over a connection with this very certificate' }
  const scopes = scope === '' ? [] : scope.split(' ')
  const lost = scopes.filter((one) => !bound.scopes.includes(one))
  if (lost.length > 0) return { fault: 'access-token-widened', detail: 'ask for another, with fewer scopes' }
  return { scopes, expires: exp }
}

export interface Asserting {
  origin: string
  credential: string
  now: number
}

/** The identifier of an assertion and its end, or why it is none for this client, node and time. */
export function judgeAssertion(
  { header, claims }: Jwt,
  { origin, credential, now }: Asserting,
): { jti: string; exp: number } | { fault: string } {
  if (header.typ !== undefined && header.typ !== 'JWT' && header.typ !== 'client-authentication+jwt')
    return { fault: 'typ is JWT or client-authentication+jwt' }
  if (!ASSERTION.Check(claims)) return { fault: 'exactly iss, sub, aud, jti, exp and at will iat, nbf' }
  const { iss, sub, aud, jti, exp, iat, nbf } = claims
  if (iss !== credential || sub !== credential) return { fault: 'iss and sub are the id of this credential' }
  if ([aud].flat()[0] !== origin) return { fault: "aud is the node's origin, as whoami tells it" }
  if (exp <= now - SKEW_SECONDS) return { fault: 'it has expired' }
  if (exp > now + ASSERTION_SECONDS + SKEW_SECONDS) return { fault: `exp is at most ${ASSERTION_SECONDS} s ahead` }
  if ([iat, nbf].some((at) => at !== undefined && at > now + SKEW_SECONDS)) return { fault: 'it is of the future' }
  return { jti, exp }
}
