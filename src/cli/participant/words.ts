import { InvalidArgumentError, Option } from 'commander'
import { OTHER_REASON, OutcomeCounts, REASONS } from '../../feedback/schema.ts'

/** Options of whoever says what became of a signal, signed at once or as the end of a case. */

const REASON_WORDS = [...new Set(Object.values(REASONS).flat()), OTHER_REASON]
const COUNT_NAMES = Object.keys(OutcomeCounts.properties)

/** Ids are their sources' choice. */
export const sourceOption = (): Option =>
  new Option('--source <slug>', 'whose it is, where several sources have a signal of the id')

export const reasonOption = (): Option => new Option('--reason <reason>', 'of the verdict').choices(REASON_WORDS)

/** Which reasons each verdict has. */
export const REASONS_HELP = `
Reasons, and other with a note:
${Object.entries(REASONS)
  .map(([verdict, reasons]) => `  ${verdict.padEnd(24)}${reasons.join(', ')}`)
  .join('\n')}`

export const countOption = (): Option =>
  new Option('--count <name=n...>', COUNT_NAMES.join(', ')).argParser((given: string, known: Counts | undefined) => {
    const [, name = '', n = ''] = /^([a-z_]+)=([0-9]{1,9})$/.exec(given) ?? []
    if (!COUNT_NAMES.includes(name)) throw new InvalidArgumentError(`expected name=number of ${COUNT_NAMES.join(', ')}`)
    return { ...known, [name]: Number(n) }
  })
export type Counts = Record<string, number>
