import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { renameSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Exchange } from '../faults/exchange.ts'
import type { Random } from '../faults/random.ts'
import { brokenOf, type Prepared, prepare, send } from '../faults/sender.ts'
import { kill, type ProcessNode } from '../support/process-node.ts'

const CHILD = fileURLToPath(new URL('./resting-integrator.ts', import.meta.url))

/** Two processes that index beside the node, each replaced when it is killed. */
export interface Rivals {
  killOne(random: Random): void
  end(): void
}

export function rivals(url: string, logId: number): Rivals {
  const begin = (): ChildProcess =>
    spawn(process.execPath, [CHILD, url, String(logId)], { stdio: ['ignore', 'ignore', 'inherit'] })
  const running = [begin(), begin()]
  return {
    killOne: (random) => {
      const i = random.below(running.length)
      running[i]?.kill('SIGKILL')
      running[i] = begin()
    },
    end: () => {
      for (const one of running) one.kill('SIGKILL')
    },
  }
}

export type Victim = 'node' | 'both' | 'database' | 'backend' | 'integrator'
export const VICTIMS: readonly [Victim, ...Victim[]] = ['node', 'both', 'database', 'backend', 'integrator']

/** Ends what is named with SIGKILL, and waits until the node can work again. */
export async function strike(
  { n, recovered }: Exchange,
  { victim, others, random }: { victim: Victim; others: Rivals; random: Random },
): Promise<void> {
  if (victim === 'integrator') return others.killOne(random)
  const [first = n.postmaster(), ...rest] = n.backends()
  if (victim === 'backend') kill(random.pick([first, ...rest]))
  if (victim === 'database' || victim === 'both') kill(n.postmaster())
  if (victim === 'node' || victim === 'both') {
    await n.end('SIGKILL')
    await started(n)
  }
  await recovered()
}

/** As whoever supervises it: a start that the saboteur spoils is tried again. */
export async function started(n: ProcessNode, tries = 5): Promise<void> {
  await n.start().catch((error: unknown) => {
    if (tries === 1) throw error
    return started(n, tries - 1)
  })
}

export const prepared = (
  { source: home, audience, history }: Exchange,
  { random, items }: { random: Random; items: number },
): Promise<Prepared> => prepare({ home, audience, random, items, largest: 6, history })

/** Sends until everything is durable, whatever happens meanwhile. */
export async function upload({ sending: client, history }: Exchange, prepared: Prepared): Promise<void> {
  for (let from: bigint | undefined; ; await delay(50)) {
    from = await client.nextLine(prepared.upload).catch((error: unknown) => void brokenOf(error))
    if (from === undefined) continue
    if (from > prepared.lines.length) return
    await send({ client, prepared, from, history })
  }
}

/** Ends node and database where they stand. */
export async function crash(n: ProcessNode): Promise<void> {
  await n.end('SIGKILL')
  for (const pid of [...n.backends(), n.postmaster()]) kill(pid)
  while (n.postmaster() !== undefined) await delay(20)
  // What the server ran for its connections has ended by then too, and writes nothing more.
  await delay(200)
}

/** A copy of each folder as it is now; nothing may run there. */
export function keepCopy(folders: readonly string[], name: string): void {
  for (const folder of folders) execFileSync('cp', ['-a', folder, `${folder}.${name}`])
}

/** The copy in each folder's place; what was there has the other name then. */
export function putBack(folders: readonly string[], name: string, newest: string): void {
  for (const folder of folders) {
    rmSync(`${folder}.${newest}`, { recursive: true, force: true })
    renameSync(folder, `${folder}.${newest}`)
    execFileSync('cp', ['-a', `${folder}.${name}`, folder])
  }
}
