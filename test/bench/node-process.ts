import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './root.ts'

export interface Ask {
  id: number
  ask: 'usage' | 'start-profile' | 'stop-profile' | 'stop'
  path: string
}

export type Told = { addresses: Addresses } | { id: number; answer: unknown } | { id: number; error: string }

export interface Addresses {
  partner: string
  enrol: string
  /** Of the reference listener, without client certificates. */
  plain: string
}

export interface Usage {
  /** Seconds of CPU since the process began, all its threads. */
  cpu: number
  /** Largest resident memory since the last question, bytes. */
  peak: number
}

export interface NodeProcess {
  addresses: Addresses
  usage(): Promise<Usage>
  startProfile(): Promise<void>
  stopProfile(path: string): Promise<void>
  /** Orderly, as SIGTERM would. */
  stop(): Promise<void>
}

const START_MS = 60_000
/** Compiled as for production, whose memory and speed are measured: `npm run bench` does that first. */
const PROGRAM = join(ROOT, 'dist/test/bench/node.js')

/** Starts the node on a data folder; its log goes to `node.log` there. */
export async function startNode(env: Readonly<Record<string, string>>, dir: string): Promise<NodeProcess> {
  const out = openSync(join(dir, 'node.log'), 'a')
  const child = fork(PROGRAM, {
    // As `npm start`.
    execArgv: ['--enable-source-maps', '--max-semi-space-size=16', '--expose-gc'],
    env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', ...bare(), ...env },
    stdio: ['ignore', out, 'inherit', 'ipc'],
  })
  closeSync(out)
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the node ended with ${code}: see ${dir}/node.log`))
    waiting.clear()
  })
  const addresses = await started(child, dir)
  child.on('message', (told: Told) => {
    if (!('id' in told)) return
    const { resolve, reject } = waiting.get(told.id) ?? {}
    waiting.delete(told.id)
    if ('error' in told) reject?.(new Error(told.error))
    else resolve?.(told.answer)
  })
  let asked = 0
  const ask = (what: Ask['ask'], path = ''): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asked += 1
      waiting.set(asked, { resolve, reject })
      child.send({ id: asked, ask: what, path } satisfies Ask, (error) => error && reject(error))
    })
  return {
    addresses,
    usage: async () => (await ask('usage')) as Usage,
    startProfile: async () => void (await ask('start-profile')),
    stopProfile: async (path) => void (await ask('stop-profile', path)),
    stop: async () => {
      await ask('stop')
      await ended
    },
  }
}

function started(child: ChildProcess, dir: string): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the node did not start')), START_MS)
    child.once('exit', (code) => reject(new Error(`the node did not start (${code}): see ${dir}/node.log`)))
    child.once('message', (told: Told) => {
      clearTimeout(timer)
      if ('addresses' in told) resolve(told.addresses)
    })
  })
}

/** Nothing of the caller's settings reaches the node. */
const bare = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' })
