import type { Command } from 'commander'
import { verifyEd25519 } from '../../client/ed25519.ts'
import { VerificationFailed } from '../../client/errors.ts'
import { openVkey } from '../../client/verify.ts'
import { sha256 } from '../../kernel/sha256.ts'
import { type Finding, judgeEvidence, parseEvidence } from '../../provenance/evidence.ts'
import { EXIT } from '../exit.ts'
import { outputOf } from '../output.ts'
import { homeOf, textOf, withSession } from './session.ts'

const SAYS = { proven: 'PASS', none: 'FAIL', claimed: 'UNKNOWN' } as const satisfies Record<Finding['outcome'], string>
const ENDS = { proven: EXIT.ok, none: EXIT.unverified, claimed: EXIT.unknown } as const

export function evidenceCommand(program: Command): void {
  const evidence = program
    .command('evidence [file]')
    .description('check offline that a file shows two contradicting heads under the pinned key of the log')
    .option('--vkey <file>', "the log's key (C2SP signed-note); the one in the folder unless given")
    .action((file: string | undefined, { vkey }: { vkey?: string }, command: Command) => {
      if (file === undefined) return command.help({ error: true })
      const key = openVkey(vkey === undefined ? homeOf(command).pinned().vkey : textOf(vkey))
      const read = parseEvidence(textOf(file))
      if (read === undefined) throw new VerificationFailed('evidence', 'the file is not evidence')
      const { outcome, why } = judgeEvidence(read, { hash: sha256, key, verify: verifyEd25519 })
      outputOf(command).data({ file, result: SAYS[outcome], why }, `${SAYS[outcome]}  ${file}: ${why}`)
      process.exitCode = ENDS[outcome]
    })

  evidence
    .command('compare <note>')
    .description('hold the head that another member was shown (its log.checkpoint) against ours')
    .action((file: string, _options: object, command: Command) =>
      withSession(command, async ({ home, client, output }) => {
        await home.advance(client)
        const { size } = await home.compare(client, textOf(file))
        output.data(
          { consistent: true, size: String(size) },
          `both heads are of one log, whose newest of the two has ${size} entries`,
        )
      }),
    )
}
