import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { KnownLogin, LoginName } from '../../participants/login.ts'
import { clearFlowCookie, clearSessionCookie, SESSION_COOKIE, setFlowCookie, setSessionCookie } from '../cookies.ts'
import { isLocal } from '../csrf.ts'
import { type createFlowCookies, FLOW_MS, flowCookieName, type Kept } from '../flow-cookie.ts'
import { type Href, links } from '../links.ts'
import type { OidcClient, Verified } from '../oidc.ts'
import { SignedOutPage, SignInPage, UnknownAccountPage } from '../pages/sign-in.tsx'
import { Outside } from '../parts/outside.tsx'
import { goTo } from '../render.tsx'
import type { Sessions, SignedIn } from '../session.ts'
import type { EndReason } from '../session-rule.ts'

interface SignInOptions {
  clock: Clock
  clients(): readonly OidcClient[]
  sessions: Sessions
  flows: ReturnType<typeof createFlowCookies>
  findLogin(name: LoginName): Promise<KnownLogin | undefined>
  origin(): string
}

const ENDED: Readonly<Record<EndReason, string>> = {
  signed_out: 'You have signed out.',
  idle: 'Your session ended after 30 minutes without anything done.',
  too_old: 'Your session ended after ten hours.',
  ended_by_person: 'You ended this session from another one.',
  ended_by_admin: 'An administrator ended your session.',
  access_ended: 'Your access was ended. Ask an administrator of your organisation.',
}

type Asked = { Querystring: { to?: string; ended?: string; from?: string }; Params: { provider: string } }

export const signInRoutes: FastifyPluginAsync<SignInOptions> = async (app, options) => {
  const { clock, clients, sessions, flows, origin } = options
  const publicly = { config: { roles: 'public' as const } }
  const signedIn = { config: { roles: 'signed-in' as const } }
  const clientOf = (fits: (client: OidcClient) => boolean): OidcClient => {
    const client = clients().find(fits)
    if (client === undefined) throw new Refusal('not-found')
    return client
  }

  /** Seals what must be remembered into a cookie and sends the browser to the identity provider. */
  const send = async (reply: FastifyReply, client: OidcClient, asked: { to: Href; stepUp: boolean }) => {
    const back = `${origin()}${links.callback(client.provider.name)}`
    const { url, flow } = await client.begin(back, asked)
    setFlowCookie(reply, flowCookieName(flow.state), flows.seal({ flow, to: asked.to }, clock()), FLOW_MS)
    return reply.redirect(url.href, 302)
  }

  app.get<Asked>(links.signIn(), publicly, async (request, reply) => {
    const { to, ended } = request.query
    const providers = clients().map(({ provider }) => provider)
    const reason = Object.entries(ENDED).find(([name]) => name === ended)?.[1]
    return sendOutside(reply, 'Sign in', <SignInPage providers={providers} to={localOf(to)} ended={reason} />)
  })

  app.get<Asked>('/sign-in/:provider', publicly, async ({ params, query }, reply) =>
    send(
      reply,
      clientOf(({ provider }) => provider.name === params.provider),
      {
        to: localOf(query.to) ?? links.home(),
        stepUp: false,
      },
    ),
  )

  app.get<Asked>('/step-up', signedIn, async ({ session, query }, reply) =>
    send(
      reply,
      clientOf(({ provider }) => provider.issuer === session?.issuer),
      {
        to: localOf(query.to) ?? links.home(),
        stepUp: true,
      },
    ),
  )

  app.get<Asked>('/sign-in/:provider/callback', publicly, async (request, reply) => {
    const client = clientOf(({ provider }) => provider.name === request.params.provider)
    const answer = new URL(request.url, origin())
    const kept = takeFlow(options, request, reply, answer.searchParams.get('state') ?? '')
    if (kept.flow.provider !== client.provider.name) throw new Refusal('sign-in-refused')
    const verified = await client.finish(answer, kept.flow)
    const login = await options.findLogin(verified)
    if (login === undefined) {
      reply.code(403)
      return sendOutside(reply, 'Not known here', <UnknownAccountPage {...verified} />)
    }
    const who = whoOf(login, verified, { stepUp: kept.flow.stepUp, userAgent: request.headers['user-agent'] })
    setSessionCookie(reply, await enter(sessions, request, who))
    return reply.redirect(kept.to, 303)
  })

  app.post(links.signOut(), signedIn, async ({ session, viewer }, reply) => {
    if (session === undefined) throw new Refusal('session-ended')
    await sessions.end({ person: viewer.person, session: session.session_id, reason: 'signed_out' })
    clearSessionCookie(reply)
    const name = clients().find(({ provider }) => provider.issuer === session.issuer)?.provider.name
    return goTo(reply, name === undefined ? links.signedOut() : `${links.signedOut()}?from=${name}`)
  })

  app.get<Asked>(links.signedOut(), publicly, async ({ query }, reply) => {
    const client = clients().find(({ provider }) => provider.name === query.from)
    const idp = await client?.signOutUrl(`${origin()}${links.signIn()}`)
    return sendOutside(reply, 'Signed out', <SignedOutPage idp={idp} />)
  })
}

const localOf = (path: unknown): Href | undefined => (typeof path === 'string' && isLocal(path) ? path : undefined)

/** What was sealed before the browser left; it counts once. */
function takeFlow({ flows, clock }: SignInOptions, request: FastifyRequest, reply: FastifyReply, state: string): Kept {
  const name = flowCookieName(state)
  const kept = flows.open(request.cookies[name] ?? '', clock())
  clearFlowCookie(reply, name)
  if (kept === undefined || kept.flow.state !== state)
    throw new Refusal('sign-in-refused', { detail: 'this sign-in was not begun here, or too long ago' })
  return kept
}

const whoOf = (
  { login_id, person_id, roles }: KnownLogin,
  { claimed, acr, authTime }: Verified,
  { stepUp, userAgent }: { stepUp: boolean; userAgent: string | undefined },
): SignedIn => ({ login_id, person_id, claimed, granted: roles, acr, steppedUp: stepUp, authTime, userAgent })

/** A step-up goes on with the session, under a new cookie; anything else begins one and ends what the browser had. */
async function enter(sessions: Sessions, request: FastifyRequest, who: SignedIn): Promise<string> {
  const value = request.cookies[SESSION_COOKIE]
  const present = value === undefined ? undefined : await sessions.find(value)
  const session = typeof present === 'object' ? present : undefined
  if (who.steppedUp) {
    if (session === undefined) throw new Refusal('session-ended')
    if (session.person !== who.person_id || session.login_id !== who.login_id)
      throw new Refusal('sign-in-refused', { detail: 'another person signed in than the one whose session this is' })
    return sessions.stepUp(session, who)
  }
  if (session !== undefined)
    await sessions.end({ person: session.person, session: session.session_id, reason: 'signed_out' })
  return sessions.begin(who)
}

/** A page for whoever is not signed in. */
export function sendOutside(reply: FastifyReply, title: string, body: VNode): FastifyReply {
  const { asset, look, programme, banner } = reply.request.shell
  const page = { asset, look, programme, title, ...(banner !== undefined && { banner }) }
  return reply
    .type('text/html; charset=utf-8')
    .send(`<!doctype html>${renderToString(<Outside {...page}>{body}</Outside>)}`)
}
