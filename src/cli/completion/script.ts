/** A command as shells complete it. */
export interface CommandTree {
  name: string
  description: string
  /** Long names, `--json`. */
  options: readonly string[]
  commands: readonly CommandTree[]
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What a shell reads to complete commands and options; file names wherever neither is meant. */
export function completionScript(shell: Shell, tree: CommandTree): string {
  if (shell === 'fish') return fish(tree)
  const script = bash(tree)
  return shell === 'bash' ? script : `#compdef ${tree.name}\nautoload -U +X bashcompinit && bashcompinit\n${script}`
}

interface Place {
  path: string
  words: readonly string[]
}

/** Every command by the words that lead to it, with what may follow. */
function placesOf({ commands, options }: CommandTree, path = ''): Place[] {
  const words = [...commands.map(({ name }) => name), ...options]
  return [{ path, words }, ...commands.flatMap((one) => placesOf(one, `${path} ${one.name}`))]
}

function bash(tree: CommandTree): string {
  const places = placesOf(tree)
  const known = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  return `${[
    `_${tree.name}() {`,
    `  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word`,
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    '    case "$path $word" in',
    `      ${known.join(' | ')}) path="$path $word" ;;`,
    '    esac',
    '  done',
    '  case "$path" in',
    ...places.map(
      ({ path, words }) => `    ${quoted(path)}) COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$current")) ;;`,
    ),
    '  esac',
    '}',
    `complete -o default -F _${tree.name} ${tree.name}`,
  ].join('\n')}\n`
}

function fish(tree: CommandTree): string {
  const lines = tree.commands.flatMap(({ name, description, options, commands }) => [
    `complete -c ${tree.name} -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...commands.map(
      (one) =>
        `complete -c ${tree.name} -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -a ${one.name} -d ${quoted(one.description)}`,
    ),
    ...[...options, ...commands.flatMap((one) => one.options)].map(
      (option) => `complete -c ${tree.name} -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -l ${option.slice(2)}`,
    ),
  ])
  const own = tree.options.map((option) => `complete -c ${tree.name} -l ${option.slice(2)}`)
  return `${[...own, ...new Set(lines)].join('\n')}\n`
}

const quoted = (text: string): string => `'${text.replaceAll("'", '’')}'`
