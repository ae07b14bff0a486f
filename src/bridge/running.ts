import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from '../client/files.ts'
import { writeDurably } from '../kernel/durable.ts'
import { identityOf } from '../kernel/marker.ts'

interface Running {
  origin: string
  /** Which process it is: another one may have taken the port of one that was killed, and must not be sent the secret. */
  process: string
}

const fileOf = (home: string): string => join(home, 'bridge', 'running.json')

/** Where the living bridge of a folder listens; undefined where none does. */
export async function runningAt(home: string): Promise<string | undefined> {
  const text = readIfThere(fileOf(home))
  if (text === undefined) return undefined
  const { origin, process } = JSON.parse(text) as Running
  return process === (await identityOf(Number(process.split(' ')[0]))) ? origin : undefined
}

export async function sayRunning(home: string, origin: string): Promise<void> {
  const running: Running = { origin, process: await identityOf(process.pid) }
  writeDurably(fileOf(home), `${JSON.stringify(running)}\n`, 0o600)
}

export const sayEnded = (home: string): void => rmSync(fileOf(home), { force: true })
