import type { Command } from 'commander'
import { compareToEnd, entriesToEnd } from '../../client/former-histories.ts'
import { policyOfReceipt } from '../../client/next-log.ts'
import { type ItemProof, type Obtained, proveReads, type ReaderTotal, readersOf } from '../../client/readers.ts'
import { openVkey } from '../../client/verify.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { columns } from '../output.ts'
import { allExtended, entriesIn, formerSays, linksIn } from './histories.ts'
import { historyChecks, verdictOf, verdicts } from './history.ts'
import { type Session, withSession } from './session.ts'

export function readersCommand(program: Command): void {
  program
    .command('readers')
    .description('list who obtained our signals, as our chain in the log has it')
    .option('--signal <id>', 'the reads that gave out this signal, each with a proof that aldis verify checks offline')
    .option('--verify', 'check that the list is whole, and say so')
    .action((options: { signal?: string; verify?: boolean }, command: Command) =>
      withSession(command, (session) => tellReaders(session, options)),
    )
}

async function tellReaders(session: Session, { signal, verify = false }: { signal?: string; verify?: boolean }) {
  if (signal !== undefined && !isUuid(signal)) throw new StartRefused('--signal is the id of a signal')
  if (verify) {
    const checks = await historyChecks(session)
    const readers = await verdictOf('readers', async () => {
      const all = await allExtended(session)
      const totals = await readersOf(entriesIn(all), session.member.participant)
      return `${totals.length} readers: every batch of reads in the chain says who obtained what of ours${formerSays(all.former)}`
    })
    // Of a chain that is not whole neither is the list.
    const whole = checks.every(({ result }) => result === 'PASS')
    verdicts(session, whole ? [...checks, readers] : checks)
    if (!whole || readers.result === 'FAIL') return
  }
  if (signal === undefined) await tellTotals(session)
  else await tellProofs(session, signal)
}

async function tellTotals(session: Session): Promise<void> {
  const all = await allExtended(session)
  const totals = await readersOf(entriesIn(all), session.member.participant)
  const { output } = session
  if (output.json) for (const one of totals) output.data(one, '')
  else if (totals.length > 0) output.data({}, columns(totals.map(rowOf)))
  output.say(`${totals.length} readers, from ${linksIn(all)} links of our chain${formerSays(all.former)}`)
}

const rowOf = ({ reader, batches, reads, items, first, last }: ReaderTotal): string[] => [
  reader,
  `${items} signals`,
  `${reads} reads`,
  `${batches} entries`,
  `${first} to ${last}`,
]

async function tellProofs(session: Session, signal: Uuid): Promise<void> {
  const { client, home, member, output } = session
  const all = await allExtended(session)
  const key = openVkey(home.pinned().vkey)
  const logs = [
    ...all.former.map((one) => ({
      ...{ key: one.key, entries: entriesToEnd(one) },
      compare: unlessSame((note) => compareToEnd(home, one, note)),
    })),
    { key, entries: all.kept.entries(), compare: unlessSame((note) => home.compare(client, note)) },
  ]
  let proofs: ItemProof[] = []
  let lost = 0
  const onLost = ({ entry, reader }: Obtained): void => {
    lost += 1
    output.warn(
      `link ${entry.seq}, reads by ${reader} at ${entry.at}: the node has no proof any more of what they gave out`,
    )
  }
  for (const log of logs)
    proofs = await proveReads(signal, {
      ...{ ...log, client, policy: policyOfReceipt(home, log.key), dir: home.dir, me: member.participant, onLost },
    })
  for (const proof of proofs) output.data(proof, lineOf(proof))
  output.say(
    `${proofs.length} reads gave it out, by what the node tells of ${linksIn(all)} links${lostSays(lost)}${formerSays(all.former)}`,
  )
}

/** Many proofs have one checkpoint. */
function unlessSame(compare: (note: string) => Promise<unknown>): (note: string) => Promise<void> {
  let agreed: string | undefined
  return async (note) => {
    if (note !== agreed) await compare(note)
    agreed = note
  }
}

const lostSays = (n: number): string => (n === 0 ? '' : `; of ${n} batches it has no proof any more`)

const lineOf = ({ reader, time, revision, file }: ItemProof): string =>
  `${reader}  ${time}  revision ${revision}  ${file}`
