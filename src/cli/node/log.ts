import type { Command } from 'commander'
import { EXIT } from '../exit.ts'
import { outputOf } from '../output.ts'
import { type By, propose } from './acts.ts'
import { coreOfNode, withBase, withParts } from './open.ts'

/** What to do with a log that is halted; `log` itself is a participant's command too. */
export function nodeLogCommands(program: Command): void {
  const log = program.commands.find((command) => command.name() === 'log')
  if (log === undefined) throw new Error('no log command to extend')
  log
    .command('rotate')
    .description('ask to close the log and open the next one, under a new key; another person approves it')
    .requiredOption('--reason <code>', 'such as database_rollback or key_compromise; every participant reads it')
    .requiredOption('--by <person>', 'id of who asks')
    .action(async ({ by, reason }: By & { reason: string }, command: Command) => {
      const { origin, next } = await withParts(({ nextLog }) => nextLog())
      const payload = { log: origin, next, reason }
      await propose(command, { action: 'log.rotate', by, payload })
    })

  log
    .command('resume')
    .description(
      'lift the halt of a log whose database was restored: it is recomputed, and held against anchor and witnesses',
    )
    .action((_options: object, command: Command) =>
      withParts(async (parts) => {
        const { resumeLog } = await coreOfNode()
        const reason = await resumeLog(parts)
        const { origin } = parts
        outputOf(command).data(
          { origin, reason },
          `${origin} is no longer halted for ${reason}: the node may sign again`,
        )
      }),
    )

  log
    .command('recount')
    .description(
      'count anew, from the first entry, who shared with whom and what reports are made of, and hold what is kept against it',
    )
    .action((_options: object, command: Command) =>
      withParts(async (parts) => {
        const { recountOf } = await import('../../exploring.ts')
        const { entries, differences } = await recountOf(parts)
        const output = outputOf(command)
        for (const one of differences) output.warn(one)
        output.data(
          { entries: String(entries), differences },
          `${entries} entries counted again: ${differences.length === 0 ? 'what is kept says the same' : `${differences.length} differences`}`,
        )
        if (differences.length > 0) process.exitCode = EXIT.unverified
      }),
    )

  log
    .command('adopt')
    .description('name the newest checkpoint in the database as the anchor, where the anchor was lost')
    .action((_options: object, command: Command) =>
      withBase(async (base) => {
        const { adoptAnchor } = await coreOfNode()
        const { origin, size } = await adoptAnchor(base)
        outputOf(command).data(
          { origin, size: String(size) },
          `the anchor of ${origin} stands at ${size}: right only if no newer checkpoint was ever signed; ask the witnesses`,
        )
      }),
    )
}
