import type { Command } from 'commander'
import { VerificationFailed } from '../../client/errors.ts'
import { exportLog } from '../../client/log-export.ts'
import { nodeLog } from '../../client/log-source.ts'
import { openNextLog } from '../../client/next-log.ts'
import { exportRecords, exportReports, exportSnapshot } from '../../client/record-files.ts'
import { outputOf } from '../output.ts'
import { logEntryCommands } from './log-entries.ts'
import { homeOf, type Session, textOf, withSession } from './session.ts'

export function logCommands(program: Command): void {
  const log = program.command('log').description('the provenance log: as files, and which one is followed')
  log
    .command('accept <vkey>')
    .description(
      'follow the log that the node opened after ours ended; the file holds the key that its operator announced',
    )
    .option('--loss', 'also if the node no longer has entries that we hold a checkpoint of')
    .action(async (file: string, { loss = false }: { loss?: boolean }, command: Command) => {
      const next = await openNextLog(homeOf(command), textOf(file))
      const { origin, reason, ended, lost } = next
      if (lost > 0n && !loss)
        throw new VerificationFailed(
          'next log',
          `ours ended at ${ended}, and ${lost} entries that we hold a checkpoint of are lost; --loss accepts that`,
        )
      await next.accept()
      outputOf(command).data(
        { origin, reason, ended: String(ended), lost: String(lost) },
        `from now on ${origin}; the one before it ended at ${ended} (${reason}), ${lost} entries lost`,
      )
    })
  logEntryCommands(log)
  log
    .command('export <dir>')
    .description('write the tree into a folder that any web server can serve; goes on where an earlier run ended')
    .option('--records', 'for an auditor: all records too, and the state that they must make; each request is logged')
    .action((dir: string, { records = false }: { records?: boolean }, command: Command) =>
      withSession(command, (session) => exportTo(session, dir, records)),
    )
}

async function exportTo({ client, home, output }: Session, dir: string, records: boolean): Promise<void> {
  if (records) await exportSnapshot(client, dir)
  const head = await home.advance(client)
  const { vkey } = home.pinned()
  const bar = output.progress('exporting', Number(head.size))
  const onProgress = (entries: bigint): void => bar.at(Number(entries))
  const done = await exportLog({ source: nodeLog(client), vkey, head, dir, onProgress }).finally(bar.end)
  for (const path of done.repaired) output.warn(`${path}: was damaged, and is fetched anew`)
  const { size, fetched, kept } = done
  if (records) await recordsTo({ client, output }, { dir, size })
  output.data(
    { dir, size: String(size), fetched, kept, repaired: done.repaired },
    `${dir}: ${size} entries under the signed root; ${fetched} files fetched, ${kept} were there`,
  )
}

async function recordsTo(
  { client, output }: Pick<Session, 'client' | 'output'>,
  { dir, size }: { dir: string; size: bigint },
): Promise<void> {
  const bar = output.progress('records', Number(size))
  const onProgress = (entries: bigint): void => bar.at(Number(entries))
  const { fetched, kept } = await exportRecords(client, { dir, size, onProgress }).finally(bar.end)
  const reports = await exportReports(client, dir)
  output.say(`${dir}: records of ${size} entries; ${fetched} files fetched, ${kept} were there; ${reports} reports`)
}
