import type { KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { StartRefused } from '../kernel/errors.ts'
import { createDemoMemory } from './demo-memory.ts'

/** Of a sign-in under way at the provider. */
export interface Interaction {
  uid: string
  /** Whether the console asks for the stronger sign-in. */
  stepUp: boolean
  /** Who signed in in this browser before. */
  subject: string | undefined
}

export interface EngineOptions {
  issuer: string
  client: { id: string; secret: string; redirectUri: string; signedOutUri: string }
  stepUpAcr: string
  key: KeyObject
  cookieKey: string
  /** Undefined for a subject that is nobody. */
  rolesOf(subject: string): Promise<readonly string[] | undefined>
}

export interface Engine {
  callback(request: IncomingMessage, response: ServerResponse): void
  interaction(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
  finish(request: IncomingMessage, response: ServerResponse, login: { subject: string; stepUp: boolean }): Promise<void>
}

/** What is used of `oidc-provider`, which comes without types. */
interface Library {
  default: new (
    issuer: string,
    configuration: object,
  ) => {
    callback(): (request: IncomingMessage, response: ServerResponse) => void
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Details>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
    Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> }
  }
  interactionPolicy: {
    base(): { get(name: string): { checks: { add(check: unknown, at: number): void } } }
    Check: (new (
      reason: string,
      description: string,
      check: (context: Context) => boolean,
    ) => unknown) & {
      REQUEST_PROMPT: boolean
      NO_NEED_TO_PROMPT: boolean
    }
  }
}

interface Details {
  uid: string
  params: { acr_values?: string }
  session?: { accountId?: string }
}

interface Context {
  type: string
  body: string
  oidc: { result?: { login?: unknown }; client?: { clientId: string }; session?: { accountId?: string } }
}

/** Loads the library; it is a development dependency, so the built image has none. */
export async function engineOf(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<(options: EngineOptions) => Engine> {
  const library = (await load('oidc-provider').catch((cause: unknown) => {
    throw new StartRefused(
      'CONSOLE_DEMO_PORT: needs the development dependency oidc-provider, which is not installed',
      { cause },
    )
  })) as Library
  return (options) => createEngine(library, options)
}

function createEngine(library: Library, options: EngineOptions): Engine {
  const { client, stepUpAcr, issuer } = options
  const provider = new library.default(issuer, configurationOf(library, options))
  const callback = provider.callback()
  return {
    callback,
    interaction: async (request, response) => {
      const { uid, params, session } = await provider.interactionDetails(request, response)
      return { uid, stepUp: params.acr_values === stepUpAcr, subject: session?.accountId }
    },
    finish: async (request, response, { subject, stepUp }) => {
      const grant = new provider.Grant({ accountId: subject, clientId: client.id })
      grant.addOIDCScope('openid')
      const login = { accountId: subject, ...(stepUp && { acr: stepUpAcr }), ts: Math.floor(Date.now() / 1_000) }
      await provider.interactionFinished(request, response, { login, consent: { grantId: await grant.save() } })
    },
  }
}

function configurationOf(library: Library, { client, stepUpAcr, key, cookieKey, rolesOf }: EngineOptions): object {
  return {
    adapter: createDemoMemory(() => Date.now()),
    clients: [
      {
        ...{ client_id: client.id, client_secret: client.secret, redirect_uris: [client.redirectUri] },
        ...{ post_logout_redirect_uris: [client.signedOutUri], grant_types: ['authorization_code'] },
        ...{ response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic' },
        id_token_signed_response_alg: 'ES256',
      },
    ],
    ...{ acrValues: [stepUpAcr], scopes: ['openid'], conformIdTokenClaims: false },
    claims: { openid: ['sub', 'roles'], acr: null, auth_time: null },
    pkce: { required: () => true },
    jwks: { keys: [{ ...key.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'demo' }] },
    cookies: { keys: [cookieKey] },
    features: {
      ...{ devInteractions: { enabled: false }, userinfo: { enabled: false } },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource: signedOut },
    },
    findAccount: async (_context: unknown, subject: string) => {
      const roles = await rolesOf(subject)
      return roles === undefined ? undefined : { accountId: subject, claims: () => ({ sub: subject, roles }) }
    },
    interactions: {
      policy: policyOf(library),
      url: (_context: unknown, { uid }: { uid: string }) => `/personas/${uid}`,
    },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 300, Interaction: 600, Session: 36_000, Grant: 36_000 },
    renderError: (context: Context) =>
      plain(context, 'This sign-in was not begun here, or is over. Go back to the console.'),
  }
}

/** Whoever comes is asked, also who signed in before: in a demonstration one is another person every minute. */
function policyOf({ interactionPolicy: { base, Check } }: Library): unknown {
  const policy = base()
  const always = new Check('ask_always', 'a persona is chosen at each sign-in', ({ oidc }) =>
    oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  )
  policy.get('login').checks.add(always, 0)
  return policy
}

/** `form` is the library's own, with its hidden token; a button submits it. */
function logoutSource(context: Context, form: string): void {
  context.type = 'html'
  context.body = `<!doctype html><title>Sign out</title>${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out of the personas too</button>`
}

const signedOut = (context: Context): void => plain(context, 'Signed out.')

function plain(context: Context, text: string): void {
  context.type = 'text'
  context.body = text
}
