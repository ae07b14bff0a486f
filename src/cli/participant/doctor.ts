import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import type { Command } from 'commander'
import { readKnown } from '../../bridge/known.ts'
import { runningAt } from '../../bridge/running.ts'
import { secretFile } from '../../bridge/secret.ts'
import { askForToken } from '../../client/access.ts'
import { collect } from '../../client/transport.ts'
import { answerTo } from '../../kernel/answer-to.ts'
import { isUuid } from '../../kernel/ids.ts'
import { EXIT, faultOf } from '../exit.ts'
import {
  certificateText,
  clockText,
  lagText,
  limitText,
  pinText,
  proxyText,
  webhookText,
  withheldText,
} from './doctor-rules.ts'
import { type Session, withSession } from './session.ts'

/** As a bridge has it unless it is set otherwise. */
const STALE_HOURS = 24
/** Within which a bridge on this machine answers. */
const BRIDGE_MS = 2_000

interface Finding {
  check: string
  ok: boolean
  says: string
}

type Check = (name: string, work: () => Promise<string> | string) => Promise<void>

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check keys, certificate, connection, rights, clock, feeds and log; says what to do')
    .action((_options: object, command: Command) => withSession(command, diagnose))
}

async function diagnose(session: Session): Promise<void> {
  const findings: Finding[] = []
  const check: Check = async (name, work) => {
    const finding = await Promise.resolve()
      .then(work)
      .then((says) => ({ check: name, ok: true, says }))
      .catch((error: unknown) => ({ check: name, ok: false, says: faultOf(error).says }))
    findings.push(finding)
    session.output.data(finding, `${finding.ok ? '✓' : '✗'} ${name.padEnd(12)} ${finding.says}`)
  }
  await checkHere(session, check)
  await checkRights(session, check)
  await checkData(session, check)
  await bridgeCheck(session.home.dir, check)
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT.failed
}

async function checkHere({ home, client, member }: Session, check: Check): Promise<void> {
  await check('keys', () => `signing key ${home.signingKey().kid}`)
  await check('certificate', () => certificateText(home.certificate(), home.tlsKey(), new Date()))
  await check('proxy', () => proxyText(process.env))
  await check('connection', async () => {
    const { participant } = await client.whoami()
    if (participant.slug !== member.participant)
      throw new Error(`the node knows this certificate as ${participant.slug}`)
    return `${member.node} knows us as ${participant.slug} (${participant.kind}, ${participant.status})`
  })
  await check('pin', async () => pinText((await client.whoami()).credential.not_after, new Date()))
  await check('clock', async () => {
    const before = Date.now()
    const { time } = await client.whoami()
    return clockText(time, { before, after: Date.now() })
  })
}

async function checkRights({ client }: Session, check: Check): Promise<void> {
  await check('scopes', async () => (await client.whoami()).credential.scopes.join(', '))
  await check('token', async () => {
    const { access_token, expires_in } = await askForToken(client.transport)
    const { body } = await client.transport.call({
      ...{ method: 'GET', path: '/v1/whoami', idempotent: true },
      headers: { authorization: `Bearer ${access_token}` },
    })
    const { access_token: told } = JSON.parse(body.toString()) as { access_token?: { scopes: string[] } }
    return `for ${expires_in} s one may do ${told?.scopes.join(', ')}; aldis token --scope asks for less`
  })
  await check('audiences', async () => {
    const { audiences } = await client.audiences()
    return audiences
      .map(({ label, members, audience }) => `${label} (${members.length}: ${members.join(', ')}) ${audience}`)
      .join('; ')
  })
  await check('limits', async () => limitText(await client.usage.limits()))
}

async function checkData({ home, client }: Session, check: Check): Promise<void> {
  const known = await client.whoami().catch(() => undefined)
  if (known?.credential.scopes.includes('feed:read') === true) {
    await check('feeds', async () => lagText((await client.feeds()).feeds, (feed) => placeOf(home.dir, feed)))
    await check('webhooks', async () => {
      const { endpoints } = await client.webhooks.list()
      const faults = new Map<string, string | null | undefined>()
      for (const { endpoint, feeds } of endpoints)
        if (feeds.length > 0) faults.set(endpoint, (await client.webhooks.deliveries(endpoint)).deliveries.at(0)?.fault)
      return webhookText(endpoints, (endpoint) => faults.get(endpoint))
    })
  }
  await check('log', async () => {
    const { size } = await home.advance(client)
    return `${size} entries, consistent with what we knew`
  })
}

/** How far a feed was mirrored, full or sealed; undefined where it never was. */
function placeOf(dir: string, feed: string): bigint | undefined {
  if (!isUuid(feed)) return undefined
  try {
    const { seq } = JSON.parse(readFileSync(join(dir, 'feeds', `${feed}.json`), 'utf8')) as { seq: string }
    return BigInt(seq)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Only where a bridge has worked in this folder. */
async function bridgeCheck(dir: string, check: Check): Promise<void> {
  const known = readKnown(dir)
  if (known === undefined) return
  await check('bridge', async () => {
    const hours = (Date.now() - Date.parse(known.synced_at)) / 3_600_000
    if (hours > STALE_HOURS)
      throw new Error(`its mirror is of ${known.synced_at}, and answers nothing; is aldis bridge running?`)
    const origin = await runningAt(dir)
    if (origin === undefined) return `mirror of ${known.synced_at}; not running`
    return `mirror of ${known.synced_at}; at ${origin}; ${withheldText(await metricsAt(origin, dir))}`
  })
}

/** Its metrics, for which it asks for its secret. `fetch` adds headers of browsers, whom a bridge does not answer. */
async function metricsAt(origin: string, dir: string): Promise<string> {
  const authorization = `Bearer ${readFileSync(secretFile(dir), 'utf8').trim()}`
  const asked = get(`${origin}/metrics`, { headers: { authorization }, signal: AbortSignal.timeout(BRIDGE_MS) })
  const text = await answerTo(asked)
    .then(async (answer) => (answer.statusCode === 200 ? collect(answer) : undefined))
    .catch(() => undefined)
  if (text === undefined) throw new Error(`gives no answer at ${origin}, where it listens; start aldis bridge again`)
  return text.toString()
}
