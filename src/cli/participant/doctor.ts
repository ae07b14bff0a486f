import { X509Certificate } from 'node:crypto'
import type { Command } from 'commander'
import { readKnown } from '../../bridge/known.ts'
import { EXIT, faultOf } from '../exit.ts'
import { type Session, withSession } from './session.ts'

/** Clocks that differ by more make signatures stale and certificates early. */
const SKEW_MS = 60_000
/** As a bridge has it unless it is set otherwise. */
const STALE_HOURS = 24

interface Finding {
  check: string
  ok: boolean
  says: string
}

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check keys, certificate, connection, rights, clock and log; says what to do')
    .action((_options: object, command: Command) => withSession(command, diagnose))
}

async function diagnose(session: Session): Promise<void> {
  const findings: Finding[] = []
  const check = async (name: string, work: () => Promise<string> | string): Promise<void> => {
    const finding = await Promise.resolve()
      .then(work)
      .then((says) => ({ check: name, ok: true, says }))
      .catch((error: unknown) => ({ check: name, ok: false, says: faultOf(error).says }))
    findings.push(finding)
    session.output.data(finding, `${finding.ok ? '✓' : '✗'} ${name.padEnd(12)} ${finding.says}`)
  }
  const { home, client, member } = session
  await check('keys', () => `signing key ${home.signingKey().kid}`)
  await check('certificate', () => certificateText(home.certificate()))
  await check('connection', async () => {
    const { participant, credential } = await client.whoami()
    if (participant.slug !== member.participant)
      throw new Error(`the node knows this certificate as ${participant.slug}`)
    return `${member.node} knows us as ${participant.slug} (${participant.kind}, ${participant.status}): ${credential.scopes.join(', ')}`
  })
  await check('clock', async () => {
    const before = Date.now()
    const { time } = await client.whoami()
    const skew = Math.abs(Date.parse(time) - (before + Date.now()) / 2)
    if (skew > SKEW_MS) throw new Error(`${Math.round(skew / 1_000)} seconds from the node's; set the clock by NTP`)
    return `within ${Math.max(1, Math.round(skew / 1_000))} s of the node's`
  })
  await check('audiences', async () => {
    const { audiences } = await client.audiences()
    return audiences
      .map(({ label, members, audience }) => `${label} (${members.length}: ${members.join(', ')}) ${audience}`)
      .join('; ')
  })
  await check('log', async () => {
    const { size } = await home.advance(client)
    return `${size} entries, consistent with what we knew`
  })
  await bridgeCheck(home.dir, check)
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT.failed
}

type Check = (name: string, work: () => string) => Promise<void>

/** Only where a bridge has worked in this folder. */
async function bridgeCheck(dir: string, check: Check): Promise<void> {
  const known = readKnown(dir)
  if (known === undefined) return
  await check('bridge', () => {
    const hours = (Date.now() - Date.parse(known.synced_at)) / 3_600_000
    if (hours > STALE_HOURS)
      throw new Error(`its mirror is of ${known.synced_at}, and answers nothing; is aldis bridge running?`)
    return `mirror of ${known.synced_at}`
  })
}

function certificateText(pem: string): string {
  const { validToDate } = new X509Certificate(pem)
  if (validToDate.getTime() < Date.now())
    throw new Error('has ended; ask two administrators for a new code and run aldis enroll')
  return `until ${validToDate.toISOString()}`
}
