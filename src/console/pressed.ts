import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Role } from '../participants/schema.ts'
import { refusalIn } from './form.ts'
import { goTo } from './render.tsx'
import type { Sessions } from './session.ts'

/** Does what a form asks for once, however often it is pressed; answers what was refused. */
export const pressed = (
  sessions: Pick<Sessions, 'once'>,
  request: FastifyRequest,
  work: () => Promise<unknown>,
): Promise<Refusal | undefined> =>
  refusalIn(() => {
    if (request.session === undefined) throw new Refusal('session-ended')
    return sessions.once(request.session.session_id, request.once, work)
  })

interface Forms {
  sessions: Pick<Sessions, 'once'>
  config: { roles: readonly Role[] }
  /** The page of the forms, with what was refused. */
  show(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<FastifyReply>
}

/** Forms of one page, each of which leads to another page once it is done. */
export const formsOf =
  (app: FastifyInstance, { sessions, config, show }: Forms) =>
  (path: string, to: `/${string}`, work: (by: Uuid, body: unknown) => Promise<unknown>): void => {
    app.post(path, { config }, async (request, reply) => {
      const refusal = await pressed(sessions, request, () => work(request.viewer.person, request.body))
      return refusal === undefined ? goTo(reply, to) : show(request, reply, refusal)
    })
  }
