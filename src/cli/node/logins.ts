import type { Command } from 'commander'
import { columns, outputOf } from '../output.ts'
import { idOf } from './ids.ts'
import { withParticipants } from './open.ts'

interface By {
  by: string
}

/** Which account of an identity provider is which person, and the end of somebody's access. */
export function loginCommands(program: Command): void {
  program
    .command('logins')
    .description('which account of which identity provider is which person')
    .action(async (_options: object, command: Command) => {
      const { logins, people } = await withParticipants(async (service) => ({
        logins: await service.listLogins(),
        people: await service.listPeople(),
      }))
      const rows = logins.map(({ login_id, person_id, issuer, subject }) => {
        const person = people.find((one) => one.person_id === person_id)
        return [login_id, person === undefined ? person_id : `${person.name}@${person.organisation}`, issuer, subject]
      })
      outputOf(command).data({ logins }, rows.length === 0 ? 'nobody can sign in to the console' : columns(rows))
    })

  program
    .command('login <person> <issuer> <subject>')
    .description('let an account be a person in the console; issuer and subject as the ID token names them')
    .requiredOption('--by <person>', 'id of the administrator')
    .action(async (person: string, issuer: string, subject: string, { by }: By, command: Command) => {
      const { login_id } = await withParticipants((service) =>
        service.giveLogin(idOf(by), { person: idOf(person), issuer, subject }),
      )
      outputOf(command).data({ login: login_id }, login_id)
    })

  program
    .command('end-login <login>')
    .description('end a login, at once; its sessions end with their next request')
    .requiredOption('--by <person>', 'id of the administrator')
    .action(async (login: string, { by }: By, command: Command) => {
      await withParticipants((service) => service.endLogin(idOf(by), idOf(login)))
      outputOf(command).data({ login, ended: true }, `ended ${login}`)
    })

  program
    .command('end-person <person>')
    .description('end the access of somebody who leaves: roles, logins and sessions, at once and for good')
    .requiredOption('--by <person>', 'id of the administrator')
    .action(async (person: string, { by }: By, command: Command) => {
      await withParticipants((service) => service.endPerson(idOf(by), idOf(person)))
      outputOf(command).data({ person, ended: true }, `ended the access of ${person}`)
    })
}
