import type { FastifyReply } from 'fastify'

export const SESSION_COOKIE = '__Host-sid'
export const LOOK_COOKIE = '__Host-look'

/** `Lax`: with `Strict` the way back from the identity provider would arrive without it. */
const OWN = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const
const YEAR_SECONDS = 31_536_000

export const setSessionCookie = (reply: FastifyReply, value: string): FastifyReply =>
  reply.setCookie(SESSION_COOKIE, value, OWN)

export const clearSessionCookie = (reply: FastifyReply): FastifyReply => reply.clearCookie(SESSION_COOKIE, OWN)

export const setFlowCookie = (reply: FastifyReply, name: string, value: string, ms: number): FastifyReply =>
  reply.setCookie(name, value, { ...OWN, maxAge: Math.floor(ms / 1_000) })

export const clearFlowCookie = (reply: FastifyReply, name: string): FastifyReply => reply.clearCookie(name, OWN)

export const setLookCookie = (reply: FastifyReply, value: string): FastifyReply =>
  reply.setCookie(LOOK_COOKIE, value, { ...OWN, maxAge: YEAR_SECONDS })
