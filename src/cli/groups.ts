import { nodeFiles } from './node/commands.ts'
import { participantFiles } from './participant/commands.ts'
import type { CommandGroup } from './registry.ts'

/** Every command that there is, by who runs it. */
export const GROUPS: readonly CommandGroup[] = [
  { heading: 'Participants:', files: participantFiles },
  {
    heading: "Beside a participant's systems:",
    files: [{ names: ['bridge'], read: async () => (await import('./bridge/command.ts')).bridgeCommand }],
  },
  { heading: 'The node, on its own machine:', files: nodeFiles },
  {
    heading: 'A witness of logs:',
    files: [{ names: ['witness'], read: async () => (await import('./witness/command.ts')).witnessCommand }],
  },
  {
    heading: 'A holder of a part of a key:',
    files: [{ names: ['oprf-holder'], read: async () => (await import('./holder/command.ts')).holderCommand }],
  },
  {
    heading: 'To try it:',
    files: [{ names: ['demo'], read: async () => (await import('./demo/command.ts')).demoCommand }],
  },
  {
    heading: 'In your shell:',
    files: [
      {
        names: ['completion'],
        read: async () => (await import('./completion/command.ts')).completionCommand(() => GROUPS),
      },
    ],
  },
]
