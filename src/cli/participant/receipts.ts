import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { readIfThere } from '../../client/files.ts'
import { checkReceipt, isOf, openVkey, readName } from '../../client/verify.ts'
import { StartRefused } from '../../kernel/errors.ts'
import type { Verified } from '../../provenance/receipt.ts'
import { EXIT } from '../exit.ts'
import { type Output, outputOf } from '../output.ts'
import { homeOf, type Session, withSession } from './session.ts'

export function receiptCommands(program: Command): void {
  program
    .command('receipts')
    .description('fetch the receipts of what we submitted and obtained, verify and keep them')
    .action((_options: object, command: Command) => withSession(command, fetchReceipts))

  program
    .command('verify <receipt...>')
    .description("check receipts against the log's pinned key: offline, without the node")
    .option('--vkey <file>', "the log's key (C2SP signed-note); the one in the folder unless given")
    .option('--fields', 'show what the entry says')
    .action((files: string[], { vkey, fields }: { vkey?: string; fields?: boolean }, command: Command) => {
      const output = outputOf(command)
      const key = openVkey(vkey === undefined ? homeOf(command).pinned().vkey : readFileSync(vkey, 'utf8'))
      const passed = files.map((file) =>
        tell(output, { file, fields: fields === true }, checkReceipt(textOf(file), key)),
      )
      if (!passed.every(Boolean)) process.exitCode = EXIT.unverified
    })
}

function textOf(file: string): string {
  const text = readIfThere(file)
  if (text === undefined) throw new StartRefused(`${file}: is missing`)
  return text
}

function tell(output: Output, { file, fields }: { file: string; fields: boolean }, verified: Verified): boolean {
  const { steps, passed, index, size } = verified
  const told = Object.fromEntries([...verified.fields, ...verified.inner].map(({ name, value }) => [name, value]))
  const lines = [
    `${passed ? 'PASS' : 'FAIL'}  ${file}`,
    ...steps.map(
      ({ step, result, why }) => `      ${result === 'PASS' ? '✓' : '✗'} ${step}${why === undefined ? '' : `: ${why}`}`,
    ),
    `      entry ${index} of ${size}: ${String(told['type'] ?? '?')} by ${String(told['actor'] ?? '?')} at ${String(told['time'] ?? '?')}`,
    ...(fields ? Object.entries(told).map(([name, value]) => `      ${name} = ${JSON.stringify(value)}`) : []),
  ]
  output.data({ file, passed, index: String(index), size: String(size), steps, fields: told }, lines.join('\n'))
  return passed
}

interface Wanted {
  /** The name of the file, and what is asked for. */
  name: string
  event: string
  read?: string
  /** The commitment that the node promised, base64url. */
  promised: string
}

/** What is noted in the folder and has no receipt there yet. */
function wantedIn(dir: string): Wanted[] {
  const lines = (file: string): Record<string, string>[] =>
    (readIfThere(join(dir, file)) ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, string>)
  const events = lines('events.ndjson').map(
    ({ event = '', rec = '' }): Wanted => ({ name: event, event, promised: rec }),
  )
  const reads = lines('reads.ndjson').flatMap(({ read = '' }): Wanted[] => {
    const named = readName(read)
    return named === undefined
      ? []
      : [{ name: `read-${named.id}-${named.place}`, event: named.id, read: named.place, promised: named.c }]
  })
  return [...events, ...reads].filter(
    ({ name }) => readIfThere(join(dir, 'receipts', `${name}.tlog-proof`)) === undefined,
  )
}

async function fetchReceipts({ client, home, output }: Session): Promise<void> {
  // A key that is not pinned yet is pinned here, at first use.
  await home.advance(client)
  const key = openVkey(home.pinned().vkey)
  const wanted = wantedIn(home.dir)
  let passed = true
  for (const { name, event, read, promised } of wanted) {
    const text = await client.receipt(event, read === undefined ? {} : { read })
    if (text === undefined) {
      output.warn(`${name}: its checkpoint is still to come; run aldis receipts again`)
      continue
    }
    const verified = checkReceipt(text, key)
    const path = home.keepReceipt(name, text)
    const kept = isOf(text, promised)
    if (!kept) output.warn(`${name}: the entry is another than the one that the node promised`)
    const good = verified.passed && kept
    passed &&= good
    const type = verified.fields.find((field) => field.name === 'type')?.value
    output.data({ event, read, path, passed: good, type }, `${good ? '✓' : '✗'} ${String(type).padEnd(18)} ${path}`)
  }
  await home.advance(client)
  if (wanted.length === 0) output.say('every receipt is here already')
  if (!passed) process.exitCode = EXIT.unverified
}
