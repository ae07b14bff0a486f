import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { readIfThere } from '../../client/files.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { outputOf } from '../output.ts'
import { homeOf } from './session.ts'

export function policyCommand(program: Command): void {
  const policy = program
    .command('policy')
    .description('the witnesses without whose cosignatures we take no head of the log')

  policy
    .command('pin <file>')
    .description('from now on refuse heads and receipts that these witnesses did not cosign (C2SP tlog-policy)')
    .action((file: string, _options: object, command: Command) => {
      if (readIfThere(file) === undefined) throw new StartRefused(`${file}: is missing`)
      homeOf(command).pinPolicy(readFileSync(file, 'utf8'))
      outputOf(command).say('pinned; what the quorum did not cosign is refused from now on')
    })

  policy
    .command('show')
    .description('the policy that is pinned in the folder')
    .action((_options: object, command: Command) => {
      const text = homeOf(command).pinnedPolicy()
      if (text === undefined) throw new StartRefused('no policy is pinned: aldis policy pin FILE')
      outputOf(command).data({ policy: text }, text.trimEnd())
    })
}
