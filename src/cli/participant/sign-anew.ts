import { createWriteStream, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type FlatJws, headerOf, type SigningKey } from '../../signals/submission.ts'
import { firstsOf, keptAnswer } from './answered.ts'
import type { Session } from './session.ts'
import { keepSigned, linesFrom, type Signed, signLines } from './share.ts'

/** The node takes what was signed within seven days; a day is for sending it. */
const FRESH_SECONDS = 6 * 86_400

/** One is sent while the other is written. */
const FILES = ['signed.ndjson', 'signed.anew.ndjson'] as const

/** The same items under a signature of now. */
interface Anew {
  signed: Signed
  stale: ReadonlySet<bigint>
  key: SigningKey
}

/**
 * Signs anew what the node never took and would not take any more: what was signed too long ago, or by a key that is no longer ours.
 * Its items stay what they were, with their signals' ids, so that nothing can be stored twice; what may be stored stays as it is.
 */
export async function signAnew(session: Session, signed: Signed, key: SigningKey): Promise<Signed> {
  const stale = await staleOf(session, signed, key)
  if (stale.size === 0) return signed
  const submissions = { ...signed.submissions }
  const path = join(dirname(signed.path), basename(signed.path) === FILES[0] ? FILES[1] : FILES[0])
  const lines = linesAnew(session, { signed: { ...signed, submissions }, stale, key })
  await pipeline(lines, createWriteStream(path, { mode: 0o600, flush: true }))
  // The file that it names takes the place of the former with it.
  const anew = { ...signed, path, submissions }
  keepSigned(session.home.dir, anew)
  rmSync(signed.path, { force: true })
  session.output.say(
    `signed anew: ${stale.size} submissions, signed too long ago or by a former key, of which nothing is stored`,
  )
  return anew
}

/** The first lines of those that are to be signed anew. */
async function staleOf(session: Session, signed: Signed, key: SigningKey): Promise<Set<bigint>> {
  const since = Date.now() / 1_000 - FRESH_SECONDS
  const untaken = await untakenOf(session, signed)
  const stale = new Set<bigint>()
  if (untaken.size === 0) return stale
  let line = 0n
  for await (const text of linesFrom(signed, 1n)) {
    line += 1n
    if (!untaken.has(line)) continue
    const { jws } = JSON.parse(text) as { jws: FlatJws }
    const { iat, kid } = headerOf(jws.protected)
    if (kid !== key.kid || iat < since) stale.add(line)
  }
  return stale
}

/** Of which nothing is stored for sure: the node refused all of it, or never came to it and will not by itself. */
async function untakenOf(session: Session, signed: Signed): Promise<Set<bigint>> {
  const { job, next_line } = await session.client.uploads.get(signed.upload)
  if (job !== undefined && job.ended_at === undefined) return new Set()
  const next = BigInt(next_line)
  return new Set(
    firstsOf(signed).filter((first) => {
      const known = keptAnswer(session, signed, first)
      return known === undefined ? first >= next : known.accepted === 0
    }),
  )
}

/** All lines, in their number; notes in `submissions` what was signed. */
async function* linesAnew(session: Session, { signed, stale, key }: Anew): AsyncGenerator<string> {
  let held: { first: bigint; items: string[] } | undefined
  const ended = async (): Promise<string> => {
    if (held === undefined) return ''
    const { as, lines } = await signLines(session, { items: held.items, key })
    signed.submissions[String(held.first)] = as
    held = undefined
    return lines.join('')
  }
  let line = 0n
  for await (const text of linesFrom(signed, 1n)) {
    line += 1n
    if (signed.submissions[String(line)] !== undefined) yield await ended()
    if (stale.has(line)) held = { first: line, items: [] }
    else if (held === undefined) yield text
    else held.items.push((JSON.parse(text) as { item: string }).item)
  }
  yield await ended()
}
