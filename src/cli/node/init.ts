import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createProgrammeCa, openProgrammeCa } from '../../ca/files.ts'
import { nodeCertificate } from '../../ca/node-certificate.ts'
import type { Config } from '../../config.ts'
import { anchorOf, type Base, ensureEpochKeys, KID, logKid, openBase } from '../../core.ts'
import { type Clock, systemClock } from '../../kernel/clock.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { silentLog } from '../../kernel/log.ts'
import { type InitResult, initProgramme, type NewProgramme } from '../../participants/bootstrap.ts'
import { logIdOf } from '../../provenance/origin.ts'
import { createProvenanceService, logsOf, openLog } from '../../provenance/service.ts'

/** The files of the configuration folder that become the programme's first policies. */
function policies({ configDir }: Config): NewProgramme['policies'] {
  return (['taxonomy', 'retention'] as const).map((kind) => {
    const path = join(configDir, `${kind}.json`)
    const body = textOf(path)
    const { version } = JSON.parse(body) as { version?: unknown }
    if (typeof version !== 'number') throw new StartRefused(`${path}: has no version`)
    return { kind, version, body }
  })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new StartRefused(`${path}: is missing; CONFIG_DIR names the folder that holds it`)
  }
}

/**
 * Makes what a node needs once: keys, the programme's CA and the node's certificate, the log, the programme with its
 * first two administrators. What is there is left as it is, so it may be repeated after an interruption. Certificates begin and
 * end in real time, whatever clock is given.
 */
export async function init(
  config: Config,
  programme: Omit<NewProgramme, 'policies'>,
  clock: Clock = systemClock,
): Promise<InitResult> {
  const base = await openBase({ config, clock, log: silentLog })
  try {
    await makeKeys(base)
    const dir = join(config.dataDir, 'ca')
    const ca = hasCa(dir) ? openProgrammeCa(dir) : await createProgrammeCa(dir, { clock: systemClock })
    const hosts = [...new Set([config.publicHost, '127.0.0.1', 'localhost'])]
    await nodeCertificate(join(config.dataDir, 'tls'), { ca, hosts, clock: systemClock })
    await makeLog(base)
    const { pools, keys } = base
    const recorder = createProvenanceService({
      ...{
        db: pools.app,
        ledger: pools.ledger,
        clock,
        keys,
        logId: logIdOf(config.logOrigin),
        origin: config.logOrigin,
      },
      onWake: () => {},
      healthy: () => true,
    })
    const input = { ...programme, policies: policies(config) }
    return await initProgramme({ admin: pools.admin, clock, recorder }, input)
  } finally {
    await base.close()
  }
}

async function makeKeys({ keys, clock, config }: Base): Promise<void> {
  await keys.create(logKid(logIdOf(config.logOrigin)), 'ed25519')
  await keys.create(KID.receipt, 'ed25519')
  await keys.create(KID.cursor, 'symmetric')
  await keys.create(KID.nonce, 'symmetric')
  await ensureEpochKeys(keys, clock())
}

async function makeLog({ pools, clock, config }: Base): Promise<void> {
  const logId = logIdOf(config.logOrigin)
  const [first] = await logsOf(pools.ledger)
  const origin = first?.origin
  const anchor = anchorOf(config, logId)
  if (origin === undefined) await openLog(pools.admin, { logId, origin: config.logOrigin, at: clock(), anchor })
  else if (origin !== config.logOrigin) throw new StartRefused(`LOG_ORIGIN: this node's first log is named ${origin}`)
}

function hasCa(dir: string): boolean {
  try {
    openProgrammeCa(dir)
    return true
  } catch (error) {
    if (error instanceof StartRefused && error.message.endsWith('is missing')) return false
    throw error
  }
}
