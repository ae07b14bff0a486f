#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { EXIT, faultOf } from './exit.ts'
import { GROUPS } from './groups.ts'
import { addCommands } from './registry.ts'

/** Older ones load this file and fail later, in words that nobody understands. */
const NODE_AT_LEAST = 24
if (Number(process.versions.node.split('.')[0]) < NODE_AT_LEAST) {
  process.stderr.write(
    `aldis: needs Node ${NODE_AT_LEAST}; this is ${process.version}. npm run aldis -- COMMAND brings its own\n`,
  )
  process.exit(EXIT.config)
}

/** Whoever read our output has enough of it, as `head` has: we end as programs do that SIGPIPE ends. */
const PIPE_CLOSED = 128 + 13
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(PIPE_CLOSED)
  })

const program = new Command('aldis')
  .description('Exchange hashed signals between platforms, and prove it.')
  .version(process.env['npm_package_version'] ?? '0.1.0')
  .option('--json', 'one JSON object a line on standard output')
  .option('--home <dir>', "a participant's folder", process.env['ALDIS_HOME'] ?? `${process.env['HOME'] ?? '.'}/.aldis`)
  .showHelpAfterError('(aldis help COMMAND tells more)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not allowed; 4 not found; 5 conflict; 6 too many requests;
            7 something does not verify; 8 some items were refused; 9 something could not be found out;
            78 settings or files are wrong; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM;
            141 nobody reads the output any more.
Every participant's command works in a folder (--home, or ALDIS_HOME); its keys never leave it.`,
  )
  .exitOverride()

try {
  await addCommands(program, GROUPS, process.argv.slice(2))
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    const { code, says } = faultOf(error)
    process.stderr.write(`aldis: ${says}\n`)
    process.exitCode = code
  }
}
