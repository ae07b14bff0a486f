import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { ROOT } from './root.ts'

const PYTHON = process.env['BENCH_PYTHON'] ?? join(ROOT, 'data/bench/venv/bin/python')

/** What is said where it is not there. */
export const HOW_TO_GET_FAISS =
  'not compared with FAISS: python3 -m venv data/bench/venv && data/bench/venv/bin/pip install faiss-cpu (or BENCH_PYTHON)'

export const isFaissThere = (): boolean => existsSync(PYTHON)

export interface Faiss {
  /** Asks the queries from `first` on, `count` of them. */
  ask(first: number): Promise<{ seconds: number; found: number }>
}

export interface FaissProcess {
  /** Begins with the first call; the index of a million hashes takes half a minute. */
  open(of: { hashes: Uint8Array; queries: Uint8Array; count: number }): Promise<Faiss>
  end(): void
}

/** FAISS' multi-hash in a process of its own. */
export function createFaiss(): FaissProcess {
  let opened: { child: ChildProcessByStdio<Writable, Readable, null>; faiss: Promise<Faiss> } | undefined
  return {
    open({ hashes, queries, count }) {
      if (opened !== undefined) return opened.faiss
      const dir = mkdtempSync(join(tmpdir(), 'aldis-faiss-'))
      const paths = [join(dir, 'hashes'), join(dir, 'queries')] as const
      writeFileSync(paths[0], hashes)
      writeFileSync(paths[1], queries)
      const program = [join(ROOT, 'test/bench/pdq_faiss.py'), ...paths, String(count)]
      const child = spawn(PYTHON, program, { stdio: ['pipe', 'pipe', 'inherit'] })
      const faiss = begun(child).finally(() => rmSync(dir, { recursive: true }))
      opened = { child, faiss }
      return faiss
    },
    end: () => opened?.child.stdin.end(),
  }
}

async function begun({ stdin, stdout }: ChildProcessByStdio<Writable, Readable, null>): Promise<Faiss> {
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('FAISS ended')
    return value
  }
  if (!(await next()).startsWith('ready')) throw new Error('FAISS did not begin')
  return {
    async ask(first) {
      stdin.write(`${first}\n`)
      const [seconds = 0, found = 0] = (await next()).split(' ').map(Number)
      return { seconds, found }
    },
  }
}
