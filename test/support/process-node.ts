import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { init } from '../../src/cli/node/init.ts'
import { enroll, makeTlsKey } from '../../src/client/enroll.ts'
import { type Home, openHome } from '../../src/client/home.ts'
import { makeSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import { loadConfig } from '../../src/config.ts'
import { openBase } from '../../src/core.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { placeOf } from '../../src/db/embedded-place.ts'
import type { LoginRole } from '../../src/db/roles.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import type { ActionName, PayloadOf } from '../../src/participants/action.ts'
import type { Scope } from '../../src/participants/schema.ts'
import { openParts, type Parts } from '../../src/parts.ts'
import { quietPort } from './quiet-port.ts'

const MAIN = join(import.meta.dirname, '../../dist/src/main.js')
const READY_MS = 60_000
const KEPT_OUTPUT = 20_000
const SCOPES: readonly Scope[] = [
  'signals:submit',
  'signals:withdraw',
  'feed:read',
  'lookup:evaluate',
  'lookup:open',
  'provenance:read',
]

/** A node as an operator has it: a process of its own over the embedded database, with `fsync` on, in its own folder. */
export interface ProcessNode {
  /** Starts the process and waits until it is ready. */
  start(): Promise<void>
  /** Starts the process, whatever becomes of it. */
  begin(): void
  /** Signals the process and waits for its end; its exit code, or null where the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Process id of the database server; undefined while there is none. */
  postmaster(): number | undefined
  /** Process ids of what the database server runs for itself and its connections; none where the system does not tell. */
  backends(): number[]
  /** Stops every process of the database where it stands, until `thaw`. */
  freeze(): void
  thaw(): void
  /** Whether the probe says that the node can work. */
  ready(): Promise<boolean>
  /** Admits a participant and enrols it over the listener, while the node runs. */
  member(slug: string): Promise<Home>
  /** The database through its superuser's eyes, while the node runs; the caller closes it. */
  look(): Promise<Db>
  /** Of the database, while it runs. */
  url(role: LoginRole | 'postgres'): Promise<string>
  /** With the parts that the administrators' commands have, beside the node. */
  beside<T>(work: (parts: Parts, admins: readonly Uuid[]) => Promise<T>): Promise<T>
  /** Where the node has its files, and where its database. */
  folders: { data: string; database: string }
  /** The last of what the process wrote. */
  said(): string
  /** Ends what runs of it and deletes everything. */
  destroy(): Promise<void>
}

/** Initialised as `aldis init` does it, not yet started. */
export async function aProcessNode(settings: Readonly<Record<string, string>> = {}): Promise<ProcessNode> {
  if (!existsSync(MAIN)) throw new Error('dist/src/main.js is missing: run `npm run build` first')
  const dir = mkdtempSync(join(tmpdir(), 'aldis-fault-'))
  // The database's account must be able to enter it.
  chmodSync(dir, 0o711)
  const [partner, enrol, ops] = [await quietPort(), await quietPort(), await quietPort()]
  const env = {
    ...{ DATA_DIR: dir, CONFIG_DIR: join(import.meta.dirname, '../../config'), LOG_LEVEL: 'warn' },
    ...{ PARTNER_PORT: String(partner), ENROL_PORT: String(enrol), OPS_PORT: String(ops) },
    ...{ LOG_ORIGIN: 'node.example.org/provenance/1', ...settings },
  }
  const config = loadConfig(env)
  const { admins } = await init(config, {
    ...{ slug: 'orchard', trust_domain: 'orchard.example', node_origin: 'https://node.example.org' },
    admins: [
      { name: 'Ada', organisation: 'office' },
      { name: 'Ben', organisation: 'office' },
    ],
  })
  const { pgdata } = await placeOf(join(dir, 'postgres'))
  const postmaster = (): number | undefined => livingPid(join(pgdata, 'postmaster.pid'))
  const backends = (): number[] => childrenOf(postmaster())
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const pid of [postmaster(), ...backends()]) if (pid !== undefined) sendTo(pid, signal)
  }
  let child: ChildProcess | undefined
  let output = ''

  const url = async (role: LoginRole | 'postgres'): Promise<string> => {
    const server = await startEmbedded({ dataDir: join(dir, 'postgres') })
    // The node's to stop: whoever adopted it would keep it alive.
    await server.stop()
    return server.url(role, 'aldis')
  }
  const ready = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${ops}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const ending = child
    if (ending === undefined) return null
    if (!hasEnded(ending)) {
      const ended = new Promise((resolve) => ending.once('close', resolve))
      ending.kill(signal)
      await ended
    }
    return ending.exitCode
  }
  const beside: ProcessNode['beside'] = async (work) => {
    const base = await openBase({ config, clock: systemClock, log: silentLog, small: 1 })
    try {
      return await work(await openParts(base, { onWake: () => {}, healthy: () => true }), admins)
    } finally {
      await base.close()
    }
  }
  /** Proposed, approved and executed beside the node, as the administrators' commands do it. */
  const decide = (acts: readonly Act[]): Promise<unknown> =>
    beside(async ({ participants }) => {
      let result: unknown
      for (const [action, payload] of acts) {
        const { request_id } = await participants.propose(action, payload, admins[0] ?? NOBODY)
        await participants.approve(request_id, admins[1] ?? NOBODY, systemClock())
        result = (await participants.execute(request_id, admins[0] ?? NOBODY)).result
      }
      return result
    })
  const begin = (): ChildProcess => {
    const begun = spawn(process.execPath, ['--enable-source-maps', MAIN], {
      // Compiled once: the same code starts many times.
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        NODE_COMPILE_CACHE: join(dir, 'compiled'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = begun
    for (const stream of [begun.stdout, begun.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = `${output}${text}`.slice(-KEPT_OUTPUT)
      })
    }
    return begun
  }

  return {
    ...{ end, ready, postmaster, backends, beside, folders: { data: dir, database: pgdata } },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    said: () => output,
    begin: () => void begin(),
    async start() {
      const begun = begin()
      const until = performance.now() + READY_MS
      while (!(await ready())) {
        if (hasEnded(begun)) throw new Error(`the node ended with ${begun.exitCode}: ${output}`)
        if (performance.now() > until) throw new Error(`the node did not become ready: ${output}`)
        await delay(25)
      }
    },
    async member(slug) {
      const { code } = (await decide([
        ['participant.admit', { slug, name: slug, kind: 'platform' }],
        ['credential.enrol', { participant: slug, label: 'main', scopes: [...SCOPES] }],
      ])) as { code: string }
      const [tls, signing] = [await makeTlsKey(), makeSigningKey()]
      const at = { enrol: `https://127.0.0.1:${enrol}`, node: `https://127.0.0.1:${partner}` }
      const given = await enroll({ origin: at.enrol, code, tls, signing: openSigningKey(signing) })
      const { participant, uri, kid, programme, certificate, ca, node } = given
      const names = { node_origin: programme.node_origin, programme: programme.slug }
      const home = openHome(join(dir, slug))
      home.enrolled({
        membership: { participant, uri, kid, node: at.node, ...names },
        ...{ key: tls.key, signing, certificate, ca, node },
      })
      return home
    },
    look: async () => connect({ url: await url('postgres'), max: 1 }),
    url,
    async destroy() {
      signalAll('SIGCONT')
      await end('SIGKILL')
      await (await startEmbedded({ dataDir: join(dir, 'postgres') })).destroy()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** SIGKILL; one that is gone already has had its end. */
export function kill(pid: number | undefined): void {
  if (pid !== undefined) sendTo(pid, 'SIGKILL')
}

type Act = { [A in ActionName]: readonly [A, PayloadOf<A>] }[ActionName]

const NOBODY = '00000000-0000-0000-0000-000000000000' as never

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

function livingPid(file: string): number | undefined {
  const pid = Number.parseInt(textOf(file), 10)
  return sendTo(pid, 0) ? pid : undefined
}

/** By proc(5); an empty list elsewhere. */
function childrenOf(pid: number | undefined): number[] {
  return textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** Empty where there is none: what is asked about may end at any moment. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Whether there was such a process. */
function sendTo(pid: number, signal: NodeJS.Signals | 0): boolean {
  // Anything else would reach a whole group of processes, if not all.
  if (!(pid > 1)) return false
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
