import { type Ran, runCli } from './run.ts'

/** The demo's voice: what happens, by which command, and what it proves. */
export interface Stage {
  chapter(title: string): void
  /** Runs a command of the CLI for somebody and shows it; throws where it ends with another code than expected. */
  aldis(who: string, args: readonly string[], options: RunOptions): Promise<Ran>
  show(text: string): void
  /** A claim that the step has just checked. */
  proves(claim: string, holds: boolean): void
  /** Claims that did not hold. */
  readonly failed: readonly string[]
}

export interface RunOptions {
  env: Readonly<Record<string, string>>
  /** Exit code; 0 unless said. */
  code?: number
  /** How a JSON line is shown; lines without text are left out. */
  text?: (line: Record<string, unknown>) => string | undefined
  /** Not shown, unless it fails. */
  quiet?: boolean
  /** What is shown in the place of the arguments: a code that counts once, an id that says nothing. */
  shown?: readonly string[]
}

const [BOLD, DIM, GREEN, RED, PLAIN] = ['\u001b[1m', '\u001b[2m', '\u001b[32m', '\u001b[31m', '\u001b[0m']
const SHOWN = 12

export function createStage(): Stage {
  const failed: string[] = []
  const colour = process.stdout.isTTY
  const paint = (code: string, text: string): string => (colour ? `${code}${text}${PLAIN}` : text)
  const print = (text: string): void => void process.stdout.write(`${text}\n`)
  let chapters = 0

  return {
    failed,
    chapter(title) {
      chapters += 1
      print(`\n${paint(BOLD, `${chapters}. ${title}`)}`)
    },
    show: (text) => print(`   ${text}`),
    async aldis(who, args, { env, code = 0, text, quiet = false, shown = args }) {
      if (!quiet) print(paint(DIM, `   ${who}$ aldis ${shown.map(quoted).join(' ')}`))
      const ran = await runCli(args, env)
      if (ran.code !== code) {
        throw new Error(`aldis ${args[0]} ended with ${ran.code} instead of ${code}\n${ran.stderr}${ran.stdout}`)
      }
      const lines = text === undefined ? [] : ran.lines.flatMap((line) => text(line) ?? [])
      for (const line of lines.slice(0, SHOWN)) print(`     ${line}`)
      if (lines.length > SHOWN) print(`     … and ${lines.length - SHOWN} more`)
      return ran
    },
    proves(claim, holds) {
      if (!holds) failed.push(claim)
      print(`   ${holds ? paint(GREEN, '✓') : paint(RED, '✗ NOT TRUE:')} ${claim}`)
    },
  }
}

/** As one would type it. */
function quoted(arg: string): string {
  return /^[A-Za-z0-9@._:/=,+*-]+$/.test(arg) ? arg : `'${arg}'`
}
