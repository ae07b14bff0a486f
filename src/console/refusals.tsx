import type { FastifyReply, FastifyRequest } from 'fastify'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Refusal } from '../kernel/errors.ts'
import type { Assets } from './assets.ts'
import { isLocal } from './csrf.ts'
import { typedOf } from './form.ts'
import { links } from './links.ts'
import { PLAIN_LOOK } from './look.ts'
import { RefusedPage } from './pages/refused.tsx'
import { Refused } from './parts/note.tsx'
import { Outside } from './parts/outside.tsx'
import { isPart, sendPage, sendPart } from './render.tsx'
import type { Viewer } from './viewer.ts'

interface RefusalOptions {
  assets: Assets
  programme: string
  banner?: string | undefined
}

/** Refusals as people see them: a page that says what to do next, or the fragment beside a form. */
export function createRefusals({ assets, programme, banner }: RefusalOptions) {
  const sendOutside = (
    request: FastifyRequest,
    reply: FastifyReply,
    { title, body }: { title: string; body: VNode },
  ) => {
    const look = (request.shell as typeof request.shell | undefined)?.look ?? PLAIN_LOOK
    const outside = { asset: assets.href, look, programme, title, ...(banner !== undefined && { banner }) }
    return reply
      .type('text/html; charset=utf-8')
      .send(`<!doctype html>${renderToString(<Outside {...outside}>{body}</Outside>)}`)
  }
  return {
    send(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
      if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter))
      // The cookie stays: a request that came without it, or late with the one before, says nothing of the one that is there.
      if (refusal.code === 'session-ended' && isOpened(request)) return reply.redirect(signInOf(request, refusal), 303)
      reply.code(refusal.status)
      if (isPart(request)) return sendPart(reply, <Refused refusal={refusal} />)
      // A route that nobody matched, or a head that could not be read, has neither viewer nor shell.
      const viewer = request.viewer as Viewer | undefined
      const title = TITLES[refusal.status] ?? 'That did not work'
      const body = pageOf(request, refusal, viewer !== undefined)
      if (viewer !== undefined) return sendPage(reply, { viewer, title, current: 'none' }, body)
      return sendOutside(request, reply, { title, body })
    },
  }
}

/** What was typed into a form is on the page that refuses it. */
const pageOf = ({ id, method, body }: FastifyRequest, refusal: Refusal, signedIn: boolean): VNode => (
  <RefusedPage refusal={refusal} requestId={id} signedIn={signedIn} typed={method === 'GET' ? {} : typedOf(body)} />
)

const TITLES: Readonly<Record<number, string>> = {
  401: 'Your session has ended',
  403: 'That is not allowed',
  404: 'Nothing here',
  409: 'It has moved on',
  422: 'Something is missing',
  429: 'Too many requests',
  500: 'The node failed',
  503: 'Not now',
}

/** A page that a person opens, unlike a form that is sent and a part that is asked for. */
const isOpened = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' && headers['hx-request'] !== 'true' && (headers['sec-fetch-mode'] ?? 'navigate') === 'navigate'

/** The way back is kept, and why there is no session any more. */
function signInOf({ url }: FastifyRequest, { extra }: Refusal): string {
  const reason = extra['reason']
  const to = isLocal(url) && url !== links.home() ? url : undefined
  const href = links.signIn(to)
  return reason === undefined ? href : `${href}${to === undefined ? '?' : '&'}ended=${reason}`
}
