import type { Command } from 'commander'
import { newId } from '../../kernel/ids.ts'
import { CONFORMANCE_STEPS, type ConformanceSteps } from '../../sandbox/schema.ts'
import { EXIT, faultOf } from '../exit.ts'
import { createSteps } from './conformance-steps.ts'
import { type Session, withSession } from './session.ts'

export function conformanceCommand(program: Command): void {
  program
    .command('conformance')
    .description('go through the exchange step by step against a sandbox node, and have the node record how we did')
    .option('--no-report', 'record nothing')
    .action(({ report }: { report: boolean }, command: Command) =>
      withSession(command, (session) => run(session, report)),
    )
}

async function run(session: Session, report: boolean): Promise<void> {
  const { client, output } = session
  const steps = createSteps(session)
  const results: Partial<ConformanceSteps> = {}
  for (const step of CONFORMANCE_STEPS) {
    const { ok, says } = await steps[step]()
      .then((says) => ({ ok: true, says }))
      .catch((error: unknown) => ({ ok: false, says: faultOf(error).says }))
    results[step] = ok ? 'pass' : 'fail'
    output.data({ step, passed: ok, says }, `${ok ? '✓' : '✗'} ${step.padEnd(22)} ${says}`)
  }
  const passed = Object.values(results).every((one) => one === 'pass')
  if (report) {
    const told = await client.conformance.report(newId(new Date()), results as ConformanceSteps)
    output.data(told, `run ${told.run} ${passed ? 'passed' : 'failed'}, recorded by the node`)
  }
  if (!passed) process.exitCode = EXIT.failed
}
