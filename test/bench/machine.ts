import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'

/** Seconds of CPU; null where the system does not tell. */
export interface Cpu {
  node: number
  database: number | null
  generator: number
}

/** Ticks of /proc a second; the same on every Linux that Node runs on. */
const TICKS = 100

interface Stat {
  parent: number
  own: number
  reaped: number
}

function statOf(pid: string | number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold spaces and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const at = (n: number): number => Number(fields[n - 3])
    return { parent: at(4), own: at(14) + at(15), reaped: at(16) + at(17) }
  } catch {
    return undefined
  }
}

/** CPU of a PostgreSQL server: its first process with the children it has seen end, and those that live. */
export function databaseCpu(pgdata: string): number | null {
  const postmaster = Number.parseInt(readFileSync(join(pgdata, 'postmaster.pid'), 'utf8'), 10)
  const first = statOf(postmaster)
  if (first === undefined) return null
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(pid) ?? [])
    .filter(({ parent }) => parent === postmaster)
  return (first.own + first.reaped + children.reduce((sum, { own }) => sum + own, 0)) / TICKS
}

export const generatorCpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export interface Machine {
  cores: number
  cpu: string
  memory: string
  node: string
  postgres: string
  platform: string
}

export const machineOf = (postgres: string): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  postgres,
  platform: `${process.platform} ${process.arch}`,
})
