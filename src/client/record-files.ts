import { createReadStream, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeFolderDurably, writeDurably, writeLinesDurably } from '../kernel/durable.ts'
import { parseCheckpoint } from '../provenance/checkpoint.ts'
import { parseNote } from '../provenance/note.ts'
import type { Client } from './client.ts'
import { VerificationFailed } from './errors.ts'
import { linesOf } from './lines.ts'

/** Entries of one file, and of one request. */
const ENTRIES = 4_096n
const SNAPSHOT = 'snapshot.ndjson'
const REPORTS = 'reports'
const DIGEST = /^[0-9a-f]{64}$/

/** Where the records from an entry on are; those of a run that is not full by themselves, since it may grow. */
const fileOf = (dir: string, from: bigint, full: boolean): string =>
  join(dir, 'records', `${String(from).padStart(12, '0')}${full ? '' : '.partial'}.ndjson`)

/** How long a published checkpoint is waited for, and how often it is asked for meanwhile. */
const COVERED_MS = 15_000
const ASK_MS = 250

/** What the log had when the last page was read: entries, and an event that was committed and had no index yet. */
interface Seen {
  size: bigint
  waiting: string | undefined
}

/**
 * Fetches the state that the log must fold to, and waits until a published checkpoint covers the entries of all that it
 * has: the tree is fetched afterwards. Where none does in time, the audit of that tree says so.
 */
export async function exportSnapshot(
  client: Pick<Client, 'snapshot' | 'receipt' | 'checkpoint'>,
  dir: string,
  waitMs = COVERED_MS,
): Promise<void> {
  let seen: Seen = { size: 0n, waiting: undefined }
  let ended = false
  const watched = async function* () {
    for await (const line of client.snapshot()) {
      if (line.startsWith('{"page":')) seen = laterOf(seen, line)
      ended = line.startsWith('{"end":')
      yield line
    }
    if (!ended) throw new VerificationFailed('snapshot', 'it was broken off: fetch it again')
  }
  await writeLinesDurably(join(dir, SNAPSHOT), watched())
  const deadline = Date.now() + waitMs
  if (seen.waiting !== undefined) await client.receipt(seen.waiting, {}, waitMs)
  // What has its index already is signed some time later.
  while ((await publishedSize(client)) < seen.size && Date.now() < deadline) await delay(ASK_MS)
}

/** Pages are read one after another. Ids rise with time: once the last is in the log, so are those before it. */
function laterOf(seen: Seen, line: string): Seen {
  const { page } = JSON.parse(line) as { page: { size: string; waiting: string[] } }
  return { size: BigInt(page.size), waiting: page.waiting.at(-1) ?? seen.waiting }
}

const publishedSize = async (client: Pick<Client, 'checkpoint'>): Promise<bigint> =>
  parseCheckpoint(parseNote(await client.checkpoint())?.text ?? '')?.size ?? 0n

/** Fetches the records of all entries below `size`; files of full runs that are there are not fetched again. */
export async function exportRecords(
  client: Pick<Client, 'records'>,
  { dir, size, onProgress }: { dir: string; size: bigint; onProgress?(entries: bigint): void },
): Promise<{ fetched: number; kept: number }> {
  const done = { fetched: 0, kept: 0 }
  for (let from = 0n; from < size; from += ENTRIES) {
    const to = from + ENTRIES < size ? from + ENTRIES : size
    const full = to - from === ENTRIES
    const path = fileOf(dir, from, full)
    if (full && existsSync(path)) {
      done.kept += 1
    } else {
      await writeLinesDurably(path, whole(client.records({ from, to }), to - from))
      if (full) rmSync(fileOf(dir, from, false), { force: true })
      done.fetched += 1
    }
    onProgress?.(to)
  }
  return done
}

/** All lines, if they are of as many entries as were asked for. */
async function* whole(lines: AsyncIterable<string>, entries: bigint): AsyncGenerator<string> {
  let n = 0n
  for await (const line of lines) {
    if (line.includes('"event":')) n += 1n
    yield line
  }
  if (n !== entries) throw new VerificationFailed('records', `the node gave ${n} of ${entries}: fetch them again`)
}

/** Fetches the published reports that are not in the folder; answers how many are there. */
export async function exportReports(client: Pick<Client, 'reports' | 'report'>, dir: string): Promise<number> {
  const { reports } = await client.reports()
  for (const { digest } of reports) {
    // It becomes the name of a file.
    if (!DIGEST.test(digest))
      throw new VerificationFailed('records', 'a report is named by something else than a digest')
    const file = join(dir, REPORTS, `${digest}.json`)
    if (existsSync(file)) continue
    makeFolderDurably(join(dir, REPORTS))
    writeDurably(file, `${JSON.stringify(await client.report(digest), undefined, 2)}\n`)
  }
  return reports.length
}

function reportsIn(dir: string): { name: string; text: string }[] {
  const folder = join(dir, REPORTS)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
}

/** What `exportRecords`, `exportSnapshot` and `exportReports` wrote. */
export function folderRecords(dir: string): {
  records(): AsyncGenerator<string>
  snapshot?: () => AsyncIterable<string>
  reports: { name: string; text: string }[]
} {
  const reports = reportsIn(dir)
  const records = async function* () {
    for (let from = 0n; ; from += ENTRIES) {
      const path = [fileOf(dir, from, true), fileOf(dir, from, false)].find((one) => existsSync(one))
      if (path === undefined) return
      yield* linesIn(path)
    }
  }
  const snapshot = join(dir, SNAPSHOT)
  return existsSync(snapshot) ? { records, reports, snapshot: () => linesIn(snapshot) } : { records, reports }
}

/** Whether records were exported into the folder. */
export const hasRecords = (dir: string): boolean => existsSync(join(dir, 'records'))

const linesIn = (path: string): AsyncIterable<string> => linesOf(createReadStream(path))
