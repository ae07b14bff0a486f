import { type Command, Option } from 'commander'
import { newId } from '../../kernel/ids.ts'
import { AUDIENCE_MODE, type AudienceInfo, type AudienceMode, type NamedAudience } from '../../participants/schema.ts'
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
    .addOption(
      new Option('--mode <mode>', 'full: members see what is shared; sealed: only what they can ask for by its key')
        .choices(Object.keys(AUDIENCE_MODE))
        .default('full'),
    )
    .action((label: string, options: Named, command: Command) =>
      withSession(command, (session) => open(session, label, options)),
    )
}

interface Named {
  with: string[]
  mode: AudienceMode
}

async function list({ client, output }: Session): Promise<void> {
  const { audiences } = await client.audiences()
  output.data({ audiences }, columns(audiences.map(rowOf)))
}

async function open({ client, output }: Session, label: string, given: Named): Promise<void> {
  const named: NamedAudience = { label, mode: given.mode, members: given.with }
  const made = await client.openAudience(newId(new Date()), named)
  output.data(made, columns([rowOf(made)]))
}

const rowOf = ({ audience, kind, mode, label, members }: AudienceInfo): string[] => [
  ...[audience, kind, mode, label],
  members.join(' '),
]
