import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { type CommandTree, completionScript } from '../../../src/cli/completion/script.ts'

const leaf = (name: string, ...options: string[]): CommandTree => ({
  name,
  description: `does ${name}`,
  options,
  commands: [],
})
const tree: CommandTree = {
  ...{ name: 'aldis', description: '', options: ['--json', '--home'] },
  commands: [
    leaf('sync', '--wait', '--acknowledge'),
    { ...leaf('webhooks'), commands: [leaf('add', '--feed'), leaf('end')] },
  ],
}

/** What bash would offer for the last of the words. */
function offered(...words: string[]): string[] {
  const typed = ['aldis', ...words]
  const script = [
    completionScript('bash', tree),
    `COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${typed.length - 1}`,
    `_aldis; printf "%s\\n" "\${COMPREPLY[@]}"`,
  ].join('\n')
  const text = execFileSync('bash', ['-c', script], { encoding: 'utf8' })
  return text.split('\n').filter((word) => word !== '')
}

test('bash is offered commands, then those below them, then their options', () => {
  expect(offered('')).toEqual(['sync', 'webhooks', '--json', '--home'])
  expect(offered('we')).toEqual(['webhooks'])
  expect(offered('sync', '--')).toEqual(['--wait', '--acknowledge'])
  expect(offered('--json', 'webhooks', '')).toEqual(['add', 'end'])
  expect(offered('webhooks', 'add', 'https://x', '--f')).toEqual(['--feed'])
  expect(offered('webhooks', 'add', '--feed', 'sync', '')).toEqual(['--feed'])
})

test('zsh takes the script of bash, and fish has one of its own', () => {
  expect(completionScript('zsh', tree)).toContain('bashcompinit')
  const lines = completionScript('fish', tree).split('\n')
  expect(lines).toContain("complete -c aldis -n __fish_use_subcommand -a sync -d 'does sync'")
  expect(lines).toContain("complete -c aldis -n '__fish_seen_subcommand_from webhooks' -a add -d 'does add'")
  expect(lines).toContain("complete -c aldis -n '__fish_seen_subcommand_from sync' -l wait")
})
