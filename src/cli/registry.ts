import type { Command } from 'commander'

/** A file of commands: read when one of them runs, or when all of them are told. */
export interface CommandFile {
  names: readonly string[]
  read(): Promise<(program: Command) => void>
}

/** Files under the heading that help has over their commands. */
export interface CommandGroup {
  heading: string
  files: readonly CommandFile[]
}

/** Adds the commands that the arguments ask for; every one where they name none, for help and for what was misspelt. */
export async function addCommands(
  program: Command,
  groups: readonly CommandGroup[],
  args: readonly string[],
): Promise<void> {
  const asked = commandIn(program, args)
  const isAsked = ({ names }: CommandFile): boolean => asked !== undefined && names.includes(asked)
  const some = groups.some(({ files }) => files.some(isAsked))
  for (const { heading, files } of groups) {
    program.commandsGroup(heading)
    const wanted = some ? files.filter(isAsked) : files
    for (const add of await Promise.all(wanted.map((file) => file.read()))) add(program)
  }
}

function commandIn(program: Command, args: readonly string[]): string | undefined {
  const [first, second] = program.parseOptions([...args]).operands
  return first === 'help' ? second : first
}
