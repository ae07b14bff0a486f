import type { Command } from 'commander'
import { newId } from '../../kernel/ids.ts'
import type { AudienceInfo, NamedAudience } from '../../participants/schema.ts'
import { columns } from '../output.ts'
import { type Session, withSession } from './session.ts'

export function audienceCommands(program: Command): void {
  program
    .command('audiences')
    .description('with whom we share, and who is in each audience')
    .action((_options: object, command: Command) => withSession(command, list))

  program
    .command('audience <label>')
    .description('make an audience of ourselves and the named participants; it is never changed later')
    .requiredOption('--with <slug...>', 'the other members')
    .action((label: string, options: Named, command: Command) =>
      withSession(command, (session) => open(session, label, options)),
    )
}

interface Named {
  with: string[]
}

async function list({ client, output }: Session): Promise<void> {
  const { audiences } = await client.audiences()
  output.data({ audiences }, columns(audiences.map(rowOf)))
}

async function open({ client, output }: Session, label: string, given: Named): Promise<void> {
  const named: NamedAudience = { label, mode: 'full', members: given.with }
  const made = await client.openAudience(newId(new Date()), named)
  output.data(made, columns([rowOf(made)]))
}

const rowOf = ({ audience, kind, mode, label, members }: AudienceInfo): string[] => [
  ...[audience, kind, mode, label],
  members.join(' '),
]
