import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The command line as participants have it, to be run by Node: compiled once, it starts in a tenth of the time. */
export const CLI = join(import.meta.dirname, '../../dist/src/cli/main.js')

if (!existsSync(CLI)) throw new Error('dist/src/cli/main.js is missing: run `npm run build` first')

export interface Ended {
  code: number
  /** What it printed, a JSON object a line. */
  lines: Record<string, unknown>[]
  says: string
}

/** A command in a participant's folder, as a process of its own. */
export function runCli(home: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, '--home', home, '--json', ...args], (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => line !== '')
      resolve({ code: Number(error?.code ?? 0), lines: lines.map((line) => JSON.parse(line)), says: stderr })
    })
  })
}
