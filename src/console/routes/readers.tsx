import type { FastifyPluginAsync } from 'fastify'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { links } from '../links.ts'
import { type Looking, lookerIn } from '../looking.ts'
import { ReadersPage } from '../pages/readers.tsx'
import { sendPage } from '../render.tsx'

const AS_GOVERNANCE = { config: { roles: ['governance'] } } as const
const INDEX = /^(0|[1-9][0-9]{0,17})$/

/** Who obtained one signal, of all organisations: for governance alone. */
export const readerRoutes: FastifyPluginAsync<{ looking: Looking }> = async (app, { looking }) => {
  app.get(links.readers(), AS_GOVERNANCE, async ({ viewer, query }, reply) => {
    const { signal: asked = '', below: from } = query as Readonly<Record<string, unknown>>
    const signal = asked === '' ? undefined : signalIn(asked)
    if (from !== undefined && (typeof from !== 'string' || !INDEX.test(from)))
      throw new Refusal('invalid-query', { detail: 'start from the newest' })
    const below = from === undefined ? undefined : BigInt(from)
    const found = signal && (await looking.whoRead.readers(lookerIn(looking, viewer), signal, below))
    return sendPage(
      reply,
      {
        ...{ viewer, title: 'Who read a signal', current: 'explorer' },
        back: { href: links.explorer(), label: 'Sharing log' },
      },
      <ReadersPage {...{ signal, found, below, now: looking.clock() }} />,
    )
  })

  app.get('/log/readers/proof', AS_GOVERNANCE, async ({ viewer, query }, reply) => {
    const { signal, event } = query as Readonly<Record<string, unknown>>
    const [asked, batch] = [signalIn(signal), signalIn(event)]
    const text = await looking.whoRead.proof(lookerIn(looking, viewer), asked, batch)
    return reply
      .type('text/plain; charset=utf-8')
      .header('content-disposition', `attachment; filename="read-${batch}.tlog-proof"`)
      .send(text)
  })
}

function signalIn(value: unknown): Uuid {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (!isUuid(text)) throw new Refusal('invalid-query', { detail: 'the id of a signal' })
  return text
}
