import type { Command } from 'commander'
import { audienceCommands } from './audience.ts'
import { auditCommand } from './audit.ts'
import { caseCommands } from './cases.ts'
import { changeCommands } from './change.ts'
import { doctorCommand } from './doctor.ts'
import { enrollCommand } from './enroll.ts'
import { evidenceCommand } from './evidence.ts'
import { feedbackCommands } from './feedback.ts'
import { historyCommand } from './history.ts'
import { hitsCommand } from './hits.ts'
import { logCommands } from './log.ts'
import { lookupCommand } from './lookup.ts'
import { matchCommand } from './match.ts'
import { networkCommand } from './network.ts'
import { patternCommands } from './pattern.ts'
import { policyCommand } from './policy.ts'
import { readersCommand } from './readers.ts'
import { receiptCommands } from './receipts.ts'
import { rotateCommand } from './rotate.ts'
import { submitCommand } from './submit.ts'
import { syncCommand } from './sync.ts'

/** What a participant runs, against its node, from its own folder. */
export function participantCommands(program: Command): void {
  enrollCommand(program)
  doctorCommand(program)
  audienceCommands(program)
  submitCommand(program)
  syncCommand(program)
  lookupCommand(program)
  matchCommand(program)
  networkCommand(program)
  patternCommands(program)
  changeCommands(program)
  hitsCommand(program)
  caseCommands(program)
  feedbackCommands(program)
  receiptCommands(program)
  historyCommand(program)
  readersCommand(program)
  policyCommand(program)
  evidenceCommand(program)
  rotateCommand(program)
  logCommands(program)
  auditCommand(program)
}
