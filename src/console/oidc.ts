import * as client from 'openid-client'
import { Refusal } from '../kernel/errors.ts'
import { claimedRoles, type Provider } from './providers.ts'
import { STEP_UP_MS } from './schema.ts'
import { trustingFetch } from './trusting-fetch.ts'

/** What a browser takes with it to the identity provider, sealed, and brings back. */
export interface Flow {
  provider: string
  state: string
  nonce: string
  verifier: string
  stepUp: boolean
}

/** What a verified ID token says. */
export interface Verified {
  issuer: string
  subject: string
  claimed: string[]
  acr: string | undefined
  authTime: Date
}

/** One identity provider, as it was discovered. */
export interface OidcClient {
  readonly provider: Provider
  /** Where the browser goes; `flow` must be sealed into its cookie first. */
  begin(redirectUri: string, options: { stepUp: boolean }): Promise<{ url: URL; flow: Flow }>
  /** Code for tokens, with every check: state, nonce, PKCE, issuer of the answer (RFC 9207), `auth_time`, `acr`. */
  finish(answer: URL, flow: Flow): Promise<Verified>
  /** Where a person signs out there too; undefined if the provider offers nothing. */
  signOutUrl(returnTo: string): Promise<URL | undefined>
}

/** Discovers at the first sign-in and keeps it: a provider that is away when the node starts does not stop it. */
export function createOidcClient(provider: Provider): OidcClient {
  let known: Promise<client.Configuration> | undefined
  const configuration = (): Promise<client.Configuration> => {
    known ??= discover(provider).catch((error: unknown) => {
      known = undefined
      throw new Refusal('sign-in-refused', { detail: 'the identity provider cannot be reached', cause: error })
    })
    return known
  }
  return {
    provider,
    begin: async (redirectUri, { stepUp }) => {
      const config = await configuration()
      const flow: Flow = {
        ...{ provider: provider.name, stepUp },
        ...{ state: client.randomState(), nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier() },
      }
      const url = client.buildAuthorizationUrl(config, {
        ...{ redirect_uri: redirectUri, scope: 'openid', state: flow.state, nonce: flow.nonce },
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
        ...(stepUp && { acr_values: provider.stepUpAcr, max_age: '0' }),
      })
      return { url, flow }
    },
    finish: async (answer, { state, nonce, verifier, stepUp }) => {
      const config = await configuration()
      const tokens = await client
        .authorizationCodeGrant(config, answer, {
          ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
          ...(stepUp && { maxAge: STEP_UP_MS / 1_000 }),
        })
        .catch((cause: unknown) => {
          throw new Refusal('sign-in-refused', { detail: 'what the identity provider answered does not verify', cause })
        })
      const claims = tokens.claims()
      if (claims === undefined) throw new Refusal('sign-in-refused', { detail: 'the identity provider named nobody' })
      if (stepUp && claims['acr'] !== provider.stepUpAcr)
        throw new Refusal('sign-in-refused', { detail: 'the identity provider did not ask for the stronger sign-in' })
      return {
        ...{ issuer: claims.iss, subject: claims.sub, claimed: claimedRoles(provider, claims) },
        acr: typeof claims['acr'] === 'string' ? claims['acr'] : undefined,
        authTime: new Date((claims.auth_time ?? claims.iat) * 1_000),
      }
    },
    signOutUrl: async (returnTo) => {
      const config = await configuration()
      if (config.serverMetadata().end_session_endpoint === undefined) return undefined
      return client.buildEndSessionUrl(config, { post_logout_redirect_uri: returnTo })
    },
  }
}

async function discover(provider: Provider): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret, ca } = provider
  const config = await client.discovery(new URL(issuer), clientId, undefined, client.ClientSecretBasic(clientSecret), {
    [client.customFetch]: trustingFetch(ca),
    timeout: 10,
  })
  if (config.serverMetadata().issuer !== issuer) throw new Error('the identity provider has another name')
  return config
}
