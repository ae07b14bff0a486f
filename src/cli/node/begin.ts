import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import { systemClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { outputOf } from '../output.ts'
import { personOf } from './person.ts'

/** The programme's beginning, and its database's. */
export function beginCommands(program: Command): void {
  program
    .command('init')
    .description('make keys, CA, log and programme with its first two administrators')
    .requiredOption('--programme <slug>', 'name of the programme')
    .requiredOption('--trust-domain <domain>', "in every participant's name, such as exchange.example")
    .requiredOption('--node-origin <url>', 'what submissions are addressed to, such as https://node.exchange.example')
    .requiredOption('--admin <name@organisation>', 'twice: two persons', collect)
    .option('--governance <name@organisation>', 'who approves admissions; the second administrator until there is one')
    .action(async (given: InitOptions, command: Command) => {
      const output = outputOf(command)
      const [first, second, ...more] = given.admin.map(personOf)
      if (first === undefined || second === undefined || more.length > 0) {
        throw new Refusal('validation-failed', { detail: 'name two administrators: --admin NAME@ORGANISATION, twice' })
      }
      const { init } = await import('./init.ts')
      const made = await init(loadConfig(process.env), {
        ...{ slug: given.programme, trust_domain: given.trustDomain, node_origin: given.nodeOrigin },
        admins: [first, second],
        ...(given.governance === undefined ? {} : { governance: personOf(given.governance) }),
      })
      const { created, slug, admins, governance } = made
      output.data(
        { programme: slug, created, admins, governance },
        [
          `programme ${slug} ${created ? 'made' : 'was there already'}`,
          ...admins.map((id, i) => `administrator ${given.admin[i]}  ${id}`),
          ...(governance === null ? [] : [`governance    ${given.governance}  ${governance}`]),
        ].join('\n'),
      )
    })

  program
    .command('migrate')
    .description('make the database, or bring it up to this version; safe to repeat')
    .action(async (_options: object, command: Command) => {
      const { migrateAt } = await import('../../db/open.ts')
      const applied = await migrateAt(loadConfig(process.env), systemClock)
      const text = applied.length === 0 ? 'the database is up to date' : `applied ${applied.join(', ')}`
      outputOf(command).data({ applied }, text)
    })
}

interface InitOptions {
  programme: string
  trustDomain: string
  nodeOrigin: string
  admin: string[]
  governance?: string
}

const collect = (value: string, known: readonly string[] = []): string[] => [...known, value]
