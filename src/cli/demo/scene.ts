import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readIfThere } from '../../client/files.ts'
import { writeDurably } from '../../kernel/durable.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { freePort, isFree } from './run.ts'
import { createStage, type Stage } from './stage.ts'

/** Three invented platforms. */
export const PLATFORMS = ['apple', 'banana', 'cherry'] as const
export type Platform = (typeof PLATFORMS)[number]

export interface Ports {
  partner: number
  enrol: number
  ops: number
  console: number
  /** Of the identity provider whose accounts are personas. */
  personas: number
}

/** What the demo's commands are run with. */
export interface Scene {
  stage: Stage
  /** Everything of the demo is below it. */
  dir: string
  ports: Ports
  /** Settings of the node, and of whoever administers it. */
  admin: Readonly<Record<string, string>>
  home(platform: Platform): string
  /** Environment of a platform: its folder, and nothing of the node. */
  at(platform: Platform): Readonly<Record<string, string>>
}

const WANTED: Ports = { partner: 8443, enrol: 8444, ops: 9464, console: 8445, personas: 8446 }
const CONFIG = fileURLToPath(new URL('../../../../config', import.meta.url))

export async function openScene(dir: string): Promise<Scene> {
  const ports = await portsIn(join(dir, 'ports.json'))
  const home = (platform: Platform): string => join(dir, platform)
  return {
    ...{ stage: createStage(), dir, ports, home },
    admin: {
      ...{ DATA_DIR: join(dir, 'node'), CONFIG_DIR: CONFIG, LOG_LEVEL: 'error' },
      ...{ PARTNER_PORT: String(ports.partner), ENROL_PORT: String(ports.enrol), OPS_PORT: String(ports.ops) },
      ...{ CONSOLE_PORT: String(ports.console), CONSOLE_DEMO_PORT: String(ports.personas) },
      ...{ LOG_ORIGIN: 'node.exchange.example/provenance/1', SANDBOX: 'on' },
    },
    at: (platform) => ({ ALDIS_HOME: home(platform) }),
  }
}

/** The ports of an earlier run, since the platforms know them; free ones at the first. */
async function portsIn(path: string): Promise<Ports> {
  const kept = readIfThere(path) === undefined ? {} : (JSON.parse(readFileSync(path, 'utf8')) as Partial<Ports>)
  for (const port of Object.values(kept)) {
    if (!(await isFree(port))) throw new StartRefused(`port ${port} is in use: does another demo run? Stop it first`)
  }
  const ports: Ports = { ...WANTED, ...kept }
  for (const name of Object.keys(WANTED) as (keyof Ports)[]) ports[name] = kept[name] ?? (await freePort(WANTED[name]))
  writeDurably(path, JSON.stringify(ports))
  return ports
}
