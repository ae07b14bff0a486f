import type { Command } from 'commander'
import { outputOf } from '../output.ts'
import type { By } from './acts.ts'
import { idOf } from './ids.ts'
import { withParticipants } from './open.ts'

/** What stops harm need not wait for a second person, who reviews it afterwards. */
export function aloneCommands(program: Command): void {
  program
    .command('suspend <participant>')
    .description('cut a participant off, at once; to resume takes two')
    .requiredOption('--reason <code>', 'such as key_theft')
    .requiredOption('--by <person>', 'your id')
    .action(async (participant: string, { by, reason }: By & { reason: string }, command: Command) => {
      await withParticipants((service) => service.suspend(idOf(by), { participant, reason }))
      outputOf(command).data({ participant, suspended: true }, `suspended ${participant}`)
    })

  program
    .command('revoke <credential>')
    .description('end a TLS key, at once')
    .requiredOption('--reason <code>', 'such as key_theft')
    .requiredOption('--by <person>', 'your id')
    .action(async (credential: string, { by, reason }: By & { reason: string }, command: Command) => {
      await withParticipants((service) => service.revokeCredential(idOf(by), { credential: idOf(credential), reason }))
      outputOf(command).data({ credential, revoked: true }, `revoked ${credential}`)
    })
}

/** Taking back and bringing back. */
export function backCommands(program: Command): void {
  program
    .command('cancel <request>')
    .description('take back a request that was not carried out yet')
    .requiredOption('--by <person>', 'your id')
    .action(async (request: string, { by }: By, command: Command) => {
      await withParticipants((service) => service.cancel(idOf(request), idOf(by)))
      outputOf(command).data({ request, cancelled: true }, `taken back ${request}`)
    })

  program
    .command('undo <request>')
    .description('ask for the act that brings back what was before a request was carried out')
    .requiredOption('--by <person>', 'id of who asks')
    .action(async (request: string, { by }: By, command: Command) => {
      const { request_id, action, payload } = await withParticipants((service) => service.undo(idOf(request), idOf(by)))
      outputOf(command).data({ request: request_id, action, payload }, `request ${request_id}  ${action}  ${payload}`)
    })
}
