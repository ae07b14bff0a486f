import type { Command } from 'commander'
import type { ListedErasure } from '../../erasure/service.ts'
import { columns, outputOf } from '../output.ts'
import { type By, propose } from './acts.ts'
import { idOf } from './ids.ts'
import { withParts } from './open.ts'
import { withRegisters } from './registers.ts'

/** To take signals away for good, and who was asked to do the same. */
export function eraseCommands(program: Command): void {
  program
    .command('erase <participant> <signal...>')
    .description('ask to erase signals of a source for good, all their revisions; another person approves it')
    .requiredOption('--basis <code>', 'why, such as subject_request or court_order; auditors read it')
    .requiredOption('--by <person>', 'id of who asks')
    .action((participant: string, signals: string[], { by, basis }: By & { basis: string }, command: Command) =>
      propose(command, { action: 'signals.erase', by, payload: { participant, signals, basis } }),
    )

  const erasures = program
    .command('erasures')
    .description('what was erased, who had obtained it by the log, and who has acknowledged that it is gone')
    .action(async (_options: object, command: Command) => {
      const erasures = await withParts(({ erasures }) => erasures.list())
      const listed = erasures.map(({ at, ...one }) => ({ at: at.toISOString(), ...one }))
      const text = erasures.length === 0 ? 'nothing was erased' : erasures.map(linesOf).join('\n')
      outputOf(command).data({ erasures: listed }, text)
    })
  erasures
    .command('certificate <erasure>')
    .description(
      'what the log says of an erasure, with its receipt, and who has acknowledged it; aldis verify checks it',
    )
    .action(async (erasure: string, _options: object, command: Command) => {
      const certificate = await withRegisters((registers) => registers.certificate(idOf(erasure)))
      outputOf(command).data(certificate, JSON.stringify(certificate, undefined, 2))
    })
}

function linesOf(one: ListedErasure): string {
  const { event, source, at, basis, signals, notified } = one
  const asked = [
    ['acknowledged', one.acknowledged],
    ['cannot remove', one.cannot_remove],
    ['missing', one.missing],
    ['to be asked by other means', one.unreachable],
  ] as const
  const rows = asked.flatMap(([name, who]) => (who.length === 0 ? [] : [[`  ${name}`, who.join(' ')]]))
  return [
    `${at.toISOString()}  ${source}  ${signals} signals  ${basis}  ${event}  ${notified} notified`,
    ...(rows.length === 0 ? [] : [columns(rows)]),
  ].join('\n')
}
