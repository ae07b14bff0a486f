import type { Command } from 'commander'
import type { SightQuery, SightResult } from '../../governance/schema.ts'
import { columns } from '../output.ts'
import { withSession } from './session.ts'

/** The rules that decide who is given a signal, asked on behalf of everybody. */
export function whoMayCommand(program: Command): void {
  program
    .command('who-may <source> [signal]')
    .description(
      'who may see a signal, and by which rule the others may not; without a signal, of one that the source would share; for auditors, and logged',
    )
    .option('--audience <id>', 'where it would be shared')
    .option('--tlp <level>', 'at which level')
    .option('--type <type>', 'of which type')
    .action((source: string, signal: string | undefined, supposed: Omit<SightQuery, 'source'>, command: Command) =>
      withSession(command, async ({ client, output }) => {
        const asked = { source, ...supposed, ...(signal !== undefined && { signal }) } as SightQuery
        const sight = await client.sight(asked)
        output.data(sight, textOf(sight))
      }),
    )
}

function textOf({ state, shared_with, tlp, refused, participants }: SightResult): string {
  const rows = participants.map(({ participant, sees, rule, asks }) => [
    ...[participant, sees ? 'yes' : 'no'],
    rule === null ? 'every rule holds' : `rule ${rule}: ${asks ?? ''}`,
  ])
  const says = `${state === 'none' ? 'supposed' : state}, ${tlp}, with ${shared_with}`
  return `${says}${refused === null ? '' : `; the node would refuse it: ${refused}`}
${columns(rows)}`
}
