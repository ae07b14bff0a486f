import { type Command, Option } from 'commander'
import { addForeignClient, endForeignClient, foreignClients } from '../../bridge/foreign/clients.ts'
import { openHome } from '../../client/home.ts'
import { numberOf } from '../../interop/threatexchange/numbers.ts'
import { systemClock } from '../../kernel/clock.ts'
import { outputOf } from '../output.ts'

const NOTES = `
The secret is shown once. How each client is pointed here: docs/interop.md. StopNCII's client removes no hash that was taken back, whatever it
is told: its reads as disputed until it fetches anew. Where that matters, use the exchange of ThreatExchange.`

interface AddOptions {
  category?: string
  context?: string
  status?: 'source'
  write?: true
}

/** Programs on this machine that ask the bridge in another protocol; it notices while it runs. */
export function clientCommands(bridge: Command): void {
  const clients = bridge
    .command('client')
    .description('let a program ask in the manner of ThreatExchange, StopNCII or TAXII')
  clients
    .command('add <name>')
    .description('make a secret for a program')
    .addHelpText('after', NOTES)
    .option('--category <slug>', 'of what it submits, where it names none')
    .option('--context <region/basis/surface>', 'of what it submits, such as IE/terms_of_service/public')
    .addOption(
      new Option('--status <who>', 'tell what its source reviewed as malicious, not as suspicious').choices(['source']),
    )
    .option('--write', 'may write by TAXII')
    .action((name: string, options: AddOptions, command: Command) => {
      const home = homeOf(command)
      const secret = addForeignClient(home.dir, name, options, systemClock())
      const token = `${numberOf('participant', home.membership().participant)}|${secret}`
      outputOf(command).data(
        { what: 'added', name, secret, access_token: token },
        [
          ...[`secret:        ${secret}`, `access token:  ${token}`],
          `StopNCII keys: any,${secret},http://127.0.0.1:8480/stopncii/v1`,
        ].join('\n'),
      )
    })
  clients
    .command('list')
    .description('name the programs')
    .action((_options: object, command: Command) => {
      for (const { digest: _, ...client } of foreignClients(homeOf(command).dir))
        outputOf(command).data(client, `${client.name}  since ${client.added_at}`)
    })
  clients
    .command('end <name>')
    .description('take a secret back, at once')
    .action((name: string, _options: object, command: Command) => {
      endForeignClient(homeOf(command).dir, name)
      outputOf(command).data({ what: 'ended', name }, `ended ${name}`)
    })
}

const homeOf = (command: Command) => openHome(String(command.optsWithGlobals()['home']))
