import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { nodeFiles } from '../../src/cli/node/commands.ts'
import { participantFiles } from '../../src/cli/participant/commands.ts'
import { addCommands, type CommandFile, type CommandGroup } from '../../src/cli/registry.ts'

/** Two groups of birds; tells which of their files were read. */
function birds() {
  const read: string[] = []
  const fileOf = (...names: string[]): CommandFile => ({
    names,
    read: async () => {
      read.push(names.join(' '))
      return (program) => {
        for (const name of names) program.command(`${name} [nest]`).option('--eggs <n>')
      }
    },
  })
  const groups: CommandGroup[] = [
    { heading: 'Small:', files: [fileOf('wren'), fileOf('robin', 'finch')] },
    { heading: 'Large:', files: [fileOf('heron')] },
  ]
  return { groups, read }
}

async function added(...args: string[]) {
  const { groups, read } = birds()
  const program = new Command('birds').option('--json').option('--home <dir>')
  await addCommands(program, groups, args)
  return { read, names: program.commands.map((command) => command.name()), help: program.helpInformation() }
}

describe('a command line', () => {
  test.for([
    [['finch'], ['robin finch']],
    [['--home', 'heron', 'wren', 'robin'], ['wren']],
    [['heron', '--eggs', '3', '--json'], ['heron']],
    [['finch', '--help'], ['robin finch']],
    [['help', 'heron'], ['heron']],
  ] as const)('%j reads no file but that of its command', async ([args, files]) => {
    expect((await added(...args)).read).toEqual(files)
  })
  test.for([[[]], [['--help']], [['help']], [['--json']], [['magpie']]] as const)(
    '%j, which names no command of ours, is told all of them under their headings',
    async ([args]) => {
      const { names, help } = await added(...args)
      expect(names).toEqual(['wren', 'robin', 'finch', 'heron'])
      expect(help.replaceAll(/\s+/g, ' ')).toMatch(/Small: wren .* robin .* finch .* Large: heron/)
    },
  )
})

test('each file of commands adds those under whose names it is found', async () => {
  const program = new Command('aldis')
  for (const { names, read } of [...participantFiles, ...nodeFiles]) {
    const before = program.commands.length
    const add = await read()
    add(program)
    const own = program.commands.slice(before).map((command) => command.name())
    // What an administrator does with the log is added to the command that participants have.
    expect(own).toEqual(own.length === 0 ? [] : names)
    for (const name of names) expect(program.commands.map((command) => command.name())).toContain(name)
  }
})
