import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { expect } from 'vitest'

const FOLDER = join(import.meta.dirname, 'python')
/** What `.ci/run` fills, or whoever names another. */
const PYTHON = process.env['ALDIS_PYTHON'] ?? join(import.meta.dirname, '../../data/python/bin/python')

/** Why foreign clients in Python cannot be run here; empty where they can. */
export const missingPython = ((): string => {
  if (!existsSync(PYTHON))
    return `no Python at ${PYTHON}: python3 -m venv data/python && data/python/bin/pip install -r test/interop/python/requirements.txt`
  try {
    execFileSync(PYTHON, ['-c', 'import taxii2client, requests'], { stdio: 'ignore' })
    return ''
  } catch {
    return `${PYTHON} lacks the clients: pip install -r test/interop/python/requirements.txt`
  }
})()

export const needsPython = ({ skip }: TestContext): void => {
  if (missingPython !== '') skip(missingPython)
}

/** Elsewhere they are skipped and say so; where it counts, that fails. */
export const expectPython = (): void => {
  if (process.env['CI'] !== undefined) expect(missingPython).toBe('')
}

/** What a client made of a call: what it returned, the error it was answered, or what it raised itself. */
export interface Told {
  answer?: unknown
  status?: number
  error?: string
  raised?: string
  says?: string
}

/** A script in `python/` that makes calls of one client, one after the other. */
export function foreignClient(script: string, env: Readonly<Record<string, string>> = {}) {
  let child: ChildProcess | undefined
  let rest = ''
  const waiting: ((line: string) => void)[] = []
  const started = (): ChildProcess => {
    const own = spawn(PYTHON, [join(FOLDER, script)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Another bundle of authorities in the environment would take the place of the given one.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TZ: 'UTC', ...env },
    })
    own.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) waiting.shift()?.(line)
    })
    own.once('close', () => {
      for (const told of waiting.splice(0)) told('{"raised":"ended"}')
    })
    return own
  }
  return {
    call(call: string, asked: object = {}): Promise<Told> {
      child ??= started()
      const told = new Promise<string>((resolve) => waiting.push(resolve))
      child.stdin?.write(`${JSON.stringify({ call, ...asked })}\n`)
      return told.then((line) => JSON.parse(line) as Told)
    },
    async end(): Promise<void> {
      if (child === undefined) return
      const ended = once(child, 'close')
      child.stdin?.end()
      await ended
    },
  }
}
