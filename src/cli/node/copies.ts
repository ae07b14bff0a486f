import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { untilSignal } from '../ended.ts'
import { outputOf } from '../output.ts'
import type { BackupArguments, CopyTask } from './copying.ts'

/** Backup, restore, drill, and the move to another database: see docs/operating.md. */
export function copyCommands(program: Command): void {
  program
    .command('backup <folder>')
    .description('copy the database into a new folder, while the node runs; with settings and certificates')
    .option('--keys', "also the node's and the CA's keys: keep such a folder encrypted, and apart")
    .option(
      '--epoch-keys',
      'also the monthly keys of records: while this copy exists, nothing of a month is erased by destroying its key',
    )
    .action(async (folder: string, options: BackupArguments, command: Command) =>
      run(command, (copying, task) => copying.backUp(task, folder, options)),
    )

  program
    .command('restore <folder>')
    .description('fill the empty database that the settings name from a backup, after verifying all of it')
    .option('--keys', 'also put its keys and CA into DATA_DIR, where none are')
    .action(async (folder: string, { keys = false }: { keys?: boolean }, command: Command) =>
      run(command, (copying, task) => copying.putBack(task, resolve(folder), keys)),
    )

  program
    .command('drill <folder>')
    .description(
      'restore a backup into a database that is thrown away, and say what would be lost and how long it takes',
    )
    .option('--in <folder>', 'where there is room for the whole database', tmpdir())
    .action(async (folder: string, options: { in: string }, command: Command) =>
      run(command, (copying, task) => copying.rehearse(task, resolve(folder), options.in)),
    )

  program
    .command('db')
    .description('the database as a whole')
    .command('copy')
    .description("copy the settings' database, whose node is stopped, into another, empty one")
    .requiredOption('--to <url>', 'postgres://..., or a file that holds it, so that no process list shows the password')
    .action(async ({ to }: { to: string }, command: Command) => run(command, (copying, task) => copying.move(task, to)))
}

const run = (
  command: Command,
  work: (copying: typeof import('./copying.ts'), task: CopyTask) => Promise<void>,
): Promise<void> =>
  untilSignal(async (ended) => work(await import('./copying.ts'), { output: outputOf(command), ended }))
