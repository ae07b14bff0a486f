/**
 * A link as it is shown to people: what makes it one is broken, so that nothing offers to follow it. Reading it back is a
 * person's own act.
 */
export function defanged(link: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/isu.exec(link) ?? []
  const end = rest.search(/[/?#]/)
  const [host, target] = end < 0 ? [rest, ''] : [rest.slice(0, end), rest.slice(end)]
  return `${scheme.replace(/^http/i, 'hxxp').replace(/^ftp/i, 'fxp').replace('://', '[:]//')}${host.replaceAll('.', '[.]')}${target}`
}
