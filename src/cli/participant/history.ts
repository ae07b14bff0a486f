import type { Command } from 'commander'
import { endedPromises } from '../../client/ended-promises.ts'
import { VerificationFailed } from '../../client/errors.ts'
import { entriesToEnd, historyIn } from '../../client/former-histories.ts'
import type { HistoryEntry } from '../../client/history.ts'
import { endedAt, keyOfReceipt } from '../../client/next-log.ts'
import { checkPromises, type KeptPromises } from '../../client/promises.ts'
import { openVkey } from '../../client/verify.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { EXIT } from '../exit.ts'
import { allExtended, entriesIn, extended, formerSays } from './histories.ts'
import { takeReceipts } from './receipts.ts'
import { type Session, withSession } from './session.ts'

export function historyCommand(program: Command): void {
  program
    .command('history')
    .description('list what the log holds of us, link by link; each is verified and kept in the folder')
    .option('--since <seq>', 'only links of the present log after this one', '0')
    .option('--verify', 'check that nothing of ours is left out, invented or reordered, and say so')
    .action((options: { since: string; verify?: boolean }, command: Command) =>
      withSession(command, (session) => tellHistory(session, options)),
    )
}

async function tellHistory(session: Session, { since, verify = false }: { since: string; verify?: boolean }) {
  if (!/^(0|[1-9][0-9]{0,17})$/.test(since)) throw new StartRefused('--since is the number of a link')
  if (verify) return verdicts(session, await historyChecks(session))
  const { former, kept } = await allExtended(session)
  const after = BigInt(since)
  if (after === 0n)
    for (const one of former) for await (const entry of entriesToEnd(one)) tellEntry(session, entry, one.key.name)
  const { name } = openVkey(session.home.pinned().vkey)
  for await (const entry of kept.entries()) if (entry.seq > after) tellEntry(session, entry, name)
  const { seq, size } = kept.place
  session.output.say(`${seq} links, every one verified under a log of ${size} entries${formerSays(former)}`)
}

function tellEntry({ output, member }: Session, entry: HistoryEntry, log: string): void {
  const { seq, index, at, kind, event, fields } = entry
  const what = whatOf(entry, member.participant)
  const told = Object.fromEntries(
    fields.filter(({ name }) => name !== 'source').map(({ name, value }) => [name, value]),
  )
  const sources = sourcesOf(entry)
  output.data(
    { log, seq: String(seq), index: String(index), time: at, kind, event, what, fields: told, sources },
    `${String(seq).padStart(5)}  ${at}  ${kind.padEnd(22)}  entry ${index}  ${what}`.trimEnd(),
  )
}

/** What one source's part of an event says, in the names of the log. */
export interface SourceTold {
  party: string
  reader?: string
  reads?: number
  items?: number
  n?: number
}

const sourcesOf = ({ fields }: HistoryEntry): SourceTold[] =>
  fields.flatMap(({ name, value }) => (name === 'source' ? [value as SourceTold] : []))

function whatOf(entry: HistoryEntry, me: string): string {
  const field = (name: string): unknown => entry.fields.find((one) => one.name === name)?.value
  const [own] = sourcesOf(entry).filter(({ party }) => party === me)
  const parts: string[] = []
  if (entry.kind === 'read.batch' && field('reader') === me) parts.push(`we read, ${String(field('n'))} times`)
  if (own?.reader !== undefined) parts.push(`${own.reader} obtained ${own.items} of our signals in ${own.reads} reads`)
  if (entry.kind.startsWith('signal.') && field('n') !== undefined) parts.push(`${String(field('n'))} signals`)
  return parts.join('; ')
}

/** One line of a verification. */
export interface Verdict {
  check: string
  result: 'PASS' | 'FAIL'
  says: string
}

/** Runs a check; what does not verify is its FAIL, everything else is thrown on. */
export async function verdictOf(check: string, work: () => Promise<string>): Promise<Verdict> {
  try {
    return { check, result: 'PASS', says: await work() }
  } catch (error) {
    if (error instanceof VerificationFailed) return { check, result: 'FAIL', says: error.message }
    throw error
  }
}

export function verdicts({ output }: Session, all: readonly Verdict[]): void {
  for (const one of all) output.data(one, `${one.result}  ${one.check.padEnd(9)}  ${one.says}`)
  if (all.some(({ result }) => result === 'FAIL')) process.exitCode = EXIT.unverified
}

/** Is the log continued, our chain whole, and everything in it that we were promised or hold a receipt of? */
export async function historyChecks(session: Session): Promise<Verdict[]> {
  const { client, home } = session
  const checks = [
    await verdictOf('log', async () => {
      const { size } = await home.advance(client)
      return `${size} entries, signed by the pinned key, continuing what we knew`
    }),
    await verdictOf('chain', async () => {
      const all = await allExtended(session)
      let n = 0
      for await (const _ of entriesIn(all)) n += 1
      return `${n} links, gapless from the first, each at its index of the signed tree${formerSays(all.former)}`
    }),
  ]
  if (checks.some(({ result }) => result === 'FAIL')) return checks
  const promises = await verdictOf('promises', async () => {
    const { passed } = await takeReceipts(session, () => {})
    if (!passed) throw new VerificationFailed('receipt', 'a receipt that was fetched does not verify')
    const kept = await extended(session)
    const key = openVkey(home.pinned().vkey)
    const told = await checkPromises(home.dir, {
      key,
      keyOf: (receipt) => keyOfReceipt(home, receipt),
      endedAt: (log) => endedAt(home, log),
      chainIn: (log) => historyIn(home, log),
      endedOf: (overdue) => endedPromises(home, overdue),
      entries: kept.entries(),
      now: new Date(),
    })
    return promisesSay(told)
  })
  return [...checks, promises]
}

/** The counts of a check of promises; of what is rare only where there is some. */
function promisesSay({ submissions, reads, receipts, ...told }: KeptPromises): string {
  const { former, alone, others, waiting, ended, torn } = told
  const rare: [n: number, says: string][] = [
    [former, 'are in our chains in logs before'],
    [alone, 'are of logs before, behind the links that we have of them'],
    [others, 'are of entries of others alone'],
    [waiting.length, 'promises wait for their checkpoint'],
    [ended.length, 'promises cannot be held any more: their time is over, or they were lost'],
    [torn.length, 'notes cannot be read'],
  ]
  const says = rare.filter(([n]) => n > 0).map(([n, what]) => `; ${n} ${what}`)
  return `${submissions} submissions and ${reads} answers have their receipts; ${receipts} receipts are in the chain${says.join('')}`
}
