import type { FastifyReply } from 'fastify'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Refusal } from '../kernel/errors.ts'
import type { Href } from './links.ts'
import { Layout, type Shell } from './parts/layout.tsx'
import { OwnKeys } from './parts/own-keys.tsx'
import type { Section } from './sections.ts'
import type { Viewer } from './viewer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What every page shows around its content; read before the handler. */
    shell: Shell
  }
}

export interface Page {
  viewer: Viewer
  title: string
  current: Section
  /** The list that the page is one of. */
  back?: { href: Href; label: string }
  /** Of `assets/`, beside `console.css`: `review.css`. */
  styles?: readonly string[]
  /** Of `client/`, beside the shell's: `lease.js`. */
  scripts?: readonly string[]
  /** What a form of the page was refused for: its status is the page's. Where htmx asks, it is answered alone. */
  refusal?: Refusal | undefined
}

/** A whole document in the shell. */
export function sendPage(reply: FastifyReply, { refusal, ...page }: Page, body: VNode): FastifyReply {
  const { request } = reply
  if (refusal !== undefined) {
    if (isPart(request)) throw refusal
    reply.code(refusal.status)
  }
  return html(
    reply,
    `<!doctype html>${renderToString(
      <OwnKeys.Provider value={request.shell.keys}>
        <Layout {...request.shell} {...page}>
          {body}
        </Layout>
      </OwnKeys.Provider>,
    )}`,
  )
}

/** A fragment; only where `isPart` says that htmx asks for one. */
export const sendPart = (reply: FastifyReply, body: VNode): FastifyReply => html(reply, renderToString(body))

/** Whether a part of a page is asked for. When a browser goes back, htmx asks for the whole. */
export const isPart = ({ headers }: { headers: Readonly<Record<string, unknown>> }): boolean =>
  headers['hx-request'] === 'true' && headers['hx-request-type'] === 'partial'

const html = (reply: FastifyReply, text: string): FastifyReply =>
  reply.header('vary', 'HX-Request, HX-Request-Type').type('text/html; charset=utf-8').send(text)

/** To another page after a form: `303`, or by htmx's own header where it sent the form. */
export const goTo = (reply: FastifyReply, href: Href): FastifyReply =>
  reply.request.headers['hx-request'] === 'true'
    ? reply.code(204).header('hx-redirect', href).send()
    : reply.redirect(href, 303)
