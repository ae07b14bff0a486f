import type { FastifyPluginAsync } from 'fastify'
import { Refusal } from '../../kernel/errors.ts'
import { links } from '../links.ts'
import type { Looking } from '../looking.ts'
import { LogPage } from '../pages/log.tsx'
import { goTo, sendPage } from '../render.tsx'

/** Dense numbers of entries: no further than a bigint of the database. */
const INDEX = /^(0|[1-9][0-9]{0,17})$/

/** What is public of the log: it discloses nothing, and so writes no read. */
export const logRoutes: FastifyPluginAsync<{ looking: Looking }> = async (app, { looking }) => {
  const { clock, ledger, origin } = looking
  const config = { roles: 'signed-in' } as const

  app.get(links.log(), { config }, async ({ viewer, shell }, reply) => {
    const [latest, witnesses] = [await ledger.checkpoint(), await ledger.witnesses()]
    const body = (
      <LogPage {...{ health: shell.log, origin, vkey: ledger.vkey(), note: latest?.note, witnesses, now: clock() }} />
    )
    return sendPage(reply, { viewer, title: 'Log', current: 'log' }, body)
  })

  app.get<{ Querystring: { index?: string } }>(links.findEntry(), { config }, async (request, reply) => {
    const { viewer, query, shell } = request
    const index = typeof query.index === 'string' ? query.index.trim() : ''
    const latest = await ledger.checkpoint()
    if (INDEX.test(index) && BigInt(index) < (latest?.size ?? 0n)) return goTo(reply, links.logEntry(BigInt(index)))
    const refusal = new Refusal('validation-failed', {
      errors: [{ pointer: '/index', code: 'validation-failed', detail: 'no entry has this number' }],
    })
    const witnesses = await ledger.witnesses()
    const props = {
      health: shell.log,
      origin,
      vkey: ledger.vkey(),
      note: latest?.note,
      witnesses,
      now: clock(),
      refusal,
    }
    return sendPage(reply.code(422), { viewer, title: 'Log', current: 'log' }, <LogPage {...props} />)
  })
}
