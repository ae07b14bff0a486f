import type { Command } from 'commander'

/** How a command speaks: data on standard output, everything else on standard error. */
export interface Output {
  json: boolean
  /** One datum: a JSON line with `--json`, the text otherwise. */
  data(value: object, text: string): void
  /** For the person who watches; not with `--json`. */
  say(text: string): void
  warn(text: string): void
  /** A bar on standard error while it is a terminal. */
  progress(what: string, total: number | undefined): { at(done: number): void; end(): void }
}

const WIDTH = 28
const EVERY_MS = 100

function createOutput({ json }: { json: boolean }): Output {
  const err = process.stderr
  return {
    json,
    data: (value, text) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
    say: (text) => {
      if (!json) err.write(`${text}\n`)
    },
    warn: (text) => void err.write(`${text}\n`),
    progress(what, total) {
      let last = 0
      let shown = false
      const draw = (done: number): void => {
        const part = total === undefined || total === 0 ? 1 : Math.min(1, done / total)
        const full = Math.round(part * WIDTH)
        const bar = `${'█'.repeat(full)}${'·'.repeat(WIDTH - full)}`
        const of = total === undefined ? '' : ` of ${total.toLocaleString('en')}`
        err.write(`\r${what} ${bar} ${done.toLocaleString('en')}${of}\u001b[K`)
        shown = true
      }
      return {
        at(done) {
          const now = performance.now()
          if (!err.isTTY || json || now - last < EVERY_MS) return
          last = now
          draw(done)
        },
        end() {
          if (shown) err.write('\r\u001b[K')
        },
      }
    },
  }
}

/** Lines in columns, each as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)), [])
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const outputOf = (command: Command): Output => createOutput({ json: command.optsWithGlobals()['json'] === true })
