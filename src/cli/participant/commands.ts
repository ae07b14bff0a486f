import type { CommandFile } from '../registry.ts'

/** What a participant runs, against its node, from its own folder. */
export const participantFiles: readonly CommandFile[] = [
  { names: ['enroll'], read: async () => (await import('./enroll.ts')).enrollCommand },
  { names: ['doctor'], read: async () => (await import('./doctor.ts')).doctorCommand },
  { names: ['audiences', 'audience'], read: async () => (await import('./audience.ts')).audienceCommands },
  { names: ['submit'], read: async () => (await import('./submit.ts')).submitCommand },
  { names: ['sync'], read: async () => (await import('./sync.ts')).syncCommand },
  { names: ['lookup'], read: async () => (await import('./lookup.ts')).lookupCommand },
  { names: ['match'], read: async () => (await import('./match.ts')).matchCommand },
  { names: ['network'], read: async () => (await import('./network.ts')).networkCommand },
  { names: ['pattern'], read: async () => (await import('./pattern.ts')).patternCommands },
  { names: ['revise', 'withdraw'], read: async () => (await import('./change.ts')).changeCommands },
  { names: ['hits'], read: async () => (await import('./hits.ts')).hitsCommand },
  { names: ['cases'], read: async () => (await import('./cases.ts')).caseCommands },
  {
    names: ['feedback', 'opinions', 'release', 'dispute'],
    read: async () => (await import('./feedback.ts')).feedbackCommands,
  },
  { names: ['receipts', 'verify'], read: async () => (await import('./receipts.ts')).receiptCommands },
  { names: ['history'], read: async () => (await import('./history.ts')).historyCommand },
  { names: ['readers'], read: async () => (await import('./readers.ts')).readersCommand },
  { names: ['policy'], read: async () => (await import('./policy.ts')).policyCommand },
  { names: ['evidence'], read: async () => (await import('./evidence.ts')).evidenceCommand },
  { names: ['rotate'], read: async () => (await import('./rotate.ts')).rotateCommand },
  { names: ['log'], read: async () => (await import('./log.ts')).logCommands },
  { names: ['audit'], read: async () => (await import('./audit.ts')).auditCommand },
]
