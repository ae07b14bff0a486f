import { ACCESS_SECONDS, type AccessToken, ASSERTION_SECONDS, ASSERTION_TYPE, TOKEN_PATH } from '../access/schema.ts'
import { toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Scope } from '../participants/schema.ts'
import type { SigningKey } from '../signals/submission.ts'
import { AldisError } from './errors.ts'
import type { Transport } from './transport.ts'

export interface TokenQuery {
  /** Fewer than the credential has; all of them unless they are named. */
  scopes?: readonly Scope[]
  /** See `clientAssertion`. */
  assertion?: string
}

/** Asks for an access token that counts over connections with this certificate alone (RFC 8705). */
export async function askForToken(transport: Transport, { scopes, assertion }: TokenQuery = {}): Promise<AccessToken> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scopes !== undefined && { scope: scopes.join(' ') }),
    ...(assertion !== undefined && { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion }),
  })
  const { body } = await transport.call({
    ...{ method: 'POST', path: TOKEN_PATH, type: 'application/x-www-form-urlencoded', body: form.toString() },
    // An assertion is taken once.
    idempotent: assertion === undefined,
  })
  return JSON.parse(body.toString()) as AccessToken
}

/** Proves the client by its signing key as well (RFC 7523, `private_key_jwt`): for one request, within five minutes. */
export async function clientAssertion(of: {
  /** The credential's id, as `whoami` tells it. */
  credential: string
  /** The node's origin. */
  origin: string
  key: SigningKey
  now: Date
}): Promise<string> {
  const { credential, origin, key, now } = of
  const iat = Math.floor(now.getTime() / 1_000)
  const jti = toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
  const claims = { iss: credential, sub: credential, aud: origin, jti, iat, exp: iat + ASSERTION_SECONDS }
  const header = { alg: key.alg, kid: key.kid, typ: 'JWT' }
  const text = [header, claims].map((part) => toBase64Url(utf8(JSON.stringify(part)))).join('.')
  return `${text}.${toBase64Url(await key.sign(utf8(text)))}`
}

/** Asked for again once so much of its life is over. */
const RENEW_AFTER_MS = ACCESS_SECONDS * 800

/** The same transport, whose every request carries a token of these scopes: whatever runs over it can do no more. */
export function narrowed(transport: Transport, scopes: readonly Scope[]): Transport {
  let kept: { token: Promise<AccessToken>; until: number } | undefined
  const bearer = async (): Promise<string> => {
    if (kept === undefined || kept.until <= performance.now()) {
      const token = askForToken(transport, { scopes })
      const mine = { token, until: performance.now() + RENEW_AFTER_MS }
      kept = mine
      token.catch(() => {
        if (kept === mine) kept = undefined
      })
    }
    return `Bearer ${(await kept.token).access_token}`
  }
  const withToken = async <C extends { headers?: Readonly<Record<string, string>> }>(call: C): Promise<C> => ({
    ...call,
    headers: { ...call.headers, authorization: await bearer() },
  })
  return {
    close: () => transport.close(),
    async open(call) {
      const message = await transport.open(await withToken(call))
      // What was sent may not be there twice: whoever comes again has a fresh token.
      if (message.statusCode === 401) kept = undefined
      return message
    },
    call: (call) => renewed(async () => transport.call(await withToken(call))),
    stream: (path, headers = {}) => renewed(async () => transport.stream(path, (await withToken({ headers })).headers)),
  }

  /** Renewed certificates and rights that were taken end a token before its time. */
  async function renewed<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof AldisError) || error.status !== 401) throw error
      kept = undefined
      return ask()
    }
  }
}
