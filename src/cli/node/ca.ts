import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import { systemClock } from '../../kernel/clock.ts'
import { outputOf } from '../output.ts'

/** The programme's CA, in `DATA_DIR`. */
export function caCommands(program: Command): void {
  program
    .command('ca')
    .description("the programme's CA, in DATA_DIR")
    .command('renew')
    .description('a new key and certificate of one year for its issuer, by root.key; then restart the node')
    .action(async (_options: object, command: Command) => {
      const { renewIssuer } = await import('../../ca/files.ts')
      const ca = await renewIssuer(join(loadConfig(process.env).dataDir, 'ca'), { clock: systemClock })
      const ends = new X509Certificate(ca.issuerCertificate()).validToDate.toISOString()
      outputOf(command).data({ issuer_ends: ends }, `the issuer ends ${ends}; now restart the node`)
    })
}
