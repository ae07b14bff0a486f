import type { CommandFile } from '../registry.ts'

/** What an administrator runs beside the node: on its settings, its database and its keys. */
export const nodeFiles: readonly CommandFile[] = [
  { names: ['init', 'migrate'], read: async () => (await import('./begin.ts')).beginCommands },
  { names: ['ca'], read: async () => (await import('./ca.ts')).caCommands },
  { names: ['backup', 'restore', 'drill', 'db'], read: async () => (await import('./copies.ts')).copyCommands },
  {
    names: ['participants', 'hash-profiles', 'refusals'],
    read: async () => (await import('./listings.ts')).listingCommands,
  },
  {
    names: [
      'people',
      'person',
      'grant',
      'propose',
      'admit',
      'invite',
      'hash-profile',
      'quota',
      'requests',
      'approve',
      'reject',
      'execute',
    ],
    read: async () => (await import('./acts.ts')).actCommands,
  },
  { names: ['suspend', 'revoke'], read: async () => (await import('./alone.ts')).aloneCommands },
  { names: ['cancel', 'undo'], read: async () => (await import('./alone.ts')).backCommands },
  { names: ['read-back'], read: async () => (await import('./joining.ts')).joiningCommands },
  { names: ['onboardings'], read: async () => (await import('./onboardings.ts')).onboardingCommands },
  {
    names: ['logins', 'login', 'end-login', 'end-person'],
    read: async () => (await import('./logins.ts')).loginCommands,
  },
  { names: ['log'], read: async () => (await import('./log.ts')).nodeLogCommands },
  {
    names: ['retention', 'government', 'subject-requests'],
    read: async () => (await import('./registers.ts')).registerCommands,
  },
  { names: ['anomalies'], read: async () => (await import('./anomalies.ts')).anomalyCommands },
  { names: ['erase', 'erasures'], read: async () => (await import('./erase.ts')).eraseCommands },
]
