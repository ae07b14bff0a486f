import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { createConnectionRate } from '../http/connection-rate.ts'
import { createInstance, type InstanceOptions } from '../http/instance.ts'
import { LIMITS } from '../http/limits.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import type { Assets } from './assets.ts'
import { LOOK_COOKIE, SESSION_COOKIE, setSessionCookie } from './cookies.ts'
import { isSameOrigin } from './csrf.ts'
import { type Fields, parseForm } from './form.ts'
import { parseLook } from './look.ts'
import type { LogHealth } from './parts/log-strip.tsx'
import type { Preferences } from './preference-rule.ts'
import { createRefusals } from './refusals.tsx'
import { assetRoutes } from './routes/assets.ts'
import { IDLE_MS } from './schema.ts'
import type { Section } from './sections.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { isToken, type LiveSession, type Sessions } from './session.ts'
import { holdsOne, pseudonymOf, type Viewer } from './viewer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the viewer; absent on public routes where nobody is signed in. */
    session: LiveSession | undefined
    /** Made with the page that the form was on. */
    once: Uuid | undefined
  }
}

export interface ConsoleOptions extends Pick<InstanceOptions, 'https' | 'onFinished' | 'onFault'> {
  clock: Clock
  sessions: Sessions
  assets: Assets
  /** As browsers name it: `https://host:port`. */
  origin(): string
  programme: string
  banner?: string | undefined
  health(): Promise<LogHealth>
  /** How much waits for the viewer in each section. */
  counts(viewer: Viewer): Promise<Partial<Record<Section, number>>>
  /** Which keys a person has moved. */
  keysOf(viewer: Viewer): Promise<Preferences['keys']>
  participantBySlug(slug: string): { participant_id: Uuid; status: string } | undefined
  /** The screens and the sign-in, each a plugin. */
  screens: readonly FastifyPluginAsync[]
}

/** The listener of people: pages and forms for browsers, behind a session; whoever lacks a role finds nothing there. */
export function createConsole(options: ConsoleOptions): FastifyInstance {
  const { https, onFinished, onFault, clock, assets, origin, screens } = options
  const refusals = createRefusals(options)
  const app = createInstance({
    https,
    onFinished,
    onFault,
    declares: 'roles',
    refuse: refusals.send,
    urlBytes: LIMITS.console_url_bytes,
  })
  app.decorateRequest('session')
  app.decorateRequest('once')
  app.decorateRequest('viewer')
  app.decorateRequest('shell')
  app.register(cookie)
  acceptForms(app)
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!reply.hasHeader(name)) reply.header(name, value)
    }
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  const mayAsk = createConnectionRate(clock, {
    perSecond: LIMITS.console_requests_per_address_per_second,
    burst: LIMITS.console_requests_per_address_burst,
  })
  app.addHook('onRequest', async (request, reply) => {
    if (!mayAsk(request.socket.remoteAddress)) throw new Refusal('rate-limited', { retryAfter: 1 })
    const away = elsewhere(request, origin())
    if (away !== undefined) return reply.redirect(away, 307)
  })
  app.register(
    Object.assign(
      (async (app) => {
        app.addHook('onRequest', (request, reply) => admit(options, request, reply))
        app.addHook('preValidation', async (request) => checkForm(request, origin()))
        await app.register(assetRoutes, { assets })
        for (const screen of screens) await app.register(screen)
      }) satisfies FastifyPluginAsync,
      // On the instance itself: what is not found is shown in the shell of whoever is signed in.
      { [Symbol.for('skip-override')]: true },
    ),
  )
  return app
}

/** The one name of the console that cookies and the identity provider know. */
function elsewhere({ headers, method, url }: FastifyRequest, origin: string): string | undefined {
  if (headers.host === new URL(origin).host) return undefined
  if (method !== 'GET') throw new Refusal('form-refused', { detail: 'the console has another name' })
  return `${origin}${url.startsWith('/') ? url : '/'}`
}

/** Who asks, and whether the route is theirs; a missing role looks like a missing page. */
async function admit(options: ConsoleOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { roles: admitted, background = false } = request.routeOptions.config
  request.shell = shellOf(options, request)
  const session = admitted === 'public' ? undefined : await sessionOf(options, request, background)
  if (typeof session !== 'object') {
    // A page that is not there is none for anybody; a form is read first, so that what was typed can be shown again.
    if (admitted === 'public' || admitted === undefined || request.method !== 'GET') return
    throw new Refusal('session-ended', session === undefined ? {} : { extra: { reason: session } })
  }
  // Only a page that is opened: what a page asks for beside would race the new cookie.
  if (session.changed && request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate')
    setSessionCookie(reply, await options.sessions.renew(session))
  request.session = session
  request.viewer = viewerOf(options, session)
  request.shell = {
    ...{ ...request.shell, log: await options.health(), idleSeconds: Math.floor(IDLE_MS / 1_000) },
    // What a page asks for beside has no shell of its own.
    ...(!background && (await ownShell(options, request.viewer))),
  }
  if (Array.isArray(admitted) && !holdsOne(request.viewer, admitted)) throw new Refusal('not-found')
}

const ownShell = async ({ counts, keysOf }: ConsoleOptions, viewer: Viewer) => ({
  counts: await counts(viewer),
  keys: await keysOf(viewer),
})

async function sessionOf({ sessions }: ConsoleOptions, { cookies }: FastifyRequest, quiet: boolean) {
  const value = cookies[SESSION_COOKIE]
  return value === undefined ? undefined : sessions.find(value, { quiet })
}

const shellOf = ({ assets, clock, programme, banner }: ConsoleOptions, { cookies }: FastifyRequest) => ({
  ...{ asset: assets.href, now: clock(), look: parseLook(cookies[LOOK_COOKIE]), programme },
  ...(banner !== undefined && { banner }),
  ...{ log: { size: 0n, witnesses: { wanted: 0, answering: 0 } }, counts: {}, keys: {}, idleSeconds: 0 },
})

/** People of a participant that is suspended or has left find nothing of the programme's, whatever they were granted. */
function viewerOf({ participantBySlug }: ConsoleOptions, session: LiveSession): Viewer {
  const { person, organisation, authTime, steppedUp, csrf } = session
  const participant = participantBySlug(organisation)
  const isActive = participant?.status === 'active'
  return {
    ...{ person, organisation, pseudonym: pseudonymOf(person), authTime, steppedUp, csrf },
    // Others of the programme are of no participant at all.
    roles: participant === undefined || isActive ? session.roles : [],
    ...(participant !== undefined && isActive && { participant: participant.participant_id }),
  }
}

function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseForm(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
}

/** What changes something was sent by a page of this session. Its token and its once-only mark are not the handler's. */
function checkForm(request: FastifyRequest, origin: string): void {
  if (request.method === 'GET') return
  const { session } = request
  const { csrf, once, ...fields } = (request.body ?? {}) as Fields
  request.body = fields
  request.once = typeof once === 'string' && isUuid(once) ? once : undefined
  if (session === undefined) throw new Refusal('session-ended')
  if (!isSameOrigin(request.headers, origin) || !isToken(csrf, session.csrf)) throw new Refusal('form-refused')
}
