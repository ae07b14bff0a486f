import { Argument, type Command } from 'commander'
import { addCommands, type CommandGroup } from '../registry.ts'
import { type CommandTree, completionScript, SHELLS, type Shell } from './script.ts'

/** `groups`: every command that there is. */
export const completionCommand =
  (groups: () => readonly CommandGroup[]) =>
  (program: Command): void => {
    program
      .command('completion')
      .description('print the script by which a shell completes these commands: eval "$(aldis completion bash)"')
      .addArgument(new Argument('<shell>').choices(SHELLS))
      .action(async (shell: Shell) => {
        // Of the whole of it: only this command was read.
        const whole = program.createCommand(program.name())
        for (const option of program.options) whole.addOption(option)
        await addCommands(whole, groups(), [])
        process.stdout.write(completionScript(shell, treeOf(whole)))
      })
  }

const treeOf = (command: Command): CommandTree => ({
  name: command.name(),
  description: command.description(),
  options: command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : [])),
  commands: command.commands.map((one) => treeOf(one)),
})
