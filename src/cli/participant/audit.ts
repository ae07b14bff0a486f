import { type Command, Option } from 'commander'
import { auditLog } from '../../audit/audit.ts'
import type { EarlierSource } from '../../audit/earlier.ts'
import type { Result } from '../../audit/finding.ts'
import type { SignedHead } from '../../audit/head.ts'
import type { KeptNote } from '../../audit/history.ts'
import { linesOf, parseState, reportOf, stateText } from '../../audit/report.ts'
import { keepEvidence } from '../../client/evidence-file.ts'
import { readIfThere } from '../../client/files.ts'
import { folderLog, nodeLog, webLog } from '../../client/log-source.ts'
import { folderRecords, hasRecords } from '../../client/record-files.ts'
import { openVkey } from '../../client/verify.ts'
import { keepYoungSmall } from '../../kernel/collect.ts'
import { writeDurably } from '../../kernel/durable.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { verifyEd25519 } from '../../provenance/ed25519.ts'
import { evidenceOf } from '../../provenance/evidence.ts'
import type { LogSource } from '../../provenance/log-source.ts'
import { formatVkey, type VerifierKey } from '../../provenance/note.ts'
import { type Policy, PolicyMalformed, parsePolicy } from '../../provenance/policy.ts'
import type { VerifiedLog } from '../../provenance/verified-log.ts'
import { EXIT } from '../exit.ts'
import { outputOf } from '../output.ts'
import { auditOwn, type OwnAudit } from './audit-own.ts'
import { takeReceipts } from './receipts.ts'
import { homeOf, type Session, textOf, withSession } from './session.ts'

interface AuditArguments {
  log: string
  vkey?: string
  policy?: string
  kept: string[]
  records?: string
  previous: string[]
  as?: string
  report?: string
}

const EXIT_OF: Readonly<Record<Result, number>> = { PASS: EXIT.ok, FAIL: EXIT.unverified, UNKNOWN: EXIT.unknown }

export function auditCommand(program: Command): void {
  program
    .command('audit')
    .description('check the whole log against its pinned key: from its files, without trusting who serves them')
    .requiredOption(
      '--log <where>',
      'a folder that log export wrote, the URL of such a one, or node: ours, by our certificate',
    )
    .option('--vkey <file>', "the log's key (C2SP signed-note); the one in our folder unless given")
    .option('--policy <file>', 'whose cosignatures are needed (C2SP tlog-policy)')
    .addOption(
      new Option('--kept <file...>', 'checkpoints that were kept or received elsewhere').default([], 'our last one'),
    )
    .option(
      '--records <dir>',
      'the folder of log export --records, for the checks from 5 on; the one of --log if it has them',
    )
    .addOption(
      new Option(
        '--previous <dir...>',
        'exports with records of the logs that this one continues, the newest first: what its checks from 10 on begin with',
      ).default([], 'none'),
    )
    .option('--as <participant>', 'us: our own records too (5, 6, 8 and 14), by what our folder holds of them')
    .option('--report <file>', 'write what machines read; beside it what a later run need not read again')
    .addHelpText('after', HELP)
    .action((options: AuditArguments, command: Command) =>
      options.log === 'node'
        ? withSession(command, (session) => auditAtNode(command, options, session))
        : audit(command, options, isUrl(options.log) ? webLog(options.log) : folderLog(options.log)),
    )
}

const HELP = `
Each check passes, fails, or stays unknown with a sentence that says what is lacking. Exit codes: 0 all passed; 7 one failed; 9 none
failed, one is unknown. Two checkpoints that contradict each other are written beside the report, as they were signed.`

const isUrl = (text: string): boolean => /^https?:\/\//.test(text)

async function auditAtNode(command: Command, options: AuditArguments, session: Session): Promise<void> {
  const { passed } = options.as === undefined ? { passed: true } : await takeReceipts(session, () => {})
  await audit(command, options, nodeLog(session.client), { client: session.client, refused: !passed })
}

/** What our folder is asked for; `StartRefused` where it is another's, or where an auditor's records are given as well. */
function ownIn(command: Command, { as: me, records }: AuditArguments, key: VerifierKey, node: AskedNode) {
  if (me === undefined) return undefined
  if (records !== undefined) throw new StartRefused('--as and --records: give one of the two')
  const home = homeOf(command)
  if (home.membership().participant !== me) throw new StartRefused(`--as: the folder ${home.dir} is not of ${me}`)
  const own = { home, me, key, now: new Date(), ...node }
  return (head: SignedHead, { tile }: VerifiedLog) => auditOwn(own, head, tile)
}

/** What a folder's own node was asked for, where it is asked. */
type AskedNode = Pick<OwnAudit, 'client' | 'refused'>

async function audit(
  command: Command,
  options: AuditArguments,
  source: LogSource,
  node: AskedNode = {},
): Promise<void> {
  keepYoungSmall()
  const output = outputOf(command)
  const { key, kept } = pinnedBy(command, options)
  const own = ownIn(command, options, key, node)
  const vkey = formatVkey(sha256, key.name, key.publicKey)
  const { report } = options
  const state = report === undefined ? undefined : `${report}.state`
  let bar: ReturnType<typeof output.progress> | undefined
  const done = await auditLog({
    ...{ hash: sha256, source, pinned: { key, verify: verifyEd25519 }, now: new Date() },
    policy: policyIn(options.policy),
    records: own === undefined ? recordsIn(options) : undefined,
    previous: options.previous.map(earlierIn),
    own,
    kept: [...kept, ...options.kept.map((name) => ({ name, note: textOf(name) }))],
    known: state === undefined ? undefined : parseState(readIfThere(state) ?? '', vkey),
    keep: (prefix) => {
      if (state !== undefined) writeDurably(state, stateText(vkey, prefix))
    },
    onProgress: (entries, size) => {
      bar ??= output.progress('auditing', Number(size))
      bar.at(Number(entries))
    },
  }).finally(() => bar?.end())
  const machine = reportOf(done, new Date())
  if (report !== undefined) {
    writeDurably(report, `${JSON.stringify(machine, undefined, 2)}\n`)
    for (const { notes, path } of done.contradictions)
      output.warn(`evidence: ${keepEvidence(`${report}.evidence`, evidenceOf(vkey, ...notes, path))}`)
  }
  output.data(machine, linesOf(done).join('\n'))
  process.exitCode = EXIT_OF[done.result]
}

/** The key, and the checkpoint that we kept ourselves if the key is the one in our folder. */
export function pinnedBy(
  command: Command,
  { vkey }: Pick<AuditArguments, 'vkey'>,
): { key: VerifierKey; kept: KeptNote[] } {
  if (vkey !== undefined) return { key: openVkey(textOf(vkey)), kept: [] }
  const pinned = homeOf(command).pinned()
  const kept = pinned.head === undefined ? [] : [{ name: 'our last checkpoint', note: pinned.head.note }]
  return { key: openVkey(pinned.vkey), kept }
}

/** Records that are named, or that stand beside the tree. */
function recordsIn({ records, log }: AuditArguments): ReturnType<typeof folderRecords> | undefined {
  if (records !== undefined && !hasRecords(records)) throw new StartRefused(`${records}: there are no records`)
  const dir = records ?? (hasRecords(log) ? log : undefined)
  return dir === undefined ? undefined : folderRecords(dir)
}

function earlierIn(dir: string): EarlierSource {
  if (!hasRecords(dir)) throw new StartRefused(`${dir}: there are no records`)
  return { source: folderLog(dir), records: folderRecords(dir).records }
}

function policyIn(file: string | undefined): Policy | undefined {
  if (file === undefined) return undefined
  try {
    return parsePolicy(sha256, textOf(file))
  } catch (error) {
    if (error instanceof PolicyMalformed) throw new StartRefused(`${file}: ${error.message}`)
    throw error
  }
}
