import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { toBase64 } from '../../kernel/bytes.ts'
import { Refusal } from '../../kernel/errors.ts'
import { sha256 } from '../../kernel/sha256.ts'
import type { LogEntry } from '../../provenance/explorer.ts'
import type { Published } from '../../provenance/ledger.ts'
import { parseVkey } from '../../provenance/note.ts'
import { parsePolicy } from '../../provenance/policy.ts'
import type { ReadTile } from '../../provenance/proof.ts'
import { type ProofStep, proofSteps } from '../../provenance/proof-steps.ts'
import { parseReceipt } from '../../provenance/receipt.ts'
import { tilePath } from '../../provenance/tile.ts'
import { links } from '../links.ts'
import { type Looking, lookerIn, lookerOf } from '../looking.ts'
import { EntryPage } from '../pages/entry.tsx'
import { ValidatorPage } from '../pages/validator.tsx'
import { sendPage } from '../render.tsx'

/** Dense numbers of entries: no further than a bigint of the database. */
const INDEX = /^(0|[1-9][0-9]{0,17})$/
const TEXT = 'text/plain; charset=utf-8'
const FOREVER = 'private, max-age=31536000, immutable'

/** What shows that an entry is in the log: for people on a page, for their browser as the log's own files. */
export const proofRoutes: FastifyPluginAsync<{ looking: Looking }> = async (app, { looking }) => {
  const config = { roles: 'signed-in' } as const
  await app.register(treeRoutes, { looking })

  app.get('/log/entries/:index', { config }, async (request, reply) => showEntry(looking, request, reply))

  app.get('/log/entries/:index/receipt', { config }, async (request, reply) => {
    const by = lookerIn(looking, request.viewer)
    const index = indexOf(request)
    const entry = await looking.explorer.entry(by, index)
    const given = entry === undefined ? undefined : await looking.explorer.proof(by, entry.event)
    if (given === undefined || given === 'pending')
      throw new Refusal('not-found', { detail: 'there is no receipt of this entry yet' })
    return reply.type(TEXT).header('content-disposition', `attachment; filename="entry-${index}.receipt"`).send(given)
  })

  app.get(links.validator(), { config }, async ({ viewer }, reply) => {
    const page = {
      viewer,
      title: 'Check a proof',
      current: 'log',
      styles: ['review.css', 'log.css'],
      scripts: ['validate.js'],
    } as const
    return sendPage(
      reply,
      { ...page, back: { href: links.log(), label: 'Log' } },
      <ValidatorPage vkey={looking.ledger.vkey()} contact={looking.contact} />,
    )
  })
}

/** The log as C2SP tlog-tiles lays it out, for a browser that verifies by itself. It is public, and so no read. */
const treeRoutes: FastifyPluginAsync<{ looking: Looking }> = async (app, { looking: { ledger, logId } }) => {
  const config = { roles: 'signed-in', background: true } as const
  const base = `/log/${logId}`

  app.get(`${base}/checkpoint`, { config }, async (_request, reply) => {
    const latest = await ledger.checkpoint()
    if (latest === undefined) throw new Refusal('not-found')
    return reply.type(TEXT).send(latest.note)
  })

  app.get(`${base}/vkey`, { config }, async (_request, reply) => reply.type(TEXT).send(`${ledger.vkey()}\n`))

  app.get(`${base}/policy`, { config }, async (_request, reply) => {
    const policy = ledger.policy()
    if (policy === undefined) throw new Refusal('not-found', { detail: 'the log has no witnesses' })
    return reply.type(TEXT).send(policy)
  })

  app.get<{ Params: { '*': string } }>(`${base}/tile/*`, { config }, async ({ params }, reply) => {
    const data = Buffer.from(await ledger.tile(`tile/${params['*']}`))
    return reply.header('cache-control', FOREVER).type('application/octet-stream').send(data)
  })
}

const indexOf = ({ params }: FastifyRequest): bigint => {
  const { index } = params as { index: string }
  if (!INDEX.test(index)) throw new Refusal('not-found', { detail: 'no entry has this number yet' })
  return BigInt(index)
}

async function showEntry(looking: Looking, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { viewer } = request
  const index = indexOf(request)
  const { ledger, clock, contact } = looking
  const latest = await ledger.checkpoint()
  const opened = await openedBy(looking, request, index)
  const covered = latest !== undefined && index < latest.size
  if (!covered && opened.entry === undefined) throw new Refusal('not-found', { detail: 'no entry has this number yet' })
  const steps = covered ? await stepsOf(looking, { latest, index, receipt: opened.receipt }) : undefined
  const page = {
    viewer,
    title: `Entry ${index}`,
    current: lookerOf(looking, viewer) === undefined ? 'log' : 'explorer',
    styles: ['review.css', 'log.css'],
    scripts: covered ? ['proof.js'] : [],
    back:
      lookerOf(looking, viewer) === undefined
        ? { href: links.log(), label: 'Log' }
        : { href: links.explorer(), label: 'Sharing log' },
  } as const
  const facts = covered ? { size: latest.size, root: toBase64(latest.root) } : undefined
  const log = { id: looking.logId, vkey: ledger.vkey() }
  return sendPage(reply, page, <EntryPage {...{ index, steps, facts, log, contact, now: clock(), ...opened }} />)
}

interface OpenedEntry {
  entry: LogEntry | undefined
  receipt: string | undefined
}

/** What the entry says, as far as it is the viewer's; what anybody may know of it is on the page in any case. */
async function openedBy(looking: Looking, { viewer }: FastifyRequest, index: bigint): Promise<OpenedEntry> {
  const by = lookerOf(looking, viewer)
  const entry = by === undefined ? undefined : await looking.explorer.entry(by, index)
  const given = by === undefined || entry === undefined ? 'pending' : await looking.explorer.proof(by, entry.event)
  return { entry, receipt: given === 'pending' ? undefined : given }
}

async function stepsOf(
  { ledger, verify }: Looking,
  { latest, index, receipt }: { latest: Published; index: bigint; receipt: string | undefined },
): Promise<ProofStep[]> {
  const vkey = parseVkey(sha256, ledger.vkey())
  if (vkey === undefined) throw new Error('the log is named by what is no name of a key')
  const text = ledger.policy()
  const tile: ReadTile = (level, n, width) => ledger.tile(tilePath(level, n, width))
  return proofSteps({
    ...{ hash: sha256, verify, vkey, note: latest.note, index, tile, trusted: undefined },
    policy: text === undefined ? undefined : parsePolicy(sha256, text),
    record: receipt === undefined ? undefined : parseReceipt(receipt)?.extra,
  })
}
