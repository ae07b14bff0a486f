import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { createConsole } from './console/app.tsx'
import { loadAssets } from './console/assets.ts'
import { DEMO_BANNER, type DemoProvider, type Persona, startDemoProvider } from './console/demo-provider.tsx'
import { createFlowCookies } from './console/flow-cookie.ts'
import { createOidcClient, type OidcClient } from './console/oidc.ts'
import type { LogHealth } from './console/parts/log-strip.tsx'
import { readProviders } from './console/providers.ts'
import { createSessions } from './console/session.ts'
import { screensOf } from './console-screens.ts'
import type { InstanceOptions } from './http/instance.ts'
import { toBase64Url } from './kernel/bytes.ts'
import { StartRefused } from './kernel/errors.ts'
import type { Serving, ServingPeople } from './listeners.ts'
import type { Parts } from './parts.ts'
import { HALTS, type HaltReason } from './provenance/anchor.ts'

/** The strip at the top of every page may be this old. */
const HEALTH_MS = 2_000

export interface ConsoleListener {
  app: FastifyInstance
  /** Begins to serve; answers where. */
  open(): Promise<string>
  /** Of the demonstration's provider, once it runs. */
  issuer(): string | undefined
  /** What runs beside the listener. */
  close(): Promise<void>
}

type Watch = Pick<InstanceOptions, 'onFinished' | 'onFault'>

/** The console with everything that it stands on. */
export async function createConsoleListener(
  parts: Parts,
  serving: ServingPeople,
  watch: Watch,
): Promise<ConsoleListener> {
  const { config, clock, pools, participants, authority, programme } = parts
  const assets = loadAssets()
  const { key, chain } = await parts.certificate()
  const own = ownCertificate(config) ?? { key, cert: chain }
  const clients: OidcClient[] =
    config.oidcProviders === undefined ? [] : readProviders(config.oidcProviders).map(createOidcClient)
  const sessions = createSessions({ db: pools.admin, clock, randomBytes })
  const late: { port?: number; demo?: DemoProvider } = {}
  const origin = (): string => config.consoleOrigin ?? `https://${config.publicHost}:${late.port ?? config.consolePort}`
  const banner = config.consoleDemoPort === undefined ? undefined : DEMO_BANNER
  const app = createConsole({
    ...{ https: { ...own, minVersion: 'TLSv1.2' }, ...watch, clock, sessions, assets, origin, banner },
    programme: programme.slug,
    health: cached(() => healthOf(serving, parts.logId), HEALTH_MS),
    participantBySlug: (slug) => authority.participantBySlug(slug),
    ...screensOf(parts, serving, {
      ...{ sessions, origin, clients: () => clients },
      flows: createFlowCookies(randomBytes(32), (n) => randomBytes(n)),
    }),
  })
  return {
    app,
    open: async () => {
      await app.listen({ host: config.consoleHost, port: config.consolePort ?? 0 })
      late.port = (app.server.address() as AddressInfo).port
      if (config.consoleDemoPort !== undefined) {
        late.demo = await startDemoProvider({
          ...{ https: { key, cert: chain }, ca: parts.rootCertificate, port: config.consoleDemoPort, assets },
          ...{
            programme: programme.slug,
            consoleOrigin: origin,
            personas: (issuer) => personasOf(participants, issuer),
          },
        })
        clients.push(createOidcClient(late.demo.provider))
      }
      return origin()
    },
    issuer: () => late.demo?.origin,
    close: async () => late.demo?.close(),
  }
}

/** A certificate that browsers trust, where the operator has one. */
function ownCertificate({ consoleTlsCertificate, consoleTlsKey }: Parts['config']) {
  if (consoleTlsCertificate === undefined || consoleTlsKey === undefined) return undefined
  return { cert: pemOf('CONSOLE_TLS_CERTIFICATE', consoleTlsCertificate), key: pemOf('CONSOLE_TLS_KEY', consoleTlsKey) }
}

function pemOf(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new StartRefused(`settings:\n  ${name}: names no file that can be read`, { cause })
  }
}

/** Everybody whom an account of the demonstration's provider may be. */
async function personasOf({ listLogins, listPeople }: Parts['participants'], issuer: string): Promise<Persona[]> {
  const [logins, people] = [await listLogins(), await listPeople()]
  return logins
    .filter((login) => login.issuer === issuer)
    .flatMap(({ subject, person_id }) => {
      const person = people.find((one) => one.person_id === person_id && one.active)
      return person === undefined ? [] : [{ subject, ...person }]
    })
}

async function healthOf({ ledgers, halted }: Serving, logId: number): Promise<LogHealth> {
  const ledger = ledgers.get(logId)
  if (ledger === undefined) throw new Error('the present log is not served')
  const [latest, states] = [await ledger.checkpoint(), await ledger.witnesses()]
  const answering = states.filter((one) => one.cosigned_at !== undefined && one.missing_since === undefined).length
  const reason: HaltReason | undefined = halted()
  return {
    size: latest?.size ?? 0n,
    ...(latest !== undefined && { root: toBase64Url(latest.root), at: latest.at }),
    witnesses: { wanted: states.length, answering },
    ...(reason !== undefined && { halted: HALTS[reason] }),
  }
}

/** Asked for by many pages, answered once for a while. */
function cached<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let kept: { value: Promise<T>; until: number } | undefined
  return () => {
    const now = performance.now()
    if (kept === undefined || kept.until < now) kept = { value: read(), until: now + ms }
    const { value } = kept
    value.catch(() => {
      kept = undefined
    })
    return value
  }
}
