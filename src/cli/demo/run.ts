import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../main.js', import.meta.url))
const NODE = fileURLToPath(new URL('../../main.js', import.meta.url))
const START_MS = 60_000

/** What a command ended with. */
export interface Ran {
  code: number
  stdout: string
  stderr: string
  /** Its JSON lines. */
  lines: Record<string, unknown>[]
}

/** Runs the real CLI as a process of its own, with nothing of ours in its environment but what is given. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, '--json', ...args], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
      resolve({
        code: code ?? 1,
        stdout,
        stderr,
        lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
      })
    })
  })
}

export interface RunningNode {
  /** Ends as an operator would; the database with it. */
  stop(): Promise<void>
  readonly ended: Promise<number>
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Starts the node as a process and waits until it is ready; what it says on standard error is passed on. Where this process is
 * told to end from then on, the node ends first, and `told` is called.
 */
export async function startNode(
  env: Readonly<Record<string, string>>,
  told: (signal: NodeJS.Signals) => void,
): Promise<RunningNode> {
  const child = spawn(process.execPath, [NODE], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    // Ctrl-C tells a whole group: with ours it would be a second signal, which stops the node hard and leaves its database.
    detached: true,
  })
  const ended = endOf(child)
  let asked = false
  const stop = async (): Promise<void> => {
    // SIGINT: nobody else has to notice first. Once: a second signal stops it hard, and a story that breaks off asks again.
    if (!asked && endedWith(child) === null) child.kill('SIGINT')
    asked = true
    await ended
  }
  const end = (signal: NodeJS.Signals): void => void stop().then(() => told(signal))
  for (const signal of SIGNALS) process.once(signal, end)
  void ended.then(() => {
    for (const signal of SIGNALS) process.off(signal, end)
  })
  await untilReady(child, `http://127.0.0.1:${env['OPS_PORT']}/readyz`).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { stop, ended }
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + START_MS
  while (!(await isReady(url))) {
    if (endedWith(child) !== null) throw new Error(`the node ended with ${endedWith(child)}`)
    if (performance.now() > until) throw new Error('the node did not become ready')
    await delay(100)
  }
}

/** Null while it runs. */
const endedWith = ({ exitCode, signalCode }: ChildProcess): number | string | null => exitCode ?? signalCode

const endOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))

async function isReady(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** The port, or any free one where something else has it. */
export const freePort = async (wanted: number): Promise<number> => (await bound(wanted)) ?? (await bound(0)) ?? wanted

export const isFree = async (port: number): Promise<boolean> => (await bound(port)) !== undefined

/** The port that could be listened on for a moment; undefined where something else does. */
function bound(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: '127.0.0.1', port }, () => {
      const { port: given } = server.address() as { port: number }
      server.close(() => resolve(given))
    })
  })
}
