import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogFault, type LogSource, LogUnreadable } from '../provenance/log-source.ts'
import { AldisError, AnswerTooLong } from './errors.ts'
import type { Transport } from './transport.ts'

/** Without a file's bytes for so long, a web server is said not to answer. */
const TIMEOUT_MS = 45_000

/** A folder that `aldis log export` wrote, or any other copy of the tree. */
export const folderLog = (dir: string): LogSource => ({
  async read(path, most) {
    try {
      return readUpTo(join(dir, path), most) ?? oversize(path)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error instanceof LogFault ? error : new LogUnreadable(path, message, { cause: error })
    }
  },
})

/** The log of a node, by our certificate. Needs `provenance:read`. */
export const nodeLog = ({ transport, log }: { transport: Transport; log: number }): LogSource => ({
  async read(path, most) {
    try {
      return (await transport.call({ method: 'GET', path: `/provenance/${log}/${path}`, idempotent: true, most })).body
    } catch (error) {
      if (error instanceof AldisError && error.status === 404) return undefined
      if (error instanceof AnswerTooLong) return oversize(path)
      throw new LogUnreadable(path, (error as Error).message, { cause: error })
    }
  },
})

/** A copy of the tree at a web server, which needs no trust; no redirect is followed. */
export const webLog = (address: string): LogSource => ({
  async read(path, most) {
    const url = new URL(path, address.endsWith('/') ? address : `${address}/`)
    try {
      return await answerOf(
        await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) }),
        path,
        most,
      )
    } catch (error) {
      if (error instanceof LogFault || error instanceof LogUnreadable) throw error
      const { message, cause } = error as Error
      throw new LogUnreadable(path, cause instanceof Error ? cause.message : message, { cause: error })
    }
  },
})

async function answerOf(answer: Response, path: string, most: number): Promise<Uint8Array | undefined> {
  if (answer.status === 200) return bodyUpTo(answer, path, most)
  await answer.body?.cancel()
  if (answer.status === 404) return undefined
  throw new LogUnreadable(path, `the server answered ${answer.status}`)
}

/** Undefined where the file has more. */
function readUpTo(file: string, most: number): Buffer | undefined {
  const handle = openSync(file, 'r')
  try {
    return fstatSync(handle).size > most ? undefined : readFileSync(handle)
  } finally {
    closeSync(handle)
  }
}

async function bodyUpTo(answer: Response, path: string, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > most) return oversize(path)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function oversize(path: string): never {
  throw new LogFault('oversize', path)
}
