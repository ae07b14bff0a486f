import type { Command } from 'commander'
import { StartRefused } from '../../kernel/errors.ts'
import { columns, outputOf } from '../output.ts'
import type { By } from './acts.ts'
import { idOf } from './ids.ts'
import { withParticipants } from './open.ts'

/** Keys that wait until somebody has read them back. */
export function joiningCommands(program: Command): void {
  program
    .command('read-back [credential] [fingerprint]')
    .description(
      'let a presented key work, by the fingerprint that its owner told you; without a credential, list the keys that wait',
    )
    .option('--by <person>', 'your id')
    .action(async (credential: string | undefined, fingerprint: string | undefined, { by }: Partial<By>, command) => {
      if (credential === undefined) return listPresented(command)
      if (fingerprint === undefined || by === undefined)
        throw new StartRefused('read-back: name the fingerprint that you were told, and yourself by --by')
      await withParticipants((service) => service.readBack(idOf(by), { credential: idOf(credential), fingerprint }))
      outputOf(command).data({ credential, active: true }, `${credential} works`)
    })
}

async function listPresented(command: Command): Promise<void> {
  const waiting = await withParticipants((service) => service.presented())
  const rows = waiting.map(({ credential, label, presented_at, expires_at }) => [
    ...[credential, label, `presented ${presented_at.toISOString()}`, `until ${expires_at.toISOString()}`],
  ])
  outputOf(command).data({ presented: waiting }, rows.length === 0 ? 'no key waits' : columns(rows))
}
