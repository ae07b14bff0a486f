import type { Command } from 'commander'
import { startBridge } from '../../bridge/bridge.ts'
import { loopbackPlace } from '../../bridge/guard.ts'
import { secretFile } from '../../bridge/secret.ts'
import { openHome } from '../../client/home.ts'
import { systemClock } from '../../kernel/clock.ts'
import { type Output, outputOf } from '../output.ts'
import { wholeOption } from '../whole-option.ts'
import { clientCommands } from './clients.ts'

const NOTES = `
Answers on loopback alone, to programs that show the secret in bridge/secret of the folder (Authorization: Bearer SECRET). While it
runs it alone keeps the mirror of the folder: aldis sync is refused. Interface, systemd unit and container: docs/bridge.md.
Exit codes: 0 ended by a signal; 5 another process keeps the folder; 78 settings or files are wrong, --listen is not loopback.`

interface BridgeCommand {
  listen: string
  interval: number
  maxAge: number
  acknowledge: boolean
}

export function bridgeCommand(program: Command): void {
  const bridge = program
    .command('bridge')
    .description("run beside a platform's own systems: keep the mirror, answer from it, forward what they write")
    .addHelpText('after', NOTES)
    .option('--listen <address>', 'loopback address and port; 0 for any free one', '127.0.0.1:8480')
    .option('--interval <seconds>', 'between synchronisations', wholeOption(1, 86_400), 60)
    .option('--max-age <seconds>', 'of a mirror from which is answered', wholeOption(60, 7 * 86_400), 86_400)
    .option('--no-acknowledge', 'do not tell sources that what they took back is removed here')
    .action((options: BridgeCommand, command: Command) =>
      run(String(command.optsWithGlobals()['home']), options, outputOf(command)),
    )
  clientCommands(bridge)
}

async function run(dir: string, options: BridgeCommand, output: Output): Promise<void> {
  const { listen, interval, maxAge, acknowledge } = options
  const place = loopbackPlace(listen)
  const bridge = await startBridge({
    ...{ home: openHome(dir), place, clock: systemClock },
    ...{ intervalMs: interval * 1_000, maxAgeMs: maxAge * 1_000, acknowledges: acknowledge },
    tell: (happening) => output.data(happening, textOf(happening)),
  })
  const secret = secretFile(dir)
  output.data({ what: 'listening', origin: bridge.origin, secret }, `answering at ${bridge.origin}; secret: ${secret}`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await bridge.close()
}

/** Of codes, counts and ids; nothing else is ever told. */
const textOf = ({ what, ...facts }: { what: string }): string =>
  [what, ...Object.entries(facts).map(([name, value]) => `${name} ${String(value)}`)].join('  ')
