import type { FastifyPluginAsync } from 'fastify'
import { toBase64 } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { sha256 } from '../../kernel/sha256.ts'
import type { Ledger, Published } from '../../provenance/ledger.ts'
import { rootFromPath } from '../../provenance/merkle.ts'
import { hashesOf, TILE_WIDTH, tilePath, tileWidth } from '../../provenance/tile.ts'
import { links } from '../links.ts'
import { EntryPage, LogPage } from '../pages/log.tsx'
import { goTo, sendPage } from '../render.tsx'

interface LogRoutesOptions {
  clock: Clock
  ledger: Pick<Ledger, 'checkpoint' | 'witnesses' | 'vkey' | 'tile' | 'inclusion'>
  origin: string
}

/** Dense numbers of entries: no further than a bigint of the database. */
const INDEX = /^(0|[1-9][0-9]{0,17})$/

/** What is public of the log: it discloses nothing, and so writes no read. */
export const logRoutes: FastifyPluginAsync<LogRoutesOptions> = async (app, { clock, ledger, origin }) => {
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

  app.get<{ Params: { index: string } }>('/log/entries/:index', { config }, async ({ viewer, params }, reply) => {
    const latest = await ledger.checkpoint()
    if (latest === undefined || !INDEX.test(params.index) || BigInt(params.index) >= latest.size)
      throw new Refusal('not-found', { detail: 'no entry has this number yet' })
    const index = BigInt(params.index)
    const facts = await factsOf(ledger, latest, index)
    return sendPage(
      reply,
      { viewer, title: `Entry ${index}`, current: 'log', back: { href: links.log(), label: 'Log' } },
      <EntryPage {...{ index, size: latest.size, now: clock(), ...facts }} />,
    )
  })
}

async function factsOf(ledger: LogRoutesOptions['ledger'], { size, root }: Published, index: bigint) {
  const width = BigInt(TILE_WIDTH)
  const tile = await ledger.tile(tilePath(0, index / width, tileWidth(size, 0, index / width)))
  const leaf = hashesOf(tile)[Number(index % width)]
  if (leaf === undefined) throw new Refusal('not-found')
  const path = await ledger.inclusion(index, size)
  const made = rootFromPath(sha256, { leaf, index, size, path })
  return {
    ...{ leaf: toBase64(leaf), root: toBase64(root), path: path.map(toBase64) },
    included: made !== undefined && toBase64(made) === toBase64(root),
  }
}
